"""Turn facts into the shapes of the Youzan sandbox."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from channels.sandbox.seed import Row, Seed, item_of, seconds
from channels.sandbox.youzan.state import Record, YouzanState, text_of

_UNSET = "1970-01-01 08:00:00"
_STATUS = {
    "wait_pay": ("WAIT_BUYER_PAY", "待付款"),
    "to_ship": ("WAIT_SELLER_SEND_GOODS", "待发货"),
    "partly_shipped": ("WAIT_SELLER_SEND_GOODS", "待发货"),
    "shipped": ("WAIT_BUYER_CONFIRM_GOODS", "已发货"),
    "done": ("TRADE_SUCCESS", "已完成"),
    "closed": ("TRADE_CLOSED", "已关闭"),
}
_REFUND_STATUS = {
    "requested": "WAIT_SELLER_AGREE",
    "rejected": "SELLER_REFUSE_BUYER",
    "waiting_return": "WAIT_BUYER_RETURN_GOODS",
    "waiting_receipt": "WAIT_SELLER_CONFIRM_GOODS",
    "return_rejected": "SELLER_REFUSE_BUYER_RETURN_GOODS",
    "closed": "CLOSED",
    "succeeded": "SUCCESS",
}
_DEMAND = {"refund_only": 1, "return_refund": 2, "exchange": 3}


def plant(state: YouzanState, seed: Seed, kdt_id: str) -> None:
    """Fill a state from a seed; orders and after-sales of other channels are left out."""
    mine = seed.of("youzan")
    with state.lock:
        items = [item_of(product) for product in mine.products]
        state.items.update({str(item["item_id"]): item for item in items})
        state.freight_templates = [_freight_template(item, kdt_id) for item in _templates(items)]
        orders = [*(fact["order"] for fact in mine.after_sales if fact.get("order")), *mine.orders]
        state.trades.update({str(fact["id"]): trade_of(fact) for fact in orders})
        state.refunds.update({str(fact["id"]): refund_of(fact, kdt_id) for fact in mine.after_sales})


def trade_of(fact: Row) -> Record:
    """Return the payload of ``youzan.trade.get`` for an order fact; amounts in yuan text, times in Chinese time."""
    consignee, buyer = fact.get("consignee") or {}, fact.get("buyer") or {}
    status, status_text = _STATUS[fact["status"]]
    lines = [_line(line) for line in fact.get("lines") or ()]
    shipped = [line["id"] for line in fact.get("lines") or () if line.get("shipped") is True]
    created, paid, sent = (seconds(fact.get(key)) for key in ("created_at", "paid_at", "shipped_at"))
    updated = seconds(fact.get("updated_at"))
    info = {
        "tid": str(fact["id"]),
        "status": status,
        "status_str": status_text,
        "type": 0,
        "pay_type": 110 if fact.get("payment_kind") == "marked" else 10,
        "pay_type_str": "MARKPAY" if fact.get("payment_kind") == "marked" else "WEIXIN_DAIXIAO",
        "express_type": 0,
        "close_type": 0,
        "refund_state": 0,
        "created": text_of(created),
        "pay_time": text_of(paid),
        "consign_time": text_of(sent),
        "success_time": _UNSET,
        "update_time": text_of(updated if updated is not None else created),
        "order_tags": {},
    }
    return {
        "full_order_info": {
            "order_info": info,
            "source_info": {
                "is_offline_order": False,
                "source": {"platform": "wx", "wx_entrance": "direct_buy"},
            },
            "pay_info": {
                "total_fee": _yuan(fact.get("total", 0)),
                "post_fee": _yuan(fact.get("freight", 0)),
                "payment": _yuan(fact.get("total", 0)),
                "transaction": [],
                "outer_transactions": [],
            },
            "buyer_info": {"yz_open_id": str(buyer.get("id") or ""), "buyer_phone": buyer.get("phone") or ""},
            "address_info": {
                "receiver_name": consignee.get("name") or "",
                "receiver_tel": consignee.get("phone") or "",
                "delivery_province": consignee.get("province") or "",
                "delivery_city": consignee.get("city") or "",
                "delivery_district": consignee.get("county") or "",
                "delivery_address": consignee.get("address") or "",
                "delivery_postal_code": consignee.get("postcode") or "",
            },
            "remark_info": {
                "buyer_message": fact.get("buyer_message") or "",
                "trade_memo": fact.get("merchant_remark") or "",
                "star": 0,
            },
            "orders": lines,
        },
        "delivery_order": [
            {
                "pk_id": 1,
                "express_state": 1,
                "express_type": 0,
                "oids": [{"oid": str(oid)} for oid in shipped],
            }
        ]
        if shipped
        else [],
        "refund_order": [],
        "order_promotion": {},
    }


def refund_of(fact: Row, kdt_id: str) -> Record:
    """Return the payload of ``youzan.trade.refund.get`` for an after-sale fact."""
    created, updated = seconds(fact.get("created_at")), seconds(fact.get("updated_at"))
    moment = updated if updated is not None else created or 0
    return {
        "refund_id": str(fact["id"]),
        "tid": str(fact["order_id"]),
        "oid": "",
        "kdt_id": int(kdt_id),
        "status": _REFUND_STATUS[fact["status"]],
        "demand": _DEMAND[fact["kind"]],
        "return_goods": fact["kind"] != "refund_only",
        "refund_type": "EXCHANGE_GOODS" if fact["kind"] == "exchange" else "BUYER_APPLY_REFUND",
        "refund_fee": _yuan(fact.get("amount", 0)),
        "reason": 56,
        "desc": fact.get("reason") or "",
        "cs_status": 1,
        "created": text_of(created),
        "modified": text_of(moment),
        "version": moment * 1000,
    }


def _line(line: Row) -> Record:
    count, price = line.get("count", 1), line.get("price", 0)
    return {
        "oid": str(line["id"]),
        "item_id": _number(line.get("product_id")),
        "sku_id": _number(line.get("sku_id")),
        "title": line.get("title") or "",
        "num": count,
        "price": _yuan(price),
        "total_fee": _yuan(price * count),
        "payment": _yuan(price * count),
        "sku_properties_name": _properties(line.get("specs")),
        "outer_item_id": "",
        "outer_sku_id": "",
        "item_type": 0,
        "buyer_messages": "",
    }


def _properties(value: Any) -> str:
    """Return specs such as 颜色：红；尺码：M as the JSON text of order lines, keys ``k, k_id, v, v_id``."""
    if not value:
        return "[]"
    pairs = [part.partition("：") for part in str(value).split("；")]
    rows = [
        {"k": name if chosen else "规格", "k_id": number, "v": chosen or name, "v_id": number}
        for number, (name, _, chosen) in enumerate(pairs, start=1)
    ]
    return json.dumps(rows, ensure_ascii=False)


def _yuan(fen: int) -> str:
    return f"{Decimal(fen) / 100:.2f}"


def _number(value: Any) -> int | str:
    text = str(value or 0)
    return int(text) if text.isdecimal() else text


def _templates(items: list[Record]) -> list[int]:
    found = {(item.get("item_delivery_param") or {}).get("delivery_template_id") for item in items}
    return sorted(number for number in found if isinstance(number, int) and number)


def _freight_template(number: int, kdt_id: str) -> Record:
    return {
        "id": number,
        "name": f"运费模板 {number}",
        "kdt_id": int(kdt_id),
        "pay_type": 2,
        "valuation_type": 1,
        "is_free_delivery": 1,
        "valuation_rules": [],
        "use_count": 1,
    }
