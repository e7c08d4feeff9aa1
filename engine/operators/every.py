"""`every`: 每一个."""

from __future__ import annotations

from engine.operators._operator import Operator
from engine.operators._quantifiers import quantifier

OPERATOR = Operator(
    id="every",
    title="每一个",
    summary="列表里每个元素都满足条件；空列表满足。",
    subjects=frozenset({"list"}),
    argument=quantifier("every"),
    example="every: {name: 颜色}",
    passes=([{"name": "颜色"}], {"name": "颜色"}),
    fails=([{"name": "颜色"}, {"name": "尺码"}], {"name": "颜色"}),
)
