"""The report of an upload as the user's own workbook (R17): corrected in place, it is the next upload.

Formats, widths, other sheets and the user's comments stay. The columns 状态, 原因 and 修改建议 are added behind the last one, or
written anew where an earlier report has left them; rows that failed come first; a cell at fault is red and commented. A proposal is shown
in green and never put into the cell it is about. An upload of delimited text becomes a workbook.

- A formula in a column that is read is replaced by the result that was checked, and kept in a comment: a workbook written without a
  spreadsheet holds no results, and could not be uploaded again.
- A merged area of rows that part company is unmerged; only its top left cell has a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, BinaryIO

from openpyxl.cell.cell import Cell as BookCell
from openpyxl.comments import Comment
from openpyxl.packaging.custom import StringProperty
from openpyxl.styles import Alignment, Border, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from mappings.report._entries import one_line
from mappings.report.csv import FORMULA_STARTS
from mappings.report.xlsx import MOST_CHARACTERS
from mappings.sheet import UploadSheet, open_upload
from mappings.sheet_columns import REPORT_TITLES, plain_title
from mappings.workbook_file import MARK, load_book
from mappings.workbook_rows import cells_below, reorder

__all__ = ["Correction", "Fault", "RowNote", "write_workbook"]

RED = PatternFill("solid", fgColor="FFFFC7CE")
GREEN = PatternFill("solid", fgColor="FFC6EFCE")
GREEN_TEXT = Font(color="FF006100")
AUTHOR = "Shelfgate"
OURS = "【上架检查】"
"""Begins what we add to a comment; everything from it on is ours."""

WIDTHS = dict(zip(REPORT_TITLES, (16, 48, 48), strict=True))
MOST_COMMENTS = 5000
"""Most comments of a workbook; with more, spreadsheets take minutes to open it. Colours and columns go on."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Name a cell at fault.

    Attributes:
        path: The field that the cell fills, such as `row.brand_id`, or its address such as B7.
        text: What is wrong with it and what to do.
    """

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Correction:
    """Propose a value for a cell; a person takes it over or not.

    Attributes:
        cell: Its address in the upload, such as C6.
        column: Its title.
        found: What it holds.
        proposed: What is proposed.
    """

    cell: str
    column: str
    found: str
    proposed: str

    def __str__(self) -> str:
        return f"{self.column}：{self.found or '（空）'} → {self.proposed}"


@dataclass(frozen=True, slots=True)
class RowNote:
    """Say what became of one row.

    Attributes:
        number: Row of the upload, 1-based.
        status: Its outcome, in words.
        failing: Whether it is to be corrected and sent again; such rows come first.
        reason: Why.
        advice: What to do about it.
        faults: Cells at fault.
        corrections: Proposals.
    """

    number: int
    status: str
    failing: bool
    reason: str = ""
    advice: str = ""
    faults: tuple[Fault, ...] = ()
    corrections: tuple[Correction, ...] = ()


def write_workbook(
    content: bytes, name: str, notes: Sequence[RowNote], out: BinaryIO, *, upload_id: str = ""
) -> None:
    """Write the report.

    Args:
        content: The upload, as received.
        name: Its name; the extension tells a workbook from delimited text.
        notes: What became of each row, in the order of the sheet.
        out: Where to write to.
        upload_id: Id of the upload, kept in the workbook's properties so that the corrected one is known to correct it; empty for none.

    Raises:
        SheetError: Where the file is no upload.
    """
    upload = open_upload(content, name)
    book, page = load_book(content, upload)
    page.auto_filter.filterColumn.clear()
    annotator = _Annotator(page, upload)
    annotator.clean()
    order = [note for failing in (True, False) for note in notes if note.failing is failing]
    moved = reorder(page, upload.header_row, [note.number for note in order])
    annotator.write(order, moved)
    if upload_id:
        _set_mark(book, upload_id)
    book.save(out)


class _Annotator:
    """Write what is to be said into one sheet."""

    def __init__(self, page: Worksheet, upload: UploadSheet) -> None:
        self.page = page
        self.header = upload.header_row
        self.places = {place.column.path: place.place + 1 for place in upload.places if place.place >= 0}
        self.comments_left = MOST_COMMENTS
        self.looks: dict[tuple[bool, bool], Any] = {}
        titles = {plain_title(str(cell.value)): cell.column for cell in page[self.header] if cell.value}
        free = 1 + max(titles.values(), default=0)
        self.columns: dict[str, int] = {}
        for title in REPORT_TITLES:
            found = titles.get(plain_title(title))
            self.columns[title] = found or free
            free += found is None

    def clean(self) -> None:
        """Take away what an earlier report has left in the rows."""
        for cell in cells_below(self.page, self.header):
            if cell.has_style and cell.fill.fgColor.rgb == RED.fgColor.rgb:
                cell.fill = PatternFill()
            if cell.comment is not None and OURS in cell.comment.text:
                kept = cell.comment.text.partition(OURS)[0].rstrip()
                cell.comment = Comment(kept, cell.comment.author) if kept else None

    def write(self, notes: Sequence[RowNote], moved: dict[int, int]) -> None:
        """Write titles and rows.

        Args:
            notes: The rows, in the order in which they now stand.
            moved: New row of each row, both 1-based; rows that stay are left out.
        """
        last: Any = self.page.cell(self.header, max(self.places.values()))
        for title, place in self.columns.items():
            cell: Any = self.page.cell(self.header, place)
            if cell.value is None:
                cell.font, cell.fill, cell.border = copy(last.font), copy(last.fill), copy(last.border)
                cell.alignment = copy(last.alignment)
            _set_text(cell, title)
            self.page.column_dimensions[get_column_letter(place)].width = WIDTHS[title]
        for note in notes:
            self._row(note, moved.get(note.number, note.number))

    def _row(self, note: RowNote, row: int) -> None:
        status = note.status if row == note.number else f"{note.status}（原第 {note.number} 行）"
        advice = [f"建议改为 {correction}" for correction in note.corrections]
        advice += [note.advice] if note.advice else []
        texts = (status, note.reason, "\n".join(advice))
        for title, text in zip(REPORT_TITLES, texts, strict=True):
            cell = self.page.cell(row, self.columns[title])
            _set_text(cell, text)
            self._look(cell, green=title == REPORT_TITLES[2] and bool(note.corrections))
        if note.failing and row in self.page.row_dimensions:
            self.page.row_dimensions[row].hidden = False
        told: dict[int, list[str]] = {}
        for fault in note.faults:
            told.setdefault(self._place_of(fault.path), []).append(fault.text)
        for correction in note.corrections:
            told.setdefault(self._place_of(correction.cell), []).append(f"建议改为 {correction.proposed}")
        for place, lines in told.items():
            cell = self.page.cell(row, place)
            cell.fill = RED
            self._comment(cell, "\n".join(lines))

    def _look(self, cell: Any, *, green: bool) -> None:
        """Give a cell its look; each look is put together once, as that takes longer than all else."""
        key = (green, bool(cell.quotePrefix))
        if key not in self.looks:
            cell.fill, cell.font = (GREEN, GREEN_TEXT) if green else (PatternFill(), Font())
            cell.border, cell.alignment = Border(), Alignment(wrap_text=True, vertical="top")
            cell.number_format = "@"
            self.looks[key] = cell._style  # noqa: SLF001 - openpyxl has no public way to share a look
        cell._style = copy(self.looks[key])  # noqa: SLF001 - as above

    def _place_of(self, path: str) -> int:
        """Give the column, 1-based, that a path or an address means."""
        letters = path.rstrip("0123456789")
        if letters.isascii() and letters.isupper():
            return _column_number(letters)
        return self.places.get(path, self.places["row.product_id"])

    def _comment(self, cell: Any, text: str) -> None:
        if self.comments_left <= 0:
            return
        self.comments_left -= 1
        before = f"{cell.comment.text}\n" if cell.comment is not None else ""
        comment = Comment(f"{before}{OURS}\n{_clean(text)}", AUTHOR)
        comment.width, comment.height = 320, 120
        cell.comment = comment


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _set_text(cell: Any, text: str) -> None:
    """Write text that stays text, whatever it begins with."""
    assert isinstance(cell, BookCell)
    kept = _clean(text)
    cell.value = kept or None
    cell.data_type = "s" if kept else "n"
    if (quoted := kept.lstrip(" ").startswith(FORMULA_STARTS)) != bool(cell.quotePrefix):
        cell.quotePrefix = quoted


def _clean(text: str) -> str:
    """Keep line ends, drop every other control character, and keep to what a cell holds."""
    lines = "\n".join(map(one_line, text.split("\n")))
    return lines if len(lines) <= MOST_CHARACTERS else f"{lines[:MOST_CHARACTERS]}…（已截短）"


def _set_mark(book: Any, upload_id: str) -> None:
    """Keep the upload's id in the workbook's own properties, which spreadsheets keep when they save."""
    properties = book.custom_doc_props
    if MARK in properties.names:
        del properties[MARK]
    properties.append(StringProperty(name=MARK, value=upload_id))
