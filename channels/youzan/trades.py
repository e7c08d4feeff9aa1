"""Orders of a Youzan shop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from channels.errors import LimitExceeded
from channels.paging import Page, read_all
from channels.youzan.envelope import CHANNEL
from channels.youzan.limits import TRADES_PAGE_SIZE, TRADES_PAGES, TRADES_SPAN_DAYS, Call, at_most, rows_of

Payload = dict[str, Any]
CHINA = timezone(timedelta(hours=8))


def shown(moment: datetime) -> str:
    """Return a time as Youzan writes it, ``yyyy-MM-dd HH:mm:ss`` in Chinese time.

    >>> shown(datetime(2022, 3, 1, 4, 0, tzinfo=timezone.utc))
    '2022-03-01 12:00:00'
    """
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


class Trades:
    """Read orders.

    Args:
        call: Calls an interface.
    """

    def __init__(self, call: Call) -> None:
        self._call = call

    def get(self, tid: str) -> Payload:
        """Return one order as ``youzan.trade.get`` 4.0.2 gives it.

        Raises:
            Missing: There is no such order.
        """
        return self._call("youzan.trade.get", "4.0.2", {"tid": tid})

    def sold_page(
        self,
        start: datetime,
        end: datetime,
        *,
        page_no: int = 1,
        page_size: int = TRADES_PAGE_SIZE,
        status: str | None = None,
        version: str = "4.0.4",
    ) -> Page:
        """Return one page of the orders updated from start to end, each row with its ``full_order_info``.

        Args:
            start, end: Update times, aware; at most 90 days apart (Youzan docs: three months).
            page_no: 1..100.
            page_size: 1..100.
            status: Only orders in this status, such as ``WAIT_SELLER_SEND_GOODS``.
            version: ``4.0.0`` … ``4.0.4``; orders older than 2020 come with 4.0.0 only.

        Raises:
            LimitExceeded: A bound is broken; nothing was sent.
        """
        at_most("page_no", page_no, TRADES_PAGES)
        at_most("page_size", page_size, TRADES_PAGE_SIZE)
        if not timedelta(0) <= end - start <= timedelta(days=TRADES_SPAN_DAYS):
            raise LimitExceeded(
                CHANNEL, f"时间跨度应为 0～{TRADES_SPAN_DAYS} 天，得到 {start} 至 {end}", code="time_span"
            )
        api = "youzan.trades.sold.get"
        payload = self._call(
            api,
            version,
            {
                "start_update": shown(start),
                "end_update": shown(end),
                "page_no": page_no,
                "page_size": page_size,
                "status": status,
            },
        )
        return Page(*rows_of(payload, api, "total_results", "full_order_info_list"))

    def updated(
        self, start: datetime, end: datetime, *, page_size: int = TRADES_PAGE_SIZE, status: str | None = None
    ) -> Iterator[list[Payload]]:
        """Yield every order updated from start to end, window by window, oldest first.

        A window that holds more orders than its pages can show is halved until it doesn't.

        Raises:
            LimitExceeded: One second alone holds more orders than the interface can page through.
        """
        at_most("page_size", page_size, TRADES_PAGE_SIZE)
        windows = [(start, end)]
        while windows:
            since, until = windows.pop()
            span = until - since
            if span > timedelta(days=TRADES_SPAN_DAYS):
                middle = since + timedelta(days=TRADES_SPAN_DAYS)
                windows += [(middle + timedelta(seconds=1), until), (since, middle)]
                continue
            first = self.sold_page(since, until, page_size=page_size, status=status)
            if first.total > page_size * TRADES_PAGES:
                if span < timedelta(seconds=1):
                    raise LimitExceeded(
                        CHANNEL,
                        f"{shown(since)} 这一秒内的订单超过 {page_size * TRADES_PAGES} 笔",
                        code="page_no",
                    )
                middle = since + timedelta(seconds=int(span.total_seconds()) // 2)
                windows += [(middle + timedelta(seconds=1), until), (since, middle)]
                continue

            def fetch(number: int, since: datetime = since, until: datetime = until) -> Page:
                return self.sold_page(since, until, page_no=number, page_size=page_size, status=status)

            yield read_all(fetch, channel=CHANNEL, page_size=page_size, key=tid_of, first=first)


def tid_of(row: Payload) -> str:
    """Return the order number of one row, "" where the row has none."""
    return str(((row.get("full_order_info") or {}).get("order_info") or {}).get("tid") or "")
