"""Uploads are read as they were meant, or refused with what to do."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from mappings import sheet as sheets
from mappings.sheet import SheetError, SheetRow, open_upload
from mappings.sheet_book import Page
from mappings.sheet_cells import places_of
from mappings.sheet_columns import UPLOAD_COLUMNS, find_header
from mappings.sheet_rows import find_flags

Workbook = Callable[..., Path]

FACT = {
    "product_id": "403680077",
    "category_id": "30001",
    "brand_id": "900",
    "freight_template_id": "50000",
    "specs": [{"name": "颜色", "template_id": "1001"}, {"name": "尺码", "template_id": "1002"}],
}


def read(path: Path) -> list[SheetRow]:
    return list(open_upload(path).rows)


def codes(error: SheetError) -> list[str]:
    return [item.code for item in error.diagnostics]


def refusal(path: Path) -> SheetError:
    with pytest.raises(SheetError) as caught:
        read(path)
    assert all(item.hint for item in caught.value.diagnostics)
    return caught.value


def test_a_row_of_the_template_is_a_row_fact(workbook: Workbook, titles: list[str], good: list[str]) -> None:
    (row,) = read(workbook({"上架商品": [titles, good]}))
    assert (2, FACT, ()) == (row.number, row.row, row.problems)


def test_each_field_knows_its_cell(workbook: Workbook, titles: list[str], good: list[str]) -> None:
    (row,) = read(workbook({"上架商品": [titles, good]}))
    cell = row.cells["row.specs[1].template_id"]
    assert ("上架商品", "E2", 2, "规格模板ID2", "1002") == (
        cell.sheet,
        cell.name,
        cell.row,
        cell.column,
        cell.value,
    )
    assert {"row.product_id": "A2", "row.specs[0].name": "B2", "row.category_id": "F2"}.items() <= {
        path: cell.name for path, cell in row.cells.items()
    }.items()
    assert len(row.cells) == len(titles)


def test_what_a_row_holds_is_told_by_title_as_its_cells_would(workbook: Workbook, titles: list[str]) -> None:
    rows = [
        [403680077, " 颜色", 1001.5, None, "", True, datetime(2022, 3, 8), 0],
        ["1", "", "", "尺码", "1002"],
    ]
    for row in read(workbook({"上架商品": [titles, *rows]})):
        assert {cell.column: cell.value for cell in row.cells.values() if cell.value} == row.cells.texts()


def test_numbers_are_read_as_ids(workbook: Workbook, titles: list[str]) -> None:
    (row,) = read(
        workbook({"上架商品": [titles, [403680077, "颜色", 1001, "尺码", 1002, 30001, 900, 50000]]})
    )
    assert FACT == row.row


def test_names_that_are_numbers_are_read_as_text(
    workbook: Workbook, titles: list[str], good: list[str]
) -> None:
    good[1] = 2024  # type: ignore[call-overload]
    (row,) = read(workbook({"上架商品": [titles, good]}))
    assert "2024" == row.row["specs"][0]["name"]


def test_names_lose_blanks_around_them_and_choices_yield_ids(
    workbook: Workbook, titles: list[str], good: list[str]
) -> None:
    good[1:3] = ["\u3000颜色\u00a0", "颜色 [1001]"]
    (row,) = read(workbook({"上架商品": [titles, good]}))
    assert FACT == row.row


def test_a_blank_second_level_is_no_level(workbook: Workbook, titles: list[str], good: list[str]) -> None:
    good[3:5] = ["", ""]
    (row,) = read(workbook({"上架商品": [titles, good]}))
    assert [{"name": "颜色", "template_id": "1001"}] == row.row["specs"]
    assert "D2" == row.cells["row.specs[1].name"].name


def test_a_blank_first_level_leaves_the_second_first_with_its_own_cells(
    workbook: Workbook, titles: list[str], good: list[str]
) -> None:
    good[1:3] = ["", ""]
    (row,) = read(workbook({"上架商品": [titles, good]}))
    assert [{"name": "尺码", "template_id": "1002"}] == row.row["specs"]
    assert ("D2", "B2") == (row.cells["row.specs[0].name"].name, row.cells["row.specs[1].name"].name)


def test_blank_fields_are_absent(workbook: Workbook, titles: list[str], good: list[str]) -> None:
    good[6] = ""
    good[4] = " "
    (row,) = read(workbook({"上架商品": [titles, good]}))
    assert "brand_id" not in row.row
    assert {"name": "尺码"} == row.row["specs"][1]
    assert () == row.problems


def test_blank_rows_between_are_left_out_and_counted(
    workbook: Workbook, titles: list[str], good: list[str]
) -> None:
    rows = read(workbook({"上架商品": [titles, good, [], ["", "  "], good, [None, "\u3000"]]}))
    assert [2, 5] == [row.number for row in rows]


def test_titles_may_stand_below_advice_reordered_and_dressed_up(workbook: Workbook, good: list[str]) -> None:
    titles = [
        "* 有赞商品 ID（必填）",
        "规格名称\n1",
        "规格模版ＩＤ１",
        "Spec name 2",
        "spec_template_id_2",
        "【必填】类目ID",
    ]
    titles += ["Brand ID*", "运费模板（ID）"]
    rows = [["惠聚上架模板"], ["请勿修改表头"], [], list(reversed(titles)), list(reversed(good))]
    (row,) = read(workbook({"随便": rows}))
    assert (5, FACT) == (row.number, row.row)


def test_a_sheet_may_begin_in_another_column(workbook: Workbook, titles: list[str], good: list[str]) -> None:
    (row,) = read(workbook({"上架商品": [[None, None, *titles], [None, None, *good]]}))
    assert (FACT, "C2") == (row.row, row.cells["row.product_id"].name)


def test_a_header_without_the_second_level_is_enough(
    workbook: Workbook, titles: list[str], good: list[str]
) -> None:
    (row,) = read(workbook({"上架商品": [titles[:3] + titles[5:], good[:3] + good[5:]]}))
    assert [{"name": "颜色", "template_id": "1001"}] == row.row["specs"]


def test_a_report_is_read_again_without_a_word(
    workbook: Workbook, titles: list[str], good: list[str]
) -> None:
    upload = open_upload(
        workbook({"上架商品": [[*titles, "状态", "原因", "修改建议"], [*good, "不通过", "…", "…"]]})
    )
    assert ((), [FACT]) == (upload.notices, [row.row for row in upload.rows])


def test_an_unknown_column_is_a_notice(workbook: Workbook, titles: list[str], good: list[str]) -> None:
    upload = open_upload(workbook({"上架商品": [[*titles, "备注"], [*good, "x"]]}))
    assert [("SG0526", "notice", "I1")] == [
        (item.code, item.severity, item.cell.name) for item in upload.notices if item.cell
    ]


def test_a_missing_column_is_named_with_the_nearest_title(
    workbook: Workbook, titles: list[str], good: list[str]
) -> None:
    titles[6] = "品牌编号"
    error = refusal(workbook({"上架商品": [titles, good]}))
    assert ["SG0524"] == codes(error)
    message = error.diagnostics[0].message
    assert "缺少必填列“品牌ID”" in message
    assert "最接近的是“品牌编号”" in message
    assert "有赞商品ID、规格名1" in message


def test_a_column_that_stands_twice_is_refused(
    workbook: Workbook, titles: list[str], good: list[str]
) -> None:
    error = refusal(workbook({"上架商品": [[*titles, "category id"], [*good, "1"]]}))
    assert ["SG0525"] == codes(error)
    assert "F1 和 I1" in error.diagnostics[0].message


def test_the_named_sheet_is_read_among_others(workbook: Workbook, titles: list[str], good: list[str]) -> None:
    others: dict[str, Any] = {f"表{number}": [titles, ["1", *good[1:]]] for number in range(20)}
    upload = open_upload(workbook({**others, "上架商品": [titles, good]}))
    assert ("上架商品", [FACT]) == (upload.sheet, [row.row for row in upload.rows])


def test_several_sheets_that_could_be_meant_are_refused_by_name(
    workbook: Workbook, titles: list[str], good: list[str]
) -> None:
    error = refusal(workbook({"一": [titles, good], "二": [titles, good], "说明": [["x"]]}))
    assert (["SG0522"], True) == (codes(error), "一、二" in error.diagnostics[0].message)


def test_a_hidden_sheet_is_never_read_silently(
    workbook: Workbook, titles: list[str], good: list[str]
) -> None:
    rows = [titles, good]
    shown = open_upload(workbook({"一": rows, "旧": rows}, hidden=["旧"]))
    assert ["SG0529"] == [item.code for item in shown.notices]
    only = refusal(workbook({"说明": [["x"]], "旧": rows}, hidden=["旧"]))
    named = refusal(workbook({"一": rows, "上架商品": rows}, hidden=["上架商品"]))
    assert ["SG0523", "SG0523"] == codes(only) + codes(named)
    assert "旧" in only.diagnostics[0].message


def test_a_workbook_without_the_columns_is_refused(workbook: Workbook) -> None:
    assert ["SG0521"] == codes(refusal(workbook({"一": [["a", "b"], [1, 2]], "空": []})))


def test_a_header_alone_is_refused(workbook: Workbook, titles: list[str]) -> None:
    assert ["SG0527"] == codes(refusal(workbook({"上架商品": [titles, [], ["  "]]})))


def test_too_many_rows_are_refused_before_they_are_read(
    workbook: Workbook, titles: list[str], good: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    path = workbook({"上架商品": [titles, good, good, good]})
    assert 3 == len(read(path))
    path = workbook({"上架商品": [titles, good, good, good, good]})
    assert ["SG0528"] == codes(refusal(path))


def test_an_id_that_can_not_be_read_is_named_by_cell_and_left_out(
    workbook: Workbook, titles: list[str], good: list[str]
) -> None:
    good[0] = 1234567890123456789  # type: ignore[call-overload]
    good[4] = "1.8E+18"
    (row,) = read(workbook({"上架商品": [titles, good]}))
    assert "product_id" not in row.row
    assert {"name": "尺码"} == row.row["specs"][1]
    assert [("SG0541", "A2"), ("SG0541", "E2")] == [
        (item.code, item.cell.name) for item in row.problems if item.cell
    ]
    assert "文本" in row.problems[0].hint


def test_dates_and_truths_in_ids_and_names_are_refused(
    tmp_path: Path, titles: list[str], good: list[str]
) -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(titles)
    page.append([*good[:1], 1.5, *good[2:]])
    page["F2"] = True
    page["G2"] = "2024-01-02"
    page["G2"].number_format = "yyyy-mm-dd"
    book.save(tmp_path / "a.xlsx")
    (row,) = read(tmp_path / "a.xlsx")
    assert ["SG0541", "SG0541", "SG0545"] == [item.code for item in row.problems]


def test_formulas_give_their_stored_results(tmp_path: Path, titles: list[str], good: list[str]) -> None:
    path = tmp_path / "formula.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet("上架商品")
        page.write_row(0, 0, titles)
        page.write_row(1, 0, good)
        page.write_formula(1, 0, "=A9+0", None, 403680077)
        page.write_formula(1, 1, '="颜"&"色"', None, "颜色")
        page.write_formula(1, 5, "=VLOOKUP(1,A1:B2,2)", None, "#N/A")
    (row,) = read(path)
    assert ("403680077", "颜色") == (row.row["product_id"], row.row["specs"][0]["name"])
    assert [("SG0543", "F2", "#N/A")] == [
        (item.code, item.cell.name, item.cell.value) for item in row.problems if item.cell
    ]
    assert "category_id" not in row.row


def test_a_formula_without_a_result_is_named(workbook: Workbook, titles: list[str], good: list[str]) -> None:
    path = workbook({"上架商品": [titles, good]})
    book = openpyxl.load_workbook(path)
    book["上架商品"]["G2"] = "=1+2"
    book["上架商品"]["J2"] = "=1+2"
    book.save(path)
    (row,) = read(path)
    assert [("SG0542", "G2")] == [(item.code, item.cell.name) for item in row.problems if item.cell]
    assert "brand_id" not in row.row


def test_a_row_that_holds_only_a_formula_without_a_result_is_no_blank_row(
    workbook: Workbook, titles: list[str], good: list[str]
) -> None:
    path = workbook({"上架商品": [titles, good, [], good]})
    book = openpyxl.load_workbook(path)
    book["上架商品"]["A3"] = "=1+2"
    book.save(path)
    assert [2, 3, 4] == [row.number for row in read(path)]


def test_merged_cells_are_named_where_they_hide_a_value(
    workbook: Workbook, titles: list[str], good: list[str]
) -> None:
    path = workbook({"上架商品": [["标题"], titles, good, good, good]})
    book = openpyxl.load_workbook(path)
    page = book["上架商品"]
    page.merge_cells("A1:H1")
    page.merge_cells("G3:G5")
    book.save(path)
    rows = read(path)
    assert [[], ["G4"], ["G5"]] == [[item.cell.name for item in row.problems if item.cell] for row in rows]
    assert "G3:G5" in rows[1].problems[0].message


def test_an_upload_may_be_bytes_with_a_name(workbook: Workbook, titles: list[str], good: list[str]) -> None:
    data = workbook({"上架商品": [titles, good]}).read_bytes()
    upload = open_upload(data, "商品.xlsx")
    assert ("商品.xlsx", [FACT]) == (upload.file, [row.row for row in upload.rows])
    assert [FACT] == [row.row for row in open_upload(data).rows]


def test_merged_areas_that_name_cells_over_and_over_are_not_followed_for_ever(
    workbook: Workbook, titles: list[str], good: list[str]
) -> None:
    page = Page("一", 1_000_000, 0, {}, (((1, 0), (1_000_000, 9)),) * 1000, lambda: iter(()))
    header = find_header([titles], UPLOAD_COLUMNS, 3)
    assert header is not None
    flags = find_flags(page, places_of(header, UPLOAD_COLUMNS, 0), 1, most=100)
    assert 100 == len(flags)


def test_a_row_holds_no_more_than_itself(tmp_path: Path, titles: list[str], good: list[str]) -> None:
    """Rows stream: reading 20,000 of them from text takes the memory of a few."""
    path = tmp_path / "a.csv"
    path.write_text("\n".join([",".join(titles)] + [",".join(good)] * 20_000), encoding="utf-8")
    tracemalloc.start()
    count = sum(1 for _ in open_upload(path).rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 20_000 == count
    assert peak < 8_000_000
