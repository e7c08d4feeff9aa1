"""Read what has changed in a span of time, window by window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from channels.errors import LimitExceeded
from channels.huiju.envelope import CHANNEL
from channels.huiju.profile import Profile
from channels.paging import Page, read_all

Call = Callable[[str, Mapping[str, Any]], dict[str, Any]]


def changed(
    call: Call,
    profile: Profile,
    endpoint: str,
    *,
    rows: str,
    key: str,
    start: int,
    end: int,
    page_size: int | None,
) -> Iterator[list[dict[str, Any]]]:
    """Yield, for each window of the span, every record updated in it, oldest window first.

    Args:
        call: Calls an interface.
        profile: What the wire looks like; its limits are kept here, before anything is sent.
        endpoint: Name of the increment interface.
        rows: Key of the list in its reply.
        key: Key of a record's id.
        start, end: Update times in seconds since the epoch, both included.
        page_size: Rows per page; the most that is allowed where None.

    Raises:
        LimitExceeded: The span or the page size lies outside the limits.
    """
    size = profile.limit("page_size_max") if page_size is None else page_size
    if not 1 <= size <= profile.limit("page_size_max"):
        raise LimitExceeded(
            CHANNEL, f"每页条数应为 1～{profile.limit('page_size_max')}，得到 {size}", code="page_size"
        )
    if end < start:
        raise LimitExceeded(CHANNEL, f"时间止 {end} 早于时间起 {start}", code="window")
    step = profile.limit("window_seconds_max")
    for since in range(start, end + 1, step):
        until = min(since + step - 1, end)

        def fetch(number: int, since: int = since, until: int = until) -> Page:
            data = call(
                endpoint,
                {"startUpdateTime": since, "endUpdateTime": until, "pageNum": number, "pageSize": size},
            )
            return Page(int(data["totalCount"]), data[rows])

        yield read_all(fetch, channel=CHANNEL, page_size=size, key=lambda row: row.get(key))
