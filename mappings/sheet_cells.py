"""Values of single cells: as text to show, as an id, a name, a number or a yes and no."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

from engine.diagnostics import Cell, Diagnostic
from mappings import sheet_messages as say
from mappings.ids import ERRORS, FIRST_ROUNDED, IdError, clean_text, read_id
from mappings.sheet_columns import Column, Header, cell_name

YES = frozenset({"是", "有", "y", "yes", "true", "1", "√", "✓"})
NO = frozenset({"否", "无", "n", "no", "false", "0", "×", "✗"})

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Times in sheets are those of the user's clock; China keeps one, without summer time."""

_DIGITS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Place:
    """Say where a column stands in a sheet.

    Attributes:
        column: The column.
        index: Its position in a row as read; -1 where the sheet lacks it and every row ends in a blank.
        place: Its position from column A, 0-based.
        title: Its title as the sheet writes it.
    """

    column: Column
    index: int
    place: int
    title: str


def places_of(header: Header, columns: Sequence[Column], left: int) -> tuple[Place, ...]:
    """Place every column of a table in a sheet whose rows begin after `left` columns."""
    return tuple(
        Place(column, place - left, place, header.titles[place])
        if (place := header.places.get(column.path)) is not None
        else Place(column, -1, -1, column.title)
        for column in columns
    )


class RowCells(Mapping[str, Cell]):
    """Give the cells of one row by the path of the field they fill; each is made when it is asked for."""

    __slots__ = ("_number", "_places", "_sheet", "_values")

    def __init__(self, sheet: str, number: int, places: Mapping[str, Place], values: Sequence[Any]) -> None:
        self._sheet = sheet
        self._number = number
        self._places = places
        self._values = values

    def __getitem__(self, path: str) -> Cell:
        place = self._places[path]
        return make_cell(self._sheet, self._number, place, self._values[place.index])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def texts(self) -> dict[str, str]:
        """Give what the filled cells hold, as text by column title, without making the cells."""
        values = self._values
        return {
            place.title: value if value.__class__ is str else show(value)
            for place in self._places.values()
            if (value := values[place.index]) != "" and value is not None
        }


def make_cell(sheet: str, number: int, place: Place, value: object) -> Cell:
    """Name a cell of a column in one row."""
    return Cell(sheet, cell_name(number, place.place), number, place.title, show(value))


def show(value: object) -> str:
    """Write a cell's value as text, the way a spreadsheet shows it.

    Examples:
        >>> show(403680077.0), show(1.5), show(True), show(1e20)
        ('403680077', '1.5', 'TRUE', '1E+20')
    """
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < FIRST_ROUNDED else f"{value:.15G}"
    return "" if value is None else str(value)


def read_cell(column: Column, cell: Callable[[], Cell], value: object) -> tuple[Any, Diagnostic | None]:
    """Read one cell for its column.

    Args:
        column: The column.
        cell: Makes the cell, for a diagnostic.
        value: What the cell holds, as the reader gives it; numbers as float.

    Returns:
        The value, None where there is none; and what is wrong with the cell, or None.
    """
    if value is None or (isinstance(value, str) and not clean_text(value)):
        return None, None
    if isinstance(value, str) and clean_text(value).upper() in ERRORS:
        return None, say.formula_error(cell())
    if column.kind == "id":
        try:
            return read_id(float(value) if type(value) is int else value), None
        except IdError as error:
            return None, say.bad_id(cell(), error.reason, error.remedy)
    if column.kind == "time":
        moment = _time(value)
        return (
            (moment, None) if moment else (None, say.bad_text(cell(), "应为时间，例如 2022-03-18 10:30:00"))
        )
    text = _text(value)
    if text is None:
        return None, say.bad_text(cell(), "是日期、逻辑值或带小数的数值")
    if column.kind == "number":
        return (
            (int(text), None) if _DIGITS.fullmatch(text) else (None, say.bad_text(cell(), "应为整数，例如 3"))
        )
    if column.kind == "flag":
        answer = text.casefold()
        if answer not in YES | NO:
            return None, say.bad_text(cell(), "应填“是”或“否”")
        return answer in YES, None
    return text, None


def _time(value: object) -> datetime | None:
    """Give a moment in UTC; a time without a zone is one of Shanghai."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(clean_text(value).replace("/", "-"))
        except ValueError:
            return None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        return None
    return (value if value.tzinfo else value.replace(tzinfo=SHANGHAI)).astimezone(UTC)


def _text(value: object) -> str | None:
    """Give a value as text where nothing is lost by it."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, bool):
        return show(value)
    if isinstance(value, int | float) and float(value).is_integer() and 0 <= value < FIRST_ROUNDED:
        return str(int(value))
    return None
