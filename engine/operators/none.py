"""`none`: 一个也不."""

from __future__ import annotations

from engine.operators._operator import Operator
from engine.operators._quantifiers import quantifier

OPERATOR = Operator(
    id="none",
    title="一个也不",
    summary="列表里没有元素满足条件；空列表满足。",
    subjects=frozenset({"list"}),
    argument=quantifier("none"),
    example="none: {name: 颜色}",
    passes=([{"name": "尺码"}], {"name": "颜色"}),
    fails=([{"name": "颜色"}], {"name": "颜色"}),
)
