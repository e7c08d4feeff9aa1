"""The commands around reference data, products, templates and keys: what they say when something is missing, empty or old (R7, R8)."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import openpyxl
import pytest
from click.testing import CliRunner, Result

from channels.huiju import HuijuCredentials
from channels.sandbox import Sandbox, SandboxConfig, Seed
from channels.youzan import YouzanCredentials
from cli.main import shelfgate
from engine.errors import ShelfgateError
from mappings.reference import read_reference
from pipeline.clients import HUIJU
from pipeline.reference import Reference, Snapshot
from pipeline.secrets import open_vault
from pipeline.store import BindingRow, open_store

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
SHOP = "38405005"
IDENTITY = HuijuCredentials("hj00000001", "huiju-app-secret-1f2e", "huiju-data-key-9c8b")
PASSWORD = "ten-letters-or-more"
RULES = ("--rules", str(ROOT))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Give both systems with three products of the demo shop."""
    lines = (EXAMPLES / "products.jsonl").read_text(encoding="utf-8").splitlines()
    seed = Seed([json.loads(line) for line in lines[:3]], read_reference(EXAMPLES / "惠聚数据.xlsx"))
    youzan = YouzanCredentials("yz-client-01", "youzan-client-secret-7a6d", SHOP)
    config = SandboxConfig(huiju=IDENTITY, youzan=youzan, huiju_per_second=5000, youzan_per_second=5000)
    with Sandbox(seed, config=config) as running:
        yield running


@pytest.fixture(scope="module")
def settings(sandbox: Sandbox) -> dict[str, str]:
    """Give the settings that point at the sandboxes."""
    return {
        "SHELFGATE_HUIJU_URL": sandbox.huiju.base_url,
        "SHELFGATE_HUIJU_APP_ID": IDENTITY.app_id,
        "SHELFGATE_HUIJU_APP_SECRET": IDENTITY.app_secret,
        "SHELFGATE_HUIJU_DATA_KEY": IDENTITY.data_key,
        "SHELFGATE_YOUZAN_URL": sandbox.youzan.base_url,
        "SHELFGATE_YOUZAN_CLIENT_ID": "yz-client-01",
        "SHELFGATE_YOUZAN_CLIENT_SECRET": "youzan-client-secret-7a6d",
        "SHELFGATE_YOUZAN_PER_SECOND": "5000",
        "SHELFGATE_PASSWORD": PASSWORD,
        "SHELFGATE_NEW_PASSWORD": PASSWORD,
    }


