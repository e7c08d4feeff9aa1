"""`between`: 在范围内."""

from __future__ import annotations

from engine.operators._arguments import RANGE
from engine.operators._operator import Operator
from engine.vocabulary import ORDERED

OPERATOR = Operator(
    id="between",
    title="在范围内",
    summary="数字或日期在两个边界之间，含边界。",
    subjects=ORDERED,
    argument=RANGE,
    example="between: [1, 2]",
    passes=(2, 1, 2),
    fails=(3, 1, 2),
    wanted="在 {0}～{1} 之间",
    unwanted="不在 {0}～{1} 之间",
    test=lambda value, low, high: low <= value <= high,
    true="{a} <= {v} <= {b}",
)
