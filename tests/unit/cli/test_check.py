"""`shelfgate check` on hostile input: every end is an exit code and a sentence, never a traceback, never a lost file."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import shelfgate
from engine.errors import ShelfgateError
from engine.rulebook import load
from mappings.report import RuleCount, Summary

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"
SHOP = ("--shop", str(EXAMPLES / "shop.yaml"))
PRODUCTS = EXAMPLES / "products.jsonl"
SHEET = EXAMPLES / "上架表.xlsx"
JUNK = bytes(range(256)) * 20


def check(*arguments: object) -> Result:
    return CliRunner().invoke(shelfgate, ["check", *map(str, arguments), "--rules", str(ROOT)])


def said(result: Result) -> str:
    """Give what was written; an error of ours is written by `main`, which stands around the command."""
    if isinstance(result.exception, ShelfgateError):
        return result.exception.message
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result.stdout + result.stderr


def junk(folder: Path, name: str, content: bytes = JUNK) -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("name", ["empty.jsonl", "empty.xlsx", "empty.csv"])
def test_a_file_without_a_line_is_not_taken_for_one_that_passed(tmp_path: Path, name: str) -> None:
    result = check(junk(tmp_path, name, b""), *SHOP, "--products", PRODUCTS)
    assert 2 == result.exit_code
    assert "1 个文件无法读取" in said(result)


@pytest.mark.parametrize(
    ("name", "code"), [("junk.jsonl", 1), ("junk.xlsx", 2), ("junk.csv", 2), ("junk.xls", 2), ("junk.pdf", 2)]
)
def test_binary_junk_is_named_as_such(tmp_path: Path, name: str, code: int) -> None:
    result = check(junk(tmp_path, name), *SHOP, "--products", PRODUCTS)
    assert code == result.exit_code
    assert "无法读取" in said(result)


def test_one_file_that_cannot_be_read_does_not_keep_the_others_from_being_checked(tmp_path: Path) -> None:
    result = check(junk(tmp_path, "junk.xlsx"), PRODUCTS, *SHOP, "--products", PRODUCTS, "--format", "json")
    assert 2 == result.exit_code
    summary = json.loads(result.stdout)["summary"]
    assert (1, True) == (summary["unreadable"], summary["accepted"] > 50)


def test_the_same_file_twice_is_checked_twice() -> None:
    once, twice = (
        json.loads(check(*[PRODUCTS] * n, *SHOP, "--format", "json").stdout)["summary"] for n in (1, 2)
    )
    assert 2 * once["total"] == twice["total"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("s.json", JUNK, "读不到 JSON"),
        ("s.json", b"", "读不到 JSON"),
        ("s.json", b"[" * 100_000, "JSON 嵌套太深"),
        ("s.JSON", b"[]", "应是一组字段，这里是 列表（0 项）"),
        ("s.json", b'{"id": "1", "nam": "x"}', "nam：没有这个字段（是不是 name？）"),
        ("s.yaml", bytes(range(32)), "SG0105"),
        ("s.yaml", JUNK, "SG0103"),
        ("s.yaml", b"", "SG0107"),
        ("s.yaml", b"id: 5", "id：应是文字，这里是 5"),
        ("s.yaml", b"- 5", "应是一组字段"),
    ],
)
def test_a_shop_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    result = check(PRODUCTS, "--shop", junk(tmp_path, name, content))
    assert words in said(result)


@pytest.mark.parametrize("name", ["r.xlsx", "r.csv"])
def test_reference_data_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    assert name in said(check(PRODUCTS, "--reference", junk(tmp_path, name)))


def test_an_output_that_is_an_input_is_refused_before_it_is_wiped_out(tmp_path: Path) -> None:
    file, shop, link = tmp_path / "p.jsonl", tmp_path / "shop.yaml", tmp_path / "link.jsonl"
    shutil.copy(PRODUCTS, file)
    shutil.copy(EXAMPLES / "shop.yaml", shop)
    link.symlink_to(file)
    for output in (file, shop, link):
        before = output.read_bytes()
        result = check(file, "--shop", shop, "-o", output)
        assert 2 == result.exit_code
        assert "是输入文件，换一个文件名" in said(result)
        assert before == output.read_bytes()


def test_an_output_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    result = check(PRODUCTS, *SHOP, "-o", tmp_path / "nowhere" / "r.txt")
    assert (2, True) == (result.exit_code, "写不了" in said(result))
    assert 2 == check(PRODUCTS, *SHOP, "-o", tmp_path).exit_code


def test_an_output_is_said_to_be_written_and_the_screen_left_alone(tmp_path: Path) -> None:
    result = check(PRODUCTS, *SHOP, "--format", "xlsx", "-o", tmp_path / "r.xlsx", "--progress")
    assert "" == result.stdout
    assert "已写到" in result.stderr
    assert b"PK" == (tmp_path / "r.xlsx").read_bytes()[:2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([SHEET], "需要 --products"),
        ([PRODUCTS, "--channel", "huijv"], "没有渠道 'huijv'；是不是 huiju？"),
        ([PRODUCTS, "--as-of", "2022-13-01"], "不是日期"),
        ([PRODUCTS, "--as-of", "2022-03-08T09:00:00"], "不是日期"),
        ([PRODUCTS, "--shop", EXAMPLES], "directory"),
        ([EXAMPLES], "directory"),
        (["nowhere.jsonl"], "does not exist"),
        ([PRODUCTS, "--format", "pdf"], "pdf"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_to_write(arguments: list[object], words: str) -> None:
    result = check(*arguments)
    assert 2 == result.exit_code
    assert words in said(result)


def test_products_twice_are_told_once_a_row_needs_them(tmp_path: Path) -> None:
    products = tmp_path / "p.jsonl"
    products.write_bytes(PRODUCTS.read_bytes() * 2)
    result = check(SHEET, *SHOP, "--products", products, "--as-of", "2026-11-23", "--format", "json")
    once = check(SHEET, *SHOP, "--products", PRODUCTS, "--as-of", "2026-11-23", "--format", "json")
    assert json.loads(once.stdout) == json.loads(result.stdout)
    assert "SG0805" in result.stderr
    assert "条未显示" in result.stderr
    assert 21 + 20 >= len(result.stderr.splitlines())


def test_a_rulebook_that_cannot_decide_listings_is_refused(tmp_path: Path) -> None:
    facts = ROOT / "rules" / "facts"
    rules = ROOT / "rules" / "huiju" / "order-actions.yaml"
    (tmp_path / "rulesets.yaml").write_text(
        f"facts: {facts}\nchannels: {{c: {{rulesets: {{o: {rules}}}}}}}\n", "utf-8"
    )
    result = CliRunner().invoke(shelfgate, ["check", str(PRODUCTS), "--rules", str(tmp_path)])
    assert (2, True) == (result.exit_code, "渠道 c 没有关于上架（listing）的规则" in said(result))
    (tmp_path / "facts").mkdir()
    shutil.copy(facts / "shipment.yaml", tmp_path / "facts")
    (tmp_path / "s.yaml").write_text(
        'kind: eligibility\nfact: shipment\nrules: [{id: a, title: 甲, source: R0, require: {id: "1"}, otherwise: 乙}]\n',
        "utf-8",
    )
    (tmp_path / "rulesets.yaml").write_text("facts: facts\nchannels: {c: {rulesets: {o: s.yaml}}}\n", "utf-8")
    result = CliRunner().invoke(shelfgate, ["check", str(PRODUCTS), "--rules", str(tmp_path)])
    assert (2, True) == (result.exit_code, "规则的词汇表里没有 shop" in said(result))


@pytest.mark.parametrize(
    ("summary", "codes"),
    [
        (Summary(total=1, accepted=1), {"warning": 0, "undetermined": 0, "rejected": 0, "never": 0}),
        (Summary(total=1, rejected=1), {"warning": 1, "undetermined": 1, "rejected": 1, "never": 0}),
        (Summary(total=1, undetermined=1), {"warning": 3, "undetermined": 3, "rejected": 0, "never": 0}),
        (
            Summary(total=1, accepted=1, rules={"r": RuleCount("甲", warnings=1)}),
            {"warning": 1, "undetermined": 0, "rejected": 0, "never": 0},
        ),
        (Summary(rejected=1, unreadable=1), {"warning": 2, "undetermined": 2, "rejected": 2, "never": 2}),
    ],
)
def test_the_exit_code_follows_what_was_found(summary: Summary, codes: dict[str, int]) -> None:
    from cli.check import exit_code

    assert codes == {level: exit_code(summary, level) for level in codes}


def command(*arguments: object) -> list[str]:
    return [str(Path(sys.executable).with_name("shelfgate")), *map(str, arguments)]


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path) -> None:
    products = tmp_path / "p.jsonl"
    products.write_bytes(PRODUCTS.read_bytes() * 20)
    with subprocess.Popen(
        command("check", products, *SHOP, "--format", "csv"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.readline()
        run.stdout.close()
        told = run.stderr.read()
        run.wait(timeout=30)
    assert b"Traceback" not in told, told.decode()


def test_ctrl_c_ends_it_with_a_code_of_its_own(tmp_path: Path) -> None:
    """Exit code 1 would say that something is rejected."""
    pipe = tmp_path / "p.jsonl"
    os.mkfifo(pipe)
    with (
        subprocess.Popen(
            command("check", pipe, *SHOP), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
        ) as run,
        pipe.open("wb"),
    ):
        time.sleep(0.3)
        run.send_signal(signal.SIGINT)
        _, told = run.communicate(timeout=30)
    assert (130, "\n已中断\n") == (run.returncode, told.decode())


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
)
def test_a_terminal_without_chinese_does_not_stop_it(environment: dict[str, str]) -> None:
    for arguments in (["rules", "lint"], ["check", "nowhere"]):
        run = subprocess.run(
            command(*arguments), capture_output=True, check=False, cwd=ROOT, env={**os.environ, **environment}
        )
        assert b"Traceback" not in run.stderr
        assert run.returncode in {0, 2}


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
def test_ten_thousand_rows_do_not_pile_up(tmp_path: Path) -> None:
    """What is held is the rows, not the products: with 3 KB each, those alone would take twice as much as is allowed."""
    count = 10_000
    example = load(ROOT / "rulesets.yaml").vocabulary.facts["listing"].example["product"]
    fact = {**example, "specs": [{"id": "1", "name": "颜色", "values": ["红"]}], "images": ["x" * 100] * 20}
    rows, products = tmp_path / "rows.csv", tmp_path / "p.jsonl"
    with rows.open("w", encoding="utf-8") as out:
        out.write("有赞商品ID,规格名1,规格模板ID1,类目ID,品牌ID,运费模板ID\n")
        out.writelines(f"{n},颜色,30001,6091,7001,47428464001\n" for n in range(count))
    with products.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps({**fact, "id": str(n)}) + "\n" for n in range(count))
    # Not ru_maxrss: Linux carries the peak of the process that started this one into it.
    code = (
        "import pathlib, sys\nfrom cli.main import main\ntry: main()\n"
        "finally: print(pathlib.Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0], file=sys.stderr)\n"
    )
    given = [*SHOP, "--products", products, "--reference", EXAMPLES / "惠聚数据.xlsx"]
    arguments = ["check", rows, *given, "--format", "csv", "-o", tmp_path / "r.csv", "--no-progress"]
    run = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        check=False,
        cwd=ROOT,
        timeout=120,
    )
    assert f"共 {count} 行" in run.stderr.decode()
    assert int(run.stderr.split()[-1]) < 160 * 1024  # kB
