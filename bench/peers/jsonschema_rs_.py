"""jsonschema-rs: one schema with a sub-schema for each rule.

A sub-schema sees its own value only, so that nothing can be compared with another field.
"""

from __future__ import annotations

import re
from typing import Any

from jsonschema_rs import Draft202012Validator

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

NAME = "jsonschema-rs"
FOREIGN = True

_NOTHING: dict[str, Any] = {"not": {}}
_BOUNDS = {
    "at_least": "minimum",
    "at_most": "maximum",
    "more_than": "exclusiveMinimum",
    "less_than": "exclusiveMaximum",
}
_SIZES = {"": ("minimum", "maximum"), "count": ("minItems", "maxItems"), "length": ("minLength", "maxLength")}


def write(formula: Formula, scope: int = 0) -> dict[str, Any]:
    """Write a formula as a schema of the fact, or of the element at hand."""
    match formula:
        case All(items):
            return {"allOf": [write(item, scope) for item in items]}
        case Either(items):
            return {"anyOf": [write(item, scope) for item in items]} if items else _NOTHING
        case Known(ref):
            return _at(
                Ref(ref.scope, ref.steps if ref.through is None else ref.steps[: ref.through]), {}, scope
            )
        case Among(subject, values, holds):
            found: dict[str, Any] = {"enum": list(values)} if values else _NOTHING
            return _at(subject, found if holds else {"not": found}, scope)
        case Each(subject, inner, body, every):
            return _at(subject, {"items" if every else "contains": write(body, inner)}, scope)
        case Is("absent", subject):
            return {"not": _at(subject, {}, scope)}
        case Is(operator, subject, operands, holds):
            found = _test(operator, subject, operands)
            if subject.through is not None:
                if operator != "contains":
                    raise UnsupportedError("values of a list of records")
                tail = subject.steps[subject.through :]
                found = {"contains": _at(Ref(0, tail), {"const": _constant(operands[0])}, 0)}
                subject = Ref(subject.scope, subject.steps[: subject.through])
            return _at(subject, found if holds else {"not": found}, scope)


def _test(operator: str, subject: Ref, operands: tuple[Operand, ...]) -> dict[str, Any]:
    least, most = _SIZES[subject.measure]
    others = [_constant(item) for item in operands]
    match operator:
        case "equals" if not subject.measure:
            return {"const": others[0]}
        case "equals":
            return {least: others[0], most: others[0]}
        case "between":
            return {least: others[0], most: others[1]}
        case "at_least":
            return {least: others[0]}
        case "at_most":
            return {most: others[0]}
        case "more_than" | "less_than" if not subject.measure:
            return {_BOUNDS[operator]: others[0]}
        case "more_than":
            return {least: others[0] + 1}
        case "less_than":
            return {most: others[0] - 1}
        case "matches":
            return {"pattern": f"^(?:{others[0]})$"}
        case "starts_with":
            return {"pattern": f"^{re.escape(others[0])}"}
        case "ends_with":
            return {"pattern": f"{re.escape(others[0])}$"}
        case "contains" if subject.kind == "text":
            return {"pattern": re.escape(others[0])}
        case "contains":
            return {"contains": {"const": others[0]}}
        case "unique" if subject.through is None:
            return {"uniqueItems": True}
    raise UnsupportedError(operator)


def _constant(operand: Operand) -> Any:
    if not isinstance(operand, Const):
        raise UnsupportedError("another field")
    if not isinstance(operand.value, str | int | float):
        raise UnsupportedError("times")
    return operand.value


def _at(ref: Ref, schema: dict[str, Any], scope: int) -> dict[str, Any]:
    if ref.scope != scope:
        raise UnsupportedError("a value outside the element at hand")
    for step in reversed(ref.steps):
        schema = {"required": [step], "properties": {step: schema}} if schema else {"required": [step]}
    return schema


def unsupported(plan: Plan, world: World) -> frozenset[str]:
    """Name the rules that JSON Schema has no words for."""
    return untranslated(plan, world, write)


def prepare(plan: Plan, world: World) -> Failing:
    """Compile one schema of all rules, and one for each; most facts pass the first, and only the others are put to each."""
    found = translated(plan, world, write)
    is_valid = Draft202012Validator({"allOf": list(found.values())}).is_valid
    each = [(id_, Draft202012Validator(schema).is_valid) for id_, schema in found.items()]
    nothing: frozenset[str] = frozenset()

    def failing(fact: Any) -> frozenset[str]:
        return nothing if is_valid(fact) else frozenset([id_ for id_, holds in each if not holds(fact)])

    return failing
