"""Add `--update-goldens`, which writes the golden files anew, and what tests of sheets share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from mappings.sheet_columns import UPLOAD_COLUMNS

TITLES = [column.title for column in UPLOAD_COLUMNS]
ROW = ["403680077", "颜色", "1001", "尺码", "1002", "30001", "900", "50000"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the option, unless a folder above has done so."""
    with contextlib.suppress(ValueError):
        parser.addoption("--update-goldens", action="store_true", help="write the golden files anew")


@pytest.fixture
def update_goldens(request: pytest.FixtureRequest) -> bool:
    """Tell whether golden files are to be written."""
    return bool(request.config.getoption("--update-goldens", default=False))


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Path]:
    """Give a function that writes a workbook of sheets, each a list of rows."""

    def write(
        sheets: dict[str, Sequence[Sequence[Any]]], name: str = "upload.xlsx", hidden: Sequence[str] = ()
    ) -> Path:
        path = tmp_path / name
        with xlsxwriter.Workbook(str(path)) as book:
            for title, rows in sheets.items():
                sheet = book.add_worksheet(title)
                if title in hidden:
                    sheet.hide()
                for number, row in enumerate(rows):
                    for place, value in enumerate(row):
                        if isinstance(value, str):
                            sheet.write_string(number, place, value)
                        elif value is not None:
                            sheet.write(number, place, value)
        return path

    return write


@pytest.fixture
def titles() -> list[str]:
    """Give the upload's titles."""
    return list(TITLES)


@pytest.fixture
def good() -> list[str]:
    """Give a row that reads well."""
    return list(ROW)
