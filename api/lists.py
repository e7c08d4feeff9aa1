"""Lists page by page: what they are asked by, and what a page holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from api.problems import Mistake, Problem
from api.schemas import integer, moment, text
from engine.constants import FIRST, LAST, read_datetime

Item = TypeVar("Item")

ID = "^[0-9a-f]{32}$"
"""What the store's own ids look like."""

_EDGES = {"0000": FIRST, "0001": FIRST, "9999": LAST}

LIMIT = integer("一页最多多少个", minimum=1, maximum=500, default=50)
SPAN = {"since": moment("从这一刻起"), "until": moment("到这一刻为止，不含")}


def cursor(pattern: str = ID) -> dict[str, Any]:
    """Describe the parameter that a list goes on by."""
    return text("上一页的 next", pattern=pattern)


def page(
    items: Sequence[Item], limit: int, key: Callable[[Item], str], data: Callable[[Item], Any]
) -> dict[str, Any]:
    """Give one page.

    Args:
        items: What was found, up to the limit.
        limit: Most that a page holds; one that is not full is the last.
        key: Names the place of an item, for the next page to begin behind.
        data: Gives an item as JSON data.
    """
    following = key(items[-1]) if len(items) == limit else None
    return {"items": [data(item) for item in items], "next": following}


def moment_in(query: Mapping[str, Any], name: str) -> datetime | None:
    """Read a moment among the query parameters, which bounds a list; None where it is not given.

    One within a day of the calendar's first or last moment is as good as that day's: nothing lies beyond.

    Raises:
        Problem: It can't be told by a clock, such as a leap second.
    """
    if name not in query:
        return None
    found = read_datetime(query[name]) or _EDGES.get(query[name][:4])
    if found is None:
        mistake = Mistake(f"query:{name}", "不是时间", "例如 2022-03-08T09:00:00+08:00")
        raise Problem("invalid", "查询参数有误", [mistake])
    return found
