"""`more_than`: 大于."""

from __future__ import annotations

from engine.operators._arguments import VALUE
from engine.operators._operator import Operator
from engine.vocabulary import ORDERED

OPERATOR = Operator(
    id="more_than",
    title="大于",
    summary="数字或日期大于边界。",
    subjects=ORDERED,
    argument=VALUE,
    example="more_than: 2",
    passes=(3, 2),
    fails=(2, 2),
    wanted="大于 {0}",
    unwanted="不大于 {0}",
    test=lambda value, bound: value > bound,
    true="{v} > {a}",
    feasible=lambda bound, low, high: bound < high,
)
