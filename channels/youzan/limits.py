"""Youzan's documented limits, kept before anything is sent."""

from __future__ import annotations

from typing import Any, Protocol

from channels.errors import LimitExceeded, UnreadableReply
from channels.youzan.envelope import CHANNEL

TRADES_PAGE_SIZE = 100
TRADES_PAGES = 100
TRADES_SPAN_DAYS = 90  # "three months"; the shortest three months are 89 days, so longer spans are cut
REFUNDS_PAGES = 100
REFUNDS_ROWS = 3000
ITEMS_PAGE_SIZE = 300


class Call(Protocol):
    """The one way to call an interface, as YouzanClient.call."""

    def __call__(
        self, api: str, version: str, params: dict[str, Any], *, writes: bool = False
    ) -> dict[str, Any]:
        """Call an interface and return its payload."""


def at_most(name: str, value: int, most: int) -> None:
    """Refuse a page number or size outside 1..most.

    Raises:
        LimitExceeded: Named are parameter, value and bound.
    """
    if not 1 <= value <= most:
        raise LimitExceeded(CHANNEL, f"{name} 应为 1～{most}，得到 {value}", code=name)


def rows_of(payload: dict[str, Any], api: str, total: str, rows: str) -> tuple[int, list[dict[str, Any]]]:
    """Return total and rows of a listing.

    Raises:
        UnreadableReply: Either is missing; an absent list must not pass for an empty one.
    """
    found, count = payload.get(rows), payload.get(total)
    if found is None and count == 0:
        found = []
    if not isinstance(found, list) or not isinstance(count, int):
        raise UnreadableReply(CHANNEL, f"{api} 的回复缺少 {total} 或 {rows}", code="unreadable")
    return count, found
