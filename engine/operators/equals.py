"""`equals`: 等于."""

from __future__ import annotations

from engine.operators._arguments import VALUE
from engine.operators._operator import Operator
from engine.vocabulary import SCALARS

OPERATOR = Operator(
    id="equals",
    title="等于",
    summary="与给定的值相同；类型不同就不相同。",
    subjects=SCALARS,
    argument=VALUE,
    example="equals: 红",
    passes=("红", "红"),
    fails=("红", "蓝"),
    wanted="等于 {0}",
    unwanted="不等于 {0}",
    test=lambda value, other: value == other,
    safe=True,
    true="{v} == {a}",
    false="{v} != {a}",
)
