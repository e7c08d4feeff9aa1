"""`unique_in`: 在本批中唯一."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.operators._operator import Argument, Operator, Subject
from engine.plan import Condition, Once
from engine.read import Node, Scalar
from engine.vocabulary import SCALARS

if TYPE_CHECKING:
    from engine.conditions import Builder

BATCHES = ("upload",)


def _lower(builder: Builder, operator: Operator, subject: Subject, node: Node) -> Condition | None:
    if not isinstance(node, Scalar) or node.text not in BATCHES:
        builder.report("SG0419", "unique_in 需要批次名", node, hint=f"例如 {operator.example}")
        return None
    if subject.ref.scope or subject.ref.through is not None or subject.ref.measure:
        builder.report("SG0419", "unique_in 用在整条数据的一个字段上，不能用在列表元素上", node)
        return None
    return Once(subject.ref, node.text)


OPERATOR = Operator(
    id="unique_in",
    title="在本批中唯一",
    summary="同一次上传里没有别的行有同样的值。",
    subjects=SCALARS,
    argument=Argument(_lower, lambda _: {"enum": list(BATCHES)}),
    example="unique_in: upload",
    passes=("1001", "upload"),
    fails=("1001", "upload", ["1001"]),
)
