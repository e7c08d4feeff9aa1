"""Delimited text as a page: its encoding and its delimiter are told by its content."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice

from mappings import sheet_messages as say
from mappings.sheet_book import Page
from mappings.sheet_columns import HEADER_ROWS, Column, find_header
from mappings.sheet_file import CHUNK, SheetFile

DELIMITERS = (",", "\t", ";")

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def open_text(file: SheetFile, columns: Sequence[Column]) -> Page:
    """Read delimited text.

    Args:
        file: The file.
        columns: The columns looked for; the delimiter is the one that shows the most of them.

    Raises:
        SheetError: Where the encoding is none of UTF-8, UTF-16 with a mark, GB18030, or a quote stays open.
    """
    encoding, lines = _encoding(file)
    best, most = DELIMITERS[0], -1
    for delimiter in DELIMITERS:
        head = list(islice(_rows(file, encoding, delimiter, strict=False), HEADER_ROWS))
        header = find_header(head, columns, least=1)
        if header is not None and len(header.places) > most:
            best, most = delimiter, len(header.places)
    return Page(file.name, lines, 0, {}, (), lambda: _rows(file, encoding, best, strict=True))


def _encoding(file: SheetFile) -> tuple[str, int]:
    """Find the encoding that reads the whole file, and its number of lines.

    Every text in UTF-8 that is not plain ASCII is all but certainly meant as UTF-8, so it goes first.
    """
    with file.open() as handle:
        head = handle.read(4)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    candidates = (marked,) if marked else ("utf-8", "gb18030")
    line = 1
    for name in candidates:
        good, line = _try(file, name)
        if good:
            return name, line
    raise say.encoding(file.name, line)


def _try(file: SheetFile, encoding: str) -> tuple[bool, int]:
    """Decode a file without keeping it; tell whether it can be done and how many lines were read."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 1
    with file.open() as handle:
        try:
            while chunk := handle.read(CHUNK):
                lines += decoder.decode(chunk).count("\n")
            decoder.decode(b"", True)
        except UnicodeError:
            return False, lines
    return True, lines


def _rows(file: SheetFile, encoding: str, delimiter: str, *, strict: bool) -> Iterator[list[str]]:
    """Give the records; where the header is only looked for, a broken one ends them."""
    handle = file.open()
    with io.TextIOWrapper(handle, encoding=encoding, newline="") as text:
        reader = csv.reader(text, delimiter=delimiter, strict=strict)
        begun = 0
        try:
            for record in reader:
                begun = reader.line_num
                yield record
        except csv.Error as error:
            if strict:
                raise say.broken_text(file.name, begun + 1, str(error)) from error
