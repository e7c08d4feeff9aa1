"""The report of an upload is the user's own workbook, and the corrected report is the next upload (R17)."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation

from mappings.sheet import open_upload
from mappings.workbook import GREEN, RED, Correction, Fault, RowNote, write_workbook
from mappings.workbook_file import mark_of

Workbook = Callable[..., Path]

LISTED = RowNote(2, "已上架", failing=False, reason="惠聚商品 88")
REJECTED = RowNote(
    3,
    "不通过",
    failing=True,
    reason="品牌 ID 900 不在本店的惠聚数据中",
    advice="重新下载惠聚数据",
    faults=(Fault("row.brand_id", "品牌不在惠聚数据中"),),
    corrections=(Correction("B3", "规格名1", "色颜", "颜色"),),
)


def ids(row: list[str], product_id: str) -> list[str]:
    return [product_id, *row[1:]]


def report(path: Path, notes: list[RowNote], upload_id: str = "") -> bytes:
    out = io.BytesIO()
    write_workbook(path.read_bytes(), path.name, notes, out, upload_id=upload_id)
    return out.getvalue()


def page_of(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))["上架商品"]


@pytest.fixture
def two(workbook: Workbook, titles: list[str], good: list[str]) -> Path:
    return workbook({"说明": [["请勿改动"]], "上架商品": [titles, ids(good, "1"), ids(good, "2")]})


def test_rows_that_failed_come_first_and_say_where_they_stood(two: Path) -> None:
    page = page_of(report(two, [LISTED, REJECTED]))
    assert [("2", "不通过（原第 3 行）"), ("1", "已上架（原第 2 行）")] == [
        (page.cell(row, 1).value, page.cell(row, 9).value) for row in (2, 3)
    ]


def test_the_columns_stand_behind_the_last_one(two: Path) -> None:
    page = page_of(report(two, [LISTED, REJECTED]))
    assert ["运费模板ID", "状态", "原因", "修改建议"] == [page.cell(1, place).value for place in range(8, 12)]
    assert "品牌 ID 900 不在本店的惠聚数据中" == page["J2"].value


def test_cells_at_fault_are_red_and_commented_and_others_are_not(two: Path) -> None:
    page = page_of(report(two, [LISTED, REJECTED]))
    red = [
        cell.coordinate
        for row in page.iter_rows()
        for cell in row
        if cell.fill.fgColor.rgb == RED.fgColor.rgb
    ]
    assert ["B2", "G2"] == red
    assert "品牌不在惠聚数据中" in page["G2"].comment.text


def test_a_correction_is_proposed_in_green_and_not_applied(two: Path) -> None:
    page = page_of(report(two, [LISTED, REJECTED]))
    assert "颜色" == page["B2"].value  # what the user wrote stays
    assert "建议改为 规格名1：色颜 → 颜色\n重新下载惠聚数据" == page["K2"].value
    assert GREEN.fgColor.rgb == page["K2"].fill.fgColor.rgb


def test_the_report_is_read_back_as_the_upload_that_it_was(two: Path) -> None:
    before = {row.row["product_id"]: row.row for row in open_upload(two).rows}
    again = open_upload(report(two, [LISTED, REJECTED]), "报告.xlsx")
    assert before == {row.row["product_id"]: row.row for row in again.rows}
    assert () == again.notices


def test_a_report_of_a_report_has_the_columns_once_and_no_marks_of_the_first(
    two: Path, tmp_path: Path
) -> None:
    first = tmp_path / "第一次.xlsx"
    first.write_bytes(report(two, [LISTED, REJECTED]))
    done = [RowNote(2, "已上架", failing=False), RowNote(3, "已上架", failing=False)]
    page = page_of(report(first, done))
    assert 11 == page.max_column
    assert ["已上架", "已上架"] == [page.cell(row, 9).value for row in (2, 3)]
    assert [None, None] == [page["K2"].value, page["G2"].comment]
    assert PatternFill().fgColor.rgb == page["G2"].fill.fgColor.rgb


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", " =1"])
def test_text_that_looks_like_a_formula_stays_text(two: Path, text: str) -> None:
    note = RowNote(2, "不通过", failing=True, reason=text, advice=text)
    page = page_of(report(two, [note]))
    assert [("s", text, True)] * 2 == [
        (page[cell].data_type, page[cell].value, page[cell].quotePrefix) for cell in ("J2", "K2")
    ]


def test_text_of_the_user_that_looks_like_a_formula_stays_text(
    workbook: Workbook, titles: list[str], good: list[str]
) -> None:
    path = workbook({"上架商品": [[*titles, "备注"], [*good, '=HYPERLINK("http://a")']]})
    page = page_of(report(path, [RowNote(2, "不通过", failing=True)]))
    assert ("s", '=HYPERLINK("http://a")') == (page["I2"].data_type, page["I2"].value)


def test_formats_heights_comments_and_other_sheets_stay(two: Path) -> None:
    book = openpyxl.load_workbook(two)
    page = book["上架商品"]
    page["A3"].font = Font(bold=True, color="FF112233")
    page["A3"].comment = Comment("问过供应商", "小王")
    page["C3"].number_format = "0.00"
    page.row_dimensions[3].height = 33
    page.column_dimensions["A"].width = 41
    book.save(two)
    content = report(two, [LISTED, REJECTED])
    page = page_of(content)
    assert (True, "FF112233", "问过供应商", 33, 41, "0.00") == (
        page["A2"].font.b, page["A2"].font.color.rgb, page["A2"].comment.text, page.row_dimensions[2].height,
        page.column_dimensions["A"].width, page["C2"].number_format,
    )  # fmt: skip
    assert "请勿改动" == openpyxl.load_workbook(io.BytesIO(content))["说明"]["A1"].value


def test_the_users_comment_stands_before_ours_and_stays_when_ours_goes(two: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(two)
    book["上架商品"]["G3"].comment = Comment("问过供应商", "小王")
    book.save(two)
    first = tmp_path / "第一次.xlsx"
    first.write_bytes(report(two, [LISTED, REJECTED]))
    assert page_of(first.read_bytes())["G2"].comment.text.startswith("问过供应商\n")
    page = page_of(report(first, [RowNote(2, "已上架", failing=False)]))
    assert "问过供应商" == page["G2"].comment.text


def test_a_formula_that_is_read_becomes_the_result_that_was_checked(
    tmp_path: Path, titles: list[str], good: list[str]
) -> None:
    """Without a spreadsheet a workbook is written without results, and a formula without one can't be uploaded."""
    import xlsxwriter

    path = tmp_path / "公式.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("上架商品")
        for place, title in enumerate([*titles, "小计"]):
            sheet.write_string(0, place, title)
        for number in (1, 2):
            for place, value in enumerate(ids(good, str(number))):
                sheet.write_string(number, place, value)
        sheet.write_formula(2, 6, '="9"&"00"', None, "900")
        sheet.write_formula(2, 8, "=A3&B3", None, "2颜色")
    content = report(path, [LISTED, REJECTED])
    page = page_of(content)
    assert ("900", "=A2&B2") == (page["G2"].value, page["I2"].value)
    assert '原为公式 ="9"&"00"' in page["G2"].comment.text
    assert ["900", "900"] == [row.row["brand_id"] for row in open_upload(content, "a.xlsx").rows]


