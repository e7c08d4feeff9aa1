"""Suggestions beside findings: from names, from the product, from an id's digits; they change no decision (R11, R12)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import xlsxwriter

from cli._options import read_fact
from engine.rulebook import Rulebook, load
from engine.tables import Tables
from mappings.reference import read_reference
from mappings.report import CheckedRow
from mappings.report._entries import entries_of
from mappings.sheet import open_upload
from mappings.sheet_columns import UPLOAD_COLUMNS
from pipeline.catalogue import read_lines
from pipeline.checking import Checker

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
GOOD = ["403680077", "颜色", "30001", "尺码", "30002", "6091", "7001", "47428464001"]
TITLES = [column.title for column in UPLOAD_COLUMNS]


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load(ROOT / "rulesets.yaml")


@pytest.fixture(scope="module")
def checker(rulebook: Rulebook) -> Checker:
    shop = read_fact(ROOT / "examples" / "shop.yaml", rulebook.vocabulary.facts["shop"])
    tables = Tables(read_reference(ROOT / "examples" / "惠聚数据.xlsx"))
    return Checker(rulebook, rulebook.channels["huiju"], NOW, tables, shop)


def check(checker: Checker, folder: Path, **cells: str) -> CheckedRow:
    """Check one row that is good but for the cells named by their titles."""
    file = folder / "上架表.xlsx"
    with xlsxwriter.Workbook(str(file)) as book:
        sheet = book.add_worksheet("上架商品")
        for place, (title, value) in enumerate(zip(TITLES, GOOD, strict=True)):
            sheet.write_string(0, place, title)
            sheet.write_string(1, place, cells.get(title, value))
    lines = read_lines(ROOT / "examples" / "products.jsonl", checker.rulebook.vocabulary)
    (row,) = checker.upload(open_upload(file), lines)
    return row


def advice(row: CheckedRow) -> list[str]:
    return [text for entry in entries_of(row) if (text := entry.fix.partition("最接近的是 ")[2])]


@pytest.mark.parametrize(
    ("cells", "nearest"),
    [
        ({"规格名1": "色颜"}, "颜色"),
        ({"规格名2": "尺玛"}, "尺码"),
        ({"规格模板ID1": "30099"}, "颜色 [30001]"),
        ({"规格模板ID1": "尺玛 [30099]", "规格模板ID2": "30001"}, "尺码 [30002]"),
        ({"类目ID": "6199"}, "服饰鞋包/服饰配件/围巾 [6091]"),
        ({"类目ID": "帽 子 [1]"}, "服饰鞋包/服饰配件/帽子 [6092]"),
        ({"类目ID": "6033"}, "服饰鞋包/服饰配件/围巾 [6091]"),
        ({"类目ID": "围巾"}, "服饰鞋包/服饰配件/围巾 [6091]"),
        ({"品牌ID": "7010"}, "青禾手作 [7001]"),
        ({"运费模板ID": "47428464010"}, "全国包邮 [47428464001]"),
        ({"运费模板ID": "全国包油"}, "全国包邮 [47428464001]"),
    ],
)
def test_what_was_meant_is_named(
    checker: Checker, tmp_path: Path, cells: dict[str, str], nearest: str
) -> None:
    found = check(checker, tmp_path, **cells)
    assert "rejected" == found.outcome
    assert nearest in [name for text in advice(found) for name in text.split("、")]


def test_nothing_is_named_where_nothing_is_alike(checker: Checker, tmp_path: Path) -> None:
    assert [] == advice(check(checker, tmp_path, 品牌ID="123456789"))
    assert [] == advice(check(checker, tmp_path, 规格名1="保质期"))


def test_an_id_that_a_spreadsheet_has_spoilt_is_not_taken_for_a_name(
    checker: Checker, tmp_path: Path
) -> None:
    assert [] == advice(check(checker, tmp_path, 品牌ID="7.0E+20"))


def test_a_suggestion_changes_no_decision(checker: Checker, tmp_path: Path) -> None:
    """A decision can be replayed bit for bit, whatever names there are."""
    found = check(checker, tmp_path, 规格名1="色颜")
    assert found.suggestions
    assert not any("最接近的是" in decision.to_bytes().decode() for decision in found.decisions)


def test_a_row_that_passes_has_none(checker: Checker, tmp_path: Path) -> None:
    found = check(checker, tmp_path)
    assert ("accepted", {}, []) == (found.outcome, dict(found.suggestions), advice(found))
