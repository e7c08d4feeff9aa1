"""Evaluate a ruleset of kind mapping: propose values for the channel, and hold what was filled in against them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from engine.decision import Decision, Evidence, Finding
from engine.plan import Operand, Ref, Test, parts, refs_of
from engine.rules import Lookup, MappingRule, Ruleset, Slot
from engine.session import outcome, undetermined
from engine.tables import Tables
from engine.truth import Judge, Reason, Scopes, operand_of, shown_path, value_of, within
from engine.vocabulary import SCALARS, FieldType, resolve
from engine.wording import day_of, render_message, said

Fact = Mapping[str, Any]

MOST_KNOWN = 10_000


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


class MappingSession:
    """Map facts as of one moment; facts that agree in every field that a rule reads share its answer."""

    def __init__(self, ruleset: Ruleset, tables: Tables, as_of: datetime) -> None:
        """Prepare to map.

        Args:
            ruleset: The ruleset, of kind mapping.
            tables: The tables there are.
            as_of: The moment asked for; aware.
        """
        day = day_of(as_of)
        planned = zip(ruleset.plan().rules, ruleset.rules, strict=True)
        rules = [rule for plan, rule in planned if plan.in_force(day) and isinstance(rule, MappingRule)]
        self._answers = [_Answers(ruleset, rule, Judge(tables)) for rule in rules]
        self._accepted = Decision(ruleset.name, ruleset.version, as_of, "accepted", ())

    def map(self, fact: Fact) -> MappingResult:
        """Map a fact.

        Args:
            fact: The fact.

        Returns:
            A proposal for each element of each rule in force, and a decision whose findings say what could not be mapped, what
            was filled in otherwise (a notice), and which elements came to the same value where they must differ.
        """
        answers = [answers.about(fact) for answers in self._answers]
        mapped = tuple([item for items, _ in answers for item in items])
        findings = [finding for _, said_of_it in answers for finding in said_of_it]
        if not findings:
            return MappingResult(mapped, self._accepted)
        return MappingResult(
            mapped, replace(self._accepted, outcome=outcome(findings), findings=tuple(findings))
        )


class _Answers:
    """Know one rule's answers by the values of the fields that it reads."""

    def __init__(self, ruleset: Ruleset, rule: MappingRule, judge: Judge) -> None:
        self._ruleset = ruleset
        self._rule = rule
        self._judge = judge
        self._readers = tuple(
            [_reader(ruleset.fact.type, ref, presence=presence) for ref, presence in _reads(rule)]
        )
        self._known: dict[Any, tuple[list[Mapped], list[Finding]]] = {}

    def about(self, fact: Fact) -> tuple[list[Mapped], list[Finding]]:
        """Give the rule's answer about a fact."""
        key = tuple([read(fact) for read in self._readers])
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            found = self._known[key] = _apply(self._ruleset, self._rule, fact, self._judge)
        return found


def map_fact(ruleset: Ruleset, fact: Fact, tables: Tables, as_of: datetime) -> MappingResult:
    """Map one fact; see `MappingSession.map`."""
    return MappingSession(ruleset, tables, as_of).map(fact)


def _apply(
    ruleset: Ruleset, rule: MappingRule, fact: Fact, judge: Judge
) -> tuple[list[Mapped], list[Finding]]:
    """Apply one rule to a fact."""
    when = rule.common.when
    applies = True if when is None else judge.truth(when, (fact,))
    if applies is False:
        return [], []
    elements = [None] if rule.each is None else value_of(rule.each, (fact,))
    if applies is None and when is not None:
        missing = judge.reason(when, (fact,), want=True).missing
        return [], [_finding(ruleset, rule, "undetermined", "", (), missing, (fact,))]
    if elements is None:
        lacking = (rule.each.path if rule.each else "",)
        return [], [_finding(ruleset, rule, "undetermined", "", (), lacking, (fact,))]
    mapped: list[Mapped] = []
    findings: list[Finding] = []
    for position, element in enumerate(elements):
        found, missing = _map_one(rule, fact, element, position, judge)
        mapped.append(found)
        findings += _about(ruleset, rule, found, missing, (fact, element) if rule.each else (fact,))
    return mapped, findings + _collisions(ruleset, rule, mapped, fact)


