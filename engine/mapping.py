"""Evaluate a ruleset of kind mapping: propose values for the channel, and hold what was filled in against them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.decision import Decision, Evidence, Finding
from engine.plan import Operand, Ref
from engine.rules import Lookup, MappingRule, Ruleset
from engine.session import outcome, undetermined
from engine.tables import Tables
from engine.truth import Judge, Reason, Scopes, operand_of, value_of
from engine.wording import SHANGHAI, render_message, said

Fact = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mapped:
    """Hold what one rule maps one element, or the whole fact, to.

    Attributes:
        rule: The rule's id.
        source: Path of the element mapped, such as `product.specs[0]`; empty where the rule maps once.
        key: The element's key, such as a spec's name; empty where the rule maps once.
        target: Path of the target in the fact, where it is there, else the target's general path.
        value: What the rules propose; None where they propose nothing.
        confidence: How sure the proposal is, 0 to 1.
        filled: What the fact already holds at the target; None where nothing.
    """

    rule: str
    source: str
    key: Any
    target: str
    value: Any
    confidence: float
    filled: Any

    @property
    def settled(self) -> Any:
        """What counts: what was filled in, else what is proposed."""
        return self.value if self.filled is None else self.filled


@dataclass(frozen=True, slots=True)
class MappingResult:
    """Hold every mapping of a fact and what is to be said of them."""

    mapped: tuple[Mapped, ...]
    decision: Decision


def map_fact(ruleset: Ruleset, fact: Fact, tables: Tables, as_of: datetime) -> MappingResult:
    """Map a fact.

    Args:
        ruleset: The ruleset, of kind mapping.
        fact: The fact.
        tables: The tables there are.
        as_of: The moment asked for; aware.

    Returns:
        A proposal for each element of each rule in force, and a decision whose findings say what could not be mapped, what was filled in
        otherwise (a notice), and which elements came to the same value where they must differ.
    """
    day = as_of.astimezone(SHANGHAI).date()
    judge = Judge(tables)
    mapped: list[Mapped] = []
    findings: list[Finding] = []
    for planned, rule in zip(ruleset.plan().rules, ruleset.rules, strict=True):
        if not planned.in_force(day) or not isinstance(rule, MappingRule):
            continue
        applies = True if rule.common.when is None else judge.truth(rule.common.when, (fact,))
        if applies is False:
            continue
        elements = _elements(rule, fact)
        if applies is None or elements is None:
            reason = (
                judge.reason(rule.common.when, (fact,), want=True) if rule.common.when is not None else None
            )
            missing = reason.missing if applies is None and reason else (rule.each.path if rule.each else "",)
            findings.append(_finding(ruleset, rule, "undetermined", "", (), missing))
            continue
        for position, element in enumerate(elements):
            found, missing = _map_one(rule, fact, element, position, judge)
            mapped.append(found)
            findings += _about(ruleset, rule, found, missing, (fact, element) if rule.each else (fact,))
        findings += _collisions(ruleset, rule, [item for item in mapped if item.rule == rule.common.id])
    decision = Decision(ruleset.name, ruleset.version, as_of, outcome(findings), tuple(findings))
    return MappingResult(tuple(mapped), decision)


def _elements(rule: MappingRule, fact: Fact) -> list[Any] | None:
    return [None] if rule.each is None else value_of(rule.each, (fact,))


def _map_one(
    rule: MappingRule, fact: Fact, element: Any, position: int, judge: Judge
) -> tuple[Mapped, tuple[str, ...]]:
    """Try the cases in order; an undecidable one ends the search, as a later one may not be the right one."""
    scopes: Scopes = (fact,) if rule.each is None else (fact, element or {})
    source = "" if rule.each is None else f"{rule.each.path}[{position}]"
    key = element.get(rule.key) if isinstance(element, Mapping) else ""
    target, filled = _target(rule, fact, key)
    value: Any = None
    confidence = 1.0
    missing: tuple[str, ...] = ()
    for case in rule.cases:
        truth = True if case.when is None else judge.truth(case.when, scopes)
        if truth is None and case.when is not None:
            missing = judge.reason(case.when, scopes, want=True).missing
            break
        if truth:
            value, missing = _value(case.to, scopes, judge)
            confidence = case.confidence
            if value is not None or missing:
                break
    return Mapped(rule.common.id, source, key, target, value, confidence, filled), missing


def _value(to: Operand | Lookup, scopes: Scopes, judge: Judge) -> tuple[Any, tuple[str, ...]]:
    """Give a case's value; a look-up that finds no row, or several, gives none."""
    if not isinstance(to, Lookup):
        value = operand_of(to, "equals", scopes)
        return value, (to.path,) if isinstance(to, Ref) and value is None else ()
    rows = judge.tables.rows(to.table)
    if rows is None:
        return None, (f"table:{to.table}",)
    outer = scopes[: to.scope] + (None,) * (to.scope - len(scopes))
    fitting = [row for row in rows if judge.truth(to.where, (*outer, row)) is True]
    return (fitting[0].get(to.column) if len(fitting) == 1 else None), ()


