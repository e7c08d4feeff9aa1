"""The columns of sheets and how a header row is found among titles, spaces, brackets and other languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz, process

from engine.diagnostics import Cell, Diagnostic
from mappings import sheet_messages as say

HEADER_ROWS = 10
"""Rows among which the header may stand: title lines and advice come above it."""

NEAR_ENOUGH = 50.0
"""Least likeness, of 100, of a title that is named as the nearest."""


@dataclass(frozen=True, slots=True)
class Column:
    """Describe one column of a sheet.

    Attributes:
        title: The column's title as our own sheets write it.
        path: Field that the column fills, such as `row.specs[0].name`.
        kind: id, read digit for digit; text; number, a small whole number; flag, 是 or 否; time.
        required: Whether a sheet without the column is refused.
        aliases: Other titles that mean the same.
    """

    title: str
    path: str
    kind: Literal["id", "text", "number", "flag", "time"]
    required: bool
    aliases: tuple[str, ...] = ()


UPLOAD_SHEET = "上架商品"
"""Name of the sheet that an upload is read from, where there are several."""

UPLOAD_COLUMNS = (
    Column(
        "有赞商品ID",
        "row.product_id",
        "id",
        True,
        ("商品ID", "有赞商品编号", "有赞ID", "Youzan product id", "Youzan item id", "product id", "item id"),
    ),
    Column(
        "规格名1",
        "row.specs[0].name",
        "text",
        True,
        (
            "规格名",
            "规格名称",
            "规格名称1",
            "规格名一",
            "规格1",
            "规格一",
            "有赞规格名1",
            "有赞规格名",
            "一级规格名",
            "spec name 1",
            "spec 1 name",
            "spec name",
            "spec 1",
        ),
    ),
    Column(
        "规格模板ID1",
        "row.specs[0].template_id",
        "id",
        True,
        (
            "规格模板ID",
            "规格模板1",
            "规格1模板ID",
            "规格模板ID一",
            "惠聚规格模板ID1",
            "惠聚规格模板ID",
            "一级规格模板ID",
            "spec template id 1",
            "spec 1 template id",
            "spec template id",
            "spec template 1",
        ),
    ),
    Column(
        "规格名2",
        "row.specs[1].name",
        "text",
        False,
        (
            "规格名称2",
            "规格名二",
            "规格2",
            "规格二",
            "有赞规格名2",
            "二级规格名",
            "spec name 2",
            "spec 2 name",
            "spec 2",
        ),
    ),
    Column(
        "规格模板ID2",
        "row.specs[1].template_id",
        "id",
        False,
        (
            "规格模板2",
            "规格2模板ID",
            "规格模板ID二",
            "惠聚规格模板ID2",
            "二级规格模板ID",
            "spec template id 2",
            "spec 2 template id",
            "spec template 2",
        ),
    ),
    Column(
        "类目ID",
        "row.category_id",
        "id",
        True,
        (
            "类目",
            "惠聚类目ID",
            "商品类目ID",
            "三级类目ID",
            "末级类目ID",
            "category id",
            "category",
            "leaf category id",
        ),
    ),
    Column("品牌ID", "row.brand_id", "id", True, ("品牌", "惠聚品牌ID", "商品品牌ID", "brand id", "brand")),
    Column(
        "运费模板ID",
        "row.freight_template_id",
        "id",
        True,
        ("运费模板", "惠聚运费模板ID", "freight template id", "freight template", "shipping template id"),
    ),
)
"""Columns of an upload (R9), in the order in which the template writes them."""

REPORT_TITLES = ("状态", "原因", "修改建议")
"""Columns that a report adds; left alone when the report is uploaded again (R17)."""

COMPANION_TITLES = ("商品名称", "商品标题")
"""Columns that only tell a reader which product a row is about."""


@dataclass(frozen=True, slots=True)
class Header:
    """Say where a sheet's columns stand.

    Attributes:
        row: The header's row, 1-based.
        places: Position of each column found, 0-based from column A, by the column's path.
        titles: Every title of the row as written, by position.
        repeats: Positions of columns that were found before, with the column.
        strangers: Positions of titles that mean none of the columns.
    """

    row: int
    places: Mapping[str, int]
    titles: Mapping[int, str]
    repeats: tuple[tuple[int, Column], ...]
    strangers: tuple[int, ...]


def plain_title(title: str) -> str:
    r"""Strip a title to what tells it from others.

    Examples:
        >>> plain_title("* 类目 ID（必填）"), plain_title("Category_ID"), plain_title("规格模版\nＩＤ１")
        ('类目id', 'categoryid', '规格模板id1')
    """
    text = unicodedata.normalize("NFKC", title).casefold().replace("模版", "模板")
    text = "".join(char for char in text if char.isalnum())
    return re.sub(r"^(?:必填|选填)|(?:必填项?|选填项?|可选|可不填|required|optional)$", "", text)


def without_notes(title: str) -> str:
    """Take bracketed notes off a title."""
    return re.sub(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】", "", unicodedata.normalize("NFKC", title))


def known_titles(columns: Iterable[Column]) -> dict[str, Column]:
    """Index columns by every title that means them."""
    return {plain_title(name): column for column in columns for name in (column.title, *column.aliases)}


def find_header(rows: Sequence[Sequence[object]], columns: Sequence[Column], least: int) -> Header | None:
    """Find the header among the first rows: the one with the most columns, the first of equals.

    Args:
        rows: The sheet's first rows, from row 1; cells from column A.
        columns: The columns to look for.
        least: Fewest columns that make a row a header.
    """
    known = known_titles(columns)
    best: Header | None = None
    for number, row in enumerate(rows[:HEADER_ROWS], 1):
        header = _read_header(number, row, known)
        if len(header.places) >= max(least, 1 + len(best.places) if best else 0):
            best = header
    return best


def check_header(header: Header, sheet: str, columns: Sequence[Column]) -> list[Diagnostic]:
    """Name missing, repeated and unknown columns of a header."""
    strangers = {header.titles[place]: place for place in header.strangers}
    found = list(header.titles.values())
    missing = [column for column in columns if column.path not in header.places]
    diagnostics = [
        say.missing_column(sheet, column.title, header.row, found, _nearest(column.title, strangers))
        for column in missing
        if column.required
    ]
    for place, column in header.repeats:
        first = cell_name(header.row, header.places[column.path])
        diagnostics.append(say.duplicate_column(column.title, first, _title_cell(header, sheet, place)))
    diagnostics += [
        say.unknown_column(
            _title_cell(header, sheet, place),
            _nearest(header.titles[place], {column.title: 0 for column in missing}),
        )
        for place in header.strangers
    ]
    return diagnostics


def cell_name(row: int, place: int) -> str:
    """Write a cell's address.

    Args:
        row: Row, 1-based.
        place: Column, 0-based.

    Examples:
        >>> cell_name(7, 1), cell_name(1, 26)
        ('B7', 'AA1')
    """
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"


def _read_header(number: int, row: Sequence[object], known: Mapping[str, Column]) -> Header:
    places: dict[str, int] = {}
    titles: dict[int, str] = {}
    repeats: list[tuple[int, Column]] = []
    strangers: list[int] = []
    aside = {plain_title(title) for title in (*REPORT_TITLES, *COMPANION_TITLES)}
    for place, value in enumerate(row):
        if not isinstance(value, str) or not value.strip():
            continue
        titles[place] = " ".join(value.split())
        names = (plain_title(value), plain_title(without_notes(value)))
        column = known.get(names[0]) or known.get(names[1])
        if column is None:
            if not aside.intersection(names):
                strangers.append(place)
        elif column.path in places:
            repeats.append((place, column))
        else:
            places[column.path] = place
    return Header(number, places, titles, tuple(repeats), tuple(strangers))


def _title_cell(header: Header, sheet: str, place: int) -> Cell:
    title = header.titles[place]
    return Cell(sheet, cell_name(header.row, place), header.row, title, title)


def _nearest(title: str, others: Iterable[str]) -> str:
    match = process.extractOne(
        title, list(others), scorer=fuzz.ratio, processor=plain_title, score_cutoff=NEAR_ENOUGH
    )
    return match[0] if match else ""
