"""See that a channel's matrix is total: for every action in every situation exactly one verdict, and no two rules that say contrary things.

Gaps: an action without exactly one verdict (SG0901), a rule or flow that can't be decided although every axis is known (SG0902), an enabled
action that no flow takes up and that would be refused when called (SG0903), one that tells the channel nothing (SG0904).
Contradictions: a rule that hides where another would show disabled with a reason (SG0905), two flows that set one field differently (SG0906),
an action to take instead that can't be taken either (SG0907).

Ordinary precedence is no contradiction: of several rules that disable, the first in the file gives the reason and the others are named as
further ones; a rule that hides may make an exception of a rule that disables, where it applies in only some of the other's situations.
An event that no flow takes up is ignored, which is an answer and no gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from engine.actions import ActionState
from engine.diagnostics import Diagnostic, Diagnostics, Related, Severity
from engine.matrix import Axis, Grid, Matrix, Situation
from engine.rules import ActionRule, Flow, Ruleset
from engine.session import named
from engine.source import Span
from engine.wording import said


def check(matrices: Sequence[Matrix]) -> list[Diagnostic]:
    """Find the gaps and contradictions of one channel.

    Args:
        matrices: The matrices of its rulesets.

    Returns:
        A diagnostic for each set of rules that is at fault, sorted by place, with the number of situations and the first of them.
        Empty where the matrix is total and free of contradictions.
    """
    found = _Found()
    for one, other in combinations(matrices, 2):
        if one.ruleset.fact.name == other.ruleset.fact.name:
            first, second = one.ruleset, other.ruleset
            message = (
                f"{first.name} 与 {second.name} 都判断{first.fact.type.title}的动作，同一个动作有两个结论"
            )
            found.note("SG0901", message, _place(second), hint="合成一个文件")
    for matrix in matrices:
        _Checker(matrix, found).run()
    return found.in_order()


@dataclass(slots=True)
class _Found:
    """Gather what is found, one entry for the same fault in many situations.

    Attributes:
        situations: How many situations each fault was found in, and the first of them in words.
    """

    situations: dict[Diagnostic, tuple[int, str]] = field(default_factory=dict)

    def note(
        self,
        code: str,
        message: str,
        span: Span,
        where: str = "",
        *,
        hint: str = "",
        related: Iterable[Related] = (),
        severity: Severity = "error",
    ) -> None:
        """Count one fault in one situation."""
        fault = Diagnostic(code, severity, message, span, hint, tuple(related))
        count, first = self.situations.get(fault, (0, where))
        self.situations[fault] = (count + 1, first)

    def in_order(self) -> list[Diagnostic]:
        """Give the faults sorted by place, each saying in how many situations."""
        collected = Diagnostics()
        for fault, (count, first) in self.situations.items():
            told = f"{fault.message}（{count} 种情形，例如 {first}）" if first else fault.message
            collected.report(
                fault.code,
                told,
                fault.span,
                hint=fault.hint,
                severity=fault.severity,
                related=fault.related,
            )
        return collected.in_order()


class _Checker:
    """Go through one matrix."""

    def __init__(self, matrix: Matrix, found: _Found) -> None:
        self.matrix = matrix
        self.ruleset = matrix.ruleset
        self.found = found
        self.titles = {name: title for name, title, _ in self.ruleset.fact.actions} | dict(
            self.ruleset.fact.events
        )
        self.rules = {
            f"{self.ruleset.name}/{rule.common.id}": rule
            for rule in self.ruleset.rules
            if isinstance(rule, ActionRule)
        }
        self.on = {flow.on: [item for item in matrix.flows if item.on == flow.on] for flow in matrix.flows}
        actions = self.ruleset.fact.action_names()
        self.calls = any(flow.call for flow in matrix.flows if flow.on in actions)

    def run(self) -> None:
        """Look for every fault."""
        for grid in (self.matrix.actions, self.matrix.events):
            for situation in grid.situations:
                where = described(grid.axes, situation)
                self.undecided(situation, where)
                if grid is self.matrix.events:
                    for event in self.ruleset.fact.event_names():
                        self.differing(situation, event, where)
                else:
                    self.verdicts(situation, where)
        for action in self.ruleset.fact.action_names():
            self.effects(self.matrix.actions, action)

    def verdicts(self, situation: Situation, where: str) -> None:
        """See that every action has one verdict that can be acted upon."""
        states = {state.action: state for state in situation.actions}
        counted = [state.action for state in situation.actions]
        for action in self.ruleset.fact.action_names():
            if counted.count(action) != 1:
                message = f"动作「{self.titles[action]}」有 {counted.count(action)} 个结论，应恰有一个"
                self.found.note("SG0901", message, _place(self.ruleset), where)
            elif states[action].state == "enabled":
                self.enabled(situation, action, where)
            else:
                self.instead(states, states[action], where)

    def undecided(self, situation: Situation, where: str) -> None:
        """See that every rule and flow can be decided."""
        for item in situation.undecided:
            common = item.item.common
            lacking = "、".join(named(self.ruleset, path) for path in item.missing)
            message = f"「{common.title}」（{common.id}）无法判断：缺少{lacking}"
            hint = f"在 {self.ruleset.fact.name} 的 examples 中给出它，或改用取值有限的字段"
            self.found.note("SG0902", message, common.span, where, hint=hint)

    def enabled(self, situation: Situation, action: str, where: str) -> None:
        """See that an enabled action can be carried out and reaches the channel."""
        title, bar = self.titles[action], "或写一条规则在这时限制它"
        known, applying = self.on.get(action, []), situation.flows.get(action, ())
        if known and not applying:
            self.found.note(
                "SG0903",
                f"动作「{title}」可用，但它的流程（{_ids(known)}）都不适用，执行时会被拒绝",
                known[0].common.span,
                where,
                hint=f"放宽流程的 when，{bar}",
                related=_others(known[1:]),
            )
        elif any(flow.call for flow in known) and not any(flow.call for flow in applying):
            self.found.note(
                "SG0904",
                f"动作「{title}」可用，但这时适用的流程（{_ids(applying)}）不通知渠道",
                applying[0].common.span,
                where,
                hint=f"在 then 里写 call，{bar}",
                related=_others(applying[1:]),
            )
        elif not known and self.calls:
            self.found.note(
                "SG0904",
                f"动作「{title}」可用，但没有流程说要通知渠道什么",
                _place(self.ruleset),
                where,
                hint="写一条 on 它的流程；只看不做的动作可以不管",
                severity="warning",
            )
        self.differing(situation, action, where)

    def differing(self, situation: Situation, trigger: str, where: str) -> None:
        """See that the flows set off together agree."""
        for one, other in combinations(situation.flows.get(trigger, ()), 2):
            values = {change.field: change.value for change in one.changes}
            for change in other.changes:
                if change.field in values and values[change.field] != change.value:
                    message = (
                        f"「{self.titles[trigger]}」同时引起 {one.common.id} 与 {other.common.id}，"
                        f"把 {change.field} 分别设为 {said(values[change.field])} 与 {said(change.value)}"
                    )
                    hint = "用 when 把两条流程分开"
                    self.found.note(
                        "SG0906", message, other.common.span, where, hint=hint, related=_others([one])
                    )

    def instead(self, states: dict[str, ActionState], state: ActionState, where: str) -> None:
        """See that what is to be done instead can be done."""
        for alternative in state.instead:
            other = states.get(alternative.action)
            if other is None or other.state == "enabled":
                continue
            title, rule = self.titles[alternative.action], self.rules[state.rule]
            message = (
                f"{rule.common.id} 不让「{state.title}」，叫人改做「{title}」，可这时「{title}」也不能做"
            )
            hint = "缩小这条规则的 when，或去掉这条 instead"
            barring = [self.rules[other.rule]]
            self.found.note("SG0907", message, rule.common.span, where, hint=hint, related=_others(barring))

    def effects(self, grid: Grid, action: str) -> None:
        """See that no rule hides an action where another, not wider one would show it with a reason."""
        applying: dict[str, tuple[ActionRule, set[int]]] = {}
        for n, situation in enumerate(grid.situations):
            for rule in situation.restricting.get(action, ()):
                applying.setdefault(rule.common.id, (rule, set()))[1].add(n)
        for one, other in combinations(applying.values(), 2):
            if one[0].effect == other[0].effect:
                continue
            (hiding, hidden), (showing, shown) = (one, other) if one[0].effect == "hide" else (other, one)
            both = sorted(hidden & shown)
            if not both or hidden < shown:
                continue
            message = (
                f"动作「{self.titles[action]}」被 {hiding.common.id} 隐藏，又被 {showing.common.id} 置灰并说明原因，"
                "原因没有人看得到"
            )
            hint = "两条规则用同样的 effect，或用 when 把它们分开；只有更窄的规则可以隐藏更宽的规则置灰的动作"
            for n in both:
                where = described(grid.axes, grid.situations[n])
                related = _others([showing])
                self.found.note("SG0905", message, hiding.common.span, where, hint=hint, related=related)


def described(axes: Iterable[Axis], situation: Situation) -> str:
    """Name a situation: each axis with its value's title."""
    pairs = zip(axes, situation.values, strict=True)
    return "，".join(f"{axis.title} {axis.word(value)}" for axis, value in pairs) or "任何时候"


def _ids(flows: Iterable[Flow]) -> str:
    return "、".join(flow.common.id for flow in flows)


def _others(items: Iterable[ActionRule | Flow]) -> list[Related]:
    return [Related(f"{item.common.id}「{item.common.title}」", item.common.span) for item in items]


def _place(ruleset: Ruleset) -> Span:
    """Give a place for what no single rule is to blame for: where the file begins."""
    return Span(ruleset.file, 1, 1, 1, 1)
