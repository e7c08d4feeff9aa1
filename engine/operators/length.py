"""`length`: 字数."""

from __future__ import annotations

from engine.operators._arguments import LENGTH
from engine.operators._operator import Operator

OPERATOR = Operator(
    id="length",
    title="字数",
    summary="文字的字符数（每个汉字、字母、标点算一个）满足数字测试。",
    subjects=frozenset({"text"}),
    argument=LENGTH,
    example="length: {at_most: 60}",
    passes=("四个汉字", {"at_most": 4}),
    fails=("五个汉字呀", {"at_most": 4}),
)
