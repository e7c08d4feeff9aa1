"""The main job from end to end: upload, report, correct in place, upload again, with the sandbox a process of its own (R15–R18).

Youzan and Huiju are on the other side of a socket; uploads that run at once are processes of their own, as a person starts them.
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from cli.main import main

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
COMMAND = Path(sys.executable).with_name("shelfgate")
OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
LISTED_BEFORE = "403683738"
"""A product of the demo shop that is on Huiju already."""

SETTINGS = {
    "SHELFGATE_PASSWORD": "long-enough-4711",
    "SHELFGATE_NEW_PASSWORD": "long-enough-4711",
    "SHELFGATE_HUIJU_APP_ID": "hj-acceptance",
    "SHELFGATE_HUIJU_APP_SECRET": "0123456789abcdef0123456789abcdef",
    "SHELFGATE_HUIJU_DATA_KEY": "fedcba9876543210fedcba9876543210",
    "SHELFGATE_YOUZAN_CLIENT_ID": "yz-acceptance",
    "SHELFGATE_YOUZAN_CLIENT_SECRET": "0123456789abcdef0123456789abcdef",
}


@dataclass
class Desk:
    """Type commands in a folder, with the demo shop bound to the sandbox.

    Attributes:
        folder: The working folder, with the store in it.
        huiju, youzan: Addresses of the sandbox.
    """

    folder: Path
    huiju: str
    youzan: str

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [COMMAND, *words],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str, code: int = 0) -> str:
        """Run a command within this process, which saves starting Python two dozen times, and leave the process as it was."""
        printed = io.StringIO()
        root = logging.getLogger()
        before, level, ended = root.handlers[:], root.level, 0
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["shelfgate", *words])
            patch.setattr(os, "environ", self.environment())
            with redirect_stdout(printed), redirect_stderr(printed):
                try:
                    main()
                except SystemExit as stopped:
                    ended = int(stopped.code or 0)
        root.handlers[:] = before
        root.setLevel(level)
        assert code == ended, printed.getvalue()
        return printed.getvalue()

    def environment(self) -> dict[str, str]:
        addresses = {"SHELFGATE_HUIJU_URL": self.huiju, "SHELFGATE_YOUZAN_URL": self.youzan}
        own = {name: value for name, value in os.environ.items() if not name.startswith("SHELFGATE_")}
        return {**own, **SETTINGS, **addresses}

    def added(self) -> Counter[str]:
        """Count how often each product was listed on the channel, by its Youzan id."""
        address = self.huiju.partition("/openapi")[0]
        with urllib.request.urlopen(f"{address}/_sandbox/state", timeout=10) as reply:
            state = json.load(reply)
        return Counter(about for _, what, about in state["effects"] if what == "product_add")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    log = tmp_path_factory.mktemp("sandbox") / "log"
    with log.open("wb") as out:
        words = ["sandbox", "--examples", str(EXAMPLES), "--huiju-port", "0", "--youzan-port", "0"]
        process = subprocess.Popen([COMMAND, *words], cwd=ROOT, env={**os.environ, **SETTINGS}, stdout=out)
        try:
            deadline = time.monotonic() + 30
            while "Ctrl-C" not in (shown := log.read_text(encoding="utf-8")):
                assert process.poll() is None, shown
                assert time.monotonic() < deadline, shown
                time.sleep(0.05)
            (huiju,) = re.findall(r"惠聚沙箱 +(\S+)", shown)
            (youzan,) = re.findall(r"有赞沙箱 +(\S+)", shown)
            yield huiju, youzan
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=10)


@pytest.fixture(scope="module")
def desk(sandbox: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("desk"), *sandbox)
    shutil.copytree(ROOT / "rules", desk.folder / "rules")
    shutil.copy(ROOT / "rulesets.yaml", desk.folder)
    desk.run("shops", "add", str(EXAMPLES / "shop.yaml"))
    desk.run("users", "add", "amy", "--role", "senior_admin", "--name", "王小美")
    desk.run("bind", "--user", "amy")
    desk.run("reference")
    return desk


@pytest.fixture(scope="module")
def rows() -> list[list[str]]:
    """Give rows of the example that pass and that the channel takes, as text."""
    page = openpyxl.load_workbook(EXAMPLES / "上架表.xlsx").worksheets[0]
    lines = (EXAMPLES / "expected.csv").read_text(encoding="utf-8").splitlines()[1:]
    good = [int(line.split(",")[0]) for line in lines if line.split(",")[2:5] == ["accepted", "", ""]]
    found = [["" if cell.value is None else cell.value for cell in page[number][:8]] for number in good]
    plain = [row for row in found if all(isinstance(value, str) for value in row)]
    return [row for row in plain if row[0].isdigit() and row[0].isascii()]


def sheet(folder: Path, name: str, rows: list[list[Any]]) -> str:
    titles = [cell.value for cell in openpyxl.load_workbook(EXAMPLES / "上架表.xlsx").worksheets[0][1]]
    with xlsxwriter.Workbook(str(folder / name)) as book:
        page = book.add_worksheet("上架商品")
        for number, row in enumerate([titles[:8], *rows]):
            page.write_row(number, 0, row)
    return name


def states(desk: Desk, upload_id: str) -> dict[str, str]:
    found = json.loads(desk.run("history", upload_id, "--json", "--limit", "500"))
    return {row["product_id"]: row["state"] for row in found["rows"]}


def uploads(desk: Desk) -> list[dict[str, Any]]:
    return list(json.loads(desk.run("history", "--json")))


def upload_id_of(printed: str) -> str:
    (found,) = re.findall(r"^导入 ([0-9a-f]{32}) 完成|^导入 ([0-9a-f]{32}) 全部完成", printed, re.MULTILINE)
    return next(filter(None, found))


def test_a_report_is_corrected_in_place_until_everything_is_listed(desk: Desk, rows: list[list[str]]) -> None:
    """R17, R18: the report itself is sent back; the channel counts what it was sent."""
    good = rows[:10]
    wrong = [[*row] for row in good]
    wrong[2][1] += "的"  # a spec name one letter off: the report proposes the right one
    wrong[5][6] = "1"  # a brand that the shop doesn't have
    wrong[7][5] = ""  # a category that was forgotten
    before = desk.added()
    printed = desk.run("upload", sheet(desk.folder, "三月.xlsx", wrong), "--user", "amy", code=1)
    first = upload_id_of(printed)
    failed = {wrong[number][0] for number in (2, 5, 7)}
    assert failed == {key for key, state in states(desk, first).items() if state == "rejected"}
    assert {row[0]: 1 for row in good if row[0] not in failed} == dict(desk.added() - before)

    report = desk.folder / "三月-结果.xlsx"
    book = openpyxl.load_workbook(report)
    page = book.worksheets[0]
    assert failed == {page.cell(number, 1).value for number in (2, 3, 4)}
    right = {row[0]: row for row in good}
    for number in (2, 3, 4):
        proposed = re.search("建议改为 规格名1：.* → (.*)", page.cell(number, 11).value or "")
        if proposed:
            page.cell(number, 2).value = proposed[1]
        for place in (6, 7):
            page.cell(number, place).value = right[page.cell(number, 1).value][place - 1]
    book.save(report)

    before = desk.added()
    printed = desk.run("upload", report.name, "--user", "amy")
    assert f"这是导入 {first} 的更正" in printed
    second = upload_id_of(printed)
    assert {row[0]: "listed" for row in good} == states(desk, second)
    assert dict.fromkeys(failed, 1) == dict(desk.added() - before)
    told = json.loads(desk.run("history", second, "--json", "--product", good[0][0]))
    assert f"导入 {first} 第 2 行已上架，未重复处理" == told["rows"][0]["reason"]

    printed = desk.run("upload", "三月.xlsx", "--user", "amy", "-o", "again.xlsx")
    assert "同一个文件已于" in printed
    assert dict.fromkeys(failed, 1) == dict(desk.added() - before)


def test_two_uploads_of_the_same_products_at_once_list_each_once(desk: Desk, rows: list[list[str]]) -> None:
    """R15, in two processes."""
    both = rows[10:30]
    before = desk.added()
    names = [sheet(desk.folder, "甲.xlsx", both), sheet(desk.folder, "乙.xlsx", both[::-1])]
    running = [desk.start("upload", name, "--user", "amy") for name in names]
    printed = [process.communicate(timeout=100)[0] for process in running]
    assert dict.fromkeys((row[0] for row in both), 1) == dict(desk.added() - before)
    outcomes = [states(desk, upload_id_of(text)) for text in printed]
    for row in both:
        assert ["listed", "rejected"] == sorted(outcome[row[0]] for outcome in outcomes)
    reasons = [
        item["reason"]
        for text in printed
        for item in json.loads(desk.run("history", upload_id_of(text), "--json", "--row-state", "rejected"))[
            "rows"
        ]
    ]
    assert len(both) == len(reasons)
    assert all("一个商品只能上架一次" in reason or "已经上架到惠聚" in reason for reason in reasons)


def test_an_upload_that_is_killed_goes_on_when_it_is_started_again(desk: Desk, rows: list[list[str]]) -> None:
    """R16: killed, not asked to stop."""
    some = rows[35:]
    before = desk.added()
    name = sheet(desk.folder, "断电.xlsx", some)
    with desk.start("upload", name, "--user", "amy") as process:
        try:
            while name not in (known := {line["filename"]: line["id"] for line in uploads(desk)}):
                assert process.poll() is None
        finally:
            process.kill()
    printed = desk.run("upload", name, "--user", "amy")
    assert "仍在处理，接着进行" in printed
    assert known[name] == upload_id_of(printed)
    assert dict.fromkeys((row[0] for row in some), 1) == dict(desk.added() - before)


def test_a_product_that_the_channel_has_already_is_refused_there_and_the_row_says_so(
    desk: Desk, rows: list[list[str]]
) -> None:
    page = openpyxl.load_workbook(EXAMPLES / "上架表.xlsx").worksheets[0]
    row = next(
        [cell.value or "" for cell in line[:8]] for line in page.iter_rows() if line[0].value == LISTED_BEFORE
    )
    printed = desk.run("upload", sheet(desk.folder, "旧.xlsx", [row]), "--user", "amy", code=1)
    found = json.loads(desk.run("history", upload_id_of(printed), "--json", "--row", "2"))
    assert "refused_by_channel" == found["state"]
    assert "已在渠道上架" in found["reason"]
    assert any("推送" in step["what"] for step in found["steps"])


def test_what_changes_after_the_listing_is_noticed_and_both_stocks_are_shown(
    desk: Desk, rows: list[list[str]]
) -> None:
    """R33, R34."""
    desk.run("upload", sheet(desk.folder, "三件.xlsx", rows[30:32]), "--user", "amy")
    product_id = rows[30][0]
    desk.run("drift", "--product", product_id)
    body = json.dumps({"item_id": product_id, "changes": {"title": "改过的标题"}}).encode()
    urllib.request.urlopen(f"{desk.youzan}/_sandbox/act/edit_item", body, timeout=10).close()
    assert "改为「改过的标题」" in desk.run("drift", "--product", product_id, code=1)
    found = json.loads(desk.run("stock", "--product", product_id, "--all", "--json"))
    assert found[0]["stock"]["youzan"] == found[0]["stock"]["channel"]
    assert all(sku["youzan"] == sku["channel"] for sku in found[0]["skus"])


def test_a_report_that_another_program_has_saved_is_still_the_report_of_its_upload(
    desk: Desk, rows: list[list[str]]
) -> None:
    """LibreOffice has no code in common with what writes the report."""
    if OFFICE is None:
        pytest.skip("LibreOffice is not installed; make test says how to get it")
    wrong = [*rows[32][:6], "1", rows[32][7]]
    printed = desk.run("upload", sheet(desk.folder, "办公.xlsx", [rows[33], wrong]), "--user", "amy", code=1)
    first = upload_id_of(printed)
    saved = desk.folder / "saved"
    subprocess.run(
        [OFFICE, f"-env:UserInstallation=file://{desk.folder / 'profile'}", "--headless", "--convert-to", "xlsx",
         "--outdir", str(saved), str(desk.folder / "办公-结果.xlsx")],
        check=True, capture_output=True, timeout=90,
    )  # fmt: skip
    printed = desk.run("upload", "saved/办公-结果.xlsx", "--user", "amy", code=1)
    assert f"这是导入 {first} 的更正" in printed
    assert {rows[33][0]: "listed", wrong[0]: "rejected"} == states(desk, upload_id_of(printed))


def test_a_file_that_cannot_be_read_ends_with_exit_code_2_and_says_what_to_do(desk: Desk) -> None:
    (desk.folder / "坏.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    printed = desk.run("upload", "坏.xlsx", "--user", "amy", code=2)
    assert "无法处理：" in printed
    assert not list(desk.folder.glob("坏-结果*"))


def test_a_csv_of_results_is_written_where_it_is_asked_for(desk: Desk, rows: list[list[str]]) -> None:
    wrong = [*rows[34][:6], "1", rows[34][7]]
    name = sheet(desk.folder, "单.xlsx", [wrong])
    desk.run("upload", name, "--user", "amy", "--format", "csv", "-o", "单.csv", "--no-wait", code=1)
    assert "品牌 ID 1 不在本店的惠聚数据中" in (desk.folder / "单.csv").read_text(encoding="utf-8-sig")
