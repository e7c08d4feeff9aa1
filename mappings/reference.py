"""The workbook of reference data (惠聚数据, R7): a sheet a kind, read into tables and written from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import xlsxwriter

from engine.diagnostics import Cell, Diagnostic
from mappings import sheet_messages as say
from mappings.sheet_book import Book, Page
from mappings.sheet_cells import SHANGHAI, make_cell, places_of, read_cell
from mappings.sheet_columns import Column, check_header, find_header, plain_title
from mappings.sheet_file import SheetFile, kind_of
from mappings.sheet_messages import SheetError
from mappings.sheet_rows import find_flags

__all__ = ["KINDS", "Kind", "Tables", "read_reference", "write_reference"]

Tables = dict[str, list[dict[str, Any]]]
"""Rows of each table by its name: categories, brands, freight_templates, spec_templates, listings."""

LEVELS = 3
"""Levels of the channel's category tree; a leaf stands on the third (R13)."""

MOST_ENTRIES = 200_000
"""Most rows of one sheet; a channel's whole category tree has a few thousand."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Describe one kind of reference data.

    Attributes:
        table: Name of the table.
        sheet: Name of the sheet.
        columns: The sheet's columns; paths are the table's columns, the first is its key.
        advice: What to do while the kind is empty.
        aliases: Other names that the sheet may have.
    """

    table: str
    sheet: str
    columns: tuple[Column, ...]
    advice: str
    aliases: tuple[str, ...] = ()


KINDS = (
    Kind(
        "categories",
        "类目",
        (
            Column("类目ID", "id", "id", True, ("惠聚类目ID", "category id", "id")),
            Column("类目名称", "name", "text", True, ("类目", "类目名", "名称", "category name", "name")),
            Column("上级类目ID", "parent_id", "id", False, ("父类目ID", "上级ID", "parent id")),
            Column("层级", "level", "number", True, ("类目层级", "级别", "level")),
            Column(
                "是否末级",
                "leaf",
                "flag",
                True,
                ("末级", "末级类目", "叶子类目", "是否叶子类目", "leaf", "is leaf"),
            ),
            Column("类目路径", "path", "text", False, ("路径", "完整类目", "path", "category path")),
        ),
        "还没有类目：请在惠聚商家后台开通经营类目，再重新下载惠聚数据",
        ("惠聚类目", "商品类目", "categories"),
    ),
    Kind(
        "brands",
        "品牌",
        (
            Column("品牌ID", "id", "id", True, ("惠聚品牌ID", "brand id", "id")),
            Column("品牌名称", "name", "text", True, ("品牌", "品牌名", "名称", "brand name", "name")),
        ),
        "还没有品牌：请在惠聚商家后台申请品牌授权，通过后再重新下载惠聚数据",
        ("惠聚品牌", "brands"),
    ),
    Kind(
        "freight_templates",
        "运费模板",
        (
            Column("运费模板ID", "id", "id", True, ("模板ID", "freight template id", "id")),
            Column(
                "运费模板名称",
                "name",
                "text",
                True,
                ("运费模板", "模板名称", "名称", "freight template name", "name"),
            ),
        ),
        "还没有运费模板：请在惠聚商家后台新建运费模板，再重新下载惠聚数据",
        ("惠聚运费模板", "freight templates"),
    ),
    Kind(
        "spec_templates",
        "规格模板",
        (
            Column("规格模板ID", "id", "id", True, ("模板ID", "spec template id", "id")),
            Column(
                "规格模板名称",
                "name",
                "text",
                True,
                ("规格模板", "模板名称", "名称", "spec template name", "name"),
            ),
        ),
        "还没有规格模板：请在惠聚商家后台新建规格模板，再重新下载惠聚数据",
        ("惠聚规格模板", "spec templates"),
    ),
    Kind(
        "listings",
        "已上架商品",
        (
            Column("有赞商品ID", "product_id", "id", True, ("商品ID", "youzan product id", "product id")),
            Column("惠聚商品ID", "channel_product_id", "id", False, ("渠道商品ID", "channel product id")),
            Column("上架时间", "listed_at", "time", False, ("listed at",)),
        ),
        "还没有商品上架到惠聚",
        ("已上架", "listings"),
    ),
)
"""The kinds of reference data, in the order of their sheets."""


