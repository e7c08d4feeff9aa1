"""Decide facts by one ruleset of kind eligibility: the fast pass lists what does not surely pass, the slow pass explains it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from engine.decision import Decision, Finding, Outcome
from engine.evaluators import record
from engine.plan import Decide, Ref
from engine.rules import Common, EligibilityRule, Ruleset
from engine.tables import Batch, Tables
from engine.truth import Judge, Reason, join, value_of
from engine.wording import day_of, render_message, title_of

Fact = Mapping[str, Any]


@dataclass(slots=True)
class Session:
    """Decide facts as of one moment, with the same tables and batch.

    Attributes:
        ruleset: The ruleset, of kind eligibility.
        evaluator: The compiled plan; one may serve many sessions.
        tables: The tables there are.
        as_of: The moment asked for; aware. Rules are in force by its day in Asia/Shanghai.
        batch: The values of the other rows, or None.
    """

    ruleset: Ruleset
    evaluator: record.Evaluator
    tables: Tables
    as_of: datetime
    batch: Batch | None = None
    _day: date = field(init=False, repr=False)
    _decide: Decide = field(init=False, repr=False)
    _accepted: Decision = field(init=False, repr=False)
    _judge: Judge = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Bind the evaluator once."""
        self._day = day_of(self.as_of)
        self._decide = self.evaluator.bind(self.tables, self.batch, self._day)
        self._accepted = Decision(self.ruleset.name, self.ruleset.version, self.as_of, "accepted", ())
        self._judge = Judge(self.tables, self.batch)

    def decide(self, fact: Fact) -> Decision:
        """Decide one fact.

        Args:
            fact: The fact, as `engine.facts.admit` or an adapter gives it.

        Returns:
            The decision, with a finding for each rule that is not passed, in the order of the file.
        """
        failing = self._decide(fact)
        if not failing:
            return self._accepted
        rules = self.ruleset.rules
        findings = [
            self.finding(rule, fact) for n in failing if isinstance(rule := rules[n], EligibilityRule)
        ]
        return replace(self._accepted, outcome=outcome(findings), findings=tuple(findings))

    def finding(self, rule: EligibilityRule, fact: Fact) -> Finding:
        """Explain why a fact does not pass a rule."""
        common = rule.common
        scopes = (fact,)
        applies = True if common.when is None else self._judge.truth(common.when, scopes)
        holds = self._judge.truth(rule.require, scopes)
        if applies is True and holds is False:
            reason = self._judge.blame_known(rule.require, False, scopes, (), want=True)
            waiver = self.waiver(common.id, fact)
            return self.stamp(rule, fact, "waived" if waiver else "violated", Reason(reason.evidence), waiver)
        reasons = [] if common.when is None else [self._judge.reason(common.when, scopes, want=True)]
        if holds is None:
            reasons.append(self._judge.reason(rule.require, scopes, want=True))
        return self.stamp(rule, fact, "undetermined", Reason((), join(reasons).missing), "")

    def stamp(self, rule: EligibilityRule, fact: Fact, status: Any, reason: Reason, waiver: str) -> Finding:
        """Make a finding out of a reason."""
        common = rule.common

        def value(ref: Ref) -> Any:
            return value_of(ref, (fact,))

        if status == "undetermined":
            message = undetermined(self.ruleset, common, reason)
            fix = "补全缺少的数据后再检查"
        else:
            message, fix = render_message(rule.otherwise, value), render_message(common.fix, value)
        return Finding(
            f"{self.ruleset.name}/{common.id}",
            common.title,
            common.severity,
            status,
            message,
            fix,
            reason.evidence,
            reason.missing,
            common.source,
            rule.preempts,
            common.span,
            waiver,
        )

    def waiver(self, rule_id: str, fact: Fact) -> str:
        """Give the words of the waiver that covers a fact; empty where none does."""
        name = f"{self.ruleset.name.split('/')[-1]}/{rule_id}"
        for waiver in self.ruleset.waivers:
            if (
                waiver.rule == name
                and self._day <= waiver.last_day
                and self._judge.truth(waiver.when, (fact,)) is True
            ):
                return f"{waiver.owner}：{waiver.reason}（至 {waiver.last_day}）"
        return ""


def undetermined(ruleset: Ruleset, common: Common, reason: Reason) -> str:
    """Say which facts a rule lacks."""
    names = [named(ruleset, path) for path in reason.missing]
    return f"缺少{'、'.join(names) or '数据'}，无法判断「{common.title}」"


def named(ruleset: Ruleset, path: str) -> str:
    """Name something missing for a person."""
    kind, _, name = path.partition(":")
    if kind == "table":
        table, _, column = name.partition(".")
        title = dict(ruleset.tables).get(table, table)
        return f"基础数据「{title}」" + (f"的 {column}" if column else "")
    return f"同一批次的其他行（{name}）" if kind == "batch" else f"「{title_of(ruleset.fact.type, path)}」"


def outcome(findings: list[Finding]) -> Outcome:
    """Judge by the findings of severity error: any violated rejects, else any undetermined leaves it open."""
    errors = [finding.status for finding in findings if finding.severity == "error"]
    return "rejected" if "violated" in errors else "undetermined" if "undetermined" in errors else "accepted"
