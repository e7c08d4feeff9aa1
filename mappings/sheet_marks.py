"""Formulas without a result, error values and far-off cells: what a workbook says and a reader shows as blank."""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO
from xml.etree import ElementTree as ET
from xml.parsers import expat

from mappings import sheet_messages as say
from mappings.sheet_file import CHUNK, Part, SheetFile

MOST_CELLS = 12_000_000
"""Most cells between the first and the last filled one; a reader sets up each, about 32 bytes a cell."""

_ADDRESS = re.compile(r"([A-Za-z]*)([0-9]*)")


@dataclass(slots=True)
class Marks:
    """Collect what the cells of one worksheet hold beside their values.

    Attributes:
        cells: By (row, column), 0-based: the error a cell shows, such as `#N/A`; empty for a formula without a result.
        rows: Rows from the first to the last filled one.
        columns: Columns from the first to the last filled one.
    """

    cells: dict[tuple[int, int], str] = field(default_factory=dict)
    rows: int = 0
    columns: int = 0


def sheet_paths(file: SheetFile) -> dict[str, str]:
    """Find where each sheet of a workbook is kept.

    Returns:
        Path inside the workbook by sheet name, in the workbook's order.

    Raises:
        SheetError: Where the workbook's own list can't be read.
    """
    with file.open() as handle:
        try:
            with zipfile.ZipFile(handle) as archive:
                # Expat bounds entities and loads none from outside; the parts' sizes were checked before.
                book = ET.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
                links = ET.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
        except (zipfile.BadZipFile, zlib.error, ET.ParseError, KeyError, EOFError) as error:
            raise say.broken(file.name, "工作簿的目录不完整") from error
    targets = {link.get("Id", ""): _inside(link.get("Target", "")) for link in links}
    paths: dict[str, str] = {}
    for sheet in (item for item in book.iter() if _local(item.tag) == "sheet"):
        link = next(
            (value for key, value in sheet.items() if key.startswith("{") and _local(key) == "id"), ""
        )
        paths[sheet.get("name", "")] = targets.get(link, "")
    return paths


def read_marks(file: SheetFile, part: Part | None, sheet: str) -> Mapping[tuple[int, int], str]:
    """Read the marks of a worksheet in which the scan saw any.

    Raises:
        SheetError: Where the filled cells stand too far apart, or the sheet is damaged.
    """
    if part is None or not (part.marks or part.far):
        return {}
    with file.open() as handle:
        try:
            with zipfile.ZipFile(handle) as archive, archive.open(part.path) as stream:
                marks = _Reader().read(stream)
        except (zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, ValueError) as error:
            raise say.broken(file.name, f"工作表“{sheet}”不完整") from error
    if marks.rows * marks.columns > MOST_CELLS:
        raise say.bomb(
            file.name, f"工作表“{sheet}”从第一格到最后一格有 {marks.rows:,} 行 × {marks.columns:,} 列"
        )
    return marks.cells


class _Reader:
    """Follow the cells of a worksheet's XML."""

    def __init__(self) -> None:
        self.marks = Marks()
        self.row = self.column = -1
        self.is_error = self.is_text = self.has_formula = self.has_value = self.in_value = False
        self.value: list[str] = []
        self.first = (1 << 62, 1 << 62)
        self.last = (-1, -1)

    def read(self, stream: IO[bytes]) -> Marks:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        while chunk := stream.read(CHUNK):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
        if self.last[0] >= 0:
            self.marks.rows = self.last[0] - self.first[0] + 1
            self.marks.columns = self.last[1] - self.first[1] + 1
        return self.marks

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "row":
            self.row = int(attributes["r"]) - 1 if "r" in attributes else self.row + 1
            self.column = -1
        elif name == "c":
            self._place(attributes.get("r", ""))
            self.is_error = attributes.get("t") == "e"
            self.is_text = attributes.get("t") == "str"
            self.has_formula = self.has_value = False
            self.value = []
        elif name == "f":
            self.has_formula = True
        elif name in ("v", "is"):
            self.has_value = self.in_value = True

    def _place(self, address: str) -> None:
        match = _ADDRESS.match(address)
        letters, digits = match.groups() if match else ("", "")
        if letters:
            self.column = 0
            for letter in letters.upper():
                self.column = self.column * 26 + ord(letter) - 64
            self.column -= 1
        else:
            self.column += 1
        if digits:
            self.row = int(digits) - 1

    def _text(self, text: str) -> None:
        if self.in_value and (self.is_error or self.has_formula):
            self.value.append(text)

    def _end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        if name in ("v", "is"):
            self.in_value = False
        elif name == "c":
            if self.has_value:
                self.first = (min(self.first[0], self.row), min(self.first[1], self.column))
                self.last = (max(self.last[0], self.row), max(self.last[1], self.column))
            if self.is_error:
                self.marks.cells[self.row, self.column] = "".join(self.value) or "#N/A"
            elif self.has_formula and not (self.value or (self.is_text and self.has_value)):
                self.marks.cells[self.row, self.column] = ""


def _inside(target: str) -> str:
    """Give a link's target as a path inside the workbook."""
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
