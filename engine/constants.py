"""Constants of the rule language: read exactly as their field's type, never converted."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

from engine.read import Scalar
from engine.vocabulary import FieldType

MOST_EXACT = 2**53
_TRUTHS = {"yes": "true", "on": "true", "是": "true", "no": "false", "off": "false", "否": "false"}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?([Zz]|[+-][0-2][0-9]:[0-5][0-9])"
)
FIRST, LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
"""The first and last moment that can be told in every zone."""
_EXAMPLES = {"text": '"文字"', "integer": "2", "number": "0.5", "boolean": "true", "date": "2022-03-08"}


def exact(node: Scalar, type_: FieldType) -> Any:
    """Give a scalar's value where it is of exactly the type, else None."""
    value = node.value
    match type_.kind:
        case "text":
            return value if isinstance(value, str) else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case "integer":
            return value if isinstance(value, int) and not isinstance(value, bool) else None
        case "number":
            fits = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MOST_EXACT
            return float(value) if fits and isinstance(value, int | float) else None
        case "date":
            return read_date(node.text)
        case "datetime":
            return read_datetime(node.text)
    return None


def read_date(text: str) -> date | None:
    """Read a day such as 2022-03-08; None for anything else, such as 20220308 or the week 2022-W10-1."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def read_datetime(text: str) -> datetime | None:
    """Read a moment with its zone such as 2022-03-08T09:00:00+08:00 (RFC 3339); None for anything else."""
    try:
        moment = datetime.fromisoformat(text.upper()) if _MOMENT.fullmatch(text) else None
    except ValueError:
        return None
    return moment if moment is not None and in_calendar(moment) else None


def in_calendar(moment: datetime) -> bool:
    """Whether an aware moment can be told in every zone: not within a day of the calendar's first or last moment.

    Examples:
        >>> in_calendar(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
        False
    """
    return FIRST <= moment <= LAST


def said(value: Any) -> str:
    """Name what kind of scalar was written."""
    return "是/否" if isinstance(value, bool) else "数字" if isinstance(value, int | float) else "文字"


def example(type_: FieldType) -> str:
    """Give a valid constant of a type."""
    if type_.choices:
        return type_.choices[0][0]
    return _EXAMPLES.get(
        type_.kind, "2022-03-08T09:00:00+08:00" if type_.kind == "datetime" else "{field: 路径}"
    )


def remedy(node: Scalar, type_: FieldType) -> str:
    """Say what to write instead of a scalar of the wrong type."""
    text = node.text
    if type_.kind == "boolean" and text.casefold() in _TRUTHS:
        return f"写成 {_TRUTHS[text.casefold()]}"
    if type_.kind == "boolean" and text.casefold() in {"true", "false"}:
        return f"写成 {text.casefold()}（小写，不加引号）"
    if type_.kind == "text" and not isinstance(node.value, str):
        return f'文字加引号："{text}"'
    digits = text.replace(",", "").replace("_", "")
    if type_.kind in {"integer", "number"} and digits.isascii() and digits.lstrip("-").isdigit():
        return f"写成 {int(digits)}（不加引号、前导零与分隔符）" if len(digits) < len("1" * 19) else ""
    return f"例如 {example(type_)}"
