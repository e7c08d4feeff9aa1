"""Headers are found whatever they are dressed in, and every title means one column."""

from __future__ import annotations

import pytest

from mappings.sheet_columns import (
    COMPANION_TITLES,
    REPORT_TITLES,
    UPLOAD_COLUMNS,
    cell_name,
    find_header,
    known_titles,
    plain_title,
)


def test_no_title_means_two_columns() -> None:
    titles = [plain_title(name) for column in UPLOAD_COLUMNS for name in (column.title, *column.aliases)]
    assert len(titles) == len(set(titles))
    assert not set(titles) & set(map(plain_title, (*REPORT_TITLES, *COMPANION_TITLES)))


def test_every_alias_leads_to_its_column() -> None:
    known = known_titles(UPLOAD_COLUMNS)
    for column in UPLOAD_COLUMNS:
        for name in (column.title, *column.aliases):
            assert column is known[plain_title(name)], name


@pytest.mark.parametrize(
    ("title", "path"),
    [
        ("有赞商品ID", "row.product_id"),
        (" 有赞\n商品 ＩＤ ", "row.product_id"),
        ("*有赞商品ID【必填】", "row.product_id"),
        ("规格名（1）", "row.specs[0].name"),
        ("规格模版ID２(选填)", "row.specs[1].template_id"),
        ("Category ID (required)", "row.category_id"),
        ("品牌ID（惠聚后台的品牌编号）", "row.brand_id"),
    ],
)
def test_a_title_is_known_by_what_tells_it_from_others(title: str, path: str) -> None:
    header = find_header([["x"], [title]], UPLOAD_COLUMNS, least=1)
    assert header is not None
    assert (2, {path: 0}) == (header.row, header.places)


def test_the_row_with_the_most_columns_is_the_header() -> None:
    rows = [
        ["类目ID", "品牌ID", "用法"],
        ["有赞商品ID", "类目ID", "品牌ID"],
        ["有赞商品ID", "类目ID", "品牌ID"],
    ]
    header = find_header(rows, UPLOAD_COLUMNS, least=2)
    assert header is not None
    assert 2 == header.row


def test_a_header_below_row_10_is_not_looked_for() -> None:
    rows: list[list[object]] = [[None, 1, ""] for _ in range(10)]
    rows.append(["有赞商品ID"])
    assert find_header(rows, UPLOAD_COLUMNS, least=1) is None


def test_addresses_count_as_spreadsheets_do() -> None:
    assert ["A1", "Z1", "AA1", "AZ1", "BA1", "ZZ1", "AAA1"] == [
        cell_name(1, place) for place in (0, 25, 26, 51, 52, 701, 702)
    ]
