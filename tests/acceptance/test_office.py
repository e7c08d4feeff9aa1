"""Workbooks that we write, as another program reads them: LibreOffice, which has no code in common with ours."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).with_name("shelfgate")
OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
INPUTS = ["--shop", "shop.yaml", "--products", "products.jsonl", "--reference", "惠聚数据.xlsx"]
# Comma, double quote, UTF-8, all sheets, cells as shown: the tokens of LibreOffice's CSV filter.
CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"

pytestmark = pytest.mark.skipif(
    not OFFICE, reason="LibreOffice is not installed; make test says how to get it"
)


def by_office(workbook: Path, folder: Path) -> dict[str, list[list[str]]]:
    """Read every sheet of a workbook through LibreOffice, as rows of text without trailing empty cells."""
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    words = [str(OFFICE), profile, "--headless", "--convert-to", CSV, "--outdir", str(folder), str(workbook)]
    subprocess.run(words, check=True, capture_output=True, timeout=120)
    sheets = {file.stem.removeprefix(f"{workbook.stem}-"): file for file in folder.glob("*.csv")}
    return {name: rows(csv.reader(StringIO(file.read_text("utf-8")))) for name, file in sheets.items()}


def by_calamine(workbook: Path) -> dict[str, list[list[str]]]:
    """Read every sheet of a workbook through python-calamine, in the same form."""
    book = CalamineWorkbook.from_path(workbook)
    return {name: rows(book.get_sheet_by_name(name).to_python()) for name in book.sheet_names}


def rows(cells: Iterable[Sequence[object]]) -> list[list[str]]:
    """Spell cells as text, drop what is empty at the end of each row, and then empty rows at the end."""
    spelled = [[str(int(cell)) if isinstance(cell, float) else str(cell) for cell in row] for row in cells]
    for row in spelled:
        while row and not row[-1]:
            row.pop()
    while spelled and not spelled[-1]:
        spelled.pop()
    return spelled


def test_the_result_of_a_check_opens_in_libreoffice_with_every_cell_as_written(tmp_path: Path) -> None:
    """R17: the sheet of reasons is opened, corrected and sent back by people who may not have Excel."""
    result = tmp_path / "结果.xlsx"
    words = [str(COMMAND), "check", "上架表.xlsx", *INPUTS, "--format", "xlsx", "--output", str(result)]
    answer = subprocess.run(words, cwd=ROOT / "examples", check=False, capture_output=True, text=True)
    assert (1, "") == (answer.returncode, answer.stdout)
    expected = by_calamine(result)
    assert expected
    assert expected == by_office(result, tmp_path)


def test_the_example_sheet_reads_the_same_in_libreoffice(tmp_path: Path) -> None:
    """R9: the ids that we read are the ids that its author sees."""
    reference = ROOT / "examples" / "惠聚数据.xlsx"
    assert by_calamine(reference) == by_office(reference, tmp_path)
