"""`some`: 至少一个."""

from __future__ import annotations

from engine.operators._operator import Operator
from engine.operators._quantifiers import quantifier

OPERATOR = Operator(
    id="some",
    title="至少一个",
    summary="列表里至少有一个元素满足条件；空列表不满足。",
    subjects=frozenset({"list"}),
    argument=quantifier("some"),
    example="some: {name: 颜色}",
    passes=([{"name": "颜色"}, {"name": "尺码"}], {"name": "颜色"}),
    fails=([], {"name": "颜色"}),
)
