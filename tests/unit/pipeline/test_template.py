"""What a template is filled in with: rows that may pass, proposals, gaps, and products that are barred with their reasons (R8)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.facts import admit
from engine.rulebook import Rulebook, load
from engine.tables import Tables
from mappings.template import Proposal, Template
from mappings.youzan import product_from_item
from pipeline.checking import Checker
from pipeline.template import build_template

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
SHOP = {
    "id": "38405005",
    "name": "青禾集市",
    "edition": "wsc_ecommerce",
    "admitted": True,
    "beta_approved": True,
    "bound": True,
}
TABLES: dict[str, list[dict[str, Any]]] = {
    "categories": [{"id": "6091", "name": "围巾", "level": 3, "leaf": True, "path": "服饰/配件/围巾"}],
    "brands": [{"id": "7001", "name": "青禾手作"}],
    "freight_templates": [{"id": "474", "name": "全国包邮"}],
    "spec_templates": [{"id": "30001", "name": "颜色"}, {"id": "30002", "name": "尺码"}],
    "listings": [],
}


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load(ROOT / "rulesets.yaml")


@pytest.fixture
def scarf() -> dict[str, Any]:
    """Give a product that may be listed."""
    line = (ROOT / "examples" / "products.jsonl").read_text(encoding="utf-8").splitlines()[0]
    return product_from_item(json.loads(line))


def build(
    rulebook: Rulebook,
    *facts: dict[str, Any],
    shop: dict[str, Any] | None = None,
    **tables: list[dict[str, Any]],
) -> Template:
    checker = Checker(rulebook, rulebook.channels["huiju"], NOW, Tables({**TABLES, **tables}), shop or SHOP)
    return build_template(checker, "刚刚", [(fact["id"], fact if len(fact) > 1 else None) for fact in facts])


def specs(*names: str) -> list[dict[str, Any]]:
    return [{"id": str(place), "name": name, "values": ["甲"]} for place, name in enumerate(names)]


def test_a_good_product_gets_a_row_with_what_the_rules_propose(
    rulebook: Rulebook, scarf: dict[str, Any]
) -> None:
    (row,) = build(rulebook, scarf).rows
    assert ("403680077", ("颜色", "尺码"), {}, ()) == (row.product_id, row.specs, row.gaps, row.remarks)
    assert {
        "row.specs[0].template_id": Proposal("30001", 1.0),
        "row.specs[1].template_id": Proposal("30002", 1.0),
        "row.category_id": Proposal("6091", 0.6),
    } == row.proposals


def test_a_less_usual_name_is_proposed_with_less_confidence(
    rulebook: Rulebook, scarf: dict[str, Any]
) -> None:
    (row,) = build(rulebook, scarf | {"specs": specs("花色")}).rows
    assert Proposal("30001", 0.8) == row.proposals["row.specs[0].template_id"]


def test_a_name_that_no_rule_knows_is_a_gap_with_the_nearest_named_and_not_put_in(
    rulebook: Rulebook, scarf: dict[str, Any]
) -> None:
    (row,) = build(rulebook, scarf | {"specs": specs("颜色", "尺玛")}).rows
    gap = row.gaps["row.specs[1].template_id"]
    assert "规格「尺玛」没有对应的惠聚规格模板" in gap
    assert "最接近的是 尺码 [30002]" in gap
    assert "row.specs[1].template_id" not in row.proposals


def test_two_levels_that_come_to_one_template_are_both_left_to_a_person(
    rulebook: Rulebook, scarf: dict[str, Any]
) -> None:
    (row,) = build(rulebook, scarf | {"specs": specs("颜色", "色彩")}).rows
    paths = {"row.specs[0].template_id", "row.specs[1].template_id"}
    assert paths == row.gaps.keys()
    assert all("都对应到 30001，应各不相同" in why for why in row.gaps.values())


@pytest.mark.parametrize(
    ("change", "outcome", "reason"),
    [
        ({"specs": []}, "不通过", "该商品有 0 级"),
        ({"item_type": "virtual"}, "不通过", "是虚拟商品"),
        ({"presale_type": "deposit"}, "不通过", "是预售商品"),
        ({"on_sale": False}, "不通过", "已下架"),
        ({"delivery": {"self_pick": True, "express": False}}, "不通过", "没有开启快递"),
        ({"is_virtual": None}, "无法判断", "是否虚拟商品"),
    ],
)
def test_a_product_that_can_t_pass_is_barred_with_the_reason(
    rulebook: Rulebook, scarf: dict[str, Any], change: dict[str, Any], outcome: str, reason: str
) -> None:
    made = build(rulebook, scarf | change)
    assert () == made.rows
    (barred,) = made.barred
    assert ("403680077", outcome) == (barred.product_id, barred.outcome)
    assert reason in "".join(message for message, _ in barred.reasons)
    assert all(fix for _, fix in barred.reasons)


def test_a_product_that_is_listed_already_is_barred(rulebook: Rulebook, scarf: dict[str, Any]) -> None:
    """R15: of the row's own rules, the one that needs no more than the product's id is asked."""
    (barred,) = build(rulebook, scarf, listings=[{"product_id": "403680077", "shop_id": "38405005"}]).barred
    assert "已经上架到惠聚" in barred.reasons[0][0]


def test_an_id_that_is_not_the_shop_s_is_barred_by_name(rulebook: Rulebook) -> None:
    (barred,) = build(rulebook, {"id": "999"}).barred
    assert ("999", "", "不通过") == (barred.product_id, barred.title, barred.outcome)
    assert "本店没有 ID 为 999 的商品" in barred.reasons[0][0]


def test_a_shop_that_may_not_list_bars_every_product(rulebook: Rulebook, scarf: dict[str, Any]) -> None:
    made = build(rulebook, scarf, shop=SHOP | {"bound": False})
    assert "还没有绑定惠聚店铺" in made.barred[0].reasons[0][0]


def test_a_warning_is_a_remark_and_bars_nothing(rulebook: Rulebook, scarf: dict[str, Any]) -> None:
    (row,) = build(rulebook, scarf | {"stock": 0}).rows
    assert ["「手工羊毛围巾加厚款」库存为 0，上架后买家下单会无货可发"] == list(row.remarks)


def test_the_products_of_the_examples_are_facts_that_the_vocabulary_admits(
    rulebook: Rulebook, scarf: dict[str, Any]
) -> None:
    """What these tests change is changed within the vocabulary."""
    _, problems = admit(rulebook.vocabulary.facts["product"].type, scarf | {"specs": specs("颜色", "色彩")})
    assert () == problems
