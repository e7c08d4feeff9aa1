"""From an empty folder to a checked upload, by the commands that a person types, with both systems on the other side of a socket.

R4, R5, R7, R8, R11, R12; and the identity that was entered is to be found nowhere afterwards.
"""

from __future__ import annotations

import io
import logging
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import CalamineWorkbook

from cli.main import main

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
COMMAND = Path(sys.executable).with_name("shelfgate")
PASSWORDS = {"boss": "boss-password-4711", "clerk": "clerk-password-4712"}
SHOP = "38405005"
# What a person chooses, by column: category, where the rules have none to propose, brand, freight template.
CHOSEN = {"F": "收纳", "G": "青禾手作", "H": "全国包邮"}


@dataclass
class Shell:
    """Type commands in a folder, and remember everything that was shown.

    Attributes:
        folder: The working folder.
        settings: The environment beyond the process's own.
        shown: What every command printed, on both streams.
    """

    folder: Path
    settings: dict[str, str]
    shown: list[str] = field(default_factory=list)

    def run(self, *words: str, code: int = 0, **settings: str) -> str:
        """Run a command, see that it ends with the code, and give what it printed.

        Binding and checking are processes of their own, as they are for a person; the others run within this one, which saves
        starting Python a dozen times.
        """
        given = environment() | self.settings | settings
        if words[0] in {"bind", "check"}:
            answer = subprocess.run(
                [COMMAND, *words],
                cwd=self.folder,
                env=given,
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            ended, printed = answer.returncode, answer.stdout + answer.stderr
        else:
            ended, printed = self._within(list(words), given)
        self.shown.append(printed)
        assert code == ended, printed
        return printed

    def _within(self, words: list[str], given: dict[str, str]) -> tuple[int, str]:
        """Run a command within this process, and leave the process as it was."""
        printed = io.StringIO()
        root = logging.getLogger()
        before, level, ended = root.handlers[:], root.level, 0
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["shelfgate", *words])
            patch.setattr(os, "environ", given)
            with redirect_stdout(printed), redirect_stderr(printed):
                try:
                    main()
                except SystemExit as stopped:
                    ended = int(stopped.code or 0)
        root.handlers[:] = before
        root.setLevel(level)
        return ended, printed.getvalue()


def environment() -> dict[str, str]:
    """Give the process's environment without what would be taken for settings of the command."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("SHELFGATE_", "PYTHONDONT"))
    }


@pytest.fixture(scope="module")
def sandbox() -> Iterator[dict[str, str]]:
    """Start the sandbox as a person does, and read addresses and identities off what it prints."""
    words = [str(COMMAND), "sandbox", "--examples", str(EXAMPLES), "--huiju-port", "0", "--youzan-port", "0"]
    with subprocess.Popen(words, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        told = dict(re.findall(r"^\s*(\S+)\s+(\S+)\s*$", "".join(lines), re.MULTILINE))
        try:
            yield {
                "SHELFGATE_HUIJU_URL": told["惠聚沙箱"],
                "SHELFGATE_YOUZAN_URL": told["有赞沙箱"],
                "SHELFGATE_HUIJU_APP_ID": told["appId"],
                "SHELFGATE_HUIJU_APP_SECRET": told["appSecret"],
                "SHELFGATE_HUIJU_DATA_KEY": told["dataKey"],
                "SHELFGATE_YOUZAN_CLIENT_ID": told["client_id"],
                "SHELFGATE_YOUZAN_CLIENT_SECRET": told["client_secret"],
                "SHELFGATE_YOUZAN_PER_SECOND": "90",
            }
        finally:
            process.send_signal(signal.SIGINT)
            assert 0 == process.wait(timeout=20)


def choose(book: openpyxl.Workbook, sheet: Worksheet, cell: str, wanted: str) -> None:
    """Pick from a cell's drop-down, as a person does: the first choice that shows the name."""
    (rule,) = [item for item in sheet.data_validations.dataValidation if cell in item.sqref]
    name, _, area = str(rule.formula1).partition("!")
    cells = book[name.strip("'")][area.replace("$", "")]
    sheet[cell] = next(str(row[0].value) for row in cells if wanted in str(row[0].value))


def fill(file: Path) -> int:
    """Fill in what the rules left open, and give the number of products."""
    book = openpyxl.load_workbook(file)
    sheet = book["上架商品"]
    for row in range(2, sheet.max_row + 1):
        for column, wanted in CHOSEN.items():
            if sheet[f"{column}{row}"].value is None:
                choose(book, sheet, f"{column}{row}", wanted)
    book.save(file)
    return sheet.max_row - 1


