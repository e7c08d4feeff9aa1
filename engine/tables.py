"""Tables and batches: what an evaluation knows beside the fact itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.plan import Ref

Row = Mapping[str, Any]


class Tables:
    """Hold named row sets, indexed by column on first use.

    A table that is not there makes the tests on it unknown; a table that is there and empty makes them false.
    """

    def __init__(self, tables: Mapping[str, Iterable[Row]] | None = None) -> None:
        """Keep the rows of each table.

        Args:
            tables: Rows by table name; a row is a mapping of column to value.
        """
        self._rows: dict[str, list[Row]] = {name: list(rows) for name, rows in (tables or {}).items()}
        self._index: dict[tuple[str, str], dict[Any, list[Row]]] = {}
        self._views: dict[Any, Any] = {}

    def names(self) -> tuple[str, ...]:
        """Give the names of the tables that are there, sorted."""
        return tuple(sorted(self._rows))

    def replaced(self, changed: Mapping[str, Iterable[Row]]) -> Tables:
        """Give these tables with some of them replaced; itself where none is."""
        return Tables({**self._rows, **changed}) if changed else self

    def rows(self, name: str) -> list[Row] | None:
        """Give a table's rows; None where the table is not there."""
        return self._rows.get(name)

    def by(self, name: str, column: str) -> dict[Any, list[Row]] | None:
        """Give a table's rows by the value of a column; rows without a value are left out, None where the table is not there."""
        rows = self._rows.get(name)
        if rows is None:
            return None
        key = (name, column)
        if key not in self._index:
            index: dict[Any, list[Row]] = {}
            for row in rows:
                value = row.get(column)
                if value is not None:
                    index.setdefault(value, []).append(row)
            self._index[key] = index
        return self._index[key]

    def view(self, key: Any, make: Callable[[], Any]) -> Any:
        """Give what was made of the tables under a key; make it on first use."""
        if key not in self._views:
            self._views[key] = make()
        return self._views[key]


class Batch:
    """Know which values occur in which rows of one upload.

    Attributes:
        counts: For each path, how often each value occurs.
    """

    def __init__(self, refs: Iterable[Ref]) -> None:
        """Prepare to note the values of some fields.

        Args:
            refs: The fields that rules want unique, as `engine.plan.batch_refs` gives them.
        """
        self._refs = tuple(dict.fromkeys(refs))
        self.counts: dict[str, dict[Any, int]] = {ref.path: {} for ref in self._refs}
        self._labels: dict[str, dict[Any, list[str]]] = {ref.path: {} for ref in self._refs}

    def add(self, fact: Mapping[str, Any], label: str) -> None:
        """Note one row.

        Args:
            fact: The row's fact; absent values are not noted.
            label: How a person finds the row, such as its number.
        """
        for ref in self._refs:
            value: Any = fact
            for step in ref.steps:
                value = value.get(step) if value is not None else None
            if value is not None:
                counts = self.counts[ref.path]
                counts[value] = counts.get(value, 0) + 1
                self._labels[ref.path].setdefault(value, []).append(label)

    def labels(self, ref: Ref, value: Any) -> list[str]:
        """List the labels of the rows that have a value, in the order in which they were noted."""
        return self._labels.get(ref.path, {}).get(value, [])
