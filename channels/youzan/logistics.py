"""Shipping of a Youzan shop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from channels.errors import UnreadableReply
from channels.paging import Page, read_all
from channels.youzan.envelope import CHANNEL
from channels.youzan.limits import Call
from channels.youzan.refunds import done

Payload = dict[str, Any]


class Logistics:
    """Ship orders, read carriers and freight templates.

    Args:
        call: Calls an interface.
    """

    def __init__(self, call: Call) -> None:
        self._call = call

    def ship(self, tid: str, carrier_id: str, waybill: str, oids: Sequence[str] | None = None) -> None:
        """Ship an order, or some of its lines, with a carrier (``youzan.logistics.online.confirm`` 3.0.0).

        Raises:
            StateChanged: The order does not wait for shipment, or is shipped already.
            BusinessRefusal: The waybill is malformed, or a line does not belong to the order.
        """
        self._confirm(
            {
                "tid": tid,
                "is_no_express": 0,
                "out_stype": carrier_id,
                "out_sid": waybill,
                "oids": ",".join(oids) if oids is not None else None,
            }
        )

    def ship_without_express(self, tid: str, oids: Sequence[str] | None = None) -> None:
        """Mark an order, or some of its lines, as shipped without a carrier."""
        self._confirm({"tid": tid, "is_no_express": 1, "oids": ",".join(oids) if oids is not None else None})

    def carriers(self) -> list[Payload]:
        """Return ``id, name, display`` of every carrier; ``display`` is unreliable in the published samples."""
        api = "youzan.logistics.express.get"
        rows = self._call(api, "3.0.0", {}).get("allExpress")
        if not isinstance(rows, list):
            raise UnreadableReply(CHANNEL, f"{api} 的回复缺少 allExpress", code="unreadable")
        return rows

    def freight_templates(self, page_size: int = 50) -> list[Payload]:
        """Return every freight template of the Youzan shop, as ``youzan.logistics.template.search`` 3.0.0 gives it."""
        api = "youzan.logistics.template.search"

        def fetch(number: int) -> Page:
            payload = self._call(api, "3.0.0", {"page_no": number, "page_size": page_size})
            paginator, rows = payload.get("paginator"), payload.get("items")
            if not isinstance(paginator, dict) or not isinstance(rows, list):
                raise UnreadableReply(CHANNEL, f"{api} 的回复缺少 paginator 或 items", code="unreadable")
            return Page(int(paginator.get("total_count") or 0), rows)

        return read_all(fetch, channel=CHANNEL, page_size=page_size, key=lambda row: row.get("id"))

    def _confirm(self, params: Payload) -> None:
        api = "youzan.logistics.online.confirm"
        done(self._call(api, "3.0.0", params, writes=True), api)
