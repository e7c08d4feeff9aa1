"""Split the rules of a plan into alternatives that durable-rules can be asked one by one, without `or`; or say what does not fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.plan import (
    And,
    Condition,
    Const,
    InTable,
    Not,
    Once,
    Or,
    Plan,
    PlannedRule,
    Ref,
    Some,
    Test,
    all_of,
    parts,
    refs_of,
)

MOST_RULES = 60
"""Rules in one set, the probe's included; beyond, durable-rules has no room on its stack."""
MOST_LITERALS = 24
"""Conditions on one record; 32 end its sequences."""
MOST_RECORDS = 8
"""Records that one rule joins; a frame holds 16."""
MOST_TEXT = 10_000
"""Length of a text, in UTF-8 bytes as JSON, that is no longer handed over."""
LEAST_INTEGER, MOST_INTEGER = -(2**63), 2**63 - 1


class Unsupported(Exception):
    """Carry what cannot be put to durable-rules, from where it is seen to the rule it belongs to."""


@dataclass(frozen=True, slots=True)
class Literal:
    """Demand something of a field that is handed over: a value of the fact, or what a condition came to."""

    source: Ref | Condition
    operator: str
    constant: Any


@dataclass(frozen=True, slots=True)
class Known:
    """Demand that a table is there."""

    table: str


@dataclass(frozen=True, slots=True)
class Join:
    """Demand that a row is there, or is not.

    Attributes:
        item: The table test.
        form: `there`; `none` for no row with the value; `unlike` for none with the value that agrees in the second column, or lacks it.
    """

    item: InTable
    form: str


Atom = Literal | Known | Join
Way = tuple[Atom, ...]

_ORDER = {"at_least": (">=", "<"), "at_most": ("<=", ">"), "more_than": (">", "<="), "less_than": ("<", ">=")}


def read_plan(plan: Plan) -> tuple[list[list[Way]], tuple[str, ...]]:
    """Split each rule into the ways in which it surely passes, and collect what does not fit."""
    found: list[list[Way]] = []
    problems: list[str] = []
    for rule in plan.rules:
        try:
            found.append(_passing(rule))
        except Unsupported as problem:
            problems.append(f"规则 {rule.id}：{problem}")
    count = sum(len(ways) for ways in found) + 1
    if count > MOST_RULES:
        problems.append(f"拆开后有 {count} 条规则，最多 {MOST_RULES} 条")
    return found, tuple(problems)


def _passing(rule: PlannedRule) -> list[Way]:
    ways = [] if rule.when is None else _ways(rule.when, False)
    if rule.require is not None:
        ways += _ways(rule.require if rule.when is None else all_of([rule.when, rule.require]), True)
    for way in ways:
        if len(way) > MOST_LITERALS or sum(isinstance(atom, Join) for atom in way) >= MOST_RECORDS:
            raise Unsupported("一条规则里同时要满足的条件太多")
    return list(dict.fromkeys(ways))


def _ways(condition: Condition, want: bool) -> list[Way]:
    """Give the alternatives in which a condition surely is what is wanted."""
    match condition:
        case And(items) | Or(items):
            if isinstance(condition, And) is not want:
                return [way for item in items for way in _ways(item, want)]
            ways: list[Way] = [()]
            for item in items:
                ways = [tuple(dict.fromkeys((*one, *other))) for one in ways for other in _ways(item, want)]
                if len(ways) >= MOST_RULES:
                    raise Unsupported("拆成的情形太多")
            return ways
        case Not(item):
            return _ways(item, not want)
        case Test():
            return _native(condition, want) or [(_flag(condition, want),)]
        case Some():
            return [(_flag(condition, want),)]
        case InTable():
            return _joined(condition, want)
        case Once():
            raise Unsupported("unique_in 要看整批数据")


def _flag(condition: Condition, want: bool) -> Literal:
    if any(isinstance(part, InTable | Once) for part in parts(condition)):
        raise Unsupported("列表元素的条件里用到了基础数据")
    return Literal(condition, "=", want)


def _native(test: Test, want: bool) -> list[Way]:
    """Give the alternatives of a test that durable-rules can apply itself; none where it can't."""
    ref = test.subject
    constants = [operand.value for operand in test.operands if isinstance(operand, Const)]
    if ref.scope or ref.through is not None or not constants or len(constants) < len(test.operands):
        return []
    values = list(constants[0]) if test.operator == "in" else constants
    integers = all(is_integer(value) for value in values)
    if test.operator in {"equals", "in"} and (
        integers or all(isinstance(value, bool | str) for value in values)
    ):
        if any(isinstance(value, str) and size(value) >= MOST_TEXT for value in values):
            raise Unsupported("文字太长")
        literals = [Literal(ref, "=" if want else "!=", value) for value in values]
        return [(literal,) for literal in literals] if want else [tuple(literals)]
    if not integers:
        return []
    if test.operator == "between":
        low, high = values
        if want:
            return [(Literal(ref, ">=", low), Literal(ref, "<=", high))]
        return [(Literal(ref, "<", low),), (Literal(ref, ">", high),)]
    if test.operator in _ORDER:
        return [(Literal(ref, _ORDER[test.operator][not want], values[0]),)]
    return []


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and LEAST_INTEGER <= value <= MOST_INTEGER


def size(text: str) -> int:
    """Give the length that a text has, or more, once it is written as JSON in UTF-8."""
    return 6 * len(text) if len(text) < MOST_TEXT // 6 else len(text.encode("utf-8", "replace")) * 2


def _joined(item: InTable, want: bool) -> list[Way]:
    """Give the alternatives of a table test."""
    equal = split(item)[1]
    for ref in (item.subject, *(other for _, other in equal)):
        if ref.scope or ref.through is not None or ref.measure or ref.kind not in {"text", "integer"}:
            raise Unsupported("基础数据只能按文字或整数字段关联")
    if want:
        return [(Join(item, "there"),)]
    if len(equal) > 1:
        raise Unsupported("「不在基础数据中」最多再关联一个字段")
    known = (Known(item.table), _present(item.subject))
    ways: list[Way] = [(*known, Join(item, "none"))]
    if equal:
        ways.append((*known, _present(equal[0][1]), Join(item, "unlike")))
    return ways


def _present(ref: Ref) -> Literal:
    return Literal(Test("present", ref, ()), "=", True)


def split(item: InTable) -> tuple[Condition, list[tuple[Ref, Ref]]]:
    """Split the condition on rows into what depends on the row alone, and columns that must equal a field of the fact."""
    tests = () if item.where is None else item.where.items if isinstance(item.where, And) else (item.where,)
    static: list[Condition] = []
    equal: list[tuple[Ref, Ref]] = []
    for test in tests:
        inner = {part.scope for part in parts(test) if isinstance(part, Some | InTable)} | {item.scope}
        if all(ref.scope in inner for part in parts(test) for ref in refs_of(part)):
            static.append(test)
        elif (
            isinstance(test, Test)
            and test.operator == "equals"
            and isinstance(test.operands[0], Ref)
            and test.subject.scope == item.scope
            and test.subject.through is None
            and not test.subject.measure
        ):
            equal.append((test.subject, test.operands[0]))
        else:
            raise Unsupported("基础数据的 where 只能是固定条件，或与数据的字段相等")
    return all_of(static), equal
