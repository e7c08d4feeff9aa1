r"""The patterns of the rule language: the part of RE2 that every evaluator reads alike, matched in linear time.

Allowed: literal characters, `.`, explicit classes such as `[0-9A-Za-z一-龥]` and `[^…]`, groups, `|`, `* + ?` and `{n}`, `{n,}`,
`{n,m}` up to 1000, and `\` before a punctuation mark. Everything else means different things to different engines and is refused:
`\d \w \s`, anchors (a pattern always matches the whole text), look-around, flags, lazy and possessive quantifiers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import re2

MOST_REPEATS = 1000
_PUNCTUATION = frozenset("\\.[](){}*+?|^$-/&~#\"'!@%=:;,<>_` ")


class PatternError(ValueError):
    """Say why a pattern is refused.

    Attributes:
        position: Where in the pattern, 0-based, in characters.
        hint: What to write instead; may be empty.
    """

    def __init__(self, message: str, position: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.hint = hint


def check_pattern(pattern: str) -> bool:
    """Check that a pattern is in the common part.

    Args:
        pattern: The pattern as written in a rule.

    Returns:
        Whether it is plain enough for a backtracking engine to match it in linear time: one repeat of varying length at most, of
        a single character or class, and alternatives only outside groups.

    Raises:
        PatternError: It is not in the common part.
    """
    return _Reader(pattern).read()


@lru_cache(maxsize=4096)
def matcher(pattern: str) -> Callable[[str], object]:
    """Give a function that returns something other than None where the whole text matches."""
    if check_pattern(pattern):
        return re.compile(pattern).fullmatch
    options = re2.Options()
    options.log_errors = False
    matches: Callable[[str], object] = re2.compile(pattern, options).fullmatch
    return matches


_ESCAPES = {
    "d": "[0-9]",
    "w": "[0-9A-Za-z_]",
    "s": "[ ]",
    "D": "[^0-9]",
    "W": "[^0-9A-Za-z_]",
    "S": "[^ ]",
}


class _Reader:
    """Read a pattern once, left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.variable = 0
        self.plain = True

    def read(self) -> bool:
        self.alternatives(0)
        if self.at < len(self.text):
            self.refuse("多出一个右括号 )", self.at)
        return self.plain and self.variable <= 1

    def refuse(self, message: str, position: int, hint: str = "") -> None:
        raise PatternError(message, position, hint)

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def alternatives(self, depth: int) -> None:
        if depth > 20:
            self.refuse("括号嵌套太深", self.at)
        self.sequence(depth)
        while self.peek() == "|":
            self.plain = self.plain and depth == 0
            self.at += 1
            self.sequence(depth)

    def sequence(self, depth: int) -> None:
        while (char := self.peek()) not in {"", "|", ")"}:
            single = char != "("
            if char == "(":
                self.group(depth)
            elif char == "[":
                self.char_class()
            elif char == "\\":
                self.escape()
            elif char in "^$":
                self.refuse(
                    f"不要写 {char}：模式总是匹配整段文字", self.at, "去掉 ^ 和 $；只匹配开头用 starts_with"
                )
            elif char in "*+?{":
                self.refuse(f"{char} 前面没有可重复的内容", self.at, f"要匹配 {char} 本身，写 \\{char}")
            elif char in "]}":
                self.refuse(f"{char} 没有配对", self.at, f"要匹配 {char} 本身，写 \\{char}")
            else:
                self.at += 1
            self.repeat(single=single)

    def group(self, depth: int) -> None:
        start = self.at
        self.at += 1
        if self.peek() == "?":
            if self.text[self.at : self.at + 2] != "?:":
                self.refuse("不支持 (? … ) 形式的断言、命名与标志", start, "只用普通括号 ( … )")
            self.at += 2
        self.alternatives(depth + 1)
        if self.peek() != ")":
            self.refuse("左括号 ( 没有配对", start)
        self.at += 1

    def escape(self) -> None:
        char = self.text[self.at + 1 : self.at + 2]
        if char in _ESCAPES:
            self.refuse(f"不支持 \\{char}", self.at, f"写明确的字符范围，例如 {_ESCAPES[char]}")
        if char not in _PUNCTUATION or not char:
            self.refuse(f"不支持 \\{char}", self.at, "反斜杠只用在标点前；汉字与字母直接写")
        self.at += 2

    def char_class(self) -> None:
        start = self.at
        self.at += 1
        if self.peek() == "^":
            self.at += 1
        first = self.at
        while self.peek() != "]" or self.at == first:
            position = self.at
            low = self.class_char(start)
            if self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in {"]", ""}:
                self.at += 1
                high = self.class_char(start)
                if low > high:
                    self.refuse(f"范围 {low}-{high} 前大后小", position)
        self.at += 1

    def class_char(self, start: int) -> str:
        char = self.peek()
        if not char:
            self.refuse("左方括号 [ 没有配对", start)
        if char in "[]" or self.text[self.at : self.at + 2] in {"&&", "--", "||", "~~"}:
            self.refuse(f"方括号里的 {char} 要写成 \\{char}", self.at)
        if char == "\\":
            self.escape()
            return self.text[self.at - 1]
        self.at += 1
        return char

    def repeat(self, *, single: bool) -> None:
        char = self.peek()
        if char not in {"*", "+", "?", "{"}:
            return
        self.plain = self.plain and single
        if char == "{":
            self.bounded()
        else:
            self.at += 1
            self.variable += 1
        if self.peek() in {"*", "+", "?", "{"}:
            self.refuse(f"重复之后不能再写 {self.peek()}", self.at, "不支持懒惰与独占重复")

    def bounded(self) -> None:
        found = re.compile(r"\{([0-9]+)(,([0-9]*))?\}").match(self.text, self.at)
        if found is None:
            self.refuse("重复次数应写成 {2}、{2,} 或 {2,5}", self.at, "要匹配 { 本身，写 \\{")
            return
        low, high = int(found[1]), int(found[3] or found[1])
        if max(low, high) > MOST_REPEATS or low > high:
            self.refuse(f"重复次数 {found[0]} 应从小到大，且不超过 {MOST_REPEATS}", self.at)
        if found[2] is not None:
            self.variable += 1
        self.at = found.end()
