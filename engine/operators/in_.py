"""`in`: 是其中之一."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from engine.operators._arguments import VALUES
from engine.operators._operator import Operator
from engine.vocabulary import SCALARS


def _is_in(value: Any, choices: Collection[Any]) -> bool | None:
    """Look a value up; an absent element of the list could have been it."""
    return True if value in choices else None if None in choices else False


OPERATOR = Operator(
    id="in",
    title="是其中之一",
    summary="是列表中的一个；列表可以写出来，也可以是另一个字段的值。",
    subjects=SCALARS,
    argument=VALUES,
    example="in: [红, 蓝]",
    passes=("红", ("红", "蓝")),
    fails=("绿", ("红", "蓝")),
    wanted="是 {0} 之一",
    unwanted="不是 {0} 之一",
    test=_is_in,
    safe=True,
    true="{v} in {a}",
    false="{v} not in {a} and None not in {a}",
    prepare=frozenset,
)
