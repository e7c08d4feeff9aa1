"""Turn Youzan trade payloads (trade.get and trades.sold.get 4.0.x) into `order` facts.

What a payload does not tell is absent from the fact, never guessed:

- TRADE_PAID and WAIT_CONFIRM (paid, waiting for a group or for acceptance) are no state of ours: `status` is absent.
- The numbers that the 2018 generation has for `status` are read by `status_str` beside them.
- A line's `shipped` is told by `delivery_order` (trade.get only) or by an order that is wholly shipped or not yet paid.
- pay_type 203 (paid outside Youzan) is neither a normal nor a marked payment: `payment_kind` is absent.
- Which value of `order_mark` Huiju orders carry is not documented, so the caller says the channel; without that, only the
  connector's own `channelType` is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mappings.values import (
    PayloadError,
    code_text,
    id_text,
    instant,
    not_negative,
    optional_id,
    record,
    records,
    text,
    whole,
    yuan_to_fen,
)
from mappings.youzan_replies import body_of
from mappings.youzan_specs import name_and_value, spec_properties

STATUSES: Final[Mapping[str, str]] = {
    "WAIT_BUYER_PAY": "wait_pay",
    "WAIT_SELLER_SEND_GOODS": "to_ship",
    "WAIT_BUYER_CONFIRM_GOODS": "shipped",
    "TRADE_SUCCESS": "done",
    "TRADE_CLOSED": "closed",
    "TRADE_CLOSE": "closed",
}
STATUS_TITLES: Final[Mapping[str, str]] = {
    "待付款": "wait_pay",
    "等待买家付款": "wait_pay",
    "待发货": "to_ship",
    "等待卖家发货": "to_ship",
    "已发货": "shipped",
    "卖家已发货": "shipped",
    "已完成": "done",
    "交易完成": "done",
    "交易成功": "done",
    "已关闭": "closed",
    "交易关闭": "closed",
}
STATUS_NUMBERS: Final[Mapping[int, str]] = {60: "shipped"}
REFUND_STATUSES: Final[Mapping[int, str]] = {
    1: "requested",
    10: "rejected",
    20: "waiting_return",
    30: "waiting_receipt",
    40: "return_rejected",
    50: "closed",
    60: "succeeded",
}
CHANNELS: Final[Mapping[object, str]] = {0: "youzan", 91: "huiju", "TENCENT_HUIJU": "huiju"}
MARKED_PAYMENTS: Final = frozenset({110, 111, 112, 114, 205})
OUTSIDE_PAYMENT: Final = 203


def order_from_trade(payload: Mapping[str, Any], channel: str | None = None) -> dict[str, Any]:
    """Turn one trade into an `order` fact.

    Args:
        payload: A reply of trade.get, its body, an entry of `full_order_info_list`, or the `full_order_info` itself.
        channel: `youzan` or `huiju`, as known to the caller; None to read the connector's `channelType`, if there.

    Returns:
        The fact, with fields as declared in `rules/facts/order.yaml`; ids as text, money in fen, times aware in UTC.

    Raises:
        PayloadError: The payload is no single trade, or one of its values can't be read exactly.
    """
    body = payload if "order_info" in payload else body_of(payload)
    trade = body if "order_info" in body else record(body.get("full_order_info"), "full_order_info")
    info = trade.get("order_info")
    if not isinstance(info, dict):
        raise PayloadError("full_order_info.order_info", info, "单个订单的信息")
    pay = record(trade.get("pay_info"), "pay_info")
    remark = record(trade.get("remark_info"), "remark_info")
    outside = record(trade.get("out_order_info"), "out_order_info")
    shipped_lines = _shipped_lines(body)
    status = _status(info, shipped_lines)
    order: dict[str, Any] = {"id": id_text(info.get("tid"), "order_info.tid")}
    found = {
        "channel": channel or _channel(info, record(trade.get("source_info"), "source_info")),
        "channel_order_id": optional_id(outside.get("out_order_no"), "out_order_info.out_order_no"),
        "status": status,
        "payment_kind": _payment_kind(info),
        "total": yuan_to_fen(pay.get("payment"), "pay_info.payment"),
        "freight": yuan_to_fen(pay.get("post_fee"), "pay_info.post_fee"),
        "buyer": _buyer(record(trade.get("buyer_info"), "buyer_info")),
        "consignee": _consignee(record(trade.get("address_info"), "address_info")),
        "lines": _lines(trade, status, shipped_lines),
        "buyer_message": text(remark.get("buyer_message"), "remark_info.buyer_message"),
        "merchant_remark": text(remark.get("trade_memo"), "remark_info.trade_memo"),
        "created_at": instant(info.get("created"), "order_info.created"),
        "paid_at": instant(info.get("pay_time"), "order_info.pay_time"),
        "shipped_at": instant(info.get("consign_time"), "order_info.consign_time"),
        "updated_at": instant(info.get("update_time"), "order_info.update_time"),
        "after_sales": _after_sales(body),
    }
    order.update((name, value) for name, value in found.items() if value is not None)
    return order


def _status(info: Mapping[str, Any], shipped_lines: frozenset[str] | None) -> str | None:
    """Give the order's status; an order to ship of which something has left is partly shipped."""
    value = info.get("status")
    if isinstance(value, str) and not value.isdigit():
        status = STATUSES.get(value)
    else:
        status = STATUS_TITLES.get(text(info.get("status_str"), "order_info.status_str") or "")
        if status is None:
            status = STATUS_NUMBERS.get(whole(value, "order_info.status") or -1)
    return "partly_shipped" if status == "to_ship" and shipped_lines else status


