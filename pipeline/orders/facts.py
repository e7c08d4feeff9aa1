"""Orders and after-sales as the rules see them, with everything that is known. Raw facts: only for judging and sending.

Made from the channel's newest reply, as kept in two parts, with the state that was folded, what else belongs to the order, and what is
on its way to the channel.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mappings.channels.huiju_orders import after_sale_from_huiju, order_from_huiju, shipments_from_huiju
from pipeline.orders.snapshots import open_private
from pipeline.secrets import Vault
from pipeline.sending.sendings import ON_ITS_WAY, action_of, sendings_of_orders
from pipeline.store import AfterSale, Order, OutboxItem

Fact = dict[str, Any]


def order_facts(session: Session, vault: Vault, orders: Sequence[Order]) -> list[Fact]:
    """Give `order` facts, in the order of the rows.

    Raises:
        ShelfgateError: What is private can't be opened, as `Vault.open` says.
    """
    ids = [order.id for order in orders]
    after_sales: dict[str, list[AfterSale]] = defaultdict(list)
    wanted = select(AfterSale).where(AfterSale.order_id.in_(ids)).order_by(AfterSale.created_at, AfterSale.id)
    for row in session.scalars(wanted):
        after_sales[row.order_id].append(row)
    items = sendings_of_orders(session, ids)
    return [_order_fact(vault, order, after_sales[order.id], items.get(order.id, [])) for order in orders]


def after_sale_facts(session: Session, vault: Vault, after_sales: Sequence[AfterSale]) -> list[Fact]:
    """Give `after_sale` facts with their orders, in the order of the rows.

    Raises:
        ShelfgateError: As for `order_facts`.
    """
    ids = list(dict.fromkeys(row.order_id for row in after_sales))
    rows = {row.id: row for row in session.scalars(select(Order).where(Order.id.in_(ids)))}
    found = dict(zip(ids, order_facts(session, vault, [rows[id_] for id_ in ids]), strict=True))
    return [_after_sale_fact(vault, row, found[row.order_id]) for row in after_sales]


def shipment_facts(order: Order) -> list[Fact]:
    """Give the `shipment` facts of an order."""
    return [item | {"order_id": order.id} for item in shipments_from_huiju(order.payload)]


def _order_fact(
    vault: Vault, order: Order, after_sales: Sequence[AfterSale], items: Sequence[OutboxItem]
) -> Fact:
    private = open_private(vault, order.shop_id, order.channel_order_id, order.private)
    fact: Fact = {"id": order.id} | order_from_huiju({**order.payload, **private})
    fact |= {"status": order.status, "pending": _pending(items, None)}
    fact["after_sales"] = [
        _known({"id": row.id, "kind": row.kind, "status": row.status, "pending": _pending(items, row.id)})
        for row in after_sales
    ]
    return _known(fact)


def _after_sale_fact(vault: Vault, row: AfterSale, order: Fact) -> Fact:
    private = open_private(vault, row.shop_id, row.channel_after_sale_id, row.private)
    fact: Fact = {"id": row.id} | after_sale_from_huiju({**row.payload, **private})
    mine = next(item for item in order["after_sales"] if item["id"] == row.id)
    fact |= {"order_id": order["id"], "status": row.status, "closed_by": row.closed_by}
    return _known(fact | {"pending": mine["pending"], "order": order})


def _pending(items: Sequence[OutboxItem], after_sale_id: str | None) -> list[str]:
    """Name the actions on an order itself, or on one of its after-sales, that the channel has not answered for good."""
    return [
        action_of(item.kind)
        for item in items
        if item.after_sale_id == after_sale_id and item.state in ON_ITS_WAY
    ]


def _known(fact: Fact) -> Fact:
    """Leave out what is not known."""
    return {name: value for name, value in fact.items() if value is not None}
