"""JsonLogic through `json-logic-qubit`: one expression for each rule.

Inside `all` and `some` only the element is in sight, and there are no patterns and no lengths.
"""

from __future__ import annotations

from typing import Any

from json_logic import jsonLogic  # type: ignore[import-untyped]

from bench.data import World
from bench.formula import (
    All,
    Among,
    Each,
    Either,
    Formula,
    Is,
    Known,
    UnsupportedError,
    translated,
    untranslated,
)
from bench.peers import Failing
from engine.plan import Const, Operand, Plan, Ref

NAME = "JsonLogic"
FOREIGN = True

_SIGNS = {"equals": "===", "at_least": ">=", "at_most": "<=", "more_than": ">", "less_than": "<"}


def write(formula: Formula, scope: int = 0) -> Any:
    """Write a formula as a JsonLogic expression."""
    match formula:
        case All(items):
            return {"and": [write(item, scope) for item in items]} if items else True
        case Either(items):
            return {"or": [write(item, scope) for item in items]} if items else False
        case Known(ref):
            return {"!==": [_value(_list(ref), scope), None]}
        case Among(subject, values, holds):
            return _wanted({"in": [_value(subject, scope), list(values)]}, holds)
        case Each(subject, inner, body, every):
            if every:
                return {"none": [_value(subject, scope), {"!": [write(body, inner)]}]}
            return {"some": [_value(subject, scope), write(body, inner)]}
        case Is("absent", subject):
            return {"===": [_value(subject, scope), None]}
        case Is(operator, subject, operands, holds):
            return _wanted(_test(operator, subject, operands, scope), holds)


def _wanted(asked: Any, holds: bool) -> Any:
    return asked if holds else {"!": [asked]}


def _test(operator: str, subject: Ref, operands: tuple[Operand, ...], scope: int) -> Any:
    value = _value(subject, scope)
    others = [item.value if isinstance(item, Const) else _value(item, scope) for item in operands]
    if operator in _SIGNS:
        return {_SIGNS[operator]: [value, others[0]]}
    if operator == "between":
        return {"and": [{">=": [value, others[0]]}, {"<=": [value, others[1]]}]}
    if operator == "in":
        return {"in": [value, others[0]]}
    if operator == "contains":
        return {"in": [others[0], value]}
    raise UnsupportedError(operator)


def _list(ref: Ref) -> Ref:
    return Ref(ref.scope, ref.steps if ref.through is None else ref.steps[: ref.through])


def _value(ref: Ref, scope: int) -> Any:
    if ref.scope != scope:
        raise UnsupportedError("a value outside the element at hand")
    if ref.measure == "length":
        raise UnsupportedError("length")
    if ref.measure:
        return {"reduce": [_value(_list(ref), scope), {"+": [1, {"var": "accumulator"}]}, 0]}
    if ref.through is not None:
        return {"map": [_value(_list(ref), scope), {"var": ".".join(ref.steps[ref.through :])}]}
    return {"var": ".".join(ref.steps)}


def unsupported(plan: Plan, world: World) -> frozenset[str]:
    """Name the rules that JsonLogic has no words for."""
    return untranslated(plan, world, write)


def prepare(plan: Plan, world: World) -> Failing:
    """Keep one expression for each rule; there is nothing to compile."""
    rules = list(translated(plan, world, write).items())
    return lambda fact: frozenset(id_ for id_, logic in rules if not jsonLogic(logic, fact))
