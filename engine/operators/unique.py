"""`unique`: 互不相同."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.operators._operator import Argument, Operator, Subject
from engine.plan import Condition, Ref, Test
from engine.read import Node, Scalar
from engine.suggest import did_you_mean
from engine.vocabulary import SCALARS

if TYPE_CHECKING:
    from engine.conditions import Builder


def _lower(builder: Builder, operator: Operator, subject: Subject, node: Node) -> Condition | None:
    element = subject.type.element
    assert element is not None
    ref = subject.ref
    if element.kind != "record":
        if isinstance(node, Scalar) and node.value is True:
            return Test(operator.id, ref, ())
        builder.report("SG0418", "unique 用在值的列表上时写 unique: true", node)
        return None
    name = node.text if isinstance(node, Scalar) else ""
    found = element.field(name)
    if found is None or found.kind not in SCALARS:
        hint = did_you_mean(name, [key for key, inner in element.fields if inner.kind in SCALARS])
        builder.report("SG0418", f"unique 需要元素的一个字段名，{name!r} 不是", node, hint=hint)
        return None
    through = len(ref.steps) if ref.through is None else ref.through
    return Test(operator.id, Ref(ref.scope, (*ref.steps, name), through, "", "list", found.title), ())


def _unique(values: list[Any]) -> bool | None:
    """Compare all values; one that is absent may equal any other, so only an equal pair, or want of another, settles it."""
    there = [value for value in values if value is not None]
    if len(set(there)) < len(there):
        return False
    return True if len(there) == len(values) or len(values) == 1 else None


OPERATOR = Operator(
    id="unique",
    title="互不相同",
    summary="列表各元素的某个字段互不相同；值的列表写 unique: true。",
    subjects=frozenset({"list"}),
    argument=Argument(_lower, lambda _: {"type": ["string", "boolean"]}),
    example="unique: name",
    passes=([{"name": "颜色"}, {"name": "尺码"}], "name"),
    fails=([{"name": "颜色"}, {"name": "颜色"}], "name"),
    wanted="互不相同",
    unwanted="有重复",
    test=_unique,
)
