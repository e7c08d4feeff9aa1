"""Lists as pages show them: filtered by a form, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.console import address
from api.labels import day_begins

SHOWN = 20
"""Lines of one page; one more is asked for, to know whether there is another page."""

TEXT = {"type": "string", "maxLength": 200}
DAY = {"type": "string", "format": "date"}
SPAN = {"since": DAY, "until": DAY}
BEFORE = {"before": TEXT}


def span(query: Mapping[str, Any]) -> dict[str, Any]:
    """Give the moments of a span of days, the last day being within it."""
    return {"since": day_begins(query.get("since")), "until": day_begins(query.get("until"), later=1)}


def one_of(query: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    """Give the one value that a filter names, or none where it wants all."""
    return (query[name],) if name in query else ()


def pager(home: str, query: Mapping[str, Any], ids: Sequence[str]) -> dict[str, Any]:
    """Lead to the first page and to the following one, under the same filters; empty where one is there, or there is none.

    Args:
        home: Address of the list.
        query: The filters, and `before` on a later page.
        ids: Ids of the lines that were found, `SHOWN` and one more at the most.
    """
    filters = {name: value for name, value in query.items() if name != "before"}
    return {
        "first": address(home, **filters) if "before" in query else "",
        "following": address(home, **filters, before=ids[SHOWN - 1]) if len(ids) > SHOWN else "",
    }
