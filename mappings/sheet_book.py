"""The one place where python-calamine is spoken to: a workbook as pages of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import python_calamine as calamine

from mappings import sheet_messages as say
from mappings.sheet_columns import HEADER_ROWS
from mappings.sheet_file import Part, SheetFile, scan_workbook
from mappings.sheet_marks import read_marks, sheet_paths

T = TypeVar("T")

Area = tuple[tuple[int, int], tuple[int, int]]
"""First and last cell of an area, each (row, column), 0-based, both within."""


@dataclass(frozen=True, slots=True)
class Page:
    """Hold one sheet that is ready to be read.

    Attributes:
        name: The sheet's name.
        height: Rows up to the last filled one.
        left: Columns before the first filled one; rows begin after them.
        marks: By (row, column), 0-based: the error that a cell shows; empty for a formula without a result.
        merged: Merged areas.
        rows: Gives the rows from row 1, cells from column `left`.
    """

    name: str
    height: int
    left: int
    marks: Mapping[tuple[int, int], str]
    merged: tuple[Area, ...]
    rows: Callable[[], Iterator[list[Any]]]

    def head(self) -> list[list[Any]]:
        """Give the rows among which the header may stand, from column A."""
        pad = [""] * self.left
        return [pad + row for row, _ in zip(self.rows(), range(HEADER_ROWS), strict=False)]


class Book:
    """Read a workbook that has been scanned.

    Attributes:
        file: The file.
        names: Visible worksheets, in order.
        hidden: Hidden worksheets, in order.
    """

    def __init__(self, file: SheetFile) -> None:
        self.file = file
        self._parts: Mapping[str, Part] = scan_workbook(file)
        self._paths = sheet_paths(file)
        self._book = self._call(self._load)
        sheets = [
            sheet for sheet in self._book.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet
        ]
        visible = calamine.SheetVisibleEnum.Visible
        self.names: Sequence[str] = [sheet.name for sheet in sheets if sheet.visible == visible]
        self.hidden: Sequence[str] = [sheet.name for sheet in sheets if sheet.visible != visible]

    def page(self, name: str) -> Page:
        """Read one sheet.

        Raises:
            SheetError: Where the sheet is damaged or its cells stand too far apart.
        """
        marks = read_marks(self.file, self._parts.get(self._paths.get(name, "")), name)
        sheet = self._call(lambda: self._book.get_sheet_by_name(name))
        start = sheet.start
        end = sheet.end
        merged = tuple(sheet.merged_cell_ranges or ())
        return Page(
            name=name,
            height=0 if end is None else end[0] + 1,
            left=0 if start is None else start[1],
            marks=marks,
            merged=merged,
            rows=lambda: iter(sheet.iter_rows()) if start is not None else iter(()),
        )

    def _load(self) -> calamine.CalamineWorkbook:
        source = self.file.source
        if isinstance(source, bytes):
            return calamine.CalamineWorkbook.from_filelike(self.file.open())
        return calamine.CalamineWorkbook.from_path(source)

    def _call(self, action: Callable[[], T]) -> T:
        """Call the reader; none of its errors gets out, and no panic of its Rust side."""
        try:
            return action()
        except (calamine.CalamineError, OSError, ValueError) as error:
            raise say.broken(self.file.name, str(error) or type(error).__name__) from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
            raise say.broken(self.file.name, "内容不符合格式") from error
