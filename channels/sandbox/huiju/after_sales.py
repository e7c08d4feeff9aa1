"""After-sales in the Huiju sandbox: which decision leads where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channels.sandbox.huiju.state import HuijuState, Record, Refused

# (status, action) -> status after it; agreeing depends on the kind besides.
_MOVES = {
    ("requested", "reject"): "rejected",
    ("waiting_receipt", "confirm_return"): "succeeded",
    ("waiting_receipt", "reject_return"): "return_rejected",
}


def detail(state: HuijuState, params: Mapping[str, Any], request_id: str) -> Record:
    """Return one after-sale."""
    return {"afterSale": state.after_sale(params["afterSaleOrderId"])}


def audit(state: HuijuState, params: Mapping[str, Any], request_id: str) -> Record:
    """Carry out the merchant's decision.

    While the order waits for shipment a request for nothing but money can't be rejected; shipping closes it (R30).
    """
    after_sale, action = state.after_sale(params["afterSaleOrderId"]), params["auditType"]
    status = after_sale["afterSaleStatus"]
    order = state.order(after_sale["orderId"])
    waits = order["orderStatus"] == "to_ship" and after_sale["afterSaleType"] == "refund_only"
    if waits and (status, action) == ("requested", "reject"):
        raise Refused("reject_before_shipment", order["orderId"])
    if (status, action) == ("requested", "agree"):
        moved: str | None = "succeeded" if after_sale["afterSaleType"] == "refund_only" else "waiting_return"
    else:
        moved = _MOVES.get((status, action))
    if moved is None:
        raise Refused("after_sale_state", f"{status} 时不能 {action}")
    after_sale["afterSaleStatus"] = moved
    state.touch(after_sale)
    if moved == "succeeded" and order["orderStatus"] == "to_ship":
        order["orderStatus"] = "closed"
        state.touch(order)
    state.effects.append((request_id, "after_sale_audit", after_sale["afterSaleOrderId"]))
    return {"afterSale": after_sale}
