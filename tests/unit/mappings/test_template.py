"""The template as a workbook: its header, its drop-downs, its ids as text, and what it says to whom it is for (R8, R9)."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from engine.tables import Tables
from mappings import template as module
from mappings.ids import read_id
from mappings.sheet import open_upload
from mappings.sheet_columns import UPLOAD_COLUMNS, UPLOAD_SHEET
from mappings.template import (
    BARRED_SHEET,
    SPARE_ROWS,
    Barred,
    Proposal,
    Template,
    TemplateRow,
    write_template,
)
from mappings.template_choices import CHOICES_SHEET, choices_of

TABLES: dict[str, list[dict[str, Any]]] = {
    "categories": [
        {"id": "6091", "name": "围巾", "level": 3, "leaf": True, "path": "服饰鞋包/服饰配件/围巾"},
        {"id": "6057", "name": "服饰配件", "level": 2, "leaf": False, "path": "服饰鞋包/服饰配件"},
        {"id": "6092", "name": "帽子", "level": 3, "leaf": True, "path": "服饰鞋包/服饰配件/帽子"},
    ],
    "brands": [{"id": "7001", "name": "青禾手作"}, {"id": "7002", "name": "=cmd|'/c calc'!A1"}],
    "freight_templates": [{"id": "47428464001", "name": "全国包邮"}],
    "spec_templates": [{"id": "30001", "name": "颜色"}, {"id": "30002", "name": "尺码"}],
}
ROW = TemplateRow(
    "1436413407076030219",
    "羊毛围巾",
    ("颜色", "号码"),
    {
        "row.specs[0].template_id": Proposal("30001"),
        "row.specs[1].template_id": Proposal("30002", 0.7),
    },
    {"row.category_id": "没有同名的末级类目"},
    ("库存为 0",),
)
TITLES = [column.title for column in UPLOAD_COLUMNS]


def written(template: Template) -> openpyxl.Workbook:
    file = io.BytesIO()
    write_template(template, file)
    return openpyxl.load_workbook(io.BytesIO(file.getvalue()))


def template(*rows: TemplateRow, barred: tuple[Barred, ...] = (), **changes: Any) -> Template:
    return Template(Tables({**TABLES, **changes}), "惠聚数据取自 2026-11-23 10:00（刚刚）", rows, barred)


def sources(sheet: Worksheet, cell: str) -> list[str]:
    """Give the ranges that a cell's drop-downs choose from."""
    return [str(item.formula1) for item in sheet.data_validations.dataValidation if cell in item.sqref]


def in_range(book: openpyxl.Workbook, source: str) -> list[Any]:
    name, _, area = source.partition("!")
    cells = book[name.strip("'")][area.replace("$", "")]
    return [row[0].value for row in cells] if isinstance(cells, tuple) else [cells.value]


def test_a_blank_template_has_the_upload_s_columns_and_nothing_else() -> None:
    book = written(template())
    assert [UPLOAD_SHEET, CHOICES_SHEET] == book.sheetnames
    assert [TITLES] == [[cell.value for cell in row] for row in book[UPLOAD_SHEET].iter_rows()]


def test_the_header_row_is_read_back_as_the_upload_s_own(tmp_path: Any) -> None:
    file = tmp_path / "模板.xlsx"
    write_template(template(ROW), file)
    upload = open_upload(file)
    (row,) = upload.rows
    assert ((), 1, UPLOAD_SHEET) == (upload.notices, upload.header_row, upload.sheet)
    assert "1436413407076030219" == row.row["product_id"]
    assert [
        {"name": "颜色", "template_id": "30001"},
        {"name": "号码", "template_id": "30002"},
    ] == row.row["specs"]
    assert () == row.problems


def test_every_cell_to_fill_is_text_and_so_are_the_columns_below() -> None:
    """R9: an id of 19 digits that is typed into a number cell loses its last digits."""
    sheet = written(template(ROW))[UPLOAD_SHEET]
    assert {"@"} == {sheet.cell(row, place).number_format for row in (1, 2) for place in range(1, 9)}
    letters = "ABCDEFGH"
    groups = sheet.column_dimensions
    formats = {groups[letter].number_format for letter in letters if letter in groups}
    assert {"@"} == formats
    assert "s" == sheet["A2"].data_type
    assert "1436413407076030219" == sheet["A2"].value


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        ("C", ["颜色 [30001]", "尺码 [30002]"]),
        ("E", ["颜色 [30001]", "尺码 [30002]"]),
        ("F", ["服饰鞋包/服饰配件/围巾 [6091]", "服饰鞋包/服饰配件/帽子 [6092]"]),
        ("G", ["青禾手作 [7001]", "=cmd|'/c calc'!A1 [7002]"]),
        ("H", ["全国包邮 [47428464001]"]),
    ],
)
def test_each_drop_down_shows_names_and_yields_ids(column: str, shown: list[str]) -> None:
    book = written(template())
    for row in (2, 1 + SPARE_ROWS):
        (source,) = sources(book[UPLOAD_SHEET], f"{column}{row}")
        found = in_range(book, source)
        assert sorted(shown) == sorted(found)
    assert all(read_id(choice) == choice[choice.rindex("[") + 1 : -1] for choice in found)


def test_a_name_that_looks_like_a_formula_stays_text() -> None:
    book = written(template(TemplateRow("1", "=1+1", ("颜色",))))
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)