def _reads(rule: MappingRule) -> list[tuple[Ref, bool]]:
    """List every field of the fact that a rule's outcome, or its words, may depend on, and whether only its presence counts."""
    tops = [rule.common.when, *(case.when for case in rule.cases)]
    tops += [case.to.where for case in rule.cases if isinstance(case.to, Lookup)]
    tested = [part for top in tops if top is not None for part in parts(top)]
    found = {
        (ref, isinstance(part, Test) and part.operator == "present")
        for part in tested
        for ref in refs_of(part)
    }
    values = [case.to for case in rule.cases if isinstance(case.to, Ref)]
    values += [piece.ref for piece in _pieces(rule) if isinstance(piece, Slot)]
    found |= {(ref, False) for ref in values}
    reads = {(ref, presence) for ref, presence in found if ref.scope == 0} | {(rule.target, False)}
    if rule.each is not None:
        each = rule.each.steps
        inner = {ref.steps for ref, _ in found if ref.scope == 1 and ref.steps} | {(rule.key,)}
        reads |= {(Ref(0, (*each, *steps), len(each)), False) for steps in inner}
        assert rule.target.through is not None
        owner = rule.target.steps[: rule.target.through]
        reads.add((Ref(0, (*owner, rule.key), len(owner)), False))
    return sorted(reads, key=lambda read: (read[0].steps, read[1]))


def _pieces(rule: MappingRule) -> Iterator[str | Slot]:
    """List what a rule's words are made of."""
    for message in (rule.otherwise, rule.common.fix):
        yield from message.zh
        yield from message.en


def _reader(root: FieldType, ref: Ref, *, presence: bool) -> Callable[[Fact], Any]:
    """Make a function that reads a field as something that can be a key; it runs for each of tens of thousands of rows."""
    *parents, last = ref.steps
    type_ = resolve(root, ref.steps).type
    inner = type_.element if type_ is not None and ref.through is not None else type_
    plain = inner is not None and inner.kind in SCALARS

    def owner(fact: Any) -> Any:
        for step in parents:
            fact = None if fact is None else fact.get(step)
        return fact

    if ref.through is None and presence:
        return lambda fact: (found := owner(fact)) is not None and found.get(last) is not None
    if ref.through is None and plain:
        return lambda fact: None if (found := owner(fact)) is None else found.get(last)
    if ref.through == len(parents) and plain:
        return lambda fact: (
            None
            if (found := owner(fact)) is None
            else tuple([None if item is None else item.get(last) for item in found])
        )
    return lambda fact: _frozen(value_of(ref, (fact,)))


def _frozen(value: Any) -> Any:
    """Turn a value into something that can be a key."""
    if isinstance(value, list):
        return tuple([_frozen(item) for item in value])
    if isinstance(value, dict):
        return tuple((key, _frozen(item)) for key, item in sorted(value.items()))
    return value


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
            missing = judge.blame(case.when, scopes, (source,), want=True).missing
            break
        if truth:
            value, missing = _value(case.to, scopes, source, judge)
            confidence = case.confidence
            if value is not None or missing:
                break
    return Mapped(rule.common.id, source, key, target, value, confidence, filled), missing


def _value(to: Operand | Lookup, scopes: Scopes, source: str, judge: Judge) -> tuple[Any, tuple[str, ...]]:
    """Give a case's value; a look-up that finds no row, or several, gives none."""
    if not isinstance(to, Lookup):
        value = operand_of(to, "equals", scopes)
        return value, (shown_path(to, (source,)),) if isinstance(to, Ref) and value is None else ()
    rows = judge.tables.rows(to.table)
    if rows is None:
        return None, (f"table:{to.table}",)
    fitting = [row for row in rows if judge.truth(to.where, within(scopes, to.scope, row)) is True]
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
            return [_finding(ruleset, rule, "undetermined", "", (), missing, scopes)]
        message = render_message(rule.otherwise, lambda ref: value_of(ref, scopes))
        evidence = Evidence(found.source or found.target, found.key or None, "有对应的值")
        return [_finding(ruleset, rule, "violated", message, (evidence,), (), scopes)]
    if found.value is not None and found.filled is not None and found.value != found.filled:
        about = f"「{said(found.key)}」" if found.key else ""
        message = f"{about}填的是 {said(found.filled)}，按对应规则应为 {said(found.value)}"
        evidence = Evidence(found.target, found.filled, f"等于 {said(found.value)}")
        return [_finding(ruleset, rule, "violated", message, (evidence,), (), scopes, notice=True)]
    return []


def _collisions(ruleset: Ruleset, rule: MappingRule, mapped: list[Mapped], fact: Fact) -> list[Finding]:
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
                    ruleset,
                    rule,
                    "violated",
                    f"{names}都对应到 {said(value)}，应各不相同",
                    evidence,
                    (),
                    (fact,),
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
    scopes: Scopes,
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
        render_message(common.fix, lambda ref: value_of(ref, scopes)),
        evidence,
        missing,
        common.source,
        (),
        common.span,
    )
