"""`present`: 有值."""

from __future__ import annotations

from engine.operators._arguments import FLAG
from engine.operators._operator import Operator
from engine.vocabulary import KIND_TITLES

OPERATOR = Operator(
    id="present",
    title="有值",
    summary="字段有值；空文字与空列表也算有值。结果总是已知的。",
    subjects=frozenset(KIND_TITLES),
    argument=FLAG,
    example="present: true",
    passes=("红",),
    fails=(None,),
    wanted="有值",
    unwanted="没有值",
    test=lambda value: value is not None,
    known=True,
    true="{v} is not None",
    false="{v} is None",
)
