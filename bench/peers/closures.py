"""Closures: each node of the plan becomes a Python function of the scopes, in three-valued logic, as a first attempt would write it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.data import World
from bench.peers import Failing
from engine.operators import operators
from engine.plan import And, Condition, Const, InTable, Not, Once, Operand, Or, Plan, Ref, Some, Test
from engine.truth import prepared

NAME = "closures"
FOREIGN = False

Scopes = tuple[Any, ...]
Truth = Callable[[Scopes], bool | None]
Value = Callable[[Scopes], Any]


def unsupported(plan: Plan, world: World) -> frozenset[str]:
    """Name the rules that can't be written: none."""
    return frozenset()


def prepare(plan: Plan, world: World) -> Failing:
    """Compile every rule into closures."""
    rules = [
        (
            rule.id,
            None if rule.when is None else truth(rule.when, world),
            truth(rule.require or And(()), world),
        )
        for rule in plan.rules
    ]

    def failing(fact: Any) -> frozenset[str]:
        scopes = (fact,)
        bad = []
        for id_, when, require in rules:
            applies = True if when is None else when(scopes)
            if applies is False or (applies is True and require(scopes) is True):
                continue
            bad.append(id_)
        return frozenset(bad)

    return failing


def truth(condition: Condition, world: World) -> Truth:
    """Compile a condition."""
    match condition:
        case And(items):
            return every([truth(item, world) for item in items])
        case Or(items):
            return invert(every([invert(truth(item, world)) for item in items]))
        case Not(item):
            return invert(truth(item, world))
        case Test():
            return test(condition)
        case Some(subject, scope, body):
            return some(value(subject), scope, truth(body, world))
        case InTable(subject, table, column, scope, where):
            index = world.tables.by(table, column)
            key = value(subject)
            if where is None:
                return lambda scopes: (
                    None if index is None or (found := key(scopes)) is None else found in index
                )
            rows = lambda scopes: (  # noqa: E731 - one expression
                None if index is None or (found := key(scopes)) is None else index.get(found, ())
            )
            return some(rows, scope, truth(where, world))
        case Once(subject):
            counts = None if world.batch is None else world.batch.counts[subject.path]
            key = value(subject)
            return lambda scopes: (
                None if counts is None or (found := key(scopes)) is None else counts.get(found, 0) <= 1
            )


def every(items: list[Truth]) -> Truth:
    """Join by strong Kleene and."""

    def joined(scopes: Scopes) -> bool | None:
        result: bool | None = True
        for item in items:
            found = item(scopes)
            if found is False:
                return False
            if found is None:
                result = None
        return result

    return joined


def invert(item: Truth) -> Truth:
    """Negate."""
    return lambda scopes: None if (found := item(scopes)) is None else not found


def some(elements: Value, scope: int, body: Truth) -> Truth:
    """Look for an element that meets the body."""

    def found(scopes: Scopes) -> bool | None:
        there = elements(scopes)
        if there is None:
            return None
        outer = scopes[:scope] + (None,) * (scope - len(scopes))
        result: bool | None = False
        for element in there:
            met = body((*outer, element))
            if met is True:
                return True
            if met is None:
                result = None
        return result

    return found


def test(condition: Test) -> Truth:
    """Apply an operator's test to values that are there."""
    operator = operators()[condition.operator]
    check = operator.test
    assert check is not None
    subject = value(condition.subject)
    if operator.known:
        return lambda scopes: check(subject(scopes))
    operands = [operand(condition.operator, item) for item in condition.operands]

    def tested(scopes: Scopes) -> bool | None:
        found = subject(scopes)
        others = [item(scopes) for item in operands]
        if found is None or None in others:
            return None
        return check(found, *others)

    return tested


def operand(operator: str, item: Operand) -> Value:
    """Compile an operand."""
    if isinstance(item, Const):
        constant = prepared(operator, item)
        return lambda scopes: constant
    return value(item)


def value(ref: Ref) -> Value:
    """Compile a reference."""
    scope, steps, through = ref.scope, ref.steps, ref.through
    if through is not None:
        head, tail = follow(steps[:through]), follow(steps[through:])

        def loaded(scopes: Scopes) -> Any:
            there = head(scopes[scope])
            return None if there is None else [tail(element) for element in there]

    else:
        path = follow(steps)

        def loaded(scopes: Scopes) -> Any:
            return path(scopes[scope])

    if ref.measure:
        return lambda scopes: None if (found := loaded(scopes)) is None else len(found)
    return loaded


def follow(steps: tuple[str, ...]) -> Value:
    """Follow steps until something is absent."""

    def followed(found: Any) -> Any:
        for step in steps:
            if found is None:
                return None
            found = found.get(step)
        return found

    return followed
