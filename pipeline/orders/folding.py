"""The state of orders and after-sales: a function of everything the channel has told, whenever and however often it arrived (R30).

Two things are known of a record: the events, of which none is ever changed or dropped, and the newest snapshot. The snapshot is the
channel's own word for the state at its last change, and the last word of that moment: what the flows make of the events before it
gives way to it, what the flows make of events after it goes on from there. So where a shipment is heard of before the after-sale
that it closes, the after-sale is closed at once; where the channel says otherwise, the channel is right; and a late snapshot from
before moves nothing back. Which snapshot is the newest does not depend on the order of arrival either, so the state doesn't.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.flows import Observation
from mappings.channels.huiju_orders import reported_after_sale, reported_order
from pipeline.orders.rules import OrderRules
from pipeline.store import AfterSale, Event, Order

UNSHIPPED = "to_ship"
"""State of an order before anything has happened to it: what ships, waited for it. Any other is told by the channel."""


def refold(session: Session, rules: OrderRules, orders: Sequence[Order]) -> None:
    """Work out the states of orders, and of their after-sales, anew.

    Args:
        session: A session of `Store.write()`, which holds the rows of the orders.
        rules: The rules of their channel.
        orders: Orders of one shop.
    """
    if not orders:
        return
    after_sales: dict[str, list[AfterSale]] = defaultdict(list)
    wanted = select(AfterSale).where(AfterSale.order_id.in_([order.id for order in orders]))
    for row in session.scalars(wanted.order_by(AfterSale.id).with_for_update()):
        after_sales[row.order_id].append(row)
    events: dict[str, list[Observation]] = defaultdict(list)
    of_orders = select(Event).where(
        Event.channel == orders[0].channel,
        Event.shop_id == orders[0].shop_id,
        Event.channel_order_id.in_([order.channel_order_id for order in orders]),
    )
    for event in session.scalars(of_orders):
        events[event.channel_order_id].append(
            Observation(
                event.event_id,
                event.kind,
                event.happened_at,
                event.channel_after_sale_id or "",
                dict(event.data) or None,
            )
        )
    for order in orders:
        _refold(rules, order, after_sales[order.id], events[order.channel_order_id])


def _refold(
    rules: OrderRules, order: Order, after_sales: Sequence[AfterSale], events: Sequence[Observation]
) -> None:
    before = {"id": order.id, "channel": order.channel, "status": UNSHIPPED}
    reports = [reported_order(order.payload), *(reported_after_sale(row.payload) for row in after_sales)]
    case = rules.fold(before, [*events, *reports])
    order.status = case.order["status"]
    for row in after_sales:
        found = case.after_sales[row.channel_after_sale_id]
        row.status, row.closed_by = found.get("status"), found.get("closed_by")