def test_spec_names_are_chosen_from_the_product_s_own() -> None:
    """R11; products with the same names share one list, and no list is held within the rule's 255 characters."""
    long = tuple(f"很长的规格名{'长' * 200}{n}" for n in range(2))
    other = TemplateRow("2", "帽子", ("尺码",))
    book = written(template(ROW, other, TemplateRow("3", "围巾二", ROW.specs), TemplateRow("4", "长", long)))
    sheet = book[UPLOAD_SHEET]
    chosen = {cell: in_range(book, *sources(sheet, cell)) for cell in ("B2", "D2", "B3", "B4", "B5", "D5")}
    assert {
        "B2": ["颜色", "号码"],
        "D2": ["颜色", "号码"],
        "B3": ["尺码"],
        "B4": ["颜色", "号码"],
        "B5": list(long),
        "D5": list(long),
    } == chosen
    assert sources(sheet, "B2") == sources(sheet, "B4")
    assert [] == sources(sheet, "D3")


def test_thousands_of_categories_are_all_there_to_choose() -> None:
    rows = [
        {"id": str(10_000 + n), "name": f"叶{n}", "level": 3, "path": f"根/枝/叶{n:05}"} for n in range(6000)
    ]
    book = written(template(categories=rows))
    (source,) = sources(book[UPLOAD_SHEET], "F2")
    assert [f"根/枝/叶{n:05} [{10_000 + n}]" for n in range(6000)] == in_range(book, source)


def test_a_kind_that_is_empty_has_no_drop_down_and_says_what_to_do() -> None:
    sheet = written(template(brands=[]))[UPLOAD_SHEET]
    assert [] == sources(sheet, "G2")
    assert "还没有品牌：请在惠聚商家后台申请品牌授权" in sheet["G1"].comment.text
    assert "还没有" not in sheet["F1"].comment.text


def test_every_title_says_what_is_expected_and_how_old_the_choices_are() -> None:
    sheet = written(template())[UPLOAD_SHEET]
    comments = {title: cell.comment.text for title, cell in zip(TITLES, sheet[1], strict=True)}
    assert all(text.startswith(("必填。", "有第二级规格时必填。")) for text in comments.values())
    assert "从有赞商品列表复制" in comments["有赞商品ID"]
    assert "一个字也不能差" in comments["规格名1"]
    assert ["规格模板ID1", "规格模板ID2", "类目ID", "品牌ID", "运费模板ID"] == [
        title for title, text in comments.items() if "惠聚数据取自 2026-11-23 10:00" in text
    ]


def test_a_proposal_that_is_not_certain_is_coloured_and_explained() -> None:
    sheet = written(template(ROW))[UPLOAD_SHEET]
    assert ("颜色 [30001]", None) == (sheet["C2"].value, sheet["C2"].comment)
    assert "尺码 [30002]" == sheet["E2"].value
    assert "把握 70%" in sheet["E2"].comment.text
    assert "没有同名的末级类目" in sheet["F2"].comment.text
    assert "库存为 0" in sheet["A2"].comment.text
    colours = {cell: sheet[cell].fill.fgColor.rgb for cell in ("A2", "C2", "E2", "F2")}
    assert {"A2": "FFFFF3CD", "C2": "00000000", "E2": "FFFFF3CD", "F2": "FFFDE2E1"} == colours


def test_comments_have_a_limit_and_colours_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """With tens of thousands of comments a spreadsheet takes minutes to open."""
    monkeypatch.setattr(module, "MOST_COMMENTS", 2)
    sheet = written(template(ROW, ROW))[UPLOAD_SHEET]
    commented = [cell.coordinate for row in sheet.iter_rows(min_row=2) for cell in row if cell.comment]
    assert ["A2", "E2"] == commented
    assert "FFFDE2E1" == sheet["F3"].fill.fgColor.rgb


def test_barred_products_stand_on_their_own_sheet_with_every_reason() -> None:
    one = Barred("2", "视频课", "不通过", (("是虚拟商品", "删去这一行"),))
    two = Barred("3", "礼盒", "不通过", (("是预售", "改为现货"), ("没有开启快递", "勾选快递")))
    sheet = written(template(ROW, barred=(one, two)))[BARRED_SHEET]
    assert [
        ["有赞商品ID", "商品名称", "状态", "原因", "修改建议"],
        ["2", "视频课", "不通过", "是虚拟商品", "删去这一行"],
        ["3", "礼盒", "不通过", "1. 是预售\n2. 没有开启快递", "1. 改为现货\n2. 勾选快递"],
    ] == [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_the_product_s_name_stands_beside_the_columns_to_fill() -> None:
    sheet = written(template(ROW))[UPLOAD_SHEET]
    assert [*TITLES, "商品名称"] == [cell.value for cell in sheet[1]]
    assert "羊毛围巾" == sheet["I2"].value


def test_the_choices_are_kept_out_of_the_way_and_never_taken_for_the_upload() -> None:
    book = written(template(ROW))
    assert "hidden" == book[CHOICES_SHEET].sheet_state
    assert book.active is not None
    assert UPLOAD_SHEET == book.active.title


def test_a_row_without_an_id_is_no_choice() -> None:
    assert {"1": "甲 [1]"} == choices_of("brands", [{"name": "无"}, {"id": "1", "name": "甲"}])
