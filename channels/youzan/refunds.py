"""After-sales of a Youzan shop."""

from __future__ import annotations

from typing import Any

from channels.errors import BusinessRefusal, LimitExceeded, UnreadableReply
from channels.paging import Page, read_all
from channels.youzan.envelope import CHANNEL
from channels.youzan.limits import REFUNDS_PAGES, REFUNDS_ROWS, Call, at_most, rows_of

Payload = dict[str, Any]


class Refunds:
    """Read refunds and decide on them.

    Every decision sends the ``version`` that was read with the refund; where the refund has moved on meanwhile,
    StateChanged comes up: read it again and decide anew.

    Args:
        call: Calls an interface.
    """

    def __init__(self, call: Call) -> None:
        self._call = call

    def search_page(
        self,
        *,
        updated_from: int | None = None,
        updated_to: int | None = None,
        tid: str | None = None,
        status: str | None = None,
        page_no: int = 1,
        page_size: int = 50,
    ) -> Page:
        """Return one page of the refunds that match; rows have no ``version``, ``get`` has it.

        Args:
            updated_from, updated_to: Update times in seconds since the epoch; without them only refunds created in the
                last three months come.
            tid: Only refunds of this order.
            status: Only refunds in this status, such as ``WAIT_SELLER_AGREE``.
            page_no: 1..100; with the page size, no row beyond the 3,000th (Youzan docs).
            page_size: Rows on a page.

        Raises:
            LimitExceeded: A bound is broken; nothing was sent.
        """
        at_most("page_no", page_no, REFUNDS_PAGES)
        at_most("page_size", page_size, REFUNDS_ROWS)
        if page_no * page_size > REFUNDS_ROWS:
            raise LimitExceeded(
                CHANNEL,
                f"page_no × page_size 不能超过 {REFUNDS_ROWS}，得到 {page_no * page_size}",
                code="page_no",
            )
        api = "youzan.trade.refund.search"
        payload = self._call(
            api,
            "3.0.1",
            {
                "update_time_start": updated_from,
                "update_time_end": updated_to,
                "tid": tid,
                "status": status,
                "page_no": page_no,
                "page_size": page_size,
            },
        )
        return Page(*rows_of(payload, api, "total", "refunds"))

    def updated(self, start: int, end: int, *, page_size: int = 50) -> list[Payload]:
        """Return every refund updated from start to end (seconds), halving the span where it holds too many.

        Raises:
            LimitExceeded: One second alone holds more than 3,000 refunds.
        """
        first = self.search_page(updated_from=start, updated_to=end, page_size=page_size)
        most = min(REFUNDS_PAGES, REFUNDS_ROWS // page_size) * page_size
        if first.total > most:
            if end <= start:
                raise LimitExceeded(CHANNEL, f"第 {start} 秒内的退款超过 {most} 笔", code="page_no")
            middle = (start + end) // 2
            return self.updated(start, middle, page_size=page_size) + self.updated(
                middle + 1, end, page_size=page_size
            )
        return read_all(
            lambda number: self.search_page(
                updated_from=start, updated_to=end, page_no=number, page_size=page_size
            ),
            channel=CHANNEL,
            page_size=page_size,
            key=lambda row: row.get("refund_id"),
            first=first,
        )

    def get(self, refund_id: str) -> Payload:
        """Return one refund with its ``version``.

        Raises:
            Missing: There is no such refund.
        """
        return self._call("youzan.trade.refund.get", "3.0.1", {"refund_id": refund_id})

    def agree(self, refund_id: str, version: int | str) -> None:
        """Agree to a refund, or confirm the return of goods and refund."""
        self._decide("youzan.trade.refund.agree", refund_id, version)

    def refuse(self, refund_id: str, version: int | str, remark: str) -> None:
        """Refuse a refund, with the reason."""
        self._decide("youzan.trade.refund.refuse", refund_id, version, remark=remark)

    def agree_return(
        self,
        refund_id: str,
        version: int | str,
        *,
        name: str,
        mobile: str,
        address: str,
        tel: str | None = None,
        post: str | None = None,
        remark: str | None = None,
    ) -> None:
        """Agree to a return and say where the goods go."""
        self._decide(
            "youzan.trade.returngoods.agree",
            refund_id,
            version,
            name=name,
            mobile=mobile,
            address=address,
            tel=tel,
            post=post,
            remark=remark,
        )

    def refuse_return(self, refund_id: str, version: int | str, remark: str) -> None:
        """Refuse the returned goods, with the reason."""
        self._decide("youzan.trade.returngoods.refuse", refund_id, version, remark=remark)

    def _decide(self, api: str, refund_id: str, version: int | str, **params: str | None) -> None:
        payload = self._call(
            api, "3.0.0", {"refund_id": refund_id, "version": int(version), **params}, writes=True
        )
        done(payload, api)


def done(payload: Payload, api: str) -> None:
    """Return where a write says that it was done.

    Raises:
        BusinessRefusal: It says that it wasn't.
        UnreadableReply: It doesn't say.
    """
    if payload.get("is_success") is False:
        raise BusinessRefusal(CHANNEL, f"{api} 返回未成功", http=200, code="is_success")
    if payload.get("is_success") is not True:
        raise UnreadableReply(CHANNEL, f"{api} 的回复缺少 is_success", http=200, code="unreadable")
