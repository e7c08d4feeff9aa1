"""`less_than`: 小于."""

from __future__ import annotations

from engine.operators._arguments import VALUE
from engine.operators._operator import Operator
from engine.vocabulary import ORDERED

OPERATOR = Operator(
    id="less_than",
    title="小于",
    summary="数字或日期小于边界。",
    subjects=ORDERED,
    argument=VALUE,
    example="less_than: 2",
    passes=(1, 2),
    fails=(2, 2),
    wanted="小于 {0}",
    unwanted="不小于 {0}",
    test=lambda value, bound: value < bound,
    true="{v} < {a}",
    feasible=lambda bound, low, high: low < bound,
)
