"""Rows of an upload as `listing` row facts: the loop that runs once for each of tens of thousands of rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

from engine.diagnostics import Cell, Diagnostic
from mappings import sheet_messages as say
from mappings.ids import FIRST_ROUNDED, MOST_DIGITS
from mappings.sheet_book import Page
from mappings.sheet_cells import Place, RowCells, make_cell, read_cell
from mappings.sheet_columns import cell_name

_LEVEL = re.compile(r"row\.specs\[([0-9]+)\]\.([a-z_]+)")

Flags = Mapping[int, Mapping[int, Callable[[Cell], Diagnostic]]]
"""What is wrong with cells beside their values: by row number, 1-based, and position of the column, 0-based."""


class SheetRow(NamedTuple):
    """Hold one row of an upload; a named tuple, as it is made once a row and costs a third of a dataclass.

    Attributes:
        number: Row number, 1-based, as the spreadsheet shows it.
        row: The `row` fact of `listing`; a field that is blank or can't be read is absent. `specs` holds the levels that
            are filled in, in order.
        cells: The cell of each field, by path such as `row.specs[0].template_id`.
        problems: What could not be read, each with its cell and a remedy.
    """

    number: int
    row: dict[str, Any]
    cells: RowCells
    problems: tuple[Diagnostic, ...]


def find_flags(page: Page, places: Sequence[Place], header_row: int, most: int) -> Flags:
    """Collect formulas without a result, error values and merged cells in the columns that are read.

    Args:
        page: The sheet.
        places: The columns.
        header_row: The header's row, 1-based; nothing above or in it is flagged.
        most: Most merged cells that are looked at; areas that overlap could name each cell many times.
    """
    flags: dict[int, dict[int, Callable[[Cell], Diagnostic]]] = {}
    flag: Callable[[Cell], Diagnostic]
    read = {place.place for place in places if place.index >= 0}
    for (row, place), error in page.marks.items():
        if place in read and row >= header_row:
            flag = partial(say.formula_error, error=error) if error else say.no_value
            flags.setdefault(row + 1, {})[place] = flag
    for (top, first), (bottom, last) in page.merged:
        inside = [place for place in read if first <= place <= last]
        hidden = partial(say.merged, area=f"{cell_name(top + 1, first)}:{cell_name(bottom + 1, last)}")
        for row in range(max(top, header_row), min(bottom + 1, page.height)) if inside else ():
            most -= 1
            if most < 0:
                return flags
            flags.setdefault(row + 1, {}).update(
                (place, hidden) for place in inside if (row, place) != (top, first)
            )
    return flags


class RowReader:
    """Read the rows under one header.

    A row whose ids are clean text, as the template writes them, is taken as it is, at the cost of a few checks in C; every
    other row is read cell by cell.
    """

    def __init__(self, sheet: str, places: Sequence[Place], flags: Flags) -> None:
        """Prepare the loop.

        Args:
            sheet: Name of the sheet, for the cells.
            places: Where the upload's columns stand.
            flags: What is wrong with cells beside their values.
        """
        self._sheet = sheet
        self._flags = flags
        self._plain = [place for place in places if not _LEVEL.fullmatch(place.column.path)]
        self._levels: list[dict[str, Place]] = []
        for place in places:
            if match := _LEVEL.fullmatch(place.column.path):
                level = int(match[1])
                self._levels += [{} for _ in range(level + 1 - len(self._levels))]
                self._levels[level][match[2]] = place
        self._width = 1 + max(place.index for place in places)
        self._layouts = [self._layout(filled) for filled in range(1 << len(self._levels))]

    def read(self, rows: Iterable[list[Any]], header_row: int) -> Iterator[SheetRow]:
        """Read the data rows; blank ones are left out and counted.

        Args:
            rows: The rows from row 1; each list is used up.
            header_row: The header's row, 1-based.
        """
        sheet, flags, layouts, width = self._sheet, self._flags, self._layouts, self._width
        keys = tuple(place.column.path.removeprefix("row.") for place in self._plain)
        pick = itemgetter(*(place.index for place in self._plain))
        pairs = [
            (1 << bit, level["name"].index, level["template_id"].index)
            for bit, level in enumerate(self._levels)
        ]
        for number, values in enumerate(islice(rows, header_row, None), header_row + 1):
            if len(values) < width:
                values.extend([""] * (width - len(values)))
            values.append("")
            ids = pick(values)
            try:
                joined = "".join(ids)
            except TypeError:
                ids = tuple(map(_digits, ids))
                joined = "".join(ids)
            if (
                joined.isdigit()
                and joined.isascii()
                and len(joined) <= MOST_DIGITS
                and "" not in ids
                and number not in flags
            ):
                specs = []
                filled = 0
                for bit, name_index, template_index in pairs:
                    name = values[name_index]
                    template = values[template_index]
                    if template.__class__ is float:
                        template = _digits(template)
                    if name == "" and template == "":
                        continue
                    if not (_is_clean_name(name) and _is_clean_id(template)):
                        break
                    specs.append({"name": name, "template_id": template})
                    filled |= bit
                else:
                    row: dict[str, Any] = dict(zip(keys, ids, strict=True))
                    row["specs"] = specs
                    yield SheetRow(number, row, RowCells(sheet, number, layouts[filled], values), ())
                    continue
            slow = self._read_cells(number, values)
            if slow is not None:
                yield slow

    def _read_cells(self, number: int, values: Sequence[Any]) -> SheetRow | None:
        """Read one row cell by cell; None where it is blank."""
        flags = self._flags.get(number, {})
        problems: list[Diagnostic] = []

        def read(place: Place) -> Any:
            value = values[place.index]
            flag = flags.get(place.place)
            if flag is not None:
                problems.append(flag(make_cell(self._sheet, number, place, value)))
                return None
            if value == "":
                return None
            found, problem = read_cell(
                place.column, partial(make_cell, self._sheet, number, place, value), value
            )
            if problem is not None:
                problems.append(problem)
            return found

        row: dict[str, Any] = {}
        for place in self._plain:
            found = read(place)
            if found is not None:
                row[place.column.path.removeprefix("row.")] = found
        specs: list[dict[str, Any]] = []
        filled = 0
        for bit, level in enumerate(self._levels):
            before = len(problems)
            spec = {key: found for key, place in level.items() if (found := read(place)) is not None}
            if spec or len(problems) > before:
                specs.append(spec)
                filled |= 1 << bit
        if not row and not filled and not problems:
            return None
        row["specs"] = specs
        cells = RowCells(self._sheet, number, self._layouts[filled], values)
        return SheetRow(number, row, cells, tuple(problems))

    def _layout(self, filled: int) -> dict[str, Place]:
        """Give the column of each path where only some spec levels are filled in, one bit each, lowest first.

        The levels that are filled in come first, as in the fact; the blank ones after them, so that a rule that misses a
        level points at the cell to fill in.
        """
        layout = {place.column.path: place for place in self._plain if place.index >= 0}
        levels = sorted(enumerate(self._levels), key=lambda item: not filled >> item[0] & 1)
        for position, (_, level) in enumerate(levels):
            for key, place in level.items():
                if place.index >= 0:
                    layout[f"row.specs[{position}].{key}"] = place
        return layout


def _digits(value: object) -> str:
    """Give clean text, or the digits of a number that is exact; anything else as an empty text, to be looked at."""
    if isinstance(value, float) and 0 < value < FIRST_ROUNDED and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else ""


def _is_clean_name(value: object) -> bool:
    """Tell whether a cell holds text that is taken as it is; the empty text is not."""
    return (
        isinstance(value, str)
        and value.isprintable()
        and value == value.strip()
        and not value.startswith("#")
    )


def _is_clean_id(value: object) -> bool:
    return isinstance(value, str) and value.isdigit() and value.isascii() and len(value) <= MOST_DIGITS
