"""Ids as they come out of spreadsheets: read digit for digit, or refused by name (R9).

Excel and WPS keep 15 digits of a number; what they have rounded can't be told from what was meant. So an id is taken
only where the value writes out every one of its digits.
"""

from __future__ import annotations

import math
import re
from datetime import date, time, timedelta

from engine.errors import ShelfgateError

MOST_DIGITS = 64
"""Digits of the longest id that is read; ids of both sides have at most 20, so anything longer is a slip."""

MOST_NUMBER_DIGITS = 15
"""Digits that a number cell of Excel and WPS keeps; from the 16th on they are lost."""

FIRST_ROUNDED = 10**MOST_NUMBER_DIGITS
"""The least number that a number cell may have rounded, below 2**53."""

AS_TEXT = "把该列的单元格格式设为“文本”，再从有赞或惠聚后台重新复制粘贴完整的 ID"
RETYPE = "重新填写只含数字的 ID，例如 403680077"
UNFOLD = "公式没有得到 ID：修正公式，或复制后“选择性粘贴 → 数值”，把单元格变成普通文本"

ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"})
"""What a formula shows that has no result."""

_ASCII = {
    ord(wide): narrow
    for wide, narrow in zip("０１２３４５６７８９．＋Ｅｅ［］", "0123456789.+Ee[]", strict=True)
}
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u202c\u202d"))
_CHOICE = re.compile(r"(?s).*\[\s*([^\[\]]*?)\s*\]")
_QUOTED = re.compile(r"'([0-9]+)|=\"([0-9]+)\"")
_DECIMAL = re.compile(r"([0-9]+)\.0*")
_SCIENTIFIC = re.compile(r"([0-9])(?:\.([0-9]*))?[Ee]\+?([0-9]{1,3})")


class IdError(ShelfgateError):
    """Say that a value does not tell an id for certain.

    Attributes:
        value: The value as text.
        reason: What is wrong with it, in Chinese.
        remedy: What to do about it in Excel or WPS, in Chinese.
    """

    def __init__(self, value: str, reason: str, remedy: str) -> None:
        super().__init__(f"{value or '空白'}：{reason}。{remedy}")
        self.value = value
        self.reason = reason
        self.remedy = remedy


def read_id(value: object) -> str:
    r"""Read an id digit for digit.

    Args:
        value: Text, or a number as a spreadsheet or JSON gives it. Text may have blanks around it, full-width digits,
            a trailing `.0`, every digit in scientific notation (`4.03680077E8`), the mark for text (`'403`, `="403"`),
            or be a choice of a drop-down (`颜色 [403]`).

    Returns:
        The id: 1 to 64 ASCII digits, leading zeros kept.

    Raises:
        IdError: Where the digits are not certain.

    Examples:
        >>> read_id(" ４０３680077\u00a0"), read_id(403680077.0), read_id("4.03680077E8"), read_id("颜色 [12345]")
        ('403680077', '403680077', '403680077', '12345')
        >>> read_id(1.2345678901234568e17)
        Traceback (most recent call last):
        mappings.ids.IdError: 123456789012345680：超过 15 位的数字按数值保存，末尾的数字已经丢失。把该列的单元格格式设为“文本”，再从有赞或惠聚后台重新复制粘贴完整的 ID
    """
    if isinstance(value, str):
        return (
            value if value.isascii() and value.isdigit() and len(value) <= MOST_DIGITS else _read_text(value)
        )
    if isinstance(value, bool):
        raise IdError("TRUE" if value else "FALSE", "是逻辑值，不是 ID", RETYPE)
    if isinstance(value, float):
        return _read_float(value)
    if isinstance(value, int):
        if value < 0:
            raise IdError(str(value), "是负数，不是 ID", RETYPE)
        if value >= 10**MOST_DIGITS:
            raise IdError("过大的整数", f"超过 {MOST_DIGITS} 位，不是 ID", RETYPE)
        return str(value)
    if isinstance(value, date | time | timedelta):
        raise IdError(str(value), "被识别成了日期或时间，原来的数字已经丢失", AS_TEXT)
    raise IdError("" if value is None else f"{value!r:.40}", "没有填写 ID", RETYPE)


