"""`matches`: 符合模式."""

from __future__ import annotations

from engine.operators._arguments import PATTERN
from engine.operators._operator import Operator
from engine.patterns import matcher

OPERATOR = Operator(
    id="matches",
    title="符合模式",
    summary="整段文字符合模式；模式只用明确的字符范围。",
    subjects=frozenset({"text"}),
    argument=PATTERN,
    example="matches: '[0-9]{1,19}'",
    passes=("12", "[0-9]+"),
    fails=("12a", "[0-9]+"),
    wanted="符合模式 {0}",
    unwanted="不符合模式 {0}",
    test=lambda value, match: match(value) is not None,
    true="{a}({v}) is not None",
    prepare=matcher,
)
