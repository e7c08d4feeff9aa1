"""Settlement: what orders count for Youzan's settlement figures. Marked payments don't: their money never comes to Youzan (R35)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from pipeline.store import Order, OrderStatus, PaymentKind, Store

PAID: tuple[OrderStatus, ...] = ("to_ship", "partly_shipped", "shipped", "done")
"""States in which an order has been paid and stands."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """Hold the figures of one shop and span.

    Attributes:
        orders: Orders whose money passes through Youzan.
        total: Their sum, fen.
        marked_orders: Orders of marked payments, left out of the above.
        marked_total: Their sum, fen.
        unknown: Orders of either kind, counted above, of which the channel does not tell the sum.
    """

    orders: int
    total: int
    marked_orders: int
    marked_total: int
    unknown: int


def settlement(store: Store, shop_id: str, since: datetime, until: datetime) -> Settlement:
    """Add up a shop's orders that were paid in a span and stand.

    Args:
        store: Where orders are kept.
        shop_id: The shop.
        since: First moment of the span; aware.
        until: End of the span, not included; aware.
    """
    sums = (
        select(Order.payment_kind, func.count(), func.sum(Order.total), func.count(Order.total))
        .where(
            Order.shop_id == shop_id,
            Order.paid_at >= since,
            Order.paid_at < until,
            Order.status.in_(PAID),
        )
        .group_by(Order.payment_kind)
    )
    found: dict[PaymentKind, tuple[int, int]] = {}
    unknown = 0
    with store.read() as session:
        for kind, count, total, told in session.execute(sums):
            found[kind] = (count, int(total or 0))
            unknown += count - told
    return Settlement(*found.get("normal", (0, 0)), *found.get("marked", (0, 0)), unknown)
