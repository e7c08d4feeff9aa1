"""Every action on every after-sale has one clear verdict (R28–R32)."""

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
KINDS = ("refund_only", "return_refund", "exchange")
CHANNELS = ("huiju", "youzan")
ORDER_STATES = ("to_ship", "partly_shipped", "shipped", "done")
HANDLING = ("agree", "reject", "agree_return", "confirm_return", "reject_return")
VIEWING = ("contact_buyer", "leave_message", "view_countdown", "view_contact")
# R28, R29 and R31: on a Huiju after-sale in whatever state.
ON_HUIJU = {
    "contact_buyer": ("disabled", "no-buyer-contact"),
    "leave_message": ("disabled", "no-buyer-contact"),
    "view_countdown": ("hidden", "no-countdown"),
    "view_contact": ("hidden", "no-contact-shown"),
}
BY_STATUS = {
    "requested": dict.fromkeys(["confirm_return", "reject_return"], "nothing-sent-back"),
    "rejected": dict.fromkeys(HANDLING, "rejected-already"),
    "waiting_return": dict.fromkeys(HANDLING, "waiting-for-goods"),
    "waiting_receipt": dict.fromkeys(["agree", "reject", "agree_return"], "goods-on-the-way-back"),
    "return_rejected": dict.fromkeys(HANDLING, "rejected-already"),
    "closed": dict.fromkeys(HANDLING, "settled"),
    "succeeded": dict.fromkeys(HANDLING, "settled"),
}
BY_KIND = {
    "refund_only": {"agree_return": "nothing-to-return"},
    "return_refund": {"agree": "return-first"},
    "exchange": {"agree": "return-first"},
}
INSTEAD = {
    "reject-before-shipment": ["ship"],
    "goods-on-the-way-back": ["confirm_return", "reject_return"],
    "return-first": ["agree_return"],
    "nothing-to-return": ["agree"],
}
UNTIL = {
    "reject-before-shipment": "订单发货",
    "rejected-already": "买家修改申请",
    "waiting-for-goods": "买家寄回商品",
}


@pytest.fixture(scope="module")
def ruleset(rulebook: Rulebook) -> Ruleset:
    return rulebook.ruleset("huiju/after-sale")


def session(ruleset: Ruleset) -> ActionSession:
    return ActionSession(ruleset, compile_plan(ruleset.plan()), AS_OF)


def after_sale(ruleset: Ruleset, **changes: Any) -> dict[str, Any]:
    named = {key.replace("__", "."): value for key, value in changes.items()}
    fact, problems = admit(ruleset.fact.type, overlaid(ruleset.fact.example, named))
    assert problems == ()
    return dict(fact)


def states(verdict: Verdict) -> dict[str, tuple[str, str]]:
    return {
        state.action: (state.state, state.rule.rpartition("/")[2])
        for state in verdict.actions
        if state.state != "enabled"
    }


def expected(channel: str, kind: str, status: str, order_status: str) -> dict[str, tuple[str, str]]:
    rules = dict(BY_STATUS[status])
    if status == "requested":
        rules |= BY_KIND[kind]
        if channel == "huiju" and kind == "refund_only" and order_status == "to_ship":
            rules["reject"] = "reject-before-shipment"
    found = {action: ("disabled", rule) for action, rule in rules.items()}
    return found | (ON_HUIJU if channel == "huiju" else {})


def test_before_shipment_a_refund_can_be_agreed_to_or_shipped_away_but_not_rejected(ruleset: Ruleset) -> None:
    """R30: reject names shipping as the way, and what shipping does."""
    verdict = session(ruleset).judge(after_sale(ruleset))
    assert verdict.action("agree").state == "enabled"
    reject = verdict.action("reject")
    assert reject.state == "disabled"
    assert reject.reason == "订单待发货，不能直接拒绝退款申请；不想退款就发货"
    assert [(item.action, item.effect) for item in reject.instead] == [("ship", "发货后这个退款申请自动关闭")]
    assert [item.path for item in reject.blocking] == ["channel", "kind", "status", "order.status"]


def test_a_refund_whose_order_is_not_known_can_not_be_rejected(ruleset: Ruleset) -> None:
    """R30: what can't be decided is closed, and names what is missing."""
    reject = session(ruleset).judge(after_sale(ruleset, order=None)).action("reject")
    assert (reject.state, reject.missing) == ("disabled", ("order.status",))


def test_an_after_sale_without_a_state_can_not_be_handled(ruleset: Ruleset) -> None:
    verdict = session(ruleset).judge(after_sale(ruleset, status=None, channel="youzan"))
    assert {action: state for action, (state, _) in states(verdict).items()} == dict.fromkeys(
        HANDLING, "disabled"
    )
    assert {verdict.action(action).missing for action in HANDLING} == {("status",)}


def test_of_a_huiju_after_sale_no_countdown_contact_or_buyer_leaves_the_server(ruleset: Ruleset) -> None:
    """R28, R29, R31: nor the consignee of its order, who most often is the contact."""
    fact = after_sale(ruleset)
    shown = session(ruleset).judge(fact).shown(fact)
    assert "auto_handle_at" not in shown
    assert shown["contact"] == {"name": "匿名用户", "phone": "***", "address": "***"}
    assert shown["buyer"] == shown["order"]["buyer"] == {"name": "匿名用户"}
    assert "consignee" not in shown["order"]
    private = {"auto_handle_at", "contact", "buyer", "order"}
    assert {key: value for key, value in fact.items() if key not in private} == {
        key: value for key, value in shown.items() if key not in private
    }
    within = {"buyer", "consignee"}
    assert {key: value for key, value in fact["order"].items() if key not in within} == {
        key: value for key, value in shown["order"].items() if key not in within
    }


