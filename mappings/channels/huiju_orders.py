"""Turn Huiju's orders and after-sales into facts and into what they say has happened.

What a payload does not tell is absent, never guessed: a status that the profile does not know is no status of ours. Every Huiju
order is a marked payment: the money does not pass through Youzan (R35).

A payload is kept in two parts. What is listed here as open is neither about the buyer nor the consignee; everything else, and so
every key that nobody knows yet, is private.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from engine.flows import Observation
from mappings.values import (
    PayloadError,
    code_text,
    flag,
    id_text,
    instant,
    not_negative,
    optional_id,
    put,
    records,
    text,
    whole,
)

Fact = dict[str, Any]
Payload = Mapping[str, Any]

CHANNEL: Final = "huiju"
ORDER_STATUSES: Final = frozenset({"wait_pay", "to_ship", "partly_shipped", "shipped", "done", "closed"})
KINDS: Final = frozenset({"refund_only", "return_refund", "exchange"})
AFTER_SALE_STATUSES: Final = frozenset(
    {"requested", "rejected", "waiting_return", "waiting_receipt", "return_rejected", "closed", "succeeded"}
)
CLOSERS: Final = frozenset({"buyer", "shipment", "timeout"})

REPORTED: Final = "reported"
"""Name of the observation that holds the channel's own word for a state; no event of the rules."""

OPEN_ORDER: Final = frozenset(
    {
        "orderId", "orderStatus", "createTime", "updateTime", "payTime", "shipTime", "totalAmount", "freightAmount",
        "merchantRemark",
    }
)  # fmt: skip
OPEN_LINE: Final = frozenset(
    {
        "lineId",
        "productId",
        "outProductId",
        "skuId",
        "outSkuId",
        "title",
        "count",
        "price",
        "specs",
        "shipped",
    }
)
OPEN_PARCEL: Final = frozenset({"logisticsId", "deliverCompany", "deliverNumber", "lineIds", "shipTime"})
OPEN_AFTER_SALE: Final = frozenset(
    {
        "afterSaleOrderId", "orderId", "afterSaleType", "afterSaleStatus", "closedBy", "refundAmount", "autoHandleTime",
        "createTime", "updateTime",
    }
)  # fmt: skip
_LISTS: Final = {"itemList": OPEN_LINE, "logisticsList": OPEN_PARCEL}
_CONSIGNEE: Final = {
    "name": "userName",
    "phone": "telNumber",
    "province": "provinceName",
    "city": "cityName",
    "county": "countyName",
    "address": "detailInfo",
    "postcode": "postalCode",
}
_MOVES: Final = {
    "rejected": "rejected",
    "waiting_return": "return_agreed",
    "waiting_receipt": "goods_returned",
    "return_rejected": "return_rejected",
}
_CLOSINGS: Final = {"buyer": "withdrawn", "timeout": "timed_out"}


