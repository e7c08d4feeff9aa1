"""`contains`: 包含."""

from __future__ import annotations

from typing import Any

from engine.operators._arguments import ELEMENT_VALUE
from engine.operators._operator import Operator


def _contains(value: str | list[Any], piece: Any) -> bool | None:
    """Look for a piece; an absent element of a list could have been it."""
    if piece in value:
        return True
    return None if isinstance(value, list) and None in value else False


OPERATOR = Operator(
    id="contains",
    title="包含",
    summary="文字里有给定的文字，或列表里有给定的值。",
    subjects=frozenset({"text", "list"}),
    argument=ELEMENT_VALUE,
    example="contains: 预售",
    passes=("春季预售", "预售"),
    fails=("现货", "预售"),
    wanted="包含 {0}",
    unwanted="不包含 {0}",
    test=_contains,
    true="{a} in {v}",
    false="{a} not in {v} and not ({v}.__class__ is list and None in {v})",
)
