"""Every action on every order has one clear verdict, on Huiju's orders (R21–R26) and on the shop's own."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from engine.actions import ActionSession, Verdict
from engine.evaluators.record import compile_plan
from engine.examples import overlaid
from engine.facts import admit
from engine.flows import command, matcher
from engine.rulebook import Rulebook
from engine.rules import Ruleset

AS_OF = datetime(2022, 3, 11, 4, tzinfo=UTC)
ACTIONS = [
    "ship",
    "edit_logistics",
    "refund",
    "small_payout",
    "edit_consignee",
    "view_snapshot",
    "view_buyer",
    "contact_buyer",
    "leave_message",
]
# Which rule restricts which action on a Huiju order in whatever state: R21, R22, R23, R24, R26.
ON_HUIJU = {
    "small_payout": "no-small-payout",
    "view_snapshot": "no-snapshot",
    "refund": "no-merchant-refund",
    "edit_consignee": "no-consignee-edit",
    "view_buyer": "no-buyer-details",
    "contact_buyer": "no-buyer-details",
    "leave_message": "no-buyer-details",
}
# Which rule restricts which action on an order of any channel, by its state.
BY_STATUS = {
    "wait_pay": dict.fromkeys(["ship", "edit_logistics", "refund", "small_payout"], "unpaid"),
    "to_ship": {"edit_logistics": "not-shipped-in-full"},
    "partly_shipped": {
        "edit_logistics": "not-shipped-in-full",
        "edit_consignee": "consignee-after-shipment",
    },
    "shipped": {"ship": "shipped-already", "edit_consignee": "consignee-after-shipment"},
    "done": {
        "ship": "shipped-already",
        "edit_logistics": "done",
        "edit_consignee": "consignee-after-shipment",
    },
    "closed": dict.fromkeys(["ship", "edit_logistics", "refund", "small_payout", "edit_consignee"], "closed"),
}
INSTEAD = {
    "no-merchant-refund": ["agree"],
    "shipped-already": ["edit_logistics"],
    "not-shipped-in-full": ["ship"],
}
UNTIL = {"unpaid": "买家付款", "not-shipped-in-full": "全部发货"}


@pytest.fixture(scope="module")
def ruleset(rulebook: Rulebook) -> Ruleset:
    return rulebook.ruleset("huiju/order-actions")


def session(ruleset: Ruleset) -> ActionSession:
    return ActionSession(ruleset, compile_plan(ruleset.plan()), AS_OF)


def order(ruleset: Ruleset, **changes: Any) -> dict[str, Any]:
    fact, problems = admit(ruleset.fact.type, overlaid(ruleset.fact.example, changes))
    assert problems == ()
    return dict(fact)


def rules_of(verdict: Verdict) -> dict[str, str]:
    return {
        state.action: state.rule.rpartition("/")[2] for state in verdict.actions if state.state != "enabled"
    }


def test_every_action_in_every_state_is_judged_by_exactly_the_rule_that_explains_it_best(
    ruleset: Ruleset,
) -> None:
    """R21, R22, R23, R24 and R26 come before what the state says; the state's rule is named as a further one."""
    judge = session(ruleset)
    for channel, status in product(("huiju", "youzan"), BY_STATUS):
        verdict = judge.judge(order(ruleset, channel=channel, status=status))
        assert [state.action for state in verdict.actions] == ACTIONS
        expected = BY_STATUS[status] | (ON_HUIJU if channel == "huiju" else {})
        assert expected == rules_of(verdict), (channel, status)
        further = {
            state.action: [name.rpartition("/")[2] for name in state.also]
            for state in verdict.actions
            if state.also
        }
        shadowed = {
            action: [rule]
            for action, rule in BY_STATUS[status].items()
            if channel == "huiju" and action in ON_HUIJU
        }
        assert shadowed == further, (channel, status)