def show_choice(name: str, identity: str) -> str:
    """Write a choice of a drop-down, which shows a name and yields an id.

    Examples:
        >>> show_choice("颜色", "12345")
        '颜色 [12345]'
    """
    return f"{name} [{identity}]"


def clean_text(value: str) -> str:
    r"""Take blanks of every kind off the ends, and what can't be seen off everywhere.

    Examples:
        >>> clean_text("\u3000颜\u200b色\u00a0\n")
        '颜色'
    """
    return value.translate(_UNSEEN).strip()


def _read_text(value: str) -> str:
    shown = value if len(value) <= 40 else f"{value[:40]}…"
    text = clean_text(value).translate(_ASCII)
    if chosen := _CHOICE.fullmatch(text):
        text = chosen[1]
    if not text:
        raise IdError(shown.strip(), "没有填写 ID", RETYPE)
    if quoted := _QUOTED.fullmatch(text):
        text = quoted[1] or quoted[2]
    if text.isascii() and text.isdigit():
        if len(text) > MOST_DIGITS:
            raise IdError(shown, f"超过 {MOST_DIGITS} 位，不是 ID", RETYPE)
        return text
    if decimal := _DECIMAL.fullmatch(text):
        return _kept(shown, decimal[1])
    if scientific := _SCIENTIFIC.fullmatch(text):
        return _unfold(shown, *scientific.groups(default=""))
    raise IdError(shown, *_why_not(text))


def _unfold(shown: str, first: str, rest: str, exponent: str) -> str:
    """Write out scientific notation that names every digit; a shorter one may have been rounded."""
    power = int(exponent)
    if power >= MOST_NUMBER_DIGITS or len(rest.rstrip("0")) > power or len(rest) < power or first == "0":
        raise IdError(shown, "是科学计数法，没有写全每一位数字", AS_TEXT)
    return first + rest[:power]


def _kept(shown: str, digits: str) -> str:
    """Take the digits before `.0`, unless there are more than a number cell keeps."""
    if len(digits) > MOST_NUMBER_DIGITS:
        raise IdError(shown, "超过 15 位的数字按数值保存过，末尾的数字可能已经丢失", AS_TEXT)
    return digits


def _read_float(value: float) -> str:
    if not math.isfinite(value):
        raise IdError(str(value), "不是数字", RETYPE)
    if value < 0 or str(value).startswith("-"):
        raise IdError(f"{value:.15g}", "是负数，不是 ID", RETYPE)
    if value >= FIRST_ROUNDED:
        shown = str(int(value)) if value < 1e21 else f"{value:.15g}"
        raise IdError(shown, "超过 15 位的数字按数值保存，末尾的数字已经丢失", AS_TEXT)
    if not value.is_integer():
        raise IdError(str(value), "带有小数，不是 ID", RETYPE)
    return str(int(value))


def _why_not(text: str) -> tuple[str, str]:
    """Give reason and remedy for text that is no id."""
    if text.upper() in ERRORS:
        return "是公式的错误结果，不是 ID", UNFOLD
    if re.fullmatch(r"[-−－][0-9.]+(?:[Ee]\+?[0-9]+)?", text):
        return "是负数，不是 ID", RETYPE
    if re.fullmatch(r"[0-9.]+[Ee][+-]?[0-9]+", text):
        return "是科学计数法，没有写全每一位数字", AS_TEXT
    if re.fullmatch(r"[0-9]+\.[0-9]+", text):
        return "带有小数，不是 ID", RETYPE
    if re.fullmatch(r"[0-9]+(?:[\s,，][0-9]+)+", text):
        return "数字中间有空格或逗号，可能是两个 ID 或带千分位的数值", RETYPE
    return "含有数字以外的字符，不是 ID", RETYPE
