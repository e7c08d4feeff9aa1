"""Read Youzan's payloads as facts: items as products, trades as orders, refunds as after-sales."""

from __future__ import annotations

from mappings.values import PayloadError
from mappings.youzan_items import product_from_item, products_from_onsale
from mappings.youzan_refunds import after_sale_from_refund
from mappings.youzan_trades import order_from_trade

__all__ = [
    "PayloadError",
    "after_sale_from_refund",
    "order_from_trade",
    "product_from_item",
    "products_from_onsale",
]
