"""`starts_with`: 以……开头."""

from __future__ import annotations

from engine.operators._arguments import ELEMENT_VALUE
from engine.operators._operator import Operator

OPERATOR = Operator(
    id="starts_with",
    title="以……开头",
    summary="文字以给定的文字开头。",
    subjects=frozenset({"text"}),
    argument=ELEMENT_VALUE,
    example='starts_with: "https://"',
    passes=("https://a", "https://"),
    fails=("http://a", "https://"),
    wanted="以 {0} 开头",
    unwanted="不以 {0} 开头",
    test=lambda value, piece: value.startswith(piece),
    true="{v}.startswith({a})",
)