def test_a_shop_is_bound_by_an_administrator_and_its_template_is_filled_in_and_passes(
    sandbox: dict[str, str], tmp_path: Path
) -> None:
    secrets = [
        sandbox["SHELFGATE_HUIJU_APP_SECRET"],
        sandbox["SHELFGATE_HUIJU_DATA_KEY"],
        sandbox["SHELFGATE_YOUZAN_CLIENT_SECRET"],
        *PASSWORDS.values(),
    ]
    shell = Shell(tmp_path, sandbox)
    boss = {"SHELFGATE_PASSWORD": PASSWORDS["boss"]}
    shell.run("shops", "add", str(EXAMPLES / "shop.yaml"))
    shell.run("users", "add", "boss", "--role", "senior_admin", SHELFGATE_NEW_PASSWORD=PASSWORDS["boss"])
    shell.run(
        *("users", "add", "clerk", "--role", "operator", "--user", "boss"),
        SHELFGATE_NEW_PASSWORD=PASSWORDS["clerk"],
        **boss,
    )

    assert "尚未绑定惠聚；请先运行 shelfgate bind" in shell.run("reference", code=2)
    refused = shell.run(
        *("bind", "--user", "clerk", "--debug"), code=2, SHELFGATE_PASSWORD=PASSWORDS["clerk"]
    )
    assert "只有高级管理员和普通管理员可以绑定惠聚店铺，你的角色是运营" in refused
    wrong = shell.run(
        *("bind", "--user", "boss", "--debug"), code=2, **boss, SHELFGATE_HUIJU_APP_SECRET="mistyped-by-hand"
    )
    assert "渠道不接受这组凭据" in wrong
    assert "凭据未保存" in wrong
    assert "已绑定惠聚" in shell.run("bind", "--user", "boss", "--debug", **boss)

    assert "类目 39、品牌 6、运费模板 4、规格模板 9" in shell.run("reference", "--shop", SHOP, "--debug")
    look_through(CalamineWorkbook.from_path(str(tmp_path / "惠聚数据.xlsx")))
    assert "可以上架" in shell.run("template", "--all-eligible", "-o", "模板.xlsx", "--debug")
    shell.run("products", "--cached", "-o", "products.jsonl")
    remarked = drop_remarked(tmp_path / "模板.xlsx")
    assert 60 < fill(tmp_path / "模板.xlsx")
    assert remarked
    checked = shell.run(
        *("check", "模板.xlsx", "--shop", str(EXAMPLES / "shop.yaml")),
        *("--products", "products.jsonl", "--reference", "惠聚数据.xlsx", "--format", "csv"),
    )
    assert 1 == len(checked.strip().splitlines()), checked

    assert "已解除" in shell.run("bind", "--unbind", "--user", "boss", **boss)

    everything = "\n".join(shell.shown) + dump(tmp_path / "shelfgate.db")
    assert "channels.wire" in everything  # what is looked through holds the log of every call
    assert [] == [secret for secret in secrets if secret in everything]
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.name != "shelfgate.key")
    assert [] == [secret for secret in secrets if secret.encode() in written]


def look_through(book: CalamineWorkbook) -> None:
    """See that the workbook of reference data has a sheet for each kind, and advice where one is empty (R7)."""
    assert ["类目", "品牌", "运费模板", "规格模板", "已上架商品"] == book.sheet_names
    scarves = ["6091", "围巾", "6057", 3.0, "是", "服饰鞋包/服饰配件/围巾"]
    assert scarves in book.get_sheet_by_name("类目").to_python()
    assert "还没有商品上架到惠聚" == book.get_sheet_by_name("已上架商品").to_python()[1][0]


def drop_remarked(file: Path) -> list[str]:
    """Leave out the products that rules remark on, as a careful person does, and give their ids."""
    book = openpyxl.load_workbook(file)
    sheet = book["上架商品"]
    rows = list(sheet.iter_rows(min_row=2))
    remarked = [str(row[0].value) for row in rows if row[0].comment]
    kept = [[cell.value for cell in row] for row in rows if not row[0].comment]
    sheet.delete_rows(2, sheet.max_row)
    for values in kept:
        sheet.append(values)
    book.save(file)
    return remarked


def dump(database: Path) -> str:
    """Write the whole database out as SQL."""
    connection = sqlite3.connect(database)
    try:
        return "\n".join(connection.iterdump())
    finally:
        connection.close()
