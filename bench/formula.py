"""What other engines are given: a plan's rules as plain two-valued formulas, with absence spelled out where it matters.

Other engines have two truth values, or fail on an absent field. So each rule becomes the question that the record evaluator answers, "is it
surely passed", with a guard before a test only where an absent value would make the answer wrong. Keys of tables and values that occur
twice in the batch are bound as lists of constants.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from bench.data import World
from engine.evaluators.record import table_views
from engine.plan import And, Condition, InTable, Not, Once, Operand, Or, Plan, PlannedRule, Ref, Some, Test

T = TypeVar("T")


class UnsupportedError(Exception):
    """Say that an engine has no words for something."""


@dataclass(frozen=True, slots=True)
class Known:
    """Ask whether a value is there."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class Is:
    """Ask whether an operator's test on values that are there comes out as wanted."""

    operator: str
    subject: Ref
    operands: tuple[Operand, ...]
    holds: bool


@dataclass(frozen=True, slots=True)
class Among:
    """Ask whether a value is, or is not, one of some constants."""

    subject: Ref
    values: tuple[Any, ...]
    holds: bool


@dataclass(frozen=True, slots=True)
class Each:
    """Ask whether every element of a list that is there, or at least one, meets a formula."""

    subject: Ref
    scope: int
    body: Formula
    every: bool


@dataclass(frozen=True, slots=True)
class All:
    """Hold where all hold."""

    items: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Hold where any holds."""

    items: tuple[Formula, ...]


Formula = Known | Is | Among | Each | All | Either

_SURE_WITHOUT_GUARD = {"equals", "in"}


def passed(rule: PlannedRule, world: World) -> Formula:
    """Write the question whether a fact surely passes a rule.

    Raises:
        UnsupportedError: It needs more than a formula over the fact.
    """
    assert rule.require is not None
    held = surely(rule.require, True, world)
    if rule.when is None:
        return held
    if isinstance(rule.when, Test | InTable):
        subjects = [rule.when.subject]
        if isinstance(rule.when, Test):
            subjects += [operand for operand in rule.when.operands if isinstance(operand, Ref)]
        known = (
            []
            if isinstance(rule.when, Test) and rule.when.operator == "present"
            else [Known(ref) for ref in subjects]
        )
        held = _all([*known, held])
    else:
        held = _all([surely(rule.when, True, world), held])
    return _any([surely(rule.when, False, world), held])


def surely(condition: Condition, want: bool, world: World) -> Formula:
    """Write the question whether a condition surely is what is wanted."""
    match condition:
        case And(items) | Or(items):
            parts = [surely(item, want, world) for item in items]
            return _all(parts) if isinstance(condition, And) is want else _any(parts)
        case Not(item):
            return surely(item, not want, world)
        case Test(operator, subject, operands):
            if operator == "present":
                return Known(subject) if want else Is("absent", subject, (), True)
            others = [operand for operand in operands if isinstance(operand, Ref)]
            if operator == "in" and not others:
                asked: Formula = Among(subject, tuple(operands[0].value), want)  # type: ignore[union-attr]
            else:
                asked = Is(operator, subject, operands, want)
            if want and not others and operator in _SURE_WITHOUT_GUARD:
                return asked
            return _all([*(Known(ref) for ref in (subject, *others)), asked])
        case Some(subject, scope, body):
            return _all([Known(subject), Each(subject, scope, surely(body, want, world), not want)])
        case InTable(subject):
            sure, possible = table_views(condition, world.tables)
            if not isinstance(sure, frozenset) or sure != possible:
                raise UnsupportedError("rows that depend on the fact")
            asked = Among(subject, tuple(sorted(sure)), want)
            return asked if want else _all([Known(subject), asked])
        case Once(subject):
            counts = {} if world.batch is None else world.batch.counts[subject.path]
            twice = tuple(sorted(value for value, count in counts.items() if count > 1))
            return _all([Known(subject), Among(subject, twice, not want)])


def _all(items: list[Formula]) -> Formula:
    flat = [inner for item in items for inner in (item.items if isinstance(item, All) else (item,))]
    return flat[0] if len(flat) == 1 else All(tuple(dict.fromkeys(flat)))


def _any(items: list[Formula]) -> Formula:
    flat = [inner for item in items for inner in (item.items if isinstance(item, Either) else (item,))]
    return flat[0] if len(flat) == 1 else Either(tuple(dict.fromkeys(flat)))


def translated(plan: Plan, world: World, write: Callable[[Formula], T]) -> dict[str, T]:
    """Write every rule that an engine has words for, by rule id."""
    found: dict[str, T] = {}
    for rule in plan.rules:
        try:
            found[rule.id] = write(passed(rule, world))
        except UnsupportedError:
            continue
    return found


def untranslated(plan: Plan, world: World, write: Callable[[Formula], Any]) -> frozenset[str]:
    """Name the rules that an engine has no words for."""
    return frozenset(rule.id for rule in plan.rules) - translated(plan, world, write).keys()