def _target(rule: MappingRule, fact: Fact, key: Any) -> tuple[str, Any]:
    """Find where the target stands in the fact, and what it holds."""
    target = rule.target
    if rule.each is None or target.through is None:
        return target.path, value_of(target, (fact,))
    owner = Ref(0, target.steps[: target.through])
    tail = target.steps[target.through :]
    for position, item in enumerate(value_of(owner, (fact,)) or ()):
        if isinstance(item, Mapping) and key is not None and item.get(rule.key) == key:
            return f"{owner.path}[{position}].{'.'.join(tail)}", value_of(Ref(0, tail), (item,))
    return target.path, None


def _about(
    ruleset: Ruleset, rule: MappingRule, found: Mapped, missing: tuple[str, ...], scopes: Scopes
) -> list[Finding]:
    """Say what is to be said of one mapping."""
    if found.value is None and found.filled is None:
        if missing:
            return [_finding(ruleset, rule, "undetermined", "", (), missing)]
        message = render_message(rule.otherwise, lambda ref: value_of(ref, scopes))
        evidence = Evidence(found.source or found.target, found.key or None, "有对应的值")
        return [_finding(ruleset, rule, "violated", message, (evidence,), ())]
    if found.value is not None and found.filled is not None and found.value != found.filled:
        about = f"「{said(found.key)}」" if found.key else ""
        message = f"{about}填的是 {said(found.filled)}，按对应规则应为 {said(found.value)}"
        evidence = Evidence(found.target, found.filled, f"等于 {said(found.value)}")
        return [_finding(ruleset, rule, "violated", message, (evidence,), (), notice=True)]
    return []


def _collisions(ruleset: Ruleset, rule: MappingRule, mapped: list[Mapped]) -> list[Finding]:
    """Find the elements that came to the same value where they must differ (R9: one pair per spec level)."""
    groups: dict[Any, list[Mapped]] = {}
    for item in mapped if rule.distinct else ():
        if item.settled is not None:
            groups.setdefault(item.settled, []).append(item)
    findings = []
    for value, items in groups.items():
        if len(items) > 1:
            names = "、".join(f"「{said(item.key)}」" for item in items)
            evidence = tuple(
                Evidence(item.target if item.filled is not None else item.source, value, "互不相同")
                for item in items
            )
            findings.append(
                _finding(
                    ruleset, rule, "violated", f"{names}都对应到 {said(value)}，应各不相同", evidence, ()
                )
            )
    return findings


def _finding(
    ruleset: Ruleset,
    rule: MappingRule,
    status: Any,
    message: str,
    evidence: tuple[Evidence, ...],
    missing: tuple[str, ...],
    *,
    notice: bool = False,
) -> Finding:
    common = rule.common
    if status == "undetermined":
        message = undetermined(ruleset, common, Reason((), missing))
    return Finding(
        f"{ruleset.name}/{common.id}",
        common.title,
        "notice" if notice else common.severity,
        status,
        message,
        render_message(common.fix, lambda _: None),
        evidence,
        missing,
        common.source,
        (),
        common.span,
    )
