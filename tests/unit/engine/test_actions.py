"""Actions: every one always listed, the strongest effect decides, and what is concealed is concealed everywhere."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.actions import ActionSession, Alternative, Verdict
from engine.decision import Evidence
from engine.diagnostics import Diagnostics
from engine.evaluators.record import compile_plan
from engine.read import read
from engine.rulebook import load
from engine.rulefile import read_rule_file
from engine.rules import Ruleset
from engine.source import Source
from engine.tables import Tables
from engine.vocabulary import Vocabulary

ROOT = Path(__file__).resolve().parents[3]
AS_OF = datetime(2022, 3, 8, 4, tzinfo=UTC)
RULES = """kind: actions
fact: order
rules:
  - {id: paid, title: 未付款, source: S1, when: {status: wait_pay}, restrict: [ship, refund], because: {zh: "订单{status|title}", en: "It is {status}"}, until: {zh: 付款后, en: it is paid},
     instead: [{action: agree, effect: {zh: 同意退款, en: Agree}}]}
  - {id: secret, title: 秘密, source: S2, when: {channel: huiju}, restrict: [refund, view_buyer], effect: hide, because: 惠聚订单}
  - {id: cheap, title: 便宜, source: S3, when: {total: {less_than: 100}}, restrict: [refund], because: "{buyer.name} 只付了 {total}"}
  - {id: named, title: 有名, source: S4, when: {buyer.name: 买家甲, lines: {some: {title: 围巾}}}, restrict: [contact_buyer], because: "「{buyer.name}」买了 {lines.title}"}
  - {id: always, title: 总是, source: S5, restrict: [view_snapshot], because: 没有快照}
  - {id: old, title: 旧, source: S6, restrict: [leave_message], because: 已停用, effective: {until: 2022-03-07}}
  - {id: shade, title: 遮盖, source: S7, when: {channel: huiju}, mask: {buyer.name: 匿名, lines.title: 商品}, hide: [buyer.phone, lines.price, consignee]}
