"""Huiju's matrix is total and free of contradictions, and whoever changes the rules sees it in the page that is signed off (R21–R32)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.diagnostics import render
from engine.examples import overlaid
from engine.facts import admit
from engine.flows import CaseState, Observation, _step, matcher
from engine.matrix import Matrix, matrices, periods
from engine.matrix_check import check
from engine.rulebook import Rulebook
from engine.rules import ActionRule, Flow, Rule, Ruleset
from engine.wording import day_of
from mappings.matrix import markdown, page_of

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "reference" / "matrix-huiju.md"
AS_OF = datetime(2022, 3, 11, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def found(rulebook: Rulebook) -> dict[str, Matrix]:
    laid_out = matrices(rulebook, rulebook.channels["huiju"], AS_OF)
    return {matrix.ruleset.fact.name: matrix for matrix in laid_out}


def schema(name: str) -> dict[str, Any]:
    """Read a fact's schema as a reader of the file does, without our own vocabulary."""
    data: dict[str, Any] = yaml.safe_load((ROOT / "rules" / "facts" / f"{name}.yaml").read_text("utf-8"))
    return data


def choices(name: str, field: str) -> list[Any]:
    return list(schema(name)["properties"][field].get("enum", [True, False]))


def test_every_action_has_one_verdict_in_every_situation_on_every_day(rulebook: Rulebook) -> None:
    """R21–R32, R1–R6: no gap and no contradiction; those there were named their rules here."""
    channel = rulebook.channels["huiju"]
    moments = [*periods(channel), AS_OF]
    assert {"2022-02-10", "2022-02-11", "2022-03-08"} <= {str(day_of(moment)) for moment in moments}
    for moment in moments:
        faults = check(matrices(rulebook, channel, moment))
        assert "" == render(faults, rulebook.sources), moment


def test_the_matrix_has_every_situation_that_the_vocabulary_allows(found: dict[str, Matrix]) -> None:
    """Counted from the schemas: order by status; after-sale by kind, status and its order's status; actor by role and shop."""
    statuses = choices("order", "status")
    expected = {
        "order": list(product(statuses)),
        "after_sale": list(product(choices("after_sale", "kind"), choices("after_sale", "status"), statuses)),
        "actor": list(
            product(
                choices("actor", "role"),
                choices("shop", "edition"),
                choices("shop", "admitted"),
                choices("shop", "bound"),
            )
        ),
    }
    assert found.keys() == expected.keys()
    for name, situations in expected.items():
        assert situations == [situation.values for situation in found[name].actions.situations]
        actions = list(schema(name)["x-actions"])
        for situation in found[name].actions.situations:
            assert actions == [state.action for state in situation.actions]
            assert {state.state for state in situation.actions} <= {"enabled", "disabled", "hidden"}
            assert not any(state.missing for state in situation.actions)


def test_every_event_in_every_situation_leads_where_folding_it_leads(found: dict[str, Matrix]) -> None:
    """R30 and R32: the matrix reads the same flows as what happens; 3 kinds, 7 states and none, 6 order states, 10 events."""
    matrix = found["after_sale"]
    ruleset = matrix.ruleset
    known = {flow.common.id: flow for flow in ruleset.flows}
    flows = matcher(ruleset, AS_OF)
    ids = list(schema("after_sale")["x-events"])
    assert 3 * 8 * 6 == len(matrix.events.situations)
    for situation in matrix.events.situations:
        kind, status, order_status = situation.values
        fact, _ = admit(
            ruleset.fact.type,
            overlaid(ruleset.fact.example, {"kind": kind, "status": status, "order.status": order_status}),
        )
        order = fact.pop("order")
        before = CaseState(order, {fact["id"]: fact})
        for event in ids:
            about = "" if event == "order_shipped" else fact["id"]
            after = _step(before, Observation("1", event, AS_OF, about), flows, known)
            changed = {
                f"order.{field}": value for field, value in after.order.items() if value != order[field]
            } | {
                field: value
                for field, value in after.after_sales[fact["id"]].items()
                if value != fact.get(field)
            }
            told = {
                path: value
                for path, value in situation.changes(event).items()
                if value != (order_status if path == "order.status" else fact.get(path))
            }
            assert changed == told, (situation.values, event)
            assert bool(after.ignored) == (not situation.flows[event]), (situation.values, event)


