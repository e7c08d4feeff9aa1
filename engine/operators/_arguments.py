"""The ways in which operators' arguments are written, each with its check and its JSON Schema."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from engine.operators._operator import Argument, Operator, Subject
from engine.patterns import PatternError, check_pattern
from engine.plan import Condition, Const, Measure, Operand, Ref, Test, negate
from engine.read import Mapping, Node, Scalar, Sequence, type_names
from engine.vocabulary import FieldType

if TYPE_CHECKING:
    from engine.conditions import Builder

_JSON_TYPES = {"integer": "integer", "number": "number", "boolean": "boolean"}


def operand_schema(type_: FieldType) -> dict[str, Any]:
    """Describe a constant of a type, or a reference to another field."""
    return {"anyOf": [constant_schema(type_), {"$ref": "#/$defs/reference"}]}


def constant_schema(type_: FieldType) -> dict[str, Any]:
    """Describe a constant of a type."""
    if type_.choices:
        return {"enum": [value for value, _ in type_.choices]}
    return {"type": _JSON_TYPES.get(type_.kind, "string")}


def _value(builder: Builder, operator: Operator, subject: Subject, node: Node) -> Condition | None:
    operand = builder.operand(node, subject.type)
    if operand is None or not feasible(builder, operator, subject, operand, node):
        return None
    return Test(operator.id, subject.ref, (operand,))


def feasible(builder: Builder, operator: Operator, subject: Subject, operand: Operand, node: Node) -> bool:
    """Check that a constant bound can be met between the field's least and greatest value."""
    type_ = subject.type
    if not isinstance(operand, Const) or type_.kind not in {"integer", "number"}:
        return True
    low = -math.inf if type_.minimum is None else type_.minimum
    high = math.inf if type_.maximum is None else type_.maximum
    if operator.feasible(operand.value, low, high):
        return True
    bounds = [f"不小于 {low:g}"] * (low > -math.inf) + [f"不大于 {high:g}"] * (high < math.inf)
    builder.report("SG0411", f"{operator.id}: {operand.value} 永远不会成立：该值{'、'.join(bounds)}", node)
    return False


def _values(builder: Builder, operator: Operator, subject: Subject, node: Node) -> Condition | None:
    if isinstance(node, Mapping):
        operand = builder.operand(node, FieldType("list", element=subject.type))
        return None if operand is None else Test(operator.id, subject.ref, (operand,))
    if not isinstance(node, Sequence) or not node.items:
        builder.report("SG0412", f"{operator.id} 需要一个非空列表", node, hint=f"例如 {operator.example}")
        return None
    constants = [builder.constant(item, subject.type) for item in node.items]
    if any(constant is None for constant in constants):
        return None
    values = tuple(constant.value for constant in constants if constant is not None)
    if len(set(values)) < len(values):
        again = next(value for position, value in enumerate(values) if value in values[:position])
        builder.report("SG0413", f"{again!r} 在列表里重复", node.items[values.index(again)])
        return None
    return Test(operator.id, subject.ref, (Const(values),))


def _range(builder: Builder, operator: Operator, subject: Subject, node: Node) -> Condition | None:
    if not isinstance(node, Sequence) or len(node.items) != 2:
        builder.report(
            "SG0414", f"{operator.id} 需要两个边界：[最小, 最大]", node, hint=f"例如 {operator.example}"
        )
        return None
    low, high = (builder.operand(item, subject.type) for item in node.items)
    if low is None or high is None:
        return None
    if isinstance(low, Const) and isinstance(high, Const) and low.value > high.value:
        builder.report(
            "SG0411", f"{operator.id}: 最小值 {low.value} 大于最大值 {high.value}", node, hint="对调两个边界"
        )
        return None
    for bound, item in ((low, node.items[0]), (high, node.items[1])):
        if not feasible(builder, operator, subject, bound, item):
            return None
    return Test(operator.id, subject.ref, (low, high))


def _flag(builder: Builder, operator: Operator, subject: Subject, node: Node) -> Condition | None:
    constant = builder.constant(node, FieldType("boolean"))
    if constant is None:
        return None
    condition = Test(operator.id, subject.ref, ())
    return condition if constant.value else negate(condition)


def _pattern(builder: Builder, operator: Operator, subject: Subject, node: Node) -> Condition | None:
    if not isinstance(node, Scalar) or not isinstance(node.value, str) or not node.value:
        found = f"{node.text!r}" if isinstance(node, Scalar) else type_names[type(node)]
        builder.report(
            "SG0415", f"{operator.id} 需要一个模式，这里是 {found}", node, hint=f"例如 {operator.example}"
        )
        return None
    try:
        check_pattern(node.value)
    except PatternError as error:
        builder.report(
            "SG0416", f"模式 {node.value!r}：{error.message}", node, hint=error.hint, offset=error.position
        )
        return None
    return Test(operator.id, subject.ref, (Const(node.value),))


def _element_value(builder: Builder, operator: Operator, subject: Subject, node: Node) -> Condition | None:
    """Read the argument of `contains`: a piece of text, or one of a list's elements."""
    type_ = subject.type.element if subject.type.kind == "list" else FieldType("text")
    assert type_ is not None
    if type_.kind == "record":
        builder.report(
            "SG0417", f"{operator.id} 用在由文字或数字组成的列表上", node, hint="对记录用 some: {字段: 值}"
        )
        return None
    operand = builder.operand(node, type_)
    if operand == Const(""):
        builder.report("SG0415", f"{operator.id} 的文字不能为空", node)
        return None
    return None if operand is None else Test(operator.id, subject.ref, (operand,))


def _measured(measure: Measure) -> Argument:
    def lower(builder: Builder, operator: Operator, subject: Subject, node: Node) -> Condition | None:
        ref = subject.ref
        measured = Ref(ref.scope, ref.steps, ref.through, measure, "integer", ref.title, operator.title)
        type_ = FieldType(
            "integer", operator.title, minimum=subject.type.minimum or 0, maximum=subject.type.maximum
        )
        return builder.tests(node, Subject(measured, type_))

    return Argument(lower, lambda _: {"$ref": "#/$defs/tests-integer"})


def _value_schema(type_: FieldType) -> dict[str, Any]:
    return operand_schema(type_)


def _values_schema(type_: FieldType) -> dict[str, Any]:
    items = {"type": "array", "minItems": 1, "uniqueItems": True, "items": constant_schema(type_)}
    return {"anyOf": [items, {"$ref": "#/$defs/reference"}]}


def _range_schema(type_: FieldType) -> dict[str, Any]:
    return {"type": "array", "minItems": 2, "maxItems": 2, "items": operand_schema(type_)}


def _element_schema(type_: FieldType) -> dict[str, Any]:
    return operand_schema(type_.element if type_.kind == "list" and type_.element else FieldType("text"))


VALUE = Argument(_value, _value_schema)
VALUES = Argument(_values, _values_schema)
RANGE = Argument(_range, _range_schema)
FLAG = Argument(_flag, lambda _: {"type": "boolean"})
PATTERN = Argument(_pattern, lambda _: {"type": "string", "minLength": 1})
ELEMENT_VALUE = Argument(_element_value, _element_schema)
COUNT = _measured("count")
LENGTH = _measured("length")
