"""A user's workbook, opened so that it can be written again, and the mark by which a report is known when it comes back."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from typing import Any
from xml.sax.saxutils import unescape

from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from mappings.report._entries import one_line
from mappings.report.csv import FORMULA_STARTS
from mappings.report.xlsx import MOST_CHARACTERS
from mappings.sheet import SheetRow, UploadSheet
from mappings.sheet_book import Book
from mappings.sheet_cells import show
from mappings.sheet_columns import UPLOAD_COLUMNS, UPLOAD_SHEET
from mappings.sheet_file import SheetFile, kind_of
from mappings.sheet_text import open_text
from mappings.workbook_rows import cells_below

MARK = "shelfgate-upload"
"""Name of the workbook's property that holds the id of the upload that it reports on."""

MOST_FORMULA_NOTES = 1000
"""Most formulas whose text is kept in a comment."""

_PROPERTIES = "docProps/custom.xml"
_MOST_PROPERTIES = 100_000
_VALUE = re.compile(rf'<(?:\w+:)?property\b[^>]*\bname="{MARK}"[^>]*>\s*<(?:\w+:)?lpwstr>([^<]*)<')


def load_book(content: bytes, upload: UploadSheet) -> tuple[Workbook, Worksheet]:
    """Open the workbook of an upload for writing; make one where the upload is text, or can't be written back.

    Args:
        content: The upload, as received; it has been read before, so its size and its kind are within bounds.
        upload: The same, opened; its rows are used up.

    Returns:
        The workbook, and the sheet that the upload was read from.
    """
    if content.startswith(b"PK"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it tells of parts that it leaves out
                book = load_workbook(io.BytesIO(content))
        except Exception:
            return _made(SheetFile(upload.file, content), upload)
        page = book[upload.sheet]
        assert isinstance(page, Worksheet)
        _settle_formulas(page, upload)
        return book, page
    return _made(SheetFile(upload.file, content), upload)


def mark_of(content: bytes) -> str:
    """Give the id of the upload that a workbook is the report of; empty where it is none."""
    if not content.startswith(b"PK"):
        return ""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(_PROPERTIES) as part:
            text = part.read(_MOST_PROPERTIES).decode("utf-8", "replace")
    except (zipfile.BadZipFile, KeyError, OSError, NotImplementedError, RuntimeError, ValueError, EOFError):
        return ""
    found = _VALUE.search(text)
    return unescape(found[1]).strip() if found else ""


def _settle_formulas(page: Worksheet, upload: UploadSheet) -> None:
    """Put the results that were checked in the place of formulas in the columns that are read."""
    read = {place.place + 1 for place in upload.places if place.place >= 0}
    formulas: dict[int, list[Any]] = {}
    for cell in cells_below(page, upload.header_row):
        if cell.data_type == "f" and cell.column in read:
            formulas.setdefault(cell.row, []).append(cell)
    if not formulas:
        return
    left = MOST_FORMULA_NOTES
    for sheet_row in upload.rows:
        values = _values(sheet_row)
        for cell in formulas.get(sheet_row.number, ()):
            if cell.coordinate not in values:
                continue  # without a result: stays as it is, and is named as a fault
            formula = getattr(cell.value, "text", cell.value)
            cell.value = values[cell.coordinate] or None
            cell.data_type = "s" if cell.value else "n"
            if left > 0:
                left -= 1
                before = f"{cell.comment.text}\n" if cell.comment is not None else ""
                cell.comment = Comment(
                    f"{before}原为公式 {one_line(str(formula))}，这里是检查时的结果", "Shelfgate"
                )


def _values(row: SheetRow) -> dict[str, str]:
    """Give the text of each cell by its address; cells that could not be read are left out."""
    broken = {problem.cell.name for problem in row.problems if problem.cell is not None}
    return {cell.name: cell.value for cell in row.cells.values() if cell.name not in broken}


def _made(file: SheetFile, upload: UploadSheet) -> tuple[Workbook, Worksheet]:
    """Make a workbook of all cells as they were read, each in its place, all of them text."""
    is_text = kind_of(file) == "text"
    source = open_text(file, UPLOAD_COLUMNS) if is_text else Book(file).page(upload.sheet)
    book = Workbook()
    page = book.active
    assert isinstance(page, Worksheet)
    page.title = UPLOAD_SHEET if is_text else upload.sheet
    for number, values in enumerate(source.rows(), 1):
        for place, value in enumerate(values, source.left + 1):
            text = one_line(show(value))[:MOST_CHARACTERS]
            if text:
                cell: Any = page.cell(number, place)
                cell.value = text
                cell.data_type, cell.number_format = "s", "@"
                cell.quotePrefix = text.lstrip(" ").startswith(FORMULA_STARTS)
                cell.font = Font(bold=number == upload.header_row)
    for item in upload.places:
        if item.place >= 0:
            page.column_dimensions[get_column_letter(item.place + 1)].width = 22
    page.freeze_panes = f"A{upload.header_row + 1}"
    return book, page
