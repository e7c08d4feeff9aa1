"""Read a paged listing whole, although it may shift while it is being read."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from channels.errors import IncompleteListing

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Hold one page.

    Attributes:
        total: Rows in the whole listing, as the channel says on this page.
        rows: The rows of this page.
    """

    total: int
    rows: list[Row]


def read_all(
    fetch: Callable[[int], Page],
    *,
    channel: str,
    page_size: int,
    key: Callable[[Row], Hashable],
    first: Page | None = None,
    passes: int = 8,
) -> list[Row]:
    """Return every row of a listing once, each as it was last seen.

    A row that changes while pages are read moves within the listing or leaves it, and pulls another row over a page
    border unseen. So a pass counts only if every page named the same total and that many different rows were seen;
    otherwise the listing is read again from its first page.

    Args:
        fetch: Gives the page with a number, from 1.
        channel: Name put into the error.
        page_size: Rows on a full page, ≥ 1.
        key: Says what makes a row itself.
        first: The first page, where it has been read already.
        passes: How often to read the listing at most.

    Raises:
        IncompleteListing: No pass was consistent.
    """
    found: dict[Hashable, Row] = {}
    for _ in range(passes):
        page, number = first or fetch(1), 1
        first = None
        totals, seen = {page.total}, set()
        while True:
            for row in page.rows:
                seen.add(key(row))
                found[key(row)] = row
            if not page.rows or number * page_size >= page.total:
                break
            number += 1
            page = fetch(number)
            totals.add(page.total)
        if totals == {len(seen)}:
            return list(found.values())
    raise IncompleteListing(
        channel, f"列表在读取时一直变动，连读 {passes} 遍仍不一致，请稍后重试", code="incomplete"
    )
