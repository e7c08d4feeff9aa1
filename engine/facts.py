"""Let plain JSON data in as a fact: types checked strictly, times made aware, everything wrong named by path."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from engine.constants import MOST_EXACT, in_calendar, read_date, read_datetime
from engine.suggest import did_you_mean
from engine.vocabulary import KIND_TITLES, FieldType

MOST_SHOWN = 60
_SURROGATES = re.compile("[\ud800-\udfff]")
"""Half a character, as JSON's escapes can write it; no file and no terminal can hold it."""
_HINTS = {
    "datetime": "时间要带时区，例如 2022-03-08T09:00:00+08:00",
    "date": "例如 2022-03-08",
    "number": f"整数部分不超过 {MOST_EXACT}，再大就不准确了",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Name one value that does not fit its field.

    Attributes:
        path: Where, such as `product.skus[2].price`; positions are 0-based.
        message: What was found and what was wanted.
        hint: What to write instead; may be empty.
    """

    path: str
    message: str
    hint: str = ""


def admit(type_: FieldType, data: Any) -> tuple[Any, tuple[Problem, ...]]:
    """Check plain data against a type and turn it into a fact.

    Args:
        type_: The fact's type.
        data: JSON data; null counts as absent.

    Returns:
        The fact (dicts, lists, text, int, float, bool, aware datetime in UTC, date) and what is wrong; values that do not fit
        are left out of the fact, so that rules see them as unknown.
    """
    problems: list[Problem] = []
    return _admit(type_, data, "", problems), tuple(problems)


def _admit(type_: FieldType, data: Any, path: str, problems: list[Problem]) -> Any:
    if data is None:
        return None
    if type_.kind == "record":
        return _record(type_, data, path, problems)
    if type_.kind == "list":
        if not isinstance(data, list) or type_.element is None:
            return _refuse(type_, data, path, problems)
        items = [
            _admit(type_.element, item, f"{path}[{position}]", problems) for position, item in enumerate(data)
        ]
        return items if _fits(type_, len(items), path, problems, "个元素") else None
    value = _scalar(type_, data)
    if value is None:
        return _refuse(type_, data, path, problems)
    if type_.choices and value not in dict(type_.choices):
        names = [name for name, _ in type_.choices]
        problems.append(Problem(path, f"没有取值 {shown(value)}", did_you_mean(str(value), names)))
        return None
    size = len(value) if isinstance(value, str) else value
    if isinstance(size, int | float) and not isinstance(size, bool):
        return value if _fits(type_, size, path, problems, "个字" if isinstance(value, str) else "") else None
    return value


def _record(type_: FieldType, data: Any, path: str, problems: list[Problem]) -> Any:
    if not isinstance(data, dict):
        return _refuse(type_, data, path, problems)
    fact: dict[str, Any] = {}
    for name, value in data.items():
        inner = type_.field(name)
        if inner is None:
            here = f"{path}.{_named(name)}" if path else _named(name)
            problems.append(
                Problem(here, "没有这个字段", did_you_mean(str(name), type_.names(), listed="可用字段"))
            )
            continue
        admitted = _admit(inner, value, f"{path}.{name}" if path else name, problems)
        if admitted is not None:
            fact[name] = admitted
    absent = [name for name in type_.required if data.get(name) is None]
    problems += [Problem(f"{path}.{name}" if path else name, "缺少必填的字段") for name in absent]
    return fact


def _scalar(type_: FieldType, data: Any) -> Any:
    """Give a scalar of exactly the type, else None."""
    match type_.kind:
        case "text":
            return data if isinstance(data, str) and not _SURROGATES.search(data) else None
        case "boolean":
            return data if isinstance(data, bool) else None
        case "integer":
            return data if isinstance(data, int) and not isinstance(data, bool) else None
        case "number":
            if isinstance(data, bool) or not isinstance(data, int | float):
                return None
            exact = isinstance(data, float) or -MOST_EXACT <= data <= MOST_EXACT
            return float(data) if exact and -math.inf < data < math.inf else None
        case "date":
            if isinstance(data, date) and not isinstance(data, datetime):
                return data
            return read_date(data) if isinstance(data, str) else None
        case "datetime":
            moment = read_datetime(data) if isinstance(data, str) else data
            if not isinstance(moment, datetime) or moment.tzinfo is None or not in_calendar(moment):
                return None
            return moment.astimezone(UTC)
    return None


def _fits(type_: FieldType, size: float, path: str, problems: list[Problem], unit: str) -> bool:
    low, high = type_.minimum, type_.maximum
    if (low is None or size >= low) and (high is None or size <= high):
        return True
    span = f"{'' if low is None else f'{low:g}'}～{'' if high is None else f'{high:g}'}{unit}"
    problems.append(Problem(path, f"{shown(size)}{unit} 超出范围 {span}"))
    return False


def _refuse(type_: FieldType, data: Any, path: str, problems: list[Problem]) -> None:
    hint = _HINTS.get(type_.kind, "") if type_.kind != "number" or isinstance(data, int) else ""
    problems.append(Problem(path, f"应是{KIND_TITLES[type_.kind]}，这里是 {shown(data)}", hint))


def shown(data: Any) -> str:
    """Show a value that is not what it should be, not longer than a line; only scalars are written out, as a list may be of any depth."""
    if isinstance(data, list | dict):
        return f"{'列表' if isinstance(data, list) else '一组字段'}（{len(data)} 项）"
    if isinstance(data, int) and abs(data) >= 10**MOST_SHOWN:
        return f"超过 {MOST_SHOWN} 位的数"
    if data is None or isinstance(data, bool):
        return json.dumps(data)
    written = repr(data[: MOST_SHOWN + 1] if isinstance(data, str) else data)
    return written if len(written) <= MOST_SHOWN else written[:MOST_SHOWN] + "…"


def _named(key: Any) -> str:
    """Show a key that nobody declared: not longer than a line, and nothing in it that can't be written."""
    return str(key)[:MOST_SHOWN].encode("utf-8", "backslashreplace").decode()
