"""Turn Youzan refund payloads (trade.refund.get, trade.refund.search 3.0.x) into `after_sale` facts.

What a payload does not tell is absent from the fact, never guessed:

- SELLER_RETURN_GOODS (an exchange, the merchant has sent the replacement) is no state of ours: `status` is absent.
- Who closed a refund (`closed_by`), the contact left with it and the time of automatic handling are not in the payload;
  `logistics` holds where the goods go back to, which is the merchant, not the buyer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mappings.values import PayloadError, id_text, instant, optional_id, whole, yuan_to_fen
from mappings.youzan_replies import body_of
from mappings.youzan_trades import REFUND_STATUSES

STATUSES: Final[Mapping[str, str]] = {
    "WAIT_SELLER_AGREE": "requested",
    "SELLER_REFUSE_BUYER": "rejected",
    "WAIT_BUYER_RETURN_GOODS": "waiting_return",
    "WAIT_SELLER_CONFIRM_GOODS": "waiting_receipt",
    "SELLER_REFUSE_BUYER_RETURN_GOODS": "return_rejected",
    "CLOSED": "closed",
    "SUCCESS": "succeeded",
}
KINDS: Final[Mapping[int, str]] = {1: "refund_only", 2: "return_refund", 3: "exchange"}
REASONS: Final[Mapping[int, str]] = {
    51: "拍错/不想要",
    54: "未按约定时间发货",
    101: "商品破损",
    103: "描述不符",
    204: "订单关闭退款",
}


def after_sale_from_refund(
    payload: Mapping[str, Any], order: Mapping[str, Any] | None = None, channel: str | None = None
) -> dict[str, Any]:
    """Turn one refund into an `after_sale` fact.

    Args:
        payload: A reply of trade.refund.get, its body, or an entry of trade.refund.search.
        order: The `order` fact that it belongs to; lends its channel and buyer. None where it isn't at hand.
        channel: `youzan` or `huiju`, as known to the caller; None to take the order's.

    Returns:
        The fact, with fields as declared in `rules/facts/after_sale.yaml`.

    Raises:
        PayloadError: A value can't be read exactly, or the refund belongs to another order than the one given.
    """
    refund = payload if "refund_id" in payload else body_of(payload)
    after_sale: dict[str, Any] = {"id": id_text(refund.get("refund_id"), "refund_id")}
    tid = optional_id(refund.get("tid"), "tid")
    given = order or {}
    if tid is not None and order is not None and tid != order["id"]:
        raise PayloadError("tid", tid, f"同一订单 {order['id']} 的售后")
    found = {
        "order_id": tid or given.get("id"),
        "channel": channel or given.get("channel"),
        "kind": _kind(refund),
        "status": _status(refund.get("status")),
        "amount": yuan_to_fen(refund.get("refund_fee"), "refund_fee"),
        "reason": _reason(refund.get("reason")),
        "version": optional_id(refund.get("version"), "version"),
        "buyer": given.get("buyer"),
        "created_at": instant(refund.get("created"), "created"),
        "updated_at": instant(refund.get("modified"), "modified"),
        "order": order,
    }
    after_sale.update((name, value) for name, value in found.items() if value is not None)
    return after_sale


def _kind(refund: Mapping[str, Any]) -> str | None:
    """Say what the buyer asks for: by `demand`, else by `refund_type` and `return_goods`."""
    demand = whole(refund.get("demand"), "demand")
    if demand is not None:
        return KINDS.get(demand)
    if refund.get("refund_type") == "EXCHANGE_GOODS":
        return "exchange"
    returned = refund.get("return_goods")
    if returned is None:
        return None
    if not isinstance(returned, bool):
        raise PayloadError("return_goods", returned, "true 或 false")
    return "return_refund" if returned else "refund_only"


def _status(value: object) -> str | None:
    """Read the status by name or, as inside trades, by number."""
    if isinstance(value, str) and not value.isdigit():
        return STATUSES.get(value)
    number = whole(value, "status")
    return None if number is None else REFUND_STATUSES.get(number)


def _reason(value: object) -> str | None:
    """Write the reason as text; a number that isn't listed here is shown as it is."""
    if isinstance(value, str) and value and not value.isdigit():
        return value
    number = whole(value, "reason")
    return None if number is None else REASONS.get(number, f"原因代码 {number}")