@contextmanager
def working_in(folder: Path, settings: dict[str, str]) -> Iterator[Path]:
    """Work in a folder with these settings and no others of the command's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in [name for name in os.environ if name.startswith("SHELFGATE_")]:
            patch.delenv(name)
        for name, value in settings.items():
            patch.setenv(name, value)
        yield folder


@pytest.fixture
def folder(tmp_path: Path, settings: dict[str, str]) -> Iterator[Path]:
    """Give an empty working folder."""
    with working_in(tmp_path, settings) as here:
        yield here


@pytest.fixture(scope="module")
def bound_once(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> Path:
    """Bind the demo shop once for all tests."""
    with working_in(tmp_path_factory.mktemp("bound"), settings) as here:
        good("shops", "add", str(EXAMPLES / "shop.yaml"), *RULES)
        good("users", "add", "boss", "--role", "senior_admin", *RULES)
        good("bind", "--user", "boss", *RULES)
        return here


@pytest.fixture
def bound(folder: Path, bound_once: Path) -> Path:
    """Give a working folder in which the demo shop is bound."""
    for name in ("shelfgate.db", "shelfgate.key"):
        shutil.copy(bound_once / name, folder / name)
    return folder


def run(*words: str) -> Result:
    return CliRunner().invoke(shelfgate, list(words))


def good(*words: str) -> str:
    """Run a command that must succeed, and give what it printed."""
    answer = run(*words)
    assert 0 == answer.exit_code, (answer.output, answer.exception)
    return answer.output


def bad(*words: str) -> str:
    """Run a command that must fail, and give what it says; `cli.main.main` prints what Shelfgate raises on purpose."""
    answer = run(*words)
    assert 0 != answer.exit_code, answer.output
    return answer.exception.message if isinstance(answer.exception, ShelfgateError) else answer.output


def test_a_shop_that_is_not_registered_or_bound_is_told_what_comes_first(folder: Path) -> None:
    assert "shelfgate shops add" in bad("reference", *RULES)
    good("shops", "add", str(EXAMPLES / "shop.yaml"), *RULES)
    assert "没有登记店铺 1；已登记的有 38405005" in bad("reference", "--shop", "1", *RULES)
    assert "请先运行 shelfgate bind" in bad("reference", *RULES)
    assert "--user" in bad("bind", *RULES)
    assert "登录名或密码不对" in bad("bind", "--user", "boss", *RULES)


def test_each_kind_that_is_empty_gets_its_advice_on_screen_and_in_its_sheet(
    bound: Path, sandbox: Sandbox
) -> None:
    state = sandbox.huiju.state
    with state.lock:
        brands, state.reference["brands"] = state.reference["brands"], []
    try:
        assert "注意：还没有品牌" in good("reference", "-o", "数据.xlsx", *RULES)
        good("template", "-o", "模板.xlsx", *RULES)
    finally:
        with state.lock:
            state.reference["brands"] = brands
    assert "还没有品牌" in str(openpyxl.load_workbook("数据.xlsx")["品牌"]["A2"].value)
    comment = openpyxl.load_workbook("模板.xlsx")["上架商品"]["G1"].comment
    assert comment is not None
    assert "还没有品牌" in comment.text


def test_a_template_fetches_what_is_missing_and_only_that(bound: Path) -> None:
    first = good("template", "--products", "403680077，403681037", *RULES)
    assert "先下载" in first
    assert "从有赞读取了 2 个商品" in first
    assert "可以上架 2 个，不能上架 0 个" in first
    again = good("template", "--products", "403680077", *RULES)
    assert "读取了" not in again
    assert "可以上架 1 个" in again
    assert "从有赞读取了 1 个商品" in good("template", "--products", "403680077", "--refresh", *RULES)


def test_ids_may_be_listed_in_a_file_and_strangers_are_barred_by_name(bound: Path) -> None:
    Path("商品.txt").write_text("４０３６８００７７\n403680077\n\n999\n", encoding="utf-8")
    said = good("template", "--products", "商品.txt", *RULES)
    assert "有赞里没有 1 个：999" in said
    assert "可以上架 1 个，不能上架 1 个" in said
    sheet = openpyxl.load_workbook("上架模板.xlsx")["不能上架"]
    assert ["999", "", "不通过"] == [cell.value for cell in sheet[2][:3]]
    assert "本店没有 ID 为 999 的商品" in str(sheet["D2"].value)


def test_ids_that_are_none_are_refused(bound: Path) -> None:
    assert "含有数字以外的字符" in bad("template", "--products", "围巾", *RULES)
    assert "没有商品 ID" in bad("template", "--products", ",", *RULES)
    assert "只能选一个" in bad("template", "--products", "1", "--all-eligible", *RULES)


def test_products_are_written_out_for_the_check(bound: Path) -> None:
    assert "3 个商品" in good("products", "-o", "products.jsonl", *RULES)
    lines = Path("products.jsonl").read_text(encoding="utf-8").splitlines()
    assert 3 == len([json.loads(line) for line in lines])
    assert "已写到" in good("products", "--cached", "-o", "again.jsonl", *RULES)
    assert Path("products.jsonl").read_bytes() == Path("again.jsonl").read_bytes()


def test_missing_settings_for_youzan_are_named(bound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHELFGATE_YOUZAN_CLIENT_SECRET")
    assert "SHELFGATE_YOUZAN_CLIENT_SECRET" in bad("products", *RULES)


def test_credentials_are_replaced_from_a_file_and_the_key_is_rotated(bound: Path) -> None:
    identity = f"# 惠聚\nappId: {IDENTITY.app_id}\nappSecret={IDENTITY.app_secret}\n'data_key': '{IDENTITY.data_key}'\n"
    Path("身份.txt").write_text(identity, encoding="utf-8")
    assert "已更换" in good("bind", "--user", "boss", "--replace", "--credentials", "身份.txt", *RULES)
    good("keys", "new", "新.key")
    Path("shelfgate.key").write_text(
        Path("新.key").read_text("ascii") + Path("shelfgate.key").read_text("ascii"), encoding="ascii"
    )
    assert "重新加密 1 处" in good("keys", "rotate")
    Path("shelfgate.key").write_text(Path("新.key").read_text("ascii"), encoding="ascii")
    assert "类目 39" in good("reference", *RULES)
    with closing(open_store("sqlite:///shelfgate.db")) as store, store.read() as session:
        row = session.get(BindingRow, (SHOP, HUIJU))
        assert row is not None
        assert open_vault({}, Path("新.key")).is_current(row.credentials)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"appId": "a", "appSecret": ', "不是完整的 JSON"),
        ("appId 00", "第 1 项写法不对"),
        ("appId: a\nappSecret: s3cr3t-in-file", "缺少 data_key"),
        ("appId: a\nappSecret: s3cr3t-in-file\ndataKey: k\nextra: x", "不认识的字段 extra"),
    ],
)
def test_a_file_of_credentials_that_is_wrong_is_refused_without_quoting_it(
    folder: Path, text: str, said: str
) -> None:
    good("shops", "add", str(EXAMPLES / "shop.yaml"), *RULES)
    good("users", "add", "boss", "--role", "senior_admin", *RULES)
    Path("身份.txt").write_text(text, encoding="utf-8")
    answer = bad("bind", "--user", "boss", "--credentials", "身份.txt", *RULES)
    assert said in answer
    assert "s3cr3t-in-file" not in answer


def test_secrets_are_not_asked_for_where_nobody_can_answer(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good("shops", "add", str(EXAMPLES / "shop.yaml"), *RULES)
    good("users", "add", "boss", "--role", "senior_admin", *RULES)
    for name in ("APP_ID", "APP_SECRET", "DATA_KEY"):
        monkeypatch.delenv(f"SHELFGATE_HUIJU_{name}")
    assert "--credentials" in bad("bind", "--user", "boss", *RULES)
    monkeypatch.delenv("SHELFGATE_PASSWORD")
    assert "SHELFGATE_PASSWORD" in bad("bind", "--user", "boss", *RULES)
    assert "boss\tboss\t高级管理员" in good("users", "list")
    assert "未绑定惠聚" in good("bind", "--status", *RULES)


def test_a_key_is_never_overwritten(folder: Path) -> None:
    good("keys", "new")
    before = Path("shelfgate.key").read_bytes()
    assert "不会覆盖" in bad("keys", "new")
    assert before == Path("shelfgate.key").read_bytes()
    assert 0o600 == Path("shelfgate.key").stat().st_mode & 0o777


def test_the_sandbox_says_what_it_lacks(folder: Path) -> None:
    assert "--examples" in bad("sandbox", *RULES)
    (folder / "examples").mkdir()
    assert "shop.yaml" in bad("sandbox", *RULES)


def test_a_store_of_another_kind_is_refused_without_its_password(folder: Path) -> None:
    said = bad("users", "list", "--store", "mysql://me:hush-hush@host/db")
    assert "不支持数据库 mysql" in said
    assert "hush-hush" not in said


def test_stale_data_is_said_to_be_stale() -> None:
    taken = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
    reference = Reference((Snapshot("brands", [], "0", taken, taken),), [])
    assert "惠聚数据取自 2026-11-20 10:00（3 天前），可能已经过时：请重新下载惠聚数据" == reference.note(
        taken + timedelta(days=3)
    )


def test_every_command_of_the_guide_is_there_with_its_options() -> None:
    guide = (ROOT / "docs" / "howto" / "bind-and-template.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\$ shelfgate (.+)$|`shelfgate ([a-z][^`]*)`", guide, re.MULTILINE)
    typed = [shlex.split(console or inline, comments=True) for console, inline in lines]
    assert len(typed) > 10
    for words in typed:
        command: click.Command | None = shelfgate
        while isinstance(command, click.Group) and words:
            command = command.get_command(click.Context(command), words.pop(0))
        assert command is not None
        command.make_context("guide", words, resilient_parsing=True)
