"""`count`: 个数."""

from __future__ import annotations

from engine.operators._arguments import COUNT
from engine.operators._operator import Operator

OPERATOR = Operator(
    id="count",
    title="个数",
    summary="列表的元素个数满足数字测试。",
    subjects=frozenset({"list"}),
    argument=COUNT,
    example="count: {between: [1, 2]}",
    passes=(["红"], {"between": [1, 2]}),
    fails=([], {"between": [1, 2]}),
)
