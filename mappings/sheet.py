"""Reads an upload: a workbook or delimited text, as a stream of rows for the rules (R8, R9, R19).

file ─► sheet_file (size, kind, unpacked size) ─► sheet_book | sheet_text (pages of rows)
─► sheet_columns (the header) ─► sheet_rows (row facts, cells, problems)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from engine.diagnostics import Diagnostic
from mappings import sheet_messages as say
from mappings.sheet_book import Book, Page
from mappings.sheet_cells import Place, places_of
from mappings.sheet_columns import (
    UPLOAD_COLUMNS,
    UPLOAD_SHEET,
    Header,
    check_header,
    find_header,
    plain_title,
)
from mappings.sheet_file import SheetFile, kind_of
from mappings.sheet_messages import SheetError
from mappings.sheet_rows import RowReader, SheetRow, find_flags
from mappings.sheet_text import open_text

__all__ = ["MOST_ROWS", "SheetError", "SheetRow", "UploadSheet", "open_upload"]

MOST_ROWS = 200_000
"""Most data rows of one upload: ten times what a large shop lists at once (R19), and a check of a minute or two."""

LEAST_COLUMNS = 3
"""Fewest of the upload's columns that make a row its header; fewer stand in ordinary text."""


@dataclass(frozen=True, slots=True)
class UploadSheet:
    """Hold an upload that is ready to be read, once.

    Attributes:
        file: Name of the file as the user gave it.
        sheet: Name of the sheet; of delimited text, the name of the file.
        header_row: The header's row, 1-based.
        places: Where each column stands, in the order of the column table.
        notices: What the user should know and that stops nothing.
        rows: The data rows, at least one. Of delimited text, reading on may raise a SheetError.
    """

    file: str
    sheet: str
    header_row: int
    places: tuple[Place, ...]
    notices: tuple[Diagnostic, ...]
    rows: Iterator[SheetRow]


def open_upload(source: Path | bytes, name: str | None = None) -> UploadSheet:
    """Open an upload.

    Args:
        source: Path of the file, or its bytes.
        name: Name of the file as the user gave it; its extension must agree with the content. The path where it is None.

    Raises:
        SheetError: Where the file is no sheet that can be read, with what to do about it.
    """
    file = SheetFile(
        name if name is not None else str(source) if isinstance(source, Path) else "upload.xlsx", source
    )
    hidden: list[str] = []
    if kind_of(file) == "workbook":
        page, header, hidden = _choose(file, Book(file))
    else:
        page = open_text(file, UPLOAD_COLUMNS)
        found = _header(page)
        if found is None:
            raise say.no_header(file.name, [page.name], [], [column.title for column in UPLOAD_COLUMNS])
        header = found
    diagnostics = check_header(header, page.name, UPLOAD_COLUMNS)
    errors = [item for item in diagnostics if item.severity == "error"]
    if errors:
        raise SheetError(file.name, errors)
    if page.height - header.row > MOST_ROWS:
        raise say.too_many_rows(file.name, page.name, page.height - header.row, MOST_ROWS)
    places = places_of(header, UPLOAD_COLUMNS, page.left)
    flags = find_flags(page, places, header.row, most=MOST_ROWS)
    rows = RowReader(page.name, places, flags).read(page.rows(), header.row)
    first = next(rows, None)
    if first is None:
        raise say.no_rows(file.name, page.name, header.row)
    notices = [*diagnostics, *([say.hidden_sheet(hidden)] if hidden else [])]
    return UploadSheet(file.name, page.name, header.row, places, tuple(notices), chain([first], rows))


def _choose(file: SheetFile, book: Book) -> tuple[Page, Header, list[str]]:
    """Choose the sheet to read: the one named for it, else the only visible one with the header.

    Returns:
        The sheet, its header, and the hidden sheets that carry the header too.
    """
    named = [name for name in book.names if plain_title(name) == UPLOAD_SHEET]
    found: list[tuple[Page, Header]] = []
    for name in named[:1] or book.names:
        page = book.page(name)
        header = _header(page)
        if header is not None:
            found.append((page, header))
    hidden = [name for name in book.hidden if _header(book.page(name)) is not None]
    if not named and (secret := next((name for name in hidden if plain_title(name) == UPLOAD_SHEET), None)):
        raise say.hidden_upload(file.name, secret)
    if not found:
        raise say.no_header(
            file.name, named or book.names, hidden, [column.title for column in UPLOAD_COLUMNS]
        )
    if len(found) > 1:
        raise say.several_sheets(file.name, [page.name for page, _ in found], UPLOAD_SHEET)
    return *found[0], hidden


def _header(page: Page) -> Header | None:
    return find_header(page.head(), UPLOAD_COLUMNS, LEAST_COLUMNS)
