"""`ends_with`: 以……结尾."""

from __future__ import annotations

from engine.operators._arguments import ELEMENT_VALUE
from engine.operators._operator import Operator

OPERATOR = Operator(
    id="ends_with",
    title="以……结尾",
    summary="文字以给定的文字结尾。",
    subjects=frozenset({"text"}),
    argument=ELEMENT_VALUE,
    example="ends_with: .jpg",
    passes=("a.jpg", ".jpg"),
    fails=("a.png", ".jpg"),
    wanted="以 {0} 结尾",
    unwanted="不以 {0} 结尾",
    test=lambda value, piece: value.endswith(piece),
    true="{v}.endswith({a})",
)
