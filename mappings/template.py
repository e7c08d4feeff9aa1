"""The workbook that a shop fills in to list products (上架表, R8): drop-downs of its own reference data, proposals, and what can't be listed.

The sheet to fill in has the header of the upload's column table, so that it is read back as it is. Ids are text in every cell that is
there to be filled; a choice shows a name and yields an id (`颜色 [30001]`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import xlsxwriter

from engine.tables import Tables
from mappings.sheet_columns import COMPANION_TITLES, UPLOAD_COLUMNS, UPLOAD_SHEET
from mappings.template_choices import Choices
from mappings.template_notes import (
    BARRED_TITLES,
    WRONG_CHOICE,
    barred_cells,
    gap_note,
    header_note,
    product_note,
    proposal_note,
)

__all__ = ["BARRED_SHEET", "SPARE_ROWS", "Barred", "Proposal", "Template", "TemplateRow", "write_template"]

BARRED_SHEET = "不能上架"
"""Name of the sheet of products that the rules reject already."""

SPARE_ROWS = 1000
"""Rows below the pre-filled ones that have drop-downs too."""

MOST_COMMENTS = 5000
"""Most comments of a workbook; with more, spreadsheets take minutes to open it. Colours go on."""

MOST_AREAS = 500
"""Most areas that one rule for a drop-down names, so that no attribute of the file grows beyond what programs read."""

_PLACES = {column.path: place for place, column in enumerate(UPLOAD_COLUMNS)}
_WIDTHS = {"text": 14, "id": 24}


@dataclass(frozen=True, slots=True)
class Proposal:
    """Hold what the mapping rules put into a cell.

    Attributes:
        value: The id.
        confidence: How sure the rule is, 0 to 1; below 1 the cell is coloured and commented.
    """

    value: str
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """Hold a product's row before a person fills it in.

    Attributes:
        product_id: Youzan's id.
        title: The product's name, shown beside the columns to fill.
        specs: Names of the product's spec levels in their order, 1 or 2.
        proposals: What the rules propose, by the column's path such as `row.specs[0].template_id`.
        gaps: Why the rules propose nothing, by the column's path.
        remarks: What rules of lesser severity say of the product.
    """

    product_id: str
    title: str
    specs: tuple[str, ...]
    proposals: Mapping[str, Proposal] = field(default_factory=dict)
    gaps: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Barred:
    """Name a product that is not in the sheet to fill in, and why.

    Attributes:
        product_id: Youzan's id.
        title: The product's name; empty where the shop has no such product.
        outcome: 不通过 or 无法判断.
        reasons: Message and fix of each rule.
    """

    product_id: str
    title: str
    outcome: str
    reasons: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Template:
    """Hold everything that a template shows.

    Attributes:
        tables: The shop's reference data.
        reference_note: Where the reference data is from and how old it is, in words.
        rows: A row for each product; none for a blank template.
        barred: Products that can't be listed.
    """

    tables: Tables
    reference_note: str
    rows: tuple[TemplateRow, ...] = ()
    barred: tuple[Barred, ...] = ()


def write_template(template: Template, out: Path | BinaryIO) -> None:
    """Write a template as a workbook.

    Args:
        template: What it shows.
        out: Path of the workbook, or a binary stream.
    """
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(out) if isinstance(out, Path) else out, options) as book:
        _Writer(book, template).write()


class _Writer:
    """Write the sheets of one workbook."""

    def __init__(self, book: Any, template: Template) -> None:
        self.template = template
        self.sheet = book.add_worksheet(UPLOAD_SHEET)
        self.barred = book.add_worksheet(BARRED_SHEET) if template.rows or template.barred else None
        self.choices = Choices(book, template.tables)
        self.comments_left = MOST_COMMENTS
        text = {"num_format": "@", "valign": "top"}
        self.required = book.add_format({"bold": True, "bg_color": "#EAF1FB", "border": 1, "num_format": "@"})
        self.optional = book.add_format({"bold": True, "bg_color": "#F3F4F6", "border": 1, "num_format": "@"})
        self.text = book.add_format(text)
        self.unsure = book.add_format({**text, "bg_color": "#FFF3CD"})
        self.gap = book.add_format({**text, "bg_color": "#FDE2E1"})
        self.aside = book.add_format({**text, "font_color": "#6B7280"})
        self.wrapped = book.add_format({**text, "text_wrap": True})

    def write(self) -> None:
        """Write everything."""
        self.header()
        for number, row in enumerate(self.template.rows, 1):
            self.row(number, row)
        self.drop_downs()
        if self.barred is not None:
            self.barred_rows()
        self.choices.finish()
        self.sheet.activate()

    def header(self) -> None:
        """Write the titles, and set the whole columns to text, so that what is typed into them stays as typed."""
        for place, column in enumerate(UPLOAD_COLUMNS):
            choice = column.path in self.choices.columns
            self.sheet.set_column(
                place, place, 40 if "category" in column.path else _WIDTHS[column.kind], self.text
            )
            self.sheet.write_string(
                0, place, column.title, self.required if column.required else self.optional
            )
            note = header_note(
                column, self.template.reference_note if choice else "", self.choices.advice(column.path)
            )
            self.sheet.write_comment(0, place, note, {"x_scale": 2.2, "y_scale": 1.6})
        if self.template.rows:
            place = len(UPLOAD_COLUMNS)
            self.sheet.set_column(place, place, 32, self.aside)
            self.sheet.write_string(0, place, COMPANION_TITLES[0], self.optional)
        self.sheet.freeze_panes(1, 1)

    def row(self, number: int, row: TemplateRow) -> None:
        """Write one product; cells to fill are text even where a program looks at the cell and not at its column."""
        for place in range(len(UPLOAD_COLUMNS)):
            self.sheet.write_blank(number, place, None, self.text)
        self.sheet.write_string(number, 0, row.product_id, self.unsure if row.remarks else self.text)
        if row.remarks:
            self.comment(number, 0, product_note(row.remarks))
        self.sheet.write_string(number, len(UPLOAD_COLUMNS), _one_line(row.title), self.aside)
        for level, name in enumerate(row.specs):
            at = _PLACES.get(f"row.specs[{level}].name")
            if at is not None:
                self.sheet.write_string(number, at, name, self.text)
        for path, proposal in row.proposals.items():
            sure = proposal.confidence >= 1
            shown = self.choices.shown(path, proposal.value)
            self.sheet.write_string(number, _PLACES[path], shown, self.text if sure else self.unsure)
            if not sure:
                self.comment(number, _PLACES[path], proposal_note(shown, proposal.confidence))
        for path, why in row.gaps.items():
            self.sheet.write_blank(number, _PLACES[path], None, self.gap)
            self.comment(number, _PLACES[path], gap_note(why))

    def comment(self, row: int, place: int, text: str) -> None:
        """Write a comment while there is room for more."""
        if self.comments_left > 0:
            self.comments_left -= 1
            self.sheet.write_comment(row, place, text, {"x_scale": 2, "y_scale": 1.2})

    def drop_downs(self) -> None:
        """Attach the lists: the shop's reference data to every row, the product's own spec names to its row."""
        last = len(self.template.rows) + SPARE_ROWS
        for path in self.choices.columns:
            if source := self.choices.source(path):
                place = _PLACES[path]
                self.sheet.data_validation(1, place, last, place, {"source": source, **WRONG_CHOICE})
        alike: dict[tuple[str, ...], list[int]] = {}
        for number, row in enumerate(self.template.rows, 1):
            if row.specs:
                alike.setdefault(row.specs, []).append(number)
        for names, numbers in alike.items():
            source = self.choices.add_names(names)
            for level in range(len(names)):
                at = _PLACES.get(f"row.specs[{level}].name")
                if at is None or not source:
                    continue
                areas = [[start, at, end, at] for start, end in _runs(numbers)]
                for begin in range(0, len(areas), MOST_AREAS):
                    first, *others = areas[begin : begin + MOST_AREAS]
                    rule = {"source": source, "other_cells": others, **WRONG_CHOICE}
                    self.sheet.data_validation(*first, rule)

    def barred_rows(self) -> None:
        """Write the products that can't be listed."""
        assert self.barred is not None
        for place, (title, width) in enumerate(BARRED_TITLES):
            self.barred.set_column(place, place, width, self.wrapped)
            self.barred.write_string(0, place, title, self.optional)
        for number, item in enumerate(self.template.barred, 1):
            cells = barred_cells(item.product_id, _one_line(item.title), item.outcome, item.reasons)
            for place, cell in enumerate(cells):
                self.barred.write_string(number, place, cell, self.wrapped)
        self.barred.freeze_panes(1, 1)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """Join row numbers that follow one another.

    Examples:
        >>> _runs([1, 2, 3, 7, 9, 10])
        [(1, 3), (7, 7), (9, 10)]
    """
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
