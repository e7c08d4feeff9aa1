"""The vocabulary: which facts and tables there are, which fields they have, and of which types.

Read from `rules/facts/*.yaml`, JSON Schema 2020-12 written as YAML. Only the part of JSON Schema that a typed field needs is
understood; anything else is a diagnostic, so that no constraint is silently ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["text", "integer", "number", "boolean", "date", "datetime", "record", "list"]

RESERVED = frozenset({"all", "any", "none", "not", "use", "field", "item"})
KIND_TITLES: Mapping[str, str] = {
    "text": "文字",
    "integer": "整数",
    "number": "小数",
    "boolean": "是/否",
    "date": "日期",
    "datetime": "时间",
    "record": "一组字段",
    "list": "列表",
}
SCALARS = frozenset({"text", "integer", "number", "boolean", "date", "datetime"})
ORDERED = frozenset({"integer", "number", "date", "datetime"})


_PLAIN: Mapping[str, type] = {"text": str, "integer": int, "boolean": bool}


@dataclass(frozen=True, slots=True)
class FieldType:
    """Say what a field may hold.

    Attributes:
        kind: One of the eight kinds.
        title: Chinese title; empty for the elements of a list.
        unit: Unit such as fen, g; empty where there is none.
        choices: The allowed values and their titles; empty where any value goes. Text only.
        fields: Fields of a record, in order.
        required: Names of the fields that a record can't be without.
        element: Type of a list's elements.
        minimum: Least value, for integer and number; least length, for text and list.
        maximum: Greatest value or length, likewise.
        plain: What a value must be, and nothing more, to fit: str, int or bool; None where more is asked of it.
    """

    kind: Kind
    title: str = ""
    unit: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    fields: tuple[tuple[str, FieldType], ...] = ()
    required: tuple[str, ...] = ()
    element: FieldType | None = None
    minimum: float | None = None
    maximum: float | None = None
    _by_name: dict[str, FieldType] = field(init=False, repr=False, compare=False)
    _values: frozenset[str] = field(init=False, repr=False, compare=False)
    plain: type | None = field(init=False, repr=False, compare=False)
    needed: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the fields by name, and the allowed values."""
        object.__setattr__(self, "_by_name", dict(self.fields))
        object.__setattr__(self, "_values", frozenset(name for name, _ in self.choices))
        object.__setattr__(self, "needed", frozenset(self.required))
        more = self.choices or self.minimum is not None or self.maximum is not None
        object.__setattr__(self, "plain", None if more else _PLAIN.get(self.kind))

    @property
    def by_name(self) -> Mapping[str, FieldType]:
        """A record's fields by name."""
        return self._by_name

    def field(self, name: str) -> FieldType | None:
        """Give a record's field by name."""
        return self._by_name.get(name)

    def allows(self, value: str) -> bool:
        """Tell whether a value is among the choices."""
        return value in self._values

    def names(self) -> tuple[str, ...]:
        """Give the names of a record's fields, in order."""
        return tuple(self._by_name)

    def describe(self) -> str:
        """Name the type in Chinese, for messages."""
        if self.kind == "list" and self.element is not None:
            return f"{self.element.describe()}的列表"
        return KIND_TITLES[self.kind]


@dataclass(frozen=True, slots=True)
class Fact:
    """Declare one fact.

    Attributes:
        name: Such as `listing`.
        type: Its record type.
        actions: Names and titles (Chinese, English) of the actions it has, in order.
        events: Names and titles of the events that happen to it, in rank order for equal times.
        example: A complete valid fact as plain JSON data.
    """

    name: str
    type: FieldType
    actions: tuple[tuple[str, str, str], ...] = ()
    events: tuple[tuple[str, str], ...] = ()
    example: Any = None

    def action_names(self) -> tuple[str, ...]:
        """Give the names of the actions, in order."""
        return tuple(name for name, _, _ in self.actions)

    def event_names(self) -> tuple[str, ...]:
        """Give the names of the events, in rank order."""
        return tuple(name for name, _ in self.events)


@dataclass(frozen=True, slots=True)
class Table:
    """Declare one table of reference data.

    Attributes:
        name: Such as `categories`.
        key: The column that identifies a row.
        row: Record type of a row.
        example: Example rows as plain JSON data.
    """

    name: str
    key: str
    row: FieldType
    example: Any = ()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Hold every fact and table that rules may speak of.

    Attributes:
        facts: The facts by name.
        tables: The tables by name.
        schemas: The schema files as plain data, by file name; what the version hash is made of.
    """

    facts: Mapping[str, Fact]
    tables: Mapping[str, Table]
    schemas: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Resolved:
    """Say where a path leads.

    Attributes:
        steps: The names of the path.
        type: Type of what is there; for a path through a list, a list of the values.
        through: How many steps lead to the list that the path goes through; None where it goes through none.
        unknown: The first name that does not exist, with the type it was looked for in; None where all exist.
    """

    steps: tuple[str, ...]
    type: FieldType | None
    through: int | None = None
    unknown: tuple[int, FieldType] | None = None


def resolve(root: FieldType, steps: tuple[str, ...]) -> Resolved:
    """Follow a path through a type.

    Args:
        root: Where the path begins, a record.
        steps: The names of the path; empty for the root itself.

    Returns:
        Where the path leads. A path may go through one list; `type` is None where it goes through two.
    """
    here = root
    through: int | None = None
    for position, name in enumerate(steps):
        if here.kind == "list":
            if through is not None:
                return Resolved(steps, None, through)
            through = position
            assert here.element is not None
            here = here.element
        found = here.field(name) if here.kind == "record" else None
        if found is None:
            return Resolved(steps, None, through, (position, here))
        here = found
    if through is None:
        return Resolved(steps, here)
    if here.kind == "list":
        return Resolved(steps, None, through)
    return Resolved(steps, FieldType("list", here.title, here.unit, element=here), through)


def walk(type_: FieldType, prefix: str = "") -> Iterator[tuple[str, FieldType]]:
    """List every path of a record with its type, parents first; a list's elements are listed under the list's path."""
    for name, inner in type_.fields:
        path = f"{prefix}.{name}" if prefix else name
        yield path, inner
        if inner.kind == "record":
            yield from walk(inner, path)
        elif inner.kind == "list" and inner.element is not None and inner.element.kind == "record":
            yield from walk(inner.element, path)
