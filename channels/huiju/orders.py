"""Orders at Huiju, and their shipping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from channels.huiju.increments import Call, changed
from channels.huiju.profile import Profile

Payload = dict[str, Any]


class Orders:
    """Read orders and tell Huiju about their parcels.

    Args:
        call: Calls an interface.
        profile: What the wire looks like.
    """

    def __init__(self, call: Call, profile: Profile) -> None:
        self._call = call
        self._profile = profile

    def updated(self, start: int, end: int, *, page_size: int | None = None) -> Iterator[list[Payload]]:
        """Yield the orders updated from start to end (seconds, both included), one list per window."""
        return changed(
            self._call,
            self._profile,
            "order_increment",
            rows="orderList",
            key="orderId",
            start=start,
            end=end,
            page_size=page_size,
        )

    def get(self, order_id: str) -> Payload:
        """Return one order.

        Raises:
            Missing: There is no such order.
        """
        return dict(self._call("order_detail", {"orderId": order_id})["order"])

    def deliver(
        self, order_id: str, company: str, waybill: str, line_ids: Sequence[str] | None = None
    ) -> str:
        """Ship an order, or some of its lines, and return the id of the parcel, "" where the channel does not give it.

        Shipping closes a pending refund-only request of the order (R30).

        Raises:
            StateChanged: The order can't be shipped as it stands now, or is shipped already.
        """
        return self._parcel("order_deliver", order_id, company, waybill, line_ids)

    def add_parcel(
        self, order_id: str, company: str, waybill: str, line_ids: Sequence[str] | None = None
    ) -> str:
        """Add one more parcel to a shipped order and return its id."""
        return self._parcel("logistics_add", order_id, company, waybill, line_ids)

    def update_parcel(self, order_id: str, parcel_id: str, company: str, waybill: str) -> None:
        """Correct carrier and waybill of a parcel."""
        self._call(
            "logistics_update",
            {
                "orderId": order_id,
                "logisticsId": parcel_id,
                "deliverCompany": company,
                "deliverNumber": waybill,
            },
        )

    def remove_parcel(self, order_id: str, parcel_id: str) -> None:
        """Remove a parcel that was added by mistake."""
        self._call("logistics_remove", {"orderId": order_id, "logisticsId": parcel_id})

    def _parcel(
        self, endpoint: str, order_id: str, company: str, waybill: str, line_ids: Sequence[str] | None
    ) -> str:
        payload = {"orderId": order_id, "deliverCompany": company, "deliverNumber": waybill}
        lines = {"lineIds": list(line_ids)} if line_ids is not None else {}
        return str(self._call(endpoint, payload | lines).get("logisticsId") or "")