"""


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return load(ROOT / "rulesets.yaml").vocabulary


@pytest.fixture(scope="module")
def session(vocabulary: Vocabulary) -> ActionSession:
    diagnostics = Diagnostics()
    root = read(Source("a.yaml", RULES), diagnostics)
    assert root is not None
    found = read_rule_file(root, vocabulary, diagnostics)
    assert [] == diagnostics.items
    assert found is not None
    rules = Ruleset("c/orders", found.kind, found.fact, found.rules, version="sha256:0")
    return ActionSession(rules, compile_plan(rules.plan()), AS_OF)


def order(**changed: Any) -> dict[str, Any]:
    base = {
        "id": "1",
        "channel": "youzan",
        "status": "to_ship",
        "total": 500,
        "buyer": {"name": "买家甲", "phone": "13000000001"},
        "consignee": {"name": "收货人", "phone": "1"},
        "lines": [{"id": "1", "title": "围巾", "price": 300}, {"id": "2", "title": "帽子", "price": 200}],
        "created_at": AS_OF,
    }
    return {key: value for key, value in {**base, **changed}.items() if value is not None}


def restricted(verdict: Verdict) -> dict[str, tuple[str, str]]:
    return {
        item.action: (item.state, item.rule.rpartition("/")[2])
        for item in verdict.actions
        if item.state != "enabled"
    }


ALWAYS = {"view_snapshot": ("disabled", "always")}


def test_every_action_is_listed_in_the_order_of_the_vocabulary(session: ActionSession) -> None:
    verdict = session.judge(order(buyer={"name": "x"}))
    assert session.ruleset.fact.action_names() == tuple(item.action for item in verdict.actions)
    assert ALWAYS == restricted(verdict)
    enabled = verdict.action("ship")
    assert ("enabled", "", "", (), ()) == (
        enabled.state,
        enabled.rule,
        enabled.reason,
        enabled.blocking,
        enabled.missing,
    )
    with pytest.raises(KeyError):
        verdict.action("fly")


def test_a_reason_is_given_in_both_languages_with_what_blocks_and_what_to_do_instead(
    session: ActionSession,
) -> None:
    state = session.judge(order(status="wait_pay")).action("ship")
    assert ("disabled", "订单待付款", "It is wait_pay", "付款后", "it is paid", "S1") == (
        state.state,
        state.reason,
        state.reason_en,
        state.until,
        state.until_en,
        state.source,
    )
    assert (Evidence("status", "wait_pay", "不等于 wait_pay（待付款）"),) == state.blocking
    assert (Alternative("agree", "同意退款", "Agree"),) == state.instead
    always = session.judge(order()).action("view_snapshot")
    assert ("没有快照", "没有快照", ()) == (always.reason, always.reason_en, always.blocking)


def test_hide_beats_disable_and_the_others_are_named_in_the_order_of_the_file(session: ActionSession) -> None:
    state = session.judge(order(status="wait_pay", channel="huiju", total=50)).action("refund")
    assert ("hidden", "c/orders/secret", ("c/orders/paid", "c/orders/cheap")) == (
        state.state,
        state.rule,
        state.also,
    )
    state = session.judge(order(status="wait_pay", total=50)).action("refund")
    assert ("disabled", "c/orders/paid", ("c/orders/cheap",)) == (state.state, state.rule, state.also)


def test_what_cannot_be_decided_is_disabled_and_names_what_is_missing(session: ActionSession) -> None:
    """Even where the rule would hide: an action that is not there could not say what it lacks."""
    verdict = session.judge(order(channel=None))
    state = verdict.action("view_buyer")
    assert ("disabled", ("channel",), ()) == (state.state, state.missing, state.blocking)
    assert "缺少「订单来源」，无法判断「秘密」" == state.reason == state.reason_en


def test_what_is_sure_decides_before_what_is_not(session: ActionSession) -> None:
    state = session.judge(order(channel=None, status=None, total=50)).action("refund")
    assert ("disabled", "c/orders/cheap", ("c/orders/paid", "c/orders/secret")) == (
        state.state,
        state.rule,
        state.also,
    )
    assert () == state.missing


def test_an_empty_fact_has_everything_that_a_rule_restricts_disabled(session: ActionSession) -> None:
    verdict = session.judge({})
    assert {"ship", "refund", "view_buyer", "contact_buyer", "view_snapshot"} == set(restricted(verdict))
    assert {"disabled"} == {state for state, _ in restricted(verdict).values()}
    assert {} == verdict.shown({})


def test_masks_and_hidden_fields_go_through_lists_and_records(session: ActionSession) -> None:
    fact = order(channel="huiju")
    before = copy.deepcopy(fact)
    shown = session.judge(fact).shown(fact)
    assert before == fact, "the original is not touched"
    assert {"name": "匿名"} == shown["buyer"]
    assert [{"id": "1", "title": "商品"}, {"id": "2", "title": "商品"}] == shown["lines"]
    assert "consignee" not in shown
    assert AS_OF == shown["created_at"]


def test_an_absent_value_is_not_masked_into_being(session: ActionSession) -> None:
    fact = order(channel="huiju", buyer={"name": None}, lines=[{"id": "1"}, None])
    shown = session.judge(fact).shown(fact)
    assert ({"name": None}, [{"id": "1"}, None]) == (shown["buyer"], shown["lines"])


def test_a_mask_that_cannot_be_decided_masks(session: ActionSession) -> None:
    fact = order(channel=None)
    assert {"name": "匿名"} == session.judge(fact).shown(fact)["buyer"]
    assert order() == session.judge(order()).shown(order())


def test_a_reason_does_not_tell_what_a_mask_conceals(session: ActionSession) -> None:
    """Masking happens before data leaves the server; the reason and the blocking fields leave it too."""
    for channel in ("huiju", None):
        fact = order(channel=channel, total=50)
        verdict = session.judge(fact)
        state = verdict.action("contact_buyer")
        assert "「匿名」买了 商品、商品" == state.reason
        assert () == state.blocking
        text = json.dumps(verdict.as_data(), ensure_ascii=False)
        assert not any(secret in text for secret in ("买家甲", "围巾", "13000000001"))
    plain = session.judge(order()).action("contact_buyer")
    assert "「买家甲」买了 围巾、帽子" == plain.reason
    assert ["buyer.name", "lines[0].title"] == [item.path for item in plain.blocking]


def test_a_rule_out_of_force_restricts_nothing(session: ActionSession) -> None:
    assert "leave_message" not in restricted(session.judge(order()))
    earlier = ActionSession(
        session.ruleset, session.evaluator, datetime(2022, 3, 7, 15, 59, tzinfo=UTC), Tables()
    )
    assert "leave_message" in restricted(earlier.judge(order()))


def test_a_verdict_is_the_same_bytes_each_time_and_through_pickle(session: ActionSession) -> None:
    first, second = session.judge(order(channel="huiju")), session.judge(order(channel="huiju"))
    assert first.to_bytes() == second.to_bytes() == pickle.loads(pickle.dumps(first)).to_bytes()
    data = json.loads(first.to_bytes())
    assert data == first.as_data()
    assert "2022-03-08T04:00:00Z" == data["as_of"]
    assert [{"path": "buyer.name", "shown": "匿名"}, {"path": "lines.title", "shown": "商品"}] == data[
        "masks"
    ]
    assert ["buyer.phone", "lines.price", "consignee"] == data["hidden"]


VALUES: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {},
    optional={
        "channel": st.sampled_from(["youzan", "huiju"]),
        "status": st.sampled_from(["wait_pay", "to_ship"]),
        "total": st.integers(0, 200),
        "buyer": st.fixed_dictionaries(
            {}, optional={"name": st.sampled_from(["买家甲", "乙"]), "phone": st.just("13000000001")}
        ),
        "lines": st.lists(
            st.fixed_dictionaries(
                {"id": st.just("1")}, optional={"title": st.sampled_from(["围巾", "帽子"])}
            ),
            max_size=2,
        ),
        "consignee": st.just({"name": "收货人"}),
    },
)


@given(VALUES)
def test_whatever_is_missing_nothing_opens_and_nothing_leaks(
    session: ActionSession, fact: dict[str, Any]
) -> None:
    """Taking any one field away never enables an action that was restricted, and never unveils a field."""
    before = copy.deepcopy(fact)
    verdict = session.judge(fact)
    assert before == fact
    for name in fact:
        less = session.judge({key: value for key, value in fact.items() if key != name})
        assert restricted(verdict).keys() <= restricted(less).keys()
        assert {ref.path for ref, _ in verdict.masks} <= {ref.path for ref, _ in less.masks}
    if fact.get("channel") != "youzan":
        text = json.dumps(
            [verdict.as_data(), {**verdict.shown(fact), "created_at": None}], ensure_ascii=False
        )
        assert not any(secret in text for secret in ("买家甲", "13000000001", "收货人", "围巾"))


def test_days_are_those_of_shanghai(session: ActionSession) -> None:
    rule = session.ruleset.rule("old")
    assert rule is not None
    assert date(2022, 3, 7) == rule.common.last_day
    late = ActionSession(session.ruleset, session.evaluator, datetime(2022, 3, 7, 16, tzinfo=UTC))
    assert "leave_message" not in restricted(late.judge(order()))
