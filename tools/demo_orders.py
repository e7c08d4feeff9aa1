"""The demo shop's orders and after-sales, as plain facts for a sandbox to start with; everything is invented."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from mappings.values import SHANGHAI
from mappings.youzan import product_from_item

FIRST = datetime(2022, 3, 10, 9, 5, tzinfo=SHANGHAI)
PLACES = (
    ("四川省", "成都市", "锦江区"),
    ("浙江省", "杭州市", "西湖区"),
    ("江苏省", "南京市", "玄武区"),
    ("广东省", "深圳市", "福田区"),
    ("湖北省", "武汉市", "洪山区"),
)
NAMES = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰"

# channel, status, numbers of the products bought
ORDERS = (
    ("huiju", "to_ship", (0,)),
    ("huiju", "to_ship", (5, 12)),
    ("huiju", "to_ship", (20,)),
    ("huiju", "to_ship", (38, 39)),
    ("huiju", "to_ship", (47,)),
    ("huiju", "partly_shipped", (6, 27)),
    ("huiju", "shipped", (1,)),
    ("huiju", "shipped", (15, 16)),
    ("huiju", "shipped", (33,)),
    ("huiju", "shipped", (44,)),
    ("huiju", "done", (9,)),
    ("huiju", "done", (30,)),
    ("huiju", "closed", (18,)),
    ("youzan", "to_ship", (2,)),
    ("youzan", "shipped", (24,)),
)

# number of the order, kind, status, closed by, reason
AFTER_SALES = (
    (0, "refund_only", "requested", None, "拍错/不想要"),
    (3, "refund_only", "requested", None, "未按约定时间发货"),
    (6, "refund_only", "closed", "shipment", "拍错/不想要"),
    (7, "return_refund", "requested", None, "描述不符"),
    (8, "return_refund", "waiting_return", None, "商品破损"),
    (9, "return_refund", "waiting_receipt", None, "描述不符"),
    (10, "refund_only", "rejected", None, "商品破损"),
    (11, "exchange", "requested", None, "尺码不合适"),
    (12, "refund_only", "succeeded", None, "拍错/不想要"),
    (13, "refund_only", "requested", None, "拍错/不想要"),
)


def orders(payloads: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make up the orders.

    Args:
        payloads: The shop's products as Youzan gives them, in the shop's order.

    Returns:
        `order` facts as JSON data, oldest first.
    """
    return [_order(number, payloads) for number in range(len(ORDERS))]


def after_sales(made: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make up the after-sales of the orders made up above, as `after_sale` facts without their order."""
    return [_after_sale(number, made[AFTER_SALES[number][0]]) for number in range(len(AFTER_SALES))]


def _order(number: int, payloads: Sequence[dict[str, Any]]) -> dict[str, Any]:
    channel, status, bought = ORDERS[number]
    created = FIRST + timedelta(hours=5 * number)
    lines = [
        _line(number, place, product_from_item(payloads[item]), status) for place, item in enumerate(bought)
    ]
    order: dict[str, Any] = {"id": _order_id(number), "channel": channel}
    if channel == "huiju":
        order["channel_order_id"] = f"HJ{created:%Y%m%d}{number + 1:08d}"
    person = _person(number)
    province, city, county = PLACES[number % len(PLACES)]
    order |= {
        "status": status,
        "payment_kind": "marked" if channel == "huiju" else "normal",
        "total": sum(line["price"] * line["count"] for line in lines),
        "freight": 0,
        "buyer": {
            "id": f"{channel}-buyer-{number + 1:04d}",
            "name": f"买家{NAMES[number]}",
            "phone": person["phone"],
        },
        "consignee": {
            "name": person["name"],
            "phone": person["phone"],
            "province": province,
            "city": city,
            "county": county,
            "address": f"示例路{number + 1}号",
            "postcode": "000000",
        },
        "lines": lines,
        "created_at": _text(created),
        "paid_at": _text(created + timedelta(minutes=1)),
    }
    last = created + timedelta(minutes=1)
    if status in ("shipped", "done"):
        last = created + timedelta(hours=26)
        order["shipped_at"] = _text(last)
    if number % 4 == 0:
        order["buyer_message"] = "请尽快发货"
    order["updated_at"] = _text(last)
    order["after_sales"] = [
        {"id": _refund_id(place), "kind": kind, "status": state}
        for place, (of, kind, state, _, _) in enumerate(AFTER_SALES)
        if of == number
    ]
    return order


def _line(number: int, place: int, product: dict[str, Any], status: str) -> dict[str, Any]:
    sku = product["skus"][number % len(product["skus"])]
    return {
        "id": str(1_600_000_000_000_000_000 + 100 * (number + 1) + place),
        "product_id": product["id"],
        "sku_id": sku["id"],
        "title": product["title"],
        "count": 1 + number % 2,
        "price": sku["price"],
        "specs": "；".join(f"{spec['name']}：{spec['value']}" for spec in sku["specs"]),
        "shipped": status in ("shipped", "done") or (status == "partly_shipped" and place == 0),
    }


def _after_sale(number: int, order: dict[str, Any]) -> dict[str, Any]:
    of, kind, status, closed_by, reason = AFTER_SALES[number]
    channel = ORDERS[of][0]
    created = FIRST + timedelta(hours=5 * of + 20)
    person = _person(of)
    province, city, county = PLACES[of % len(PLACES)]
    after_sale: dict[str, Any] = {
        "id": _refund_id(number),
        "order_id": order["id"],
        "channel": channel,
        "kind": kind,
        "status": status,
    }
    if closed_by is not None:
        after_sale["closed_by"] = closed_by
    updated = created if status == "requested" else created + timedelta(hours=7)
    after_sale |= {
        "amount": order["total"],
        "reason": reason,
        "version": str(int(updated.timestamp()) * 1000),
        "contact": {**person, "address": f"{province}{city}{county}示例路{of + 1}号"},
        "buyer": {
            "id": f"{channel}-buyer-{of + 1:04d}",
            "name": f"买家{NAMES[of]}",
            "phone": person["phone"],
        },
        "created_at": _text(created),
        "updated_at": _text(updated),
    }
    if status == "requested":
        after_sale["auto_handle_at"] = _text(created + timedelta(days=7))
    return after_sale


def _person(number: int) -> dict[str, str]:
    return {"name": f"收货人{NAMES[number]}", "phone": str(13_000_000_001 + number)}


def _order_id(number: int) -> str:
    created = FIRST + timedelta(hours=5 * number)
    return f"E{created:%Y%m%d%H%M%S}{100000001 + number}"


def _refund_id(number: int) -> str:
    created = FIRST + timedelta(hours=5 * AFTER_SALES[number][0] + 20)
    return f"{created:%Y%m%d%H%M%S}{1_000_000_001 + number}"


def _text(moment: datetime) -> str:
    """Write a time in UTC."""
    return f"{moment - timedelta(hours=8):%Y-%m-%dT%H:%M:%SZ}"
