"""What may be listed on Huiju, each cause named once, by the rule that says it best (R1–R4, R9–R15)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from engine.decision import Decision
from engine.evaluators.record import compile_plan
from engine.examples import overlaid
from engine.facts import admit
from engine.plan import batch_refs
from engine.rulebook import Rulebook
from engine.rules import Ruleset
from engine.session import Session
from engine.tables import Batch, Tables
from engine.wording import SHANGHAI

OPEN = datetime(2022, 3, 11, 12, tzinfo=SHANGHAI)
TABLES: dict[str, list[dict[str, Any]]] = {
    "categories": [
        {"id": "6033", "name": "服饰鞋包", "level": 1, "leaf": False},
        {"id": "6057", "name": "服饰配件", "level": 2, "leaf": False},
        {"id": "6091", "name": "围巾", "level": 3, "leaf": True},
    ],
    "brands": [{"id": "7001", "name": "青禾手作"}],
    "freight_templates": [{"id": "47428464001", "name": "全国包邮"}],
    "spec_templates": [{"id": "30001", "name": "颜色"}, {"id": "30002", "name": "尺码"}],
    "listings": [{"product_id": "403680001"}],
}
SEVERITIES = {
    "shop-edition": "error",
    "shop-not-admitted": "error",
    "not-open-yet": "error",
    "beta-not-approved": "error",
    "shop-not-bound": "error",
    "row-incomplete": "error",
    "product-unknown": "error",
    "spec-levels": "error",
    "spec-name-not-of-product": "error",
    "spec-level-missing": "error",
    "spec-level-twice": "error",
    "spec-template-unknown": "error",
    "category-unknown": "error",
    "category-not-leaf": "error",
    "brand-unknown": "error",
    "freight-template-unknown": "error",
    "not-ordinary-goods": "error",
    "virtual-goods": "error",
    "e-voucher-goods": "error",
    "presale-goods": "error",
    "distribution-goods": "error",
    "no-express": "error",
    "not-on-sale": "error",
    "listed-already": "error",
    "twice-in-upload": "error",
    "out-of-stock": "warning",
    "sku-out-of-stock": "notice",
    "price-zero": "warning",
    "no-image": "warning",
}
COLOUR = {"name": "颜色", "template_id": "30001"}
SIZE = {"name": "尺码", "template_id": "30002"}


@pytest.fixture(scope="module")
def ruleset(rulebook: Rulebook) -> Ruleset:
    return rulebook.ruleset("huiju/eligibility")


class Desk:
    """Decide listings that differ from a good one in a few fields."""

    def __init__(self, ruleset: Ruleset, as_of: datetime = OPEN) -> None:
        self.ruleset = ruleset
        self.as_of = as_of
        self.plan = ruleset.plan()
        self.evaluator = compile_plan(self.plan)

    def fact(self, changes: dict[str, Any]) -> dict[str, Any]:
        fact, problems = admit(self.ruleset.fact.type, overlaid(self.ruleset.fact.example, changes))
        assert problems == ()
        return dict(fact)

    def decide(self, changes: dict[str, Any], *others: dict[str, Any], without: str = "") -> Decision:
        rows = [self.fact(changes), *map(self.fact, others)]
        batch = Batch(batch_refs(self.plan))
        for number, row in enumerate(rows):
            batch.add(row, str(number))
        tables = Tables({name: found for name, found in TABLES.items() if name != without})
        return Session(self.ruleset, self.evaluator, tables, self.as_of, batch).decide(rows[0])

    def said(self, changes: dict[str, Any], *others: dict[str, Any], without: str = "") -> str:
        """Give the outcome and the rules at fault, such as `rejected: spec-levels`."""
        decision = self.decide(changes, *others, without=without)
        rules = [finding.rule.rpartition("/")[2] for finding in decision.findings]
        return f"{decision.outcome}: {' '.join(rules)}".rstrip(": ")


def test_every_rule_is_there_with_its_severity(ruleset: Ruleset) -> None:
    assert {rule.common.id: rule.common.severity for rule in ruleset.rules} == SEVERITIES


def test_a_good_listing_is_accepted_without_a_word(ruleset: Ruleset) -> None:
    assert Desk(ruleset).said({}) == "accepted"


def test_only_the_e_commerce_edition_may_list(ruleset: Ruleset) -> None:
    """R1: any other edition is refused, with the reason."""
    desk = Desk(ruleset)
    for edition in ("wsc_basic", "retail", "chain", "education", "beauty", "other"):
        assert desk.said({"shop.edition": edition}) == "rejected: shop-edition"
    (finding,) = desk.decide({"shop.edition": "retail"}).findings
    assert finding.message == "惠聚只对微商城电商版开放，本店是零售版"


def test_only_an_admitted_and_bound_shop_may_list(ruleset: Ruleset) -> None:
    """R2 and R4: with a pointer to signing up, and to binding."""
    desk = Desk(ruleset)
    assert desk.said({"shop.admitted": False}) == "rejected: shop-not-admitted"
    assert "申请入驻" in desk.decide({"shop.admitted": False}).findings[0].fix
    assert desk.said({"shop.bound": False}) == "rejected: shop-not-bound"


def test_the_answer_is_that_of_the_day_asked_about(ruleset: Ruleset) -> None:
    """R3: nothing before 2022-02-11, then approved shops, from 2022-03-08 all; by the calendar of Shanghai."""
    told = {
        f"{day} {approved}": Desk(ruleset, datetime.fromisoformat(f"{day}+08:00")).said(
            {"shop.beta_approved": approved}
        )
        for day in (
            "2021-06-01T12:00:00",
            "2022-02-10T23:59:59",
            "2022-02-11T00:00:00",
            "2022-03-07T23:59:59",
            "2022-03-08T00:00:00",
            "2026-11-23T12:00:00",
        )
        for approved in (True, False)
    }
    assert list(told.values()) == [
        *("rejected: not-open-yet",) * 4,
        *("accepted", "rejected: beta-not-approved") * 2,
        *("accepted",) * 4,
    ]


def test_a_row_that_lacks_something_is_told_so_and_nothing_else(ruleset: Ruleset) -> None:
    """R9: an empty cell is one finding, that names the cell."""
    desk = Desk(ruleset)
    for field in ("category_id", "brand_id", "freight_template_id"):
        decision = desk.decide({f"row.{field}": None})
        assert [finding.rule for finding in decision.findings] == ["huiju/eligibility/row-incomplete"]
        assert [item.path for item in decision.findings[0].evidence] == [f"row.{field}"]
    assert desk.said({"row.product_id": None, "product": None}) == "rejected: row-incomplete"
    assert desk.said({"row.specs": [COLOUR, {"name": "尺码"}]}) == "rejected: row-incomplete"
    assert desk.said({"row.specs": [COLOUR, {"template_id": "30002"}]}) == "rejected: row-incomplete"
    empty = desk.decide({"row": {"specs": []}, "product": None})
    assert [finding.rule for finding in empty.findings] == ["huiju/eligibility/row-incomplete"]
    assert len(empty.findings[0].evidence) == 4


def test_a_product_that_the_shop_does_not_have_is_one_finding(ruleset: Ruleset) -> None:
    """R9: and an id that differs in the last of its digits is another product."""
    desk = Desk(ruleset)
    assert desk.said({"product": None}) == "rejected: product-unknown"
    assert (
        desk.said({"row.product_id": "9007199254740993", "product.id": "9007199254740992"})
        == "rejected: product-unknown"
    )


def test_one_or_two_spec_levels_and_no_other_number(ruleset: Ruleset) -> None:
    """R10: no spec and three levels are refused, and nothing else is said of them."""
    desk = Desk(ruleset)
    one, two, three = ({"name": name, "values": ["甲"]} for name in ("颜色", "尺码", "款式"))
    assert desk.said({"product.specs": [], "row.specs": []}) == "rejected: spec-levels"
    assert desk.said({"product.specs": [one], "row.specs": [COLOUR]}) == "accepted"
    assert desk.said({"product.specs": [one, two]}) == "accepted"
    assert desk.said({"product.specs": [one, two, three]}) == "rejected: spec-levels"
    (finding,) = desk.decide({"product.specs": [one, two, three]}).findings
    assert finding.message == "惠聚仅支持 1～2 级规格，该商品有 3 级"
    assert [(item.path, item.found, item.wanted) for item in finding.evidence] == [
        ("product.specs", 3, "在 1～2 之间")
    ]


def test_spec_names_are_the_products_own_each_level_once(ruleset: Ruleset) -> None:
    """R9 and R11: a wrong name, a level left out, a level twice."""
    desk = Desk(ruleset)
    wrong = {"row.specs": [{**COLOUR, "name": "色颜"}, SIZE]}
    assert desk.said(wrong) == "rejected: spec-name-not-of-product"
    assert desk.said({"row.specs": [COLOUR]}) == "rejected: spec-level-missing"
    assert desk.said({"row.specs": []}) == "rejected: spec-level-missing"
    twice = {"row.specs": [COLOUR, {**COLOUR, "template_id": "30002"}]}
    assert desk.said(twice) == "rejected: spec-level-missing spec-level-twice"
    assert desk.said({"row.specs": [SIZE, COLOUR]}) == "accepted"
    (finding,) = desk.decide(wrong).findings
    assert [(item.path, item.found) for item in finding.evidence] == [("row.specs[0].name", "色颜")]


def test_ids_are_the_huiju_shops_own(ruleset: Ruleset) -> None:
    """R12: four tables, each with its own rule."""
    desk = Desk(ruleset)
    assert desk.said({"row.category_id": "6199"}) == "rejected: category-unknown"
    assert desk.said({"row.brand_id": "7100"}) == "rejected: brand-unknown"
    assert desk.said({"row.freight_template_id": "535943"}) == "rejected: freight-template-unknown"
    assert (
        desk.said({"row.specs": [COLOUR, {**SIZE, "template_id": "30099"}]})
        == "rejected: spec-template-unknown"
    )


def test_without_a_table_the_question_stays_open(ruleset: Ruleset) -> None:
    """R12, R13 and R15: nothing is let through that could not be checked."""
    desk = Desk(ruleset)
    assert {name: desk.said({}, without=name) for name in TABLES} == {
        "categories": "undetermined: category-unknown category-not-leaf",
        "brands": "undetermined: brand-unknown",
        "freight_templates": "undetermined: freight-template-unknown",
        "spec_templates": "undetermined: spec-template-unknown",
        "listings": "undetermined: listed-already",
    }


def test_the_category_is_a_leaf_of_the_third_level(ruleset: Ruleset) -> None:
    """R13."""
    desk = Desk(ruleset)
    assert [desk.said({"row.category_id": id_}) for id_ in ("6033", "6057", "6091")] == [
        "rejected: category-not-leaf",
        "rejected: category-not-leaf",
        "accepted",
    ]


def test_only_physical_goods_sent_by_express_each_with_its_own_reason(ruleset: Ruleset) -> None:
    """R14: one cause, one finding."""
    desk = Desk(ruleset)
    causes: list[tuple[dict[str, Any], str]] = [
        ({"product.item_type": "takeaway"}, "not-ordinary-goods"),
        ({"product.item_type": "wholesale"}, "not-ordinary-goods"),
        ({"product.item_type": "hotel"}, "not-ordinary-goods"),
        ({"product.item_type": "other"}, "not-ordinary-goods"),
        ({"product.is_virtual": True}, "virtual-goods"),
        ({"product.item_type": "virtual", "product.is_virtual": True}, "virtual-goods"),
        ({"product.item_type": "e_voucher", "product.is_virtual": True}, "e-voucher-goods"),
        ({"product.item_type": "e_voucher"}, "e-voucher-goods"),
        ({"product.presale_type": "full_payment"}, "presale-goods"),
        ({"product.presale_type": "deposit"}, "presale-goods"),
        ({"product.business_kind": "presale"}, "presale-goods"),
        ({"product.item_type": "distribution"}, "distribution-goods"),
        ({"product.platform": "distribution"}, "distribution-goods"),
        ({"product.marks": ["distribution"]}, "distribution-goods"),
        ({"product.supplier_item_id": "1"}, "distribution-goods"),
        ({"product.delivery.express": False}, "no-express"),
    ]
    for changes, rule in causes:
        assert desk.said(changes) == f"rejected: {rule}", changes
    fine: list[dict[str, Any]] = [
        {"product.business_kind": "fresh"},
        {"product.marks": ["supplied", "other"]},
        {"product.delivery.self_pick": True},
    ]
    assert [desk.said(changes) for changes in fine] == ["accepted"] * len(fine)


def test_goods_of_which_not_enough_is_known_stay_open(ruleset: Ruleset) -> None:
    """R14: as with the older item interface, which tells less."""
    lacking = ("is_virtual", "business_kind", "platform", "marks", "delivery")
    assert Desk(ruleset).said({f"product.{name}": None for name in lacking}) == (
        "undetermined: virtual-goods presale-goods distribution-goods no-express"
    )


def test_goods_off_sale_in_youzan_are_not_listed(ruleset: Ruleset) -> None:
    assert Desk(ruleset).said({"product.on_sale": False}) == "rejected: not-on-sale"


def test_a_product_is_listed_once(ruleset: Ruleset) -> None:
    """R15: not again once listed, and not twice in one file."""
    desk = Desk(ruleset)
    again = {"row.product_id": "403680001", "product.id": "403680001"}
    assert desk.said(again) == "rejected: listed-already"
    assert desk.said({}, {}) == "rejected: twice-in-upload"
    assert desk.said({}, again) == "accepted"


def test_what_is_worth_a_look_is_said_and_does_not_stop_the_listing(ruleset: Ruleset) -> None:
    """R34: selling what is not there is the merchant's risk, so he is told."""
    desk = Desk(ruleset)
    empty, full = {"id": "1", "stock": 0, "price": 100}, {"id": "2", "stock": 5, "price": 100}
    assert desk.said({"product.stock": 0, "product.skus": [empty]}) == "accepted: out-of-stock"
    assert desk.said({"product.stock": 5, "product.skus": [empty, full]}) == "accepted: sku-out-of-stock"
    assert desk.said({"product.skus": [{**full, "price": 0}]}) == "accepted: price-zero"
    assert desk.said({"product.images": []}) == "accepted: no-image"


def test_every_finding_says_what_was_found_and_what_to_do(ruleset: Ruleset) -> None:
    """R17: the reason goes into the merchant's own file, so no slot may be left empty in it."""
    desk = Desk(ruleset)
    for rule in ruleset.rules:
        assert rule.common.fix.zh, rule.common.id
        for example in rule.common.examples:
            if example.expect != "reject" or example.tables or example.also or example.as_of:
                continue
            found = [
                item
                for item in desk.decide(dict(example.overlay)).findings
                if item.rule.endswith(f"/{rule.common.id}")
            ]
            assert [item.status for item in found] == ["violated"], rule.common.id
            assert found[0].message
            assert found[0].evidence
