"""Facts as people read them: every field under the title that the vocabulary gives it, every value in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from engine.vocabulary import SCALARS, FieldType
from engine.wording import SHANGHAI, said
from pipeline.uploads.receiving import moment

Fact = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Group:
    """Hold fields that belong together.

    Attributes:
        title: What they are about.
        fields: Titles and values.
    """

    title: str
    fields: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Hold records as a table.

    Attributes:
        title: What they are.
        columns: Titles of the columns.
        rows: Cells as text, one list for each record, a cell for each column.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Option:
    """Offer one value of a filter."""

    value: str
    title: str
    selected: bool


def in_words(type_: FieldType, value: Any) -> str:
    """Say a value; a choice by its title, a moment by the clock of the user."""
    if isinstance(value, datetime):
        return moment(value)
    return dict(type_.choices).get(value) or said(value, type_.unit)


def groups(type_: FieldType, record: Fact, leave_out: Iterable[str] = ()) -> list[Group]:
    """Put a record's fields into groups: one for each record in it, its own last; lists are left out.

    Args:
        type_: Its type.
        record: The record; a field that it does not have is not shown.
        leave_out: Names of fields that are shown elsewhere.
    """
    skipped = set(leave_out)
    named = [
        (name, field, record[name]) for name, field in type_.fields if name in record and name not in skipped
    ]
    own = Group(
        type_.title,
        [(field.title, in_words(field, value)) for _, field, value in named if field.kind in SCALARS],
    )
    inner = [group for _, field, value in named if field.kind == "record" for group in groups(field, value)]
    return [group for group in (*inner, own) if group.fields]


def sheet(type_: FieldType, records: Sequence[Fact], columns: Iterable[str], title: str = "") -> Sheet:
    """Lay records out as a table.

    Args:
        type_: Type of a record.
        records: The records.
        columns: Names of the fields to show, in this order; one that no record has is left out.
        title: What they are; the type's own title where empty.
    """
    fields = [(name, field_of(type_, name)) for name in columns if any(name in record for record in records)]
    rows = [
        [in_words(field, record[name]) if name in record else "" for name, field in fields]
        for record in records
    ]
    return Sheet(title or type_.title, [field.title for _, field in fields], rows)


def field_of(type_: FieldType, name: str) -> FieldType:
    """Give the type of a record's field that is known to be there."""
    found = type_.field(name)
    assert found is not None, name
    return found


def options(choices: Iterable[tuple[str, str]], chosen: str | None) -> list[Option]:
    """Offer the values of a filter, the first of them being all."""
    return [
        Option("", "全部", not chosen),
        *(Option(value, title, value == chosen) for value, title in choices),
    ]


def day_begins(day: str | None, later: int = 0) -> datetime | None:
    """Give the moment at which a day begins in Asia/Shanghai; None for none.

    Args:
        day: As a form sends it, such as 2022-03-08.
        later: Days to add, ≥ 0.

    Examples:
        >>> day_begins("2022-03-08", 1).isoformat()
        '2022-03-09T00:00:00+08:00'
    """
    if day is None:
        return None
    return datetime.combine(date.fromisoformat(day) + timedelta(days=later), time(), SHANGHAI)