def _channel(info: Mapping[str, Any], source: Mapping[str, Any]) -> str | None:
    """Read the connector's channel type: 0 or 91, or its name."""
    for block in (info, source):
        for key in ("channelType", "channel_type"):
            value = block.get(key)
            if value is not None and not isinstance(value, (bool, list, dict)):
                return CHANNELS.get(int(value) if isinstance(value, str) and value.isdecimal() else value)
    return None


def _payment_kind(info: Mapping[str, Any]) -> str | None:
    """Say whether the payment is a marked one, by its number or name."""
    name = text(info.get("pay_type_str"), "order_info.pay_type_str")
    number = whole(info.get("pay_type"), "order_info.pay_type")
    if name == "MARKPAY" or number in MARKED_PAYMENTS:
        return "marked"
    return None if number is None or number <= 0 or number == OUTSIDE_PAYMENT else "normal"


def _buyer(info: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give the buyer."""
    key = "yz_open_id" if info.get("yz_open_id") else "buyer_id"
    return _known(
        id=optional_id(info.get(key), f"buyer_info.{key}"),
        name=text(info.get("fans_nickname"), "buyer_info.fans_nickname"),
        phone=code_text(info.get("buyer_phone"), "buyer_info.buyer_phone"),
    )


def _consignee(address: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give the consignee, as it stands: what Youzan encrypts stays encrypted."""
    keys = {
        "name": "receiver_name",
        "phone": "receiver_tel",
        "province": "delivery_province",
        "city": "delivery_city",
        "county": "delivery_district",
        "address": "delivery_address",
        "postcode": "delivery_postal_code",
    }
    return _known(**{name: text(address.get(key), f"address_info.{key}") for name, key in keys.items()})


def _known(**values: object) -> dict[str, Any] | None:
    """Give the values that are known; None where there are none."""
    return {name: value for name, value in values.items() if value is not None} or None


def _lines(
    trade: Mapping[str, Any], status: str | None, shipped_lines: frozenset[str] | None
) -> list[dict[str, Any]] | None:
    """Give the order's lines.

    The 2018 generation writes the line's id as `item_id` and the product's as `goods_id`; since then they are `oid` and `item_id`.
    """
    entries = records(trade.get("orders"), "orders")
    if entries is None:
        return None
    lines = []
    for index, entry in enumerate(entries):
        where = f"orders[{index}]"
        line_key, product_key = ("oid", "item_id") if "oid" in entry else ("item_id", "goods_id")
        line: dict[str, Any] = {"id": id_text(entry.get(line_key), f"{where}.{line_key}")}
        found = {
            "product_id": optional_id(entry.get(product_key), f"{where}.{product_key}"),
            "sku_id": optional_id(entry.get("sku_id"), f"{where}.sku_id"),
            "title": text(entry.get("title"), f"{where}.title"),
            "count": not_negative(entry.get("num"), f"{where}.num"),
            "price": yuan_to_fen(entry.get("price"), f"{where}.price"),
            "specs": _specs_text(entry.get("sku_properties_name"), f"{where}.sku_properties_name"),
            "shipped": _shipped(line["id"], status, shipped_lines),
        }
        line.update((name, value) for name, value in found.items() if value is not None)
        lines.append(line)
    return lines


def _specs_text(value: object, path: str) -> str | None:
    """Write a line's specs as one text, such as `颜色：红；尺码：M`."""
    pairs = [
        name_and_value(prop, f"{path}[{position}]")
        for position, prop in enumerate(spec_properties(value, path))
    ]
    return "；".join(f"{name}：{chosen}" for name, chosen in pairs) or None


def _shipped(line_id: str, status: str | None, shipped_lines: frozenset[str] | None) -> bool | None:
    """Say whether a line has left; None where the payload doesn't tell."""
    if status in ("shipped", "done"):
        return True
    if status == "wait_pay":
        return False
    return None if shipped_lines is None else line_id in shipped_lines


def _shipped_lines(body: Mapping[str, Any]) -> frozenset[str] | None:
    """Give the ids of the lines that are in a parcel that has left; None where the payload has no parcels' list."""
    parcels = records(body.get("delivery_order"), "delivery_order")
    if parcels is None:
        return None
    found = set()
    for index, parcel in enumerate(parcels):
        if whole(parcel.get("express_state"), f"delivery_order[{index}].express_state") != 1:
            continue
        for key, id_key in (("oids", "oid"), ("orders", "item_id")):
            for position, entry in enumerate(
                records(parcel.get(key), f"delivery_order[{index}].{key}") or ()
            ):
                found.add(id_text(entry.get(id_key), f"delivery_order[{index}].{key}[{position}].{id_key}"))
    return frozenset(found)


def _after_sales(body: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Give the order's after-sales; their kind isn't told here."""
    entries = records(body.get("refund_order"), "refund_order")
    if entries is None:
        return None
    found = []
    for index, entry in enumerate(entries):
        where = f"refund_order[{index}]"
        after_sale = {"id": id_text(entry.get("refund_id"), f"{where}.refund_id")}
        status = REFUND_STATUSES.get(whole(entry.get("refund_state"), f"{where}.refund_state") or -1)
        if status is not None:
            after_sale["status"] = status
        found.append(after_sale)
    return found
