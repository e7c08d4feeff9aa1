"""JSON bodies: read as they are, or refused by name; nothing of them is silently altered."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from flask import request

from api.problems import Mistake, Problem
from api.routes import JSON
from api.schemas import escaped
from engine.facts import shown

_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
"""What no file and no database keeps as it is: NUL, and half a character, as JSON's escapes can write it."""

_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
"""How JSON writes those; and the halves of a whole character, which are no mistake."""


def read_json(most: int) -> Any:
    """Read the JSON body of this request.

    Args:
        most: Bytes at the most.

    Raises:
        Problem: It is not JSON by its type or by its content, too large, or could not be kept as it is: a name twice in one object, a
            number that is none or too large to be one, a text with what can't be written.
    """
    if request.mimetype != JSON:
        raise Problem("media-type", f"请用 Content-Type: {JSON}，这里是 {shown(request.content_type or '')}")
    request.max_content_length = most
    try:
        text = request.get_data(cache=False).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Problem("bad-request", f"请求不是 UTF-8：第 {error.start + 1} 个字节不对") from None
    try:
        found = _DECODER.decode(text)
        mistakes = list(_unwritable(found, "")) if _SUSPECT.search(text) else []
    except RecursionError:
        raise Problem("bad-request", "JSON 嵌套太深") from None
    except json.JSONDecodeError as error:
        place = f"第 {error.lineno} 行第 {error.colno} 列"
        raise Problem("bad-request", f"请求不是 JSON：{place}附近有误") from None
    except ValueError:
        raise Problem("bad-request", "请求里有一个整数太长，无法读取；长的编号请写成文字") from None
    if mistakes:
        raise Problem("invalid", f"请求内容有 {len(mistakes)} 处不对", mistakes)
    return found


def _no_constant(name: str) -> Any:
    raise Problem("bad-request", f"请求里的 {name} 不是 JSON 的数")


def _finite(written: str) -> float:
    found = float(written)
    if math.isinf(found):
        raise Problem("bad-request", f"请求里的数 {shown(written)} 太大，无法读取")
    return found


def _once_each(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its members; one that is there twice is refused, as one of its values would be lost in silence."""
    found = dict(members)
    if len(found) != len(members):
        names = [name for name, _ in members]
        twice = next(name for name in names if names.count(name) > 1)
        raise Problem("bad-request", f"同一个对象里 {shown(twice)} 写了两次；请只留一个")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_once_each, parse_constant=_no_constant, parse_float=_finite)


def _unwritable(value: Any, place: str) -> Iterator[Mistake]:
    """Name each text that can't be written as it is."""
    if isinstance(value, str) and _UNWRITABLE.search(value):
        yield Mistake(place, "文字中含有无法保存的字符（U+0000 或不完整的代理对）", "请删除该字符")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _unwritable(item, f"{place}/{number}")
    elif isinstance(value, dict):
        for name, item in value.items():
            if _UNWRITABLE.search(name):
                yield from _unwritable(name, place)
            yield from _unwritable(item, f"{place}/{escaped(name)}")
