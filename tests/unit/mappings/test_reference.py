"""Reference data comes back from its workbook as it went in, and what is wrong is named by cell (R7)."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from mappings.reference import KINDS, Tables, read_reference, write_reference
from mappings.sheet import SheetError

TABLES: Tables = {
    "categories": [
        {"id": "1", "name": "服饰", "level": 1, "leaf": False, "path": "服饰"},
        {
            "id": "1234567890123456789",
            "name": "T恤",
            "parent_id": "1",
            "level": 3,
            "leaf": True,
            "path": "服饰/上衣/T恤",
        },
    ],
    "brands": [{"id": "900", "name": "=HYPERLINK(1)"}, {"id": "0901", "name": "http://example.test"}],
    "freight_templates": [{"id": "50000", "name": "全国包邮"}],
    "spec_templates": [{"id": "1001", "name": "颜色"}],
    "listings": [
        {
            "product_id": "403680077",
            "channel_product_id": "8",
            "listed_at": datetime(2022, 3, 18, 2, 30, tzinfo=UTC),
        },
        {"product_id": "403680078"},
    ],
}
EMPTY: Tables = {kind.table: [] for kind in KINDS}


def problems(path: Path | bytes) -> list[tuple[str, str]]:
    with pytest.raises(SheetError) as caught:
        read_reference(path)
    assert all(item.hint for item in caught.value.diagnostics)
    return [
        (item.code, f"{item.cell.sheet}!{item.cell.name}" if item.cell else "")
        for item in caught.value.diagnostics
    ]


def test_tables_come_back_as_they_went_in(tmp_path: Path) -> None:
    write_reference(TABLES, tmp_path / "a.xlsx")
    assert TABLES == read_reference(tmp_path / "a.xlsx")


def test_a_workbook_may_be_written_to_and_read_from_memory() -> None:
    out = io.BytesIO()
    write_reference(TABLES, out)
    assert TABLES == read_reference(out.getvalue())


def test_ids_are_text_and_the_header_is_frozen(tmp_path: Path) -> None:
    write_reference(TABLES, tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert [kind.sheet for kind in KINDS] == book.sheetnames
    sheet = book["类目"]
    assert ("A2", "s", "@") == (sheet.freeze_panes, sheet["A3"].data_type, sheet["A3"].number_format)
    assert "s" == book["品牌"]["B2"].data_type


def test_an_empty_kind_gives_advice_and_is_read_as_empty(tmp_path: Path) -> None:
    write_reference({}, tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert [kind.advice for kind in KINDS] == [book[kind.sheet]["A2"].value for kind in KINDS]
    assert EMPTY == read_reference(tmp_path / "a.xlsx")


def test_titles_and_sheets_may_be_named_otherwise_and_ids_be_numbers(workbook: Callable[..., Path]) -> None:
    path = workbook(
        {
            "Brands": [["惠聚品牌"], ["Brand ID", "名称", "备注"], [900, "有赞"], [], ["901.0", "二"]],
            "惠聚类目": [
                ["类目 ID", "类目名", "级别", "末级"],
                ["1", "服饰", "1", "否"],
                [2, "T恤", 3, True],
            ],
            "其他": [["x"]],
        }
    )
    tables = read_reference(path)
    assert [{"id": "900", "name": "有赞"}, {"id": "901", "name": "二"}] == tables["brands"]
    assert [(1, False), (3, True)] == [(row["level"], row["leaf"]) for row in tables["categories"]]
    assert [] == tables["spec_templates"]


def test_what_is_wrong_is_named_by_cell(workbook: Callable[..., Path]) -> None:
    head: list[list[Any]] = [["类目ID", "类目名称", "层级", "是否末级"]]
    rows = [
        ["1", "a", 9, "否"],
        ["x", "b", 1, "也许"],
        ["", "c", 1.5, "是"],
        ["4", "d", 1, "是"],
        ["4", "e", 1, "是"],
    ]
    assert [
        ("SG0545", "类目!C2"),
        ("SG0541", "类目!A3"),
        ("SG0545", "类目!D3"),
        ("SG0545", "类目!C4"),
        ("SG0546", "类目!A4"),
        ("SG0547", "类目!A6"),
    ] == problems(workbook({"类目": head + rows}))


def test_missing_and_repeated_columns_are_named(workbook: Callable[..., Path]) -> None:
    path = workbook(
        {"品牌": [["品牌ID", "品牌编号"]], "运费模板": [["ID", "模板ID", "名称"]], "规格模板": [["?"], ["?"]]}
    )
    assert ["SG0524", "SG0525", "SG0524"] == [code for code, _ in problems(path)]


def test_times_are_those_of_shanghai_and_may_be_dates(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "已上架商品"
    sheet.append(["有赞商品ID", "上架时间"])
    sheet.append(["1", datetime(2022, 3, 18, 10, 30)])
    sheet.append(["2", date(2022, 3, 18)])
    sheet.append(["3", "2022/03/18 10:30"])
    book.save(tmp_path / "a.xlsx")
    moment = datetime(2022, 3, 18, 2, 30, tzinfo=UTC)
    midnight = datetime(2022, 3, 17, 16, tzinfo=UTC)
    assert [moment, midnight, moment] == [
        row["listed_at"] for row in read_reference(tmp_path / "a.xlsx")["listings"]
    ]
    sheet["B4"] = "昨天"
    sheet["B2"].number_format = "General"
    sheet["B2"] = 44638.5
    book.save(tmp_path / "b.xlsx")
    assert [("SG0545", "已上架商品!B2"), ("SG0545", "已上架商品!B4")] == problems(tmp_path / "b.xlsx")


def test_another_workbook_or_file_is_refused(workbook: Callable[..., Path], tmp_path: Path) -> None:
    assert ["SG0521"] == [code for code, _ in problems(workbook({"上架商品": [["x"]]}))]
    (tmp_path / "a.csv").write_text("类目ID", encoding="utf-8")
    assert ["SG0504"] == [code for code, _ in problems(tmp_path / "a.csv")]


def test_formulas_without_a_result_and_sheets_too_long_are_refused(
    workbook: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workbook({"品牌": [["品牌ID", "品牌名称"], ["1", "a"], ["2", "b"]], "运费模板": []})
    monkeypatch.setattr("mappings.reference.MOST_ENTRIES", 1)
    assert ["SG0528"] == [code for code, _ in problems(path)]
    monkeypatch.setattr("mappings.reference.MOST_ENTRIES", 2)
    book = openpyxl.load_workbook(path)
    book["品牌"]["A3"] = "=1+1"
    book["品牌"]["B2"] = True
    book.save(path)
    assert [("SG0542", "品牌!A3"), ("SG0546", "品牌!A3")] == problems(path)