def parted(payload: Payload) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part an order or an after-sale into what may be kept in the open and what is private.

    Returns:
        Both parts; the second laid over the first is the payload, but for unknown keys within lines and parcels, which are dropped.
    """
    known = OPEN_AFTER_SALE if "afterSaleOrderId" in payload else OPEN_ORDER
    open_part = {key: value for key, value in payload.items() if key in known}
    private = {key: value for key, value in payload.items() if key not in known and key not in _LISTS}
    for name, keys in _LISTS.items():
        entries = records(payload.get(name), name)
        if entries is not None and known is OPEN_ORDER:
            open_part[name] = [
                {key: value for key, value in entry.items() if key in keys} for entry in entries
            ]
    return open_part, private


def order_from_huiju(payload: Payload) -> Fact:
    """Turn an order into an `order` fact, but for what only the store knows: own id, after-sales, pending.

    Raises:
        PayloadError: A value can't be read exactly.
    """
    fact: Fact = {"channel": CHANNEL, "channel_order_id": id_text(payload.get("orderId"), "orderId")}
    put(fact, "status", _known(payload.get("orderStatus"), ORDER_STATUSES))
    fact["payment_kind"] = "marked"
    put(fact, "total", not_negative(payload.get("totalAmount"), "totalAmount"))
    put(fact, "freight", not_negative(payload.get("freightAmount"), "freightAmount"))
    put(fact, "buyer", _buyer(payload))
    consignee = {name: code_text(payload.get(key), key) for name, key in _CONSIGNEE.items()}
    put(fact, "consignee", _told(consignee))
    put(fact, "lines", _lines(payload))
    put(fact, "buyer_message", text(payload.get("buyerMessage"), "buyerMessage"))
    put(fact, "merchant_remark", text(payload.get("merchantRemark"), "merchantRemark"))
    for name, key in (("created_at", "createTime"), ("paid_at", "payTime"), ("shipped_at", "shipTime")):
        put(fact, name, _moment(payload, key))
    fact["updated_at"] = updated_at(payload)
    return fact


def shipments_from_huiju(payload: Payload) -> list[Fact]:
    """Turn an order's parcels into `shipment` facts; the id is the channel's.

    Raises:
        PayloadError: A value can't be read exactly.
    """
    found = []
    for place, parcel in enumerate(records(payload.get("logisticsList"), "logisticsList") or ()):
        where = f"logisticsList[{place}]"
        fact: Fact = {"id": id_text(parcel.get("logisticsId"), f"{where}.logisticsId")}
        put(fact, "carrier_name", text(parcel.get("deliverCompany"), f"{where}.deliverCompany"))
        put(fact, "waybill", code_text(parcel.get("deliverNumber"), f"{where}.deliverNumber"))
        fact["line_ids"] = [id_text(item, f"{where}.lineIds") for item in parcel.get("lineIds") or ()]
        put(fact, "shipped_at", _moment(parcel, "shipTime"))
        found.append(fact)
    return found


def after_sale_from_huiju(payload: Payload) -> Fact:
    """Turn an after-sale into an `after_sale` fact, but for what only the store knows: own ids, its order, pending.

    Huiju has no mark of an after-sale's state; the time of its last change serves for one.

    Raises:
        PayloadError: A value can't be read exactly.
    """
    fact: Fact = {
        "channel": CHANNEL,
        "channel_after_sale_id": id_text(payload.get("afterSaleOrderId"), "afterSaleOrderId"),
    }
    put(fact, "kind", _known(payload.get("afterSaleType"), KINDS))
    put(fact, "status", _known(payload.get("afterSaleStatus"), AFTER_SALE_STATUSES))
    if fact.get("status") == "closed":
        put(fact, "closed_by", _known(payload.get("closedBy"), CLOSERS))
    put(fact, "amount", not_negative(payload.get("refundAmount"), "refundAmount"))
    put(fact, "reason", text(payload.get("reason"), "reason"))
    contact = {
        "name": text(payload.get("contactName"), "contactName"),
        "phone": code_text(payload.get("contactTel"), "contactTel"),
    }
    put(fact, "contact", _told(contact))
    put(fact, "buyer", _buyer(payload))
    put(fact, "auto_handle_at", _moment(payload, "autoHandleTime"))
    put(fact, "created_at", _moment(payload, "createTime"))
    fact["updated_at"] = updated_at(payload)
    fact["version"] = str(int(fact["updated_at"].timestamp()))
    return fact


def order_observations(payload: Payload) -> list[Observation]:
    """Say what an order tells has happened: when the last of its lines left, and when a first part did, if that was before.

    Raises:
        PayloadError: A value can't be read exactly.
    """
    order, parcels = order_from_huiju(payload), shipments_from_huiju(payload)
    status, id_ = order.get("status"), order["channel_order_id"]
    moments = sorted((item["shipped_at"], item["line_ids"]) for item in parcels if "shipped_at" in item)
    first: datetime = moments[0][0] if moments else order.get("shipped_at") or order["updated_at"]
    if status == "partly_shipped":
        return [_observed(id_, "order_partly_shipped", first)]
    if status not in ("shipped", "done"):
        return []
    left = {line["id"] for line in order.get("lines") or ()}
    last = first
    for at, line_ids in moments:
        if left:
            last = at
        left -= set(line_ids)
    shipped = _observed(id_, "order_shipped", last)
    return [shipped] if last == first else [_observed(id_, "order_partly_shipped", first), shipped]


def after_sale_observations(payload: Payload) -> list[Observation]:
    """Say what an after-sale tells has happened: when it was asked for, and what led to where it stands.

    One that shipping closed tells nothing of its own: the shipment is the order's to tell.

    Raises:
        PayloadError: A value can't be read exactly.
    """
    fact = after_sale_from_huiju(payload)
    id_, status = fact["channel_after_sale_id"], fact.get("status")
    at: datetime = fact["updated_at"]
    asked = {"kind": fact.get("kind")}
    found = []
    if "created_at" in fact:
        found.append(_observed(id_, "refund_requested", fact["created_at"], id_, asked))
    event = _MOVES.get(status or "")
    if status == "requested" and at != fact.get("created_at"):
        found.append(_observed(id_, "refund_requested", at, id_, asked))
    elif status == "succeeded":
        event = "agreed" if fact.get("kind") == "refund_only" else "return_received"
    elif status == "closed":
        event = _CLOSINGS.get(fact.get("closed_by") or "")
    if event is not None:
        found.append(_observed(id_, event, at, id_))
    return found


def reported_order(payload: Payload) -> Observation:
    """Give the channel's own word for the state of an order, as of its last change."""
    fact = order_from_huiju(payload)
    told = {"status": fact.get("status")}
    return Observation(fact["channel_order_id"], REPORTED, fact["updated_at"], data=told, reported=True)