def test_of_the_shops_own_after_sale_everything_is_shown(ruleset: Ruleset) -> None:
    fact = after_sale(ruleset, channel="youzan")
    assert session(ruleset).judge(fact).shown(fact) == fact


def test_an_after_sale_that_does_not_say_where_it_comes_from_is_masked(ruleset: Ruleset) -> None:
    """R28, R29, R31: fail closed; what can't be decided is disabled and says what is missing, even where it would be hidden."""
    fact = after_sale(ruleset, channel=None)
    verdict = session(ruleset).judge(fact)
    assert {action: states(verdict)[action] for action in VIEWING} == {
        action: ("disabled", rule) for action, (_, rule) in ON_HUIJU.items()
    }
    assert all(verdict.action(action).missing == ("channel",) for action in VIEWING)
    assert "auto_handle_at" not in verdict.shown(fact)
    assert verdict.shown(fact)["contact"]["phone"] == "***"


def test_what_staff_do_is_told_to_huiju_and_changes_the_state_once_huiju_has_taken_it(
    ruleset: Ruleset,
) -> None:
    """R32: agree, reject after shipment, agree to a return, confirm it, refuse it."""
    flows, judge = matcher(ruleset, AS_OF), session(ruleset)
    situations = {
        "agree": ("refund_only", "requested", "succeeded"),
        "reject": ("refund_only", "requested", "rejected"),
        "agree_return": ("return_refund", "requested", "waiting_return"),
        "confirm_return": ("return_refund", "waiting_receipt", "succeeded"),
        "reject_return": ("exchange", "waiting_receipt", "return_rejected"),
    }
    for action, (kind, status, after) in situations.items():
        fact = after_sale(ruleset, kind=kind, status=status, order__status="shipped")
        result = command(ruleset, flows, judge.judge(fact), action, fact)
        assert (result.done, result.calls, result.changes) == (
            True,
            (f"after_sale.{action}",),
            (("status", after),),
        )


def test_what_is_refused_is_neither_told_nor_kept_for_later(ruleset: Ruleset) -> None:
    """R30: the rejection is not carried out once the order ships; shipping closes the request instead."""
    fact = after_sale(ruleset)
    result = command(ruleset, matcher(ruleset, AS_OF), session(ruleset).judge(fact), "reject", fact)
    assert (result.done, result.calls, result.changes) == (False, (), ())
    assert result.state.rule == "huiju/after-sale/reject-before-shipment"


def test_every_action_in_every_state_is_judged_by_exactly_one_rule(ruleset: Ruleset) -> None:
    """R28–R32, over all channels, kinds, states of the after-sale and of its order."""
    judge, base = session(ruleset), after_sale(ruleset)
    for case in product(CHANNELS, KINDS, BY_STATUS, ORDER_STATES):
        channel, kind, status, order_status = case
        order = {**base["order"], "status": order_status}
        verdict = judge.judge({**base, "channel": channel, "kind": kind, "status": status, "order": order})
        assert [state.action for state in verdict.actions] == [*HANDLING, *VIEWING]
        assert expected(*case) == states(verdict), case
        assert {state.also for state in verdict.actions} == {()}, case


def test_what_is_restricted_says_why_in_both_languages_and_what_to_do_instead(ruleset: Ruleset) -> None:
    """R32: whoever finds a button greyed out is told the way on."""
    judge = session(ruleset)
    for kind, status in product(KINDS, BY_STATUS):
        for state in judge.judge(after_sale(ruleset, kind=kind, status=status)).actions:
            if state.state == "enabled":
                continue
            rule = state.rule.rpartition("/")[2]
            assert state.reason
            assert state.reason_en.isascii()
            assert "（空）" not in state.reason
            assert state.blocking
            assert INSTEAD.get(rule, []) == [item.action for item in state.instead], rule
            assert UNTIL.get(rule, "") == state.until, rule


def test_every_rule_decides(ruleset: Ruleset) -> None:
    assert {rule.common.severity for rule in ruleset.rules} == {"error"}


def test_while_an_action_is_on_its_way_no_other_may_be_taken(ruleset: Ruleset) -> None:
    """R32: nor while the order's shipment is, which may close the request."""
    judge = session(ruleset)
    may = {
        ("refund_only", "requested"): ("agree", "reject"),
        ("return_refund", "requested"): ("agree_return", "reject"),
        ("return_refund", "waiting_receipt"): ("confirm_return", "reject_return"),
    }
    for (kind, status), actions in may.items():
        for changes in ({"pending": ["agree"]}, {"pending": ["reject_return"]}, {"order.pending": ["ship"]}):
            fact = after_sale(ruleset, kind=kind, status=status, **{"order.status": "shipped"}, **changes)
            for action in actions:
                state = judge.judge(fact).action(action)
                assert ("disabled", "huiju/after-sale/on-its-way") == (state.state, state.rule)
                assert "渠道答复" == state.until
        free = after_sale(
            ruleset,
            kind=kind,
            status=status,
            **{"order.status": "shipped", "order.pending": ["edit_logistics"]},
        )
        assert {"enabled"} == {judge.judge(free).action(action).state for action in actions}