def test_a_drop_down_goes_with_its_row_and_one_of_a_whole_column_stays(two: Path) -> None:
    book = openpyxl.load_workbook(two)
    page = book["上架商品"]
    for area in ("B3", "C2:C1000"):
        validation = DataValidation("list", formula1='"颜色,尺码"')
        validation.add(area)
        page.add_data_validation(validation)
    book.save(two)
    page = page_of(report(two, [LISTED, REJECTED]))
    assert {"B2", "C2:C1000"} == {str(item.sqref) for item in page.data_validations.dataValidation}


def test_blank_rows_and_lines_above_the_header_stay_out_of_the_way(
    workbook: Workbook, titles: list[str], good: list[str]
) -> None:
    path = workbook({"上架商品": [["三月上新"], titles, ids(good, "1"), [], ids(good, "2")]})
    notes = [RowNote(3, "已上架", failing=False), RowNote(5, "不通过", failing=True)]
    page = page_of(report(path, notes))
    assert ["三月上新", "有赞商品ID", "2", "1", None] == [page.cell(row, 1).value for row in range(1, 6)]


def test_a_merged_area_is_taken_apart_where_its_rows_part(two: Path) -> None:
    book = openpyxl.load_workbook(two)
    book["上架商品"].merge_cells("G2:G3")
    book.save(two)
    page = page_of(report(two, [LISTED, REJECTED]))
    assert set() == {str(area) for area in page.merged_cells.ranges}
    assert [None, "900"] == [page["G2"].value, page["G3"].value]


def test_delimited_text_becomes_a_workbook_whose_cells_are_text(
    tmp_path: Path, titles: list[str], good: list[str]
) -> None:
    path = tmp_path / "上架.csv"
    rows = ([*titles, "备注"], [*good, "=1+1"], [*ids(good, "0042"), "急"])
    path.write_text("\n".join(",".join(row) for row in rows), encoding="utf-8")
    page = page_of(report(path, [LISTED, REJECTED]))
    assert ["急", "=1+1"] == [page["I2"].value, page["I3"].value]
    assert ("s", True) == (page["I3"].data_type, page["I3"].quotePrefix)
    assert [("0042", "s"), ("403680077", "s")] == [
        (page.cell(row, 1).value, page.cell(row, 1).data_type) for row in (2, 3)
    ]


def test_a_workbook_knows_of_which_upload_it_is_the_report(two: Path, tmp_path: Path) -> None:
    first = tmp_path / "第一次.xlsx"
    first.write_bytes(report(two, [LISTED, REJECTED], "0123abcd"))
    assert ["", "0123abcd"] == [mark_of(two.read_bytes()), mark_of(first.read_bytes())]
    book = openpyxl.load_workbook(first)  # as a person corrects and saves it
    book["上架商品"]["G2"] = "901"
    book.save(first)
    assert "0123abcd" == mark_of(first.read_bytes())
    assert "4567" == mark_of(report(first, [LISTED], "4567"))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"a,b", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_report_has_no_mark(content: bytes) -> None:
    assert "" == mark_of(content)
