"""The hidden sheet of a template that its drop-downs take their choices from.

A list of a drop-down holds 255 characters when it is written into the cell's rule; a range of another sheet holds any number.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.tables import Row, Tables
from mappings.ids import show_choice
from mappings.nearest import is_leaf
from mappings.reference import KINDS
from mappings.sheet_columns import cell_name

CHOICES_SHEET = "下拉选项"

TABLES_OF_COLUMNS = {
    "row.specs[0].template_id": "spec_templates",
    "row.specs[1].template_id": "spec_templates",
    "row.category_id": "categories",
    "row.brand_id": "brands",
    "row.freight_template_id": "freight_templates",
}
"""The table of reference data that each column takes an id from (R12)."""

MOST_COLUMNS = 16_384
"""Columns of a sheet."""


class Choices:
    """Write the lists and say where they stand.

    Attributes:
        columns: Paths of the columns that choose from reference data.
    """

    def __init__(self, book: Any, tables: Tables) -> None:
        """Write a list for each table.

        Args:
            book: The workbook, as XlsxWriter has it.
            tables: The shop's reference data.
        """
        self.columns = tuple(TABLES_OF_COLUMNS)
        self._sheet = book.add_worksheet(CHOICES_SHEET)
        self._text = book.add_format({"num_format": "@"})
        self._title = book.add_format({"bold": True, "num_format": "@"})
        self._next = 0
        self._sources: dict[str, str] = {}
        self._shown: dict[str, dict[str, str]] = {}
        self._advice = {kind.table: kind.advice for kind in KINDS}
        self._names: dict[tuple[str, ...], str] = {}
        for kind in KINDS:
            if kind.table in TABLES_OF_COLUMNS.values():
                shown = choices_of(kind.table, tables.rows(kind.table) or ())
                self._shown[kind.table] = shown
                self._sources[kind.table] = self._column(f"可选{kind.sheet}", shown.values())

    def source(self, path: str) -> str:
        """Give the range that a column chooses from; empty where there is nothing to choose."""
        return self._sources[TABLES_OF_COLUMNS[path]]

    def shown(self, path: str, identity: str) -> str:
        """Write an id as the column's list shows it; as it is where the list lacks it."""
        return self._shown[TABLES_OF_COLUMNS[path]].get(identity, identity)

    def advice(self, path: str) -> str:
        """Say what to do where a column has nothing to choose from; empty where it has."""
        table = TABLES_OF_COLUMNS.get(path, "")
        return "" if not table or self._shown[table] else self._advice[table]

    def add_names(self, names: tuple[str, ...]) -> str:
        """Give the range that holds a product's spec names; products with the same names share one."""
        if names not in self._names:
            self._names[names] = self._column("规格名", names) if self._next < MOST_COLUMNS else ""
        return self._names[names]

    def finish(self) -> None:
        """Put the sheet out of the way."""
        self._sheet.hide()

    def _column(self, title: str, values: Iterable[str]) -> str:
        place, count = self._next, 0
        self._next += 1
        self._sheet.set_column(place, place, 30, self._text)
        self._sheet.write_string(0, place, title, self._title)
        for count, value in enumerate(values, 1):
            self._sheet.write_string(count, place, value, self._text)
        letters = cell_name(1, place)[:-1]
        return f"='{CHOICES_SHEET}'!${letters}$2:${letters}${count + 1}" if count else ""


def choices_of(table: str, rows: Iterable[Row]) -> dict[str, str]:
    """Give what a list shows for each id of a table, in the order in which it is shown.

    Categories are those that goods may be listed under (R13), by their paths in order; the others come as the channel gave them.
    """
    known = [row for row in rows if row.get("id")]
    if table == "categories":
        known = sorted(
            (row for row in known if is_leaf(row)), key=lambda row: str(row.get("path") or row.get("name"))
        )
    return {
        row["id"]: show_choice(" ".join(str(row.get("path") or row.get("name") or "").split()), row["id"])
        for row in known
    }
