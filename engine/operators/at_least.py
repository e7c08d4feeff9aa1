"""`at_least`: 不小于."""

from __future__ import annotations

from engine.operators._arguments import VALUE
from engine.operators._operator import Operator
from engine.vocabulary import ORDERED

OPERATOR = Operator(
    id="at_least",
    title="不小于",
    summary="数字或日期不小于边界。",
    subjects=ORDERED,
    argument=VALUE,
    example="at_least: 2",
    passes=(2, 2),
    fails=(1, 2),
    wanted="不小于 {0}",
    unwanted="小于 {0}",
    test=lambda value, bound: value >= bound,
    true="{v} >= {a}",
    feasible=lambda bound, low, high: bound <= high,
)
