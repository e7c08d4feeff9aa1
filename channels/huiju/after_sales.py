"""After-sales at Huiju."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from channels.huiju.increments import Call, changed
from channels.huiju.profile import Profile

Payload = dict[str, Any]


class AfterSales:
    """Read after-sales and hand in the merchant's decisions.

    Every decision returns the after-sale as it stands then, empty where the channel does not show it, and raises StateChanged where it has moved on meanwhile.

    Args:
        call: Calls an interface.
        profile: What the wire looks like.
    """

    def __init__(self, call: Call, profile: Profile) -> None:
        self._call = call
        self._profile = profile

    def updated(self, start: int, end: int, *, page_size: int | None = None) -> Iterator[list[Payload]]:
        """Yield the after-sales updated from start to end (seconds, both included), one list per window."""
        return changed(
            self._call,
            self._profile,
            "after_sale_increment",
            rows="list",
            key="afterSaleOrderId",
            start=start,
            end=end,
            page_size=page_size,
        )

    def get(self, after_sale_id: str) -> Payload:
        """Return one after-sale.

        Raises:
            Missing: There is no such after-sale.
        """
        return dict(self._call("after_sale_detail", {"afterSaleOrderId": after_sale_id})["afterSale"])

    def agree(self, after_sale_id: str, *, remark: str = "") -> Payload:
        """Agree to a refund, or to a return."""
        return self._audit(after_sale_id, "agree", remark=remark)

    def reject(self, after_sale_id: str, *, reason_code: str = "", remark: str = "") -> Payload:
        """Reject a request.

        Raises:
            BusinessRefusal: The order waits for shipment; shipping it closes the request instead (R30).
        """
        return self._audit(after_sale_id, "reject", reason_code=reason_code, remark=remark)

    def confirm_return(self, after_sale_id: str, *, remark: str = "") -> Payload:
        """Confirm that the returned goods have arrived."""
        return self._audit(after_sale_id, "confirm_return", remark=remark)

    def reject_return(self, after_sale_id: str, *, reason_code: str = "", remark: str = "") -> Payload:
        """Refuse the returned goods."""
        return self._audit(after_sale_id, "reject_return", reason_code=reason_code, remark=remark)

    def _audit(self, after_sale_id: str, action: str, *, reason_code: str = "", remark: str = "") -> Payload:
        payload = {
            "afterSaleOrderId": after_sale_id,
            "auditType": action,
            "rejectReasonCode": reason_code or None,
            "remark": remark or None,
        }
        return dict(self._call("after_sale_audit", payload).get("afterSale") or {})
