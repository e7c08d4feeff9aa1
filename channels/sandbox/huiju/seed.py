"""Turn facts into the records of the Huiju sandbox."""

from __future__ import annotations

from collections.abc import Mapping

from channels.sandbox.huiju.state import HuijuState, Record
from channels.sandbox.seed import Row, Seed, seconds

_KEYS = {
    "categories": {
        "id": "categoryId",
        "name": "name",
        "parent_id": "parentId",
        "level": "level",
        "leaf": "leaf",
    },
    "brands": {"id": "brandId", "name": "name"},
    "freight_templates": {"id": "freightTemplateId", "name": "name"},
    "spec_templates": {"id": "specTemplateId", "name": "name"},
}


def plant(state: HuijuState, seed: Seed) -> None:
    """Fill a state from a seed; orders and after-sales of other channels are left out."""
    mine = seed.of("huiju")
    with state.lock:
        for table, keys in _KEYS.items():
            rows = mine.reference.get(table, ())
            state.reference[table] = [{wire: row.get(key) for key, wire in keys.items()} for row in rows]
        for row in mine.reference.get("listings", ()):
            product = _listed(row)
            state.products[product["productId"]] = product
            state.listed[product["outProductId"]] = product["productId"]
        facts = [*(fact["order"] for fact in mine.after_sales if fact.get("order")), *mine.orders]
        state.orders.update({order["orderId"]: order for order in map(order_of, facts)})
        ids = {str(fact["id"]): _order_id(fact) for fact in facts}
        after_sales = [after_sale_of(fact, ids) for fact in mine.after_sales]
        state.after_sales.update({row["afterSaleOrderId"]: row for row in after_sales})


def order_of(fact: Row) -> Record:
    """Return an order of the marketplace for an order fact."""
    consignee, buyer = fact.get("consignee") or {}, fact.get("buyer") or {}
    lines = [_line(line) for line in fact.get("lines") or ()]
    shipped = [line["lineId"] for line in lines if line["shipped"]]
    order_id = _order_id(fact)
    ship_time = seconds(fact.get("shipped_at"))
    parcel = {
        "logisticsId": f"{order_id}-1",
        "deliverCompany": "顺丰速运",
        "deliverNumber": f"SF{sum(map(ord, order_id)):010d}",
        "lineIds": shipped,
        "shipTime": ship_time,
    }
    return {
        "orderId": order_id,
        "orderStatus": fact["status"],
        "createTime": seconds(fact.get("created_at")),
        "updateTime": _moment(fact, "updated_at", "shipped_at", "paid_at", "created_at"),
        "payTime": seconds(fact.get("paid_at")),
        "shipTime": ship_time,
        "totalAmount": fact.get("total", 0),
        "freightAmount": fact.get("freight", 0),
        "buyerId": str(buyer.get("id") or ""),
        "buyerName": str(buyer.get("name") or ""),
        "buyerMessage": fact.get("buyer_message") or "",
        "merchantRemark": fact.get("merchant_remark") or "",
        "userName": consignee.get("name") or "",
        "telNumber": consignee.get("phone") or "",
        "provinceName": consignee.get("province") or "",
        "cityName": consignee.get("city") or "",
        "countyName": consignee.get("county") or "",
        "detailInfo": consignee.get("address") or "",
        "postalCode": consignee.get("postcode") or "",
        "deliverCompany": parcel["deliverCompany"] if shipped else "",
        "deliverNumber": parcel["deliverNumber"] if shipped else "",
        "itemList": lines,
        "logisticsList": [parcel] if shipped else [],
    }


def after_sale_of(fact: Row, ids: Mapping[str, str]) -> Record:
    """Return an after-sale of the marketplace for an after-sale fact.

    Args:
        fact: The fact; ``order_id`` is the order's own id or its channel id.
        ids: Own ids of orders to their channel ids.
    """
    contact, buyer = fact.get("contact") or {}, fact.get("buyer") or {}
    order_id = ids.get(str(fact["order_id"]), str(fact["order_id"]))
    return {
        "afterSaleOrderId": str(fact["id"]),
        "orderId": order_id,
        "afterSaleType": fact["kind"],
        "afterSaleStatus": fact["status"],
        "closedBy": fact.get("closed_by"),
        "refundAmount": fact.get("amount", 0),
        "reason": fact.get("reason") or "",
        "contactName": contact.get("name") or "",
        "contactTel": contact.get("phone") or "",
        "buyerId": str(buyer.get("id") or ""),
        "buyerName": str(buyer.get("name") or ""),
        "autoHandleTime": seconds(fact.get("auto_handle_at")),
        "createTime": seconds(fact.get("created_at")),
        "updateTime": _moment(fact, "updated_at", "created_at"),
    }


def _listed(row: Row) -> Record:
    """Return a product that was listed before, of which no more is known than both ids and the time."""
    return {
        "productId": str(row["channel_product_id"]),
        "outProductId": str(row["product_id"]),
        "title": "",
        "categoryId": "",
        "brandId": "",
        "freightTemplateId": "",
        "images": [],
        "specList": [],
        "skuList": [],
        "listedTime": seconds(row.get("listed_at")),
    }


def _order_id(fact: Row) -> str:
    return str(fact.get("channel_order_id") or fact["id"])


def _line(line: Row) -> Record:
    return {
        "lineId": str(line["id"]),
        "productId": "",
        "outProductId": str(line.get("product_id") or ""),
        "skuId": "",
        "outSkuId": str(line.get("sku_id") or ""),
        "title": line.get("title") or "",
        "count": line.get("count", 1),
        "price": line.get("price", 0),
        "specs": line.get("specs") or "",
        "shipped": line.get("shipped") is True,
    }


def _moment(fact: Row, *keys: str) -> int:
    """Return the first of the named times that the fact has.

    Raises:
        ValueError: It has none of them.
    """
    for key in keys:
        moment = seconds(fact.get(key))
        if moment is not None:
            return moment
    raise ValueError(f"{fact.get('id')} 缺少 {keys[0]}")
