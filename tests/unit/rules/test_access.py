"""Who may bind, and who sees the channel's page (R1–R6)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.actions import ActionSession, Verdict
from engine.evaluators.record import compile_plan
from engine.examples import overlaid
from engine.facts import admit
from engine.rulebook import Rulebook
from engine.rules import Ruleset

AS_OF = datetime(2022, 3, 11, 4, tzinfo=UTC)
MANAGING = ("replace_credentials", "unbind")


@pytest.fixture(scope="module")
def ruleset(rulebook: Rulebook) -> Ruleset:
    return rulebook.ruleset("huiju/access")


def judge(ruleset: Ruleset, as_of: datetime = AS_OF, **changes: Any) -> Verdict:
    named = {key.replace("__", "."): value for key, value in changes.items()}
    fact, problems = admit(ruleset.fact.type, overlaid(ruleset.fact.example, named))
    assert problems == ()
    return ActionSession(ruleset, compile_plan(ruleset.plan()), as_of).judge(fact)


def states(verdict: Verdict) -> dict[str, tuple[str, str]]:
    return {state.action: (state.state, state.rule.rpartition("/")[2]) for state in verdict.actions}


def test_administrators_of_a_fitting_shop_may_bind_and_once_bound_may_do_the_rest(ruleset: Ruleset) -> None:
    """R4, R5 and R6."""
    for role in ("senior_admin", "admin"):
        unbound = judge(ruleset, role=role, shop__bound=False)
        assert states(unbound) == {
            "bind": ("enabled", ""),
            "replace_credentials": ("disabled", "not-bound"),
            "unbind": ("disabled", "not-bound"),
            "open_channel_page": ("hidden", "no-entry"),
        }
        assert [unbound.action(name).until for name in (*MANAGING, "open_channel_page")] == [
            "绑定惠聚店铺",
            "绑定惠聚店铺",
            "管理员绑定惠聚店铺",
        ]
        bound = judge(ruleset, role=role)
        assert states(bound) == {
            "bind": ("disabled", "bound-already"),
            "replace_credentials": ("enabled", ""),
            "unbind": ("enabled", ""),
            "open_channel_page": ("enabled", ""),
        }
        assert [item.action for item in bound.action("bind").instead] == ["replace_credentials", "unbind"]


def test_every_other_role_may_open_the_page_of_a_bound_shop_and_nothing_more(ruleset: Ruleset) -> None:
    """R5 and R6."""
    for role in ("operator", "viewer"):
        for bound in (True, False):
            verdict = judge(ruleset, role=role, shop__bound=bound)
            for action in ("bind", *MANAGING):
                assert verdict.action(action).state == "disabled"
                assert verdict.action(action).rule == "huiju/access/not-administrator"
            assert verdict.action("open_channel_page").state == ("enabled" if bound else "hidden")
    reason = judge(ruleset, role="operator").action("bind").reason
    assert reason == "只有高级管理员和普通管理员可以绑定惠聚店铺，你的角色是运营"


def test_only_an_admitted_shop_of_the_e_commerce_edition_may_be_bound(ruleset: Ruleset) -> None:
    """R1 and R2: and it stays possible to unbind one that no longer fits."""
    for edition in ("wsc_basic", "retail", "chain", "education", "beauty", "other"):
        verdict = judge(ruleset, shop__edition=edition, shop__bound=False)
        assert states(verdict)["bind"] == ("disabled", "shop-edition")
    verdict = judge(ruleset, shop__admitted=False, shop__bound=False)
    assert states(verdict)["bind"] == ("disabled", "shop-not-admitted")
    assert "申请入驻" in verdict.action("bind").reason
    assert {state.instead for state in verdict.actions} == {()}, "whoever may not bind is not told to"
    left = judge(ruleset, shop__edition="other", shop__admitted=False)
    assert [left.action(name).state for name in MANAGING] == ["enabled", "enabled"]


def test_binding_opens_by_the_calendar_of_shanghai(ruleset: Ruleset) -> None:
    """R3: closed, closed beta, open; the days begin at midnight in Shanghai."""
    outcomes = []
    for moment in ("10T15:59:59", "10T16:00:00"):
        as_of = datetime.fromisoformat(f"2022-02-{moment}+00:00")
        outcomes += [
            judge(ruleset, as_of, shop__bound=False, shop__beta_approved=yes) for yes in (True, False)
        ]
    for moment in ("07T15:59:59", "07T16:00:00"):
        as_of = datetime.fromisoformat(f"2022-03-{moment}+00:00")
        outcomes += [
            judge(ruleset, as_of, shop__bound=False, shop__beta_approved=yes) for yes in (True, False)
        ]
    early, beta, open_ = ("disabled", "not-open-yet"), ("disabled", "beta-not-approved"), ("enabled", "")
    assert [states(verdict)["bind"] for verdict in outcomes] == [
        *(early, early),
        *(open_, beta),
        *(open_, beta),
        *(open_, open_),
    ]
    assert outcomes[3].action("bind").until == "2022-03-08"


def test_what_is_not_known_of_the_actor_or_the_shop_is_refused(ruleset: Ruleset) -> None:
    nobody = judge(ruleset, role=None, shop=None)
    assert {state.state for state in nobody.actions} == {"disabled"}
    assert nobody.action("bind").missing == ("role",)
    assert nobody.action("open_channel_page").missing == ("shop.bound",)


def test_every_reason_is_given_in_both_languages(ruleset: Ruleset) -> None:
    for state in judge(ruleset, role="viewer", shop__bound=False).actions:
        assert state.reason
        assert state.reason_en.isascii()


def test_every_rule_decides(ruleset: Ruleset) -> None:
    assert {rule.common.severity for rule in ruleset.rules} == {"error"}