def test_what_is_restricted_is_shown_disabled_with_a_reason_in_both_languages(ruleset: Ruleset) -> None:
    """R21 and R23 want the buttons greyed out, not gone."""
    judge = session(ruleset)
    for channel, status in product(("huiju", "youzan"), BY_STATUS):
        for state in judge.judge(order(ruleset, channel=channel, status=status)).actions:
            if state.state == "enabled":
                continue
            rule = state.rule.rpartition("/")[2]
            assert state.state == "disabled"
            assert state.reason
            assert state.reason_en.isascii()
            assert "（空）" not in state.reason
            assert state.blocking
            assert INSTEAD.get(rule, []) == [item.action for item in state.instead], rule
            assert UNTIL.get(rule, "") == state.until, rule


def test_the_buyer_of_a_huiju_order_is_anonymous_but_the_consignee_is_not(ruleset: Ruleset) -> None:
    """R25 and R26: the buyer does not leave the server; the consignee does, as staff have to ship."""
    fact = order(ruleset)
    shown = session(ruleset).judge(fact).shown(fact)
    assert shown["buyer"] == {"name": "匿名用户"}
    assert {**shown, "buyer": None} == {**fact, "buyer": None}
    own = order(ruleset, channel="youzan")
    assert session(ruleset).judge(own).shown(own) == own


def test_an_order_that_does_not_say_where_it_comes_from_is_treated_as_if_from_huiju(ruleset: Ruleset) -> None:
    """R21–R26: what can't be decided is closed, and names what is missing."""
    fact = order(ruleset, channel=None)
    verdict = session(ruleset).judge(fact)
    assert rules_of(verdict) == BY_STATUS["to_ship"] | ON_HUIJU
    assert {state.missing for state in verdict.actions if state.action in ON_HUIJU} == {("channel",)}
    assert verdict.shown(fact)["buyer"] == {"name": "匿名用户"}


def test_an_order_without_a_state_can_not_be_acted_upon(ruleset: Ruleset) -> None:
    verdict = session(ruleset).judge(order(ruleset, channel="youzan", status=None))
    closed = {"ship", "edit_logistics", "refund", "small_payout", "edit_consignee"}
    assert set(rules_of(verdict)) == closed
    assert {state.missing for state in verdict.actions if state.action in closed} == {("status",)}


def test_shipping_and_correcting_the_waybill_are_told_to_huiju(ruleset: Ruleset) -> None:
    """R27: allowed, they reach the channel; refused, nothing is sent."""
    flows = matcher(ruleset, AS_OF)
    outcomes = {}
    for status, action in product(("to_ship", "shipped", "closed"), ("ship", "edit_logistics")):
        fact = order(ruleset, status=status)
        done = command(ruleset, flows, session(ruleset).judge(fact), action, fact)
        outcomes[status, action] = (done.done, done.calls, done.changes)
    assert outcomes == {
        ("to_ship", "ship"): (True, ("order.ship",), ()),
        ("to_ship", "edit_logistics"): (False, (), ()),
        ("shipped", "ship"): (False, (), ()),
        ("shipped", "edit_logistics"): (True, ("order.edit_logistics",), ()),
        ("closed", "ship"): (False, (), ()),
        ("closed", "edit_logistics"): (False, (), ()),
    }


def test_every_rule_decides(ruleset: Ruleset) -> None:
    assert {rule.common.severity for rule in ruleset.rules} == {"error"}


def test_while_an_action_is_on_its_way_no_other_that_would_collide_may_be_taken(ruleset: Ruleset) -> None:
    """R27: neither a second shipment, nor one beside a refund that is being agreed to; a rejection stands in no shipment's way."""
    judge = session(ruleset)
    agreeing = [{"id": "1", "status": "requested", "pending": ["agree"]}]
    rejecting = [{"id": "1", "status": "requested", "pending": ["reject"]}]
    for changes in ({"pending": ["ship"]}, {"pending": ["edit_logistics"]}, {"after_sales": agreeing}):
        for status, action in (
            ("to_ship", "ship"),
            ("partly_shipped", "ship"),
            ("shipped", "edit_logistics"),
        ):
            state = judge.judge(order(ruleset, status=status, **changes)).action(action)
            assert ("disabled", "huiju/order-actions/on-its-way") == (state.state, state.rule)
            assert "渠道答复" == state.until
    assert "enabled" == judge.judge(order(ruleset, after_sales=rejecting)).action("ship").state
    assert "enabled" == judge.judge(order(ruleset, status="shipped")).action("edit_logistics").state