def test_before_shipment_a_refund_can_not_be_rejected_and_shipping_closes_it(
    found: dict[str, Matrix],
) -> None:
    """R30, as the matrix has it."""
    matrix = found["after_sale"]
    rejecting = {
        situation.values
        for situation in matrix.actions.situations
        for state in situation.actions
        if state.rule.endswith("/reject-before-shipment")
    }
    closed = {
        situation.values
        for situation in matrix.events.situations
        if situation.changes("order_shipped").get("closed_by") == "shipment"
    }
    assert {("refund_only", "requested", "to_ship")} == rejecting == closed


def page(rulebook: Rulebook, fact: str = "") -> str:
    channel = rulebook.channels["huiju"]
    return markdown.render(page_of(rulebook, channel, periods(channel)[-1], fact))


def changed(rulebook: Rulebook, ruleset: Ruleset) -> Rulebook:
    """Put a ruleset in the place of the one of its name."""
    channel = rulebook.channels["huiju"]
    rulesets = {**channel.rulesets, ruleset.name.partition("/")[2]: ruleset}
    return replace(rulebook, channels={"huiju": replace(channel, rulesets=rulesets)}, _evaluators={})


def test_the_page_in_the_documents_is_of_the_rules_as_they_are(rulebook: Rulebook) -> None:
    assert PAGE.read_text("utf-8").partition("\n")[2] == page(rulebook)


def unseen(rulebook: Rulebook, change: Callable[[Ruleset, Rule | Flow], Ruleset | None]) -> set[str]:
    """Change each rule and flow of kind actions in turn, and name those whose change the page does not show."""
    names = set()
    for ruleset in rulebook.rulesets():
        if ruleset.kind != "actions":
            continue
        shipped = page(rulebook, ruleset.fact.name)
        for item in (*ruleset.rules, *ruleset.flows):
            other = change(ruleset, item)
            if other is not None and page(changed(rulebook, other), ruleset.fact.name) == shipped:
                names.add(f"{ruleset.name.partition('/')[2]}/{item.common.id}")
    return names


def test_whatever_rule_or_flow_is_dropped_is_missed_in_the_page(rulebook: Rulebook) -> None:
    """But those that mask alone, that are no longer in force, or that decide nothing on a Huiju order."""

    def dropped(ruleset: Ruleset, item: Rule | Flow) -> Ruleset:
        rules = tuple(rule for rule in ruleset.rules if rule is not item)
        return replace(ruleset, rules=rules, flows=tuple(flow for flow in ruleset.flows if flow is not item))

    assert unseen(rulebook, dropped) == {
        "access/not-open-yet",
        "order-actions/buyer-anonymous",
        "after-sale/buyer-anonymous",
        "order-actions/consignee-after-shipment",
    }


def test_whatever_effect_is_turned_round_is_seen_in_the_page(rulebook: Rulebook) -> None:
    """Both ways, where the rule is in force, and speaks of more than what is on its way: in the matrix nothing is."""

    def turned(ruleset: Ruleset, item: Rule | Flow) -> Ruleset | None:
        if not isinstance(item, ActionRule) or not item.restrict:
            return None
        other = replace(item, effect="disable" if item.effect == "hide" else "hide")
        return replace(ruleset, rules=tuple(other if rule is item else rule for rule in ruleset.rules))

    assert unseen(rulebook, turned) == {
        "access/not-open-yet",
        "access/beta-not-approved",
        "order-actions/on-its-way",
        "after-sale/on-its-way",
    }