def reported_after_sale(payload: Payload) -> Observation:
    """Give the channel's own word for the state of an after-sale, as of its last change."""
    fact = after_sale_from_huiju(payload)
    id_ = fact["channel_after_sale_id"]
    told = {name: fact.get(name) for name in ("kind", "status", "closed_by")}
    return Observation(id_, REPORTED, fact["updated_at"], id_, told, reported=True)


def updated_at(payload: Payload) -> datetime:
    """Give when the channel last changed a record, by its clock; a whole second.

    Raises:
        PayloadError: It isn't told: nothing could say then which of two payloads is the newer.
    """
    moment = _moment(payload, "updateTime")
    if moment is None:
        raise PayloadError("updateTime", None, "更新时间")
    return moment


def _observed(
    record_id: str, event: str, at: datetime, after_sale: str = "", data: Mapping[str, Any] | None = None
) -> Observation:
    """Name an observation by what makes it itself: the record, what happened and when."""
    return Observation(f"{record_id}:{event}:{int(at.timestamp())}", event, at, after_sale, data)


def _moment(payload: Payload, key: str) -> datetime | None:
    """Read a time in seconds since 1970; absent, empty or 0 gives None."""
    seconds = whole(payload.get(key), key)
    return None if seconds is None else instant(seconds * 1000, key)


def _known(value: object, words: Iterable[str]) -> str | None:
    return value if isinstance(value, str) and value in words else None


def _told(values: Mapping[str, Any]) -> Fact | None:
    """Give the values that are known; None where there are none."""
    return {name: value for name, value in values.items() if value is not None} or None


def _buyer(payload: Payload) -> Fact | None:
    return _told(
        {
            "id": optional_id(payload.get("buyerId"), "buyerId"),
            "name": text(payload.get("buyerName"), "buyerName"),
        }
    )


def _lines(payload: Payload) -> list[Fact] | None:
    entries = records(payload.get("itemList"), "itemList")
    if entries is None:
        return None
    lines = []
    for place, entry in enumerate(entries):
        where = f"itemList[{place}]"
        line: Fact = {"id": id_text(entry.get("lineId"), f"{where}.lineId")}
        put(line, "product_id", optional_id(entry.get("outProductId"), f"{where}.outProductId"))
        put(line, "sku_id", optional_id(entry.get("outSkuId"), f"{where}.outSkuId"))
        put(line, "title", text(entry.get("title"), f"{where}.title"))
        put(line, "count", not_negative(entry.get("count"), f"{where}.count"))
        put(line, "price", not_negative(entry.get("price"), f"{where}.price"))
        put(line, "specs", text(entry.get("specs"), f"{where}.specs"))
        put(line, "shipped", flag(entry.get("shipped"), f"{where}.shipped"))
        lines.append(line)
    return lines
