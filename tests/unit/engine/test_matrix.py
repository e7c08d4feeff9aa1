"""The matrix: its axes are found, every situation is in it, and gaps and contradictions name the rules at fault."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.actions import ActionSession
from engine.diagnostics import Diagnostic, render
from engine.examples import overlaid
from engine.flows import command
from engine.matrix import Matrix, MatrixTooLarge, matrices, periods
from engine.matrix_check import check
from engine.rulebook import Rulebook
from engine.wording import day_of
from tests.reference.tickets import MANIFEST, RULES, tickets

AS_OF = datetime(2022, 3, 11, 4, tzinfo=UTC)
HEAD = "kind: actions\nfact: ticket\nrules:\n"


def laid_out(rulebook: Rulebook, as_of: datetime = AS_OF) -> list[Matrix]:
    return matrices(rulebook, rulebook.channels["shop"], as_of)


def faults(folder: Path, rules: str, manifest: str = MANIFEST) -> list[Diagnostic]:
    return check(laid_out(tickets(folder, rules, manifest)))


def placed(found: list[Diagnostic], rules: str) -> list[tuple[str, str, list[str]]]:
    """Give code, what stands at the place, and what stands at the related places."""
    lines = rules.splitlines()

    def at(span: object) -> str:
        assert span.file == "tickets.yaml"
        return lines[span.start_line - 1][span.start_col - 1 : span.end_col - 1]

    return [(item.code, at(item.span), [at(other.span) for other in item.related]) for item in found]


def rule(id_: str, restrict: str, when: str = "", more: str = "") -> str:
    condition = f"when: {{{when}}}, " if when else ""
    return f"  - {{id: {id_}, title: {id_}, source: R0, {condition}restrict: [{restrict}], because: 原因{more}}}\n"


def flow(id_: str, on: str, then: str, when: str = "") -> str:
    condition = f"when: {{{when}}}, " if when else ""
    return f"  - {{id: {id_}, title: {id_}, source: R0, on: {on}, {condition}then: {{{then}}}}}\n"


def test_the_axes_are_the_closed_fields_that_conditions_name_in_the_order_of_the_vocabulary(
    tmp_path: Path,
) -> None:
    """The channel is given and a list is no axis; a status may be absent before the first event, not when something is done."""
    (matrix,) = laid_out(tickets(tmp_path))
    assert [(axis.path, axis.values) for axis in matrix.actions.axes] == [
        ("status", (("new", "新建"), ("open", "处理中"), ("done", "已完成"))),
        ("urgent", ((True, "是"), (False, "否"))),
    ]
    assert [(axis.title, [word for _, word in axis.values]) for axis in matrix.events.axes] == [
        ("工单状态", ["新建", "处理中", "已完成", "（空）"]),
        ("订单 › 订单状态", ["未付款", "已付款"]),
    ]
    assert dict(matrix.held) == {"来源": "商城", "进行中": "没有"}


def test_every_situation_is_there_once_with_every_action_and_every_event(tmp_path: Path) -> None:
    (matrix,) = laid_out(tickets(tmp_path))
    values = [situation.values for situation in matrix.actions.situations]
    assert values == [(s, u) for s in ("new", "open", "done") for u in (True, False)]
    for situation in matrix.actions.situations:
        assert [state.action for state in situation.actions] == ["answer", "close", "hand_over"]
    assert 4 * 2 == len({situation.values for situation in matrix.events.situations})
    verdicts = {
        situation.values: [(state.state, state.rule.rpartition("/")[2]) for state in situation.actions]
        for situation in matrix.actions.situations
    }
    assert verdicts["new", True] == [("enabled", ""), ("disabled", "urgent-close"), ("enabled", "")]
    assert verdicts["done", False] == [("disabled", "done"), ("disabled", "done"), ("hidden", "shop-ticket")]


def test_an_event_leads_to_what_its_flows_set_or_is_ignored(tmp_path: Path) -> None:
    (matrix,) = laid_out(tickets(tmp_path))
    found = {
        (event, *situation.values): situation.changes(event)
        for situation in matrix.events.situations
        for event in ("opened", "paid")
    }
    assert found["opened", None, "paid"] == found["opened", "done", "unpaid"] == {"status": "new"}
    assert found["opened", "open", "paid"] == {}
    assert found["paid", "open", "unpaid"] == {"order.status": "paid"}
    assert found["paid", "open", "paid"] == {}


def test_the_channel_asked_for_is_put_wherever_the_fact_names_one(tmp_path: Path) -> None:
    """The example's own channel would leave a rule on the order's channel out."""
    rules = HEAD + rule("a", "answer", "order.channel: shop") + rule("b", "close", "channel: own")
    (matrix,) = laid_out(tickets(tmp_path, rules))
    (situation,) = matrix.actions.situations
    assert [state.state for state in situation.actions] == ["disabled", "enabled", "enabled"]


def test_a_rulebook_without_faults_has_none(tmp_path: Path) -> None:
    assert [] == faults(tmp_path, RULES)


def test_an_action_that_is_missing_or_there_twice_is_a_gap(tmp_path: Path) -> None:
    (matrix,) = laid_out(tickets(tmp_path))
    first, *rest = matrix.actions.situations
    for actions, count in ((first.actions[1:], 0), ((*first.actions, first.actions[0]), 2)):
        spoilt = replace(
            matrix, actions=replace(matrix.actions, situations=(replace(first, actions=actions), *rest))
        )
        (fault,) = check([spoilt])
        assert ("SG0901", True) == (fault.code, f"动作「回复」有 {count} 个结论" in fault.message)


def test_two_rulesets_that_judge_one_fact_are_a_gap(tmp_path: Path) -> None:
    manifest = MANIFEST.replace("{tickets: tickets.yaml}", "{tickets: tickets.yaml, again: tickets.yaml}")
    (fault,) = faults(tmp_path, RULES, manifest)
    assert "SG0901" == fault.code
    assert "shop/tickets 与 shop/again 都判断工单的动作" in fault.message


def test_a_rule_a_mask_or_a_flow_that_can_not_be_decided_is_a_gap_and_names_the_missing_fact(
    tmp_path: Path,
) -> None:
    """The example has no weight; a rule that another one covers, or that only masks, is named as well."""
    rules = (
        HEAD
        + rule("all", "answer")
        + rule("heavy", "answer", "weight: {more_than: 5}")
        + "  - {id: masked, title: masked, source: R0, when: {weight: 1}, mask: {id: x}}\n"
        + "flows:\n"
        + flow("weighed", "paid", "set: {urgent: true}", "weight: 3, status: new")
    )
    found = faults(tmp_path, rules)
    assert [("SG0902", name, []) for name in ("heavy", "masked", "weighed")] == placed(found, rules)
    assert all("缺少「重量」" in item.message for item in found)
    assert "（1 种情形，例如 工单状态 新建）" in found[2].message


def test_a_status_that_is_absent_because_nothing_has_happened_is_no_gap(tmp_path: Path) -> None:
    rules = (
        HEAD
        + rule("all", "answer")
        + "flows:\n"
        + flow("opened", "opened", "set: {status: new}", "status: {present: false}")
        + flow("done", "paid", "set: {status: done}", "status: open")
    )
    assert [] == faults(tmp_path, rules)


def test_an_enabled_action_that_would_be_refused_when_called_is_a_gap(tmp_path: Path) -> None:
    rules = (
        HEAD
        + rule("all", "close, hand_over")
        + "flows:\n"
        + flow("urgent", "answer", "call: a", "urgent: true")
        + flow("new", "answer", "call: b", "status: new")
    )
    rulebook = tickets(tmp_path, rules)
    found = check(laid_out(rulebook))
    assert [("SG0903", "urgent", ["new"])] == placed(found, rules)
    assert "动作「回复」可用，但它的流程（urgent、new）都不适用" in found[0].message
    assert "2 种情形，例如 工单状态 处理中，加急 否" in found[0].message
    ruleset = rulebook.ruleset("shop/tickets")
    fact = overlaid(ruleset.fact.example, {"status": "open"})
    verdict = ActionSession(ruleset, rulebook.evaluator(ruleset), AS_OF).judge(fact)
    answer = command(ruleset, rulebook.flow_matcher(ruleset, AS_OF), verdict, "answer", fact)
    assert ("enabled", False) == (verdict.action("answer").state, answer.done)


def test_an_enabled_action_that_tells_the_channel_nothing_where_it_does_elsewhere_is_a_gap(
    tmp_path: Path,
) -> None:
    rules = (
        HEAD
        + rule("all", "close, hand_over")
        + "flows:\n"
        + flow("told", "answer", "call: a", "urgent: true")
        + flow("untold", "answer", "set: {status: open}")
    )
    assert [("SG0904", "untold", [])] == placed(faults(tmp_path, rules), rules)


def test_an_enabled_action_without_any_flow_is_worth_a_warning_where_others_call(tmp_path: Path) -> None:
    rules = HEAD + rule("all", "close") + "flows:\n" + flow("told", "answer", "call: a")
    (fault,) = faults(tmp_path, rules)
    assert ("SG0904", "warning") == (fault.code, fault.severity)
    assert "动作「转交」可用，但没有流程" in fault.message
    assert [] == faults(tmp_path, HEAD + rule("all", "close"))


@pytest.mark.parametrize(
    ("hiding", "disabling", "contradict"),
    [
        pytest.param("", "", True, id="the same situations"),
        pytest.param("", "status: done", True, id="the one that hides is wider"),
        pytest.param("urgent: true", "status: done", True, id="they overlap"),
        pytest.param("status: done", "", False, id="the one that hides is an exception"),
        pytest.param("status: done", "status: new", False, id="they never meet"),
    ],
)
def test_hiding_what_another_rule_shows_with_a_reason_is_a_contradiction_unless_it_is_the_exception(
    tmp_path: Path, hiding: str, disabling: str, contradict: bool
) -> None:
    hides, disables = (
        rule("hides", "answer, close", hiding, ", effect: hide"),
        rule("disables", "close", disabling),
    )
    for rules in (HEAD + hides + disables, HEAD + disables + hides):
        expected = [("SG0905", "hides", ["disables"])] if contradict else []
        assert expected == placed(faults(tmp_path, rules), rules)


def test_of_two_rules_that_disable_the_first_gives_the_reason_and_nothing_is_wrong(tmp_path: Path) -> None:
    rules = HEAD + rule("first", "answer") + rule("second", "answer", "urgent: true")
    assert [] == faults(tmp_path, rules)


@pytest.mark.parametrize("trigger", ["paid", "answer"])
@pytest.mark.parametrize(
    ("one", "other", "contradict"),
    [
        (("set: {status: open}", ""), ("set: {status: done}", "urgent: true"), True),
        (("set: {status: open}", ""), ("set: {status: open}", "urgent: true"), False),
        (("set: {status: open}", "urgent: false"), ("set: {status: done}", "urgent: true"), False),
        (("set: {status: open}", ""), ("set: {order.status: paid}", ""), False),
    ],
)
def test_two_flows_that_set_one_field_differently_are_a_contradiction(
    tmp_path: Path, trigger: str, one: tuple[str, str], other: tuple[str, str], contradict: bool
) -> None:
    rules = (
        HEAD
        + rule("all", "close, hand_over")
        + "flows:\n"
        + flow("one", trigger, *one)
        + flow("other", trigger, *other)
    )
    found = faults(tmp_path, rules)
    assert ([("SG0906", "other", ["one"])] if contradict else []) == placed(found, rules)
    assert not contradict or "把 status 分别设为 open 与 done" in found[0].message


def test_an_action_to_take_instead_that_can_not_be_taken_is_a_dead_end(tmp_path: Path) -> None:
    rules = RULES.replace("restrict: [answer, close]", "restrict: [close]").replace(
        "rules:\n", "rules:\n" + rule("new", "answer", "status: new"), 1
    )
    found = faults(tmp_path, rules)
    assert [("SG0907", "urgent-close", ["new"])] == placed(found, rules)
    shown = render(found, {})
    assert (
        "tickets.yaml:19:9: SG0907 urgent-close 不让「关闭」，叫人改做「回复」，可这时「回复」也不能做"
        in shown
    )
    assert "1 种情形，例如 工单状态 新建，加急 是" in shown
    assert "另见 tickets.yaml:4:10: new「new」" in shown


def test_a_rule_is_in_the_matrix_while_it_is_in_force(tmp_path: Path) -> None:
    """And the flow that came into force later has a period of its own."""
    rules = (
        HEAD
        + rule("a", "answer", "urgent: true", ", effective: {from: 2022-03-01, until: 2022-03-08}")
        + "flows:\n"
        + flow("f", "paid", "set: {status: done}", "status: open").replace(
            "on:", "effective: {from: 2022-04-01}, on:"
        )
    )
    rulebook = tickets(tmp_path, rules)
    moments = periods(rulebook.channels["shop"])
    assert ["2022-02-28", "2022-03-01", "2022-03-09", "2022-04-01"] == [
        str(day_of(moment)) for moment in moments
    ]
    (before,), (during,), (after,), (last,) = (laid_out(rulebook, moment) for moment in moments)
    assert [] == [*before.actions.axes, *after.actions.axes, *after.events.axes]
    assert {"disabled": 1, "enabled": 1} == Counter(
        situation.actions[0].state for situation in during.actions.situations
    )
    assert ["status"] == [axis.path for axis in last.events.axes]


def test_a_channel_whose_rules_never_change_has_one_period(tmp_path: Path) -> None:
    assert 1 == len(periods(tickets(tmp_path).channels["shop"]))


def test_more_situations_than_anyone_could_sign_off_are_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.matrix.MOST_SITUATIONS", 5)
    with pytest.raises(MatrixTooLarge, match="6 种，最多 5 种：工单状态（3 种）、加急（2 种）") as caught:
        laid_out(tickets(tmp_path))
    assert ["status", "urgent"] == [axis.path for axis in caught.value.axes]