def read_reference(source: Path | bytes, name: str | None = None) -> Tables:
    """Read a workbook of reference data.

    Args:
        source: Path of the workbook, or its bytes.
        name: Name of the file as the user gave it; the path where it is None.

    Returns:
        Every table; one whose sheet is missing or empty has no rows. A field that is blank is absent.

    Raises:
        SheetError: Where the file can't be read, has none of the sheets, or cells are wrong: each is named.
    """
    file = SheetFile(
        name if name is not None else str(source) if isinstance(source, Path) else "惠聚数据.xlsx", source
    )
    if kind_of(file) != "workbook":
        raise say.other_kind(file.name, "纯文本", "惠聚数据是一个 .xlsx 工作簿：使用下载的文件")
    book = Book(file)
    sheets = {plain_title(sheet): sheet for sheet in reversed(book.names)}
    tables: Tables = {}
    problems: list[Diagnostic] = []
    found = 0
    for kind in KINDS:
        tables[kind.table] = []
        sheet = next(
            (sheets[title] for title in map(plain_title, (kind.sheet, *kind.aliases)) if title in sheets),
            None,
        )
        if sheet is not None:
            found += 1
            tables[kind.table] = _read_kind(file, kind, book.page(sheet), problems)
    if not found:
        raise say.no_header(file.name, book.names, (), [kind.sheet for kind in KINDS])
    if problems:
        raise SheetError(file.name, problems)
    return tables


def write_reference(tables: Mapping[str, Sequence[Mapping[str, Any]]], out: Path | BinaryIO) -> None:
    """Write a workbook of reference data: a sheet a kind, ids as text, and advice where a kind is empty."""
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "constant_memory": True,
    }
    target = str(out) if isinstance(out, Path) else out
    with xlsxwriter.Workbook(target, options) as book:
        bold = book.add_format({"bold": True, "bg_color": "#EAF1FB", "border": 1})
        text = book.add_format({"num_format": "@"})
        advice = book.add_format({"font_color": "#B45309"})
        for kind in KINDS:
            sheet = book.add_worksheet(kind.sheet)
            rows = tables.get(kind.table, ())
            for place, column in enumerate(kind.columns):
                sheet.set_column(place, place, 44 if column.path == "path" else 22, text)
            sheet.freeze_panes(1, 0)
            for place, column in enumerate(kind.columns):
                sheet.write_string(0, place, column.title, bold)
            if not rows:
                sheet.write_string(1, 0, kind.advice, advice)
            for number, row in enumerate(rows, 1):
                for place, column in enumerate(kind.columns):
                    _write(sheet, number, place, row.get(column.path), text)


def _write(sheet: Any, row: int, place: int, value: Any, text: Any) -> None:
    """Write one value so that nothing is lost: ids and names as text, levels as numbers."""
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_string(row, place, "是" if value else "否", text)
    elif isinstance(value, int):
        sheet.write_number(row, place, value)
    elif isinstance(value, datetime):
        sheet.write_string(row, place, value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"), text)
    else:
        sheet.write_string(row, place, str(value), text)


def _read_kind(file: SheetFile, kind: Kind, page: Page, problems: list[Diagnostic]) -> list[dict[str, Any]]:
    """Read one sheet; what is wrong with its cells is added to `problems`."""
    header = find_header(page.head(), kind.columns, least=1)
    if header is None:
        if page.height:
            problems.append(say.missing_column(page.name, kind.columns[0].title, 1, [], ""))
        return []
    wrong = [item for item in check_header(header, page.name, kind.columns) if item.severity == "error"]
    if wrong:
        problems.extend(wrong)
        return []
    if page.height - header.row > MOST_ENTRIES:
        raise say.too_many_rows(file.name, page.name, page.height - header.row, MOST_ENTRIES)
    places = places_of(header, kind.columns, page.left)
    flags = find_flags(page, places, header.row, most=MOST_ENTRIES)
    rows: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    for number, values in enumerate(page.rows(), 1):
        if number <= header.row or kind.advice in values:
            continue
        row: dict[str, Any] = {}
        for place in places:
            value = "" if place.index < 0 else values[place.index]
            cell = partial(make_cell, page.name, number, place, value)
            flag = flags.get(number, {}).get(place.place)
            found, problem = (None, flag(cell())) if flag else read_cell(place.column, cell, value)
            if place.column.path == "level" and found is not None and not 1 <= found <= LEVELS:
                problem = say.bad_text(cell(), f"应为 1 到 {LEVELS} 的层级")
            if problem:
                problems.append(problem)
            if found is not None:
                row[place.column.path] = found
        if not row:
            continue
        rows.append(row)
        key_cell = make_cell(page.name, number, places[0], values[places[0].index])
        problems += _check_key(row.get(kind.columns[0].path), key_cell, seen)
    return rows


def _check_key(key: str | None, cell: Cell, seen: dict[str, int]) -> list[Diagnostic]:
    """Find a key that is blank or stands twice; one that could not be read was named before."""
    if key is None:
        return [] if cell.value.strip() else [say.no_key(cell)]
    first = seen.setdefault(key, cell.row)
    return [say.repeated_key(cell, first)] if first != cell.row else []
