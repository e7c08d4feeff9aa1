"""A correction is proposed only where one value can be meant; otherwise the cell is left to a person (R11, R12)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.decision import Decision, Evidence, Finding
from engine.diagnostics import Cell
from engine.mapping import Mapped
from engine.tables import Tables
from mappings.corrections import corrections
from mappings.report import CheckedRow

TABLES = Tables(
    {
        "categories": [
            {"id": "1", "name": "服饰", "path": "服饰", "level": 1, "leaf": False},
            {"id": "2", "name": "配件", "parent_id": "1", "path": "服饰/配件", "level": 2, "leaf": False},
            {"id": "6091", "name": "围巾", "parent_id": "2", "path": "服饰/配件/围巾", "level": 3, "leaf": True},
            {"id": "3", "name": "鞋", "parent_id": "1", "path": "服饰/鞋", "level": 2, "leaf": False},
            {"id": "6101", "name": "凉鞋", "parent_id": "3", "path": "服饰/鞋/凉鞋", "level": 3, "leaf": True},
            {"id": "6102", "name": "棉鞋", "parent_id": "3", "path": "服饰/鞋/棉鞋", "level": 3, "leaf": True},
        ],
        "brands": [{"id": "7001", "name": "青禾手作"}, {"id": "8002", "name": "山野食集"}, {"id": "9", "name": "同名"},
                   {"id": "10", "name": "同名"}],
        "spec_templates": [{"id": "30001", "name": "颜色"}],
    }
)  # fmt: skip
AS_OF = datetime(2022, 3, 8, tzinfo=UTC)
PRODUCT = {"id": "1", "specs": [{"name": "颜色"}, {"name": "尺码"}]}


def proposed(path: str, value: str, row: dict[str, Any] | None = None, *mapped: Mapped) -> list[str]:
    """Give what is proposed for one cell that a rule objects to."""
    finding = Finding(
        "huiju/eligibility/x",
        "x",
        "error",
        "violated",
        "x",
        "",
        (Evidence(path, value, "x"),),
        (),
        "R12",
        (),
        None,
    )
    decision = Decision("huiju/eligibility", "sha256:0", AS_OF, "rejected", (finding,))
    cell = Cell("上架商品", "C6", 6, "列", value)
    checked = CheckedRow("a.xlsx", "上架商品", 6, "1", {path: cell}, (), (decision,), "rejected")
    return [item.proposed for item in corrections(checked, row or {}, PRODUCT, TABLES, mapped)]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("row.specs[0].name", "色颜", ["颜色"]),
        ("row.specs[0].name", "颜 色", ["颜色"]),
        ("row.specs[0].name", "颜色啊", ["颜色"]),
        ("row.specs[0].name", "口味", []),
        ("row.specs[0].name", "色", []),
        ("row.brand_id", "青禾手作", ["青禾手作 [7001]"]),
        ("row.brand_id", "青禾", []),
        ("row.brand_id", "同名", []),
        ("row.brand_id", "7011", ["青禾手作 [7001]"]),
        ("row.brand_id", "5555", []),
        ("row.category_id", "围巾", ["服饰/配件/围巾 [6091]"]),
        ("row.category_id", "2", ["服饰/配件/围巾 [6091]"]),
        ("row.category_id", "3", []),
        ("row.specs[0].template_id", "颜色", ["颜色 [30001]"]),
        ("row.product_id", "403680078", []),
    ],
)
def test_what_can_be_meant_in_one_way_only_is_proposed(path: str, value: str, expected: list[str]) -> None:
    assert expected == proposed(path, value)


def test_a_spec_that_the_row_names_elsewhere_is_not_proposed_again() -> None:
    row = {"specs": [{"name": "色颜"}, {"name": "颜色"}]}
    assert [] == proposed("row.specs[0].name", "色颜", row)


@pytest.mark.parametrize(("confidence", "expected"), [(1.0, ["颜色 [30001]"]), (0.8, [])])
def test_a_blank_template_is_filled_only_by_a_mapping_that_is_sure(
    confidence: float, expected: list[str]
) -> None:
    path = "row.specs[0].template_id"
    mapped = Mapped("spec-template", "product.specs[0]", "颜色", path, "30001", confidence, None)
    assert expected == proposed(path, "", {}, mapped)


def test_a_cell_that_nothing_objects_to_gets_no_proposal() -> None:
    cell = Cell("上架商品", "G6", 6, "品牌ID", "青禾手作")
    checked = CheckedRow("a.xlsx", "上架商品", 6, "1", {"row.brand_id": cell}, (), (), "accepted")
    assert () == corrections(checked, {}, PRODUCT, TABLES)
