"""`at_most`: 不大于."""

from __future__ import annotations

from engine.operators._arguments import VALUE
from engine.operators._operator import Operator
from engine.vocabulary import ORDERED

OPERATOR = Operator(
    id="at_most",
    title="不大于",
    summary="数字或日期不大于边界。",
    subjects=ORDERED,
    argument=VALUE,
    example="at_most: 2",
    passes=(2, 2),
    fails=(3, 2),
    wanted="不大于 {0}",
    unwanted="大于 {0}",
    test=lambda value, bound: value <= bound,
    true="{v} <= {a}",
    feasible=lambda bound, low, high: low <= bound,
)
