"""After-sales (售后): looked for by source, state, kind and time, and shown as the rules allow (R28–R32)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from engine.errors import ShelfgateError
from engine.rulebook import Rulebook
from pipeline.orders import orders
from pipeline.orders.facts import after_sale_facts
from pipeline.orders.orders import happened, narrowed, page_of, rules_of, with_product
from pipeline.orders.shown import Shown, shown, shown_in_list
from pipeline.secrets import Vault
from pipeline.sending.sendings import sendings_of_orders
from pipeline.store import AfterSale, AfterSaleKind, Order, Store


class AfterSaleUnknown(ShelfgateError):
    """Report that the shop has no such after-sale; another shop's is as unknown as none.

    Attributes:
        after_sale_id: The id that was asked for.
    """

    def __init__(self, after_sale_id: str) -> None:
        super().__init__(f"没有售后单 {after_sale_id}；请在售后列表里核对，新的要先收取")
        self.after_sale_id = after_sale_id


@dataclass(frozen=True, slots=True)
class Wanted(orders.Wanted):
    """Say which after-sales are wanted: as orders are, and besides; a field left empty wants all.

    `since` and `until` are about when they were asked for, `product_id` about their orders, `text` about their numbers.

    Attributes:
        kinds: Of one of these kinds.
        order_id: Of this order, by its own id or the channel's.
    """

    kinds: Sequence[AfterSaleKind] = ()
    order_id: str | None = None


def list_after_sales(
    store: Store, rulebook: Rulebook, vault: Vault, wanted: Wanted, limit: int = 50
) -> list[Shown]:
    """Give after-sales, the newest first; for the rest as `pipeline.orders.orders.list_orders`."""
    with store.read() as session:
        rows = page_of(session, _filtered(select(AfterSale), wanted), AfterSale, wanted.before, limit)
        facts = after_sale_facts(session, vault, rows)
        items = sendings_of_orders(session, [row.order_id for row in rows])
        rules = rules_of(session, rulebook, rows)
    return [
        shown_in_list(
            rules[row.channel],
            "after_sale",
            fact,
            [item for item in items[row.order_id] if item.after_sale_id == row.id],
        )
        for row, fact in zip(rows, facts, strict=True)
    ]


def count_after_sales(store: Store, wanted: Wanted) -> int:
    """Count the after-sales that a filter lets through, whatever the page."""
    with store.read() as session:
        return session.scalar(_filtered(select(func.count()).select_from(AfterSale), wanted)) or 0


def show_after_sale(
    store: Store, rulebook: Rulebook, vault: Vault, shop_id: str, after_sale_id: str
) -> Shown:
    """Give one after-sale with what has happened to it and to its order, and what was asked of the channel.

    Args:
        store: Where it is kept.
        rulebook: The rules.
        vault: What opens what is private.
        shop_id: The shop.
        after_sale_id: Its own id, or the channel's.

    Raises:
        AfterSaleUnknown: The shop has none of that id.
        ShelfgateError: What is private can't be opened.
    """
    with store.read() as session:
        row = find_after_sale(session, shop_id, after_sale_id)
        (fact,) = after_sale_facts(session, vault, [row])
        items = sendings_of_orders(session, [row.order_id])[row.order_id]
        rules = rules_of(session, rulebook, [row])[row.channel]
        order = session.get_one(Order, row.order_id)
        events = happened(session, rules, order, row.channel_after_sale_id)
    found = shown(rules, "after_sale", fact, [item for item in items if item.after_sale_id == row.id])
    return replace(found, events=events)


def find_after_sale(session: Session, shop_id: str, after_sale_id: str) -> AfterSale:
    """Give an after-sale of a shop by its own id or the channel's.

    Raises:
        AfterSaleUnknown: The shop has none of that id.
    """
    named = select(AfterSale).where(
        AfterSale.shop_id == shop_id,
        or_(AfterSale.id == after_sale_id, AfterSale.channel_after_sale_id == after_sale_id),
    )
    found = session.scalars(named.limit(1)).first()
    if found is None:
        raise AfterSaleUnknown(after_sale_id)
    return found


def _filtered(query: Select[Any], wanted: Wanted) -> Select[Any]:
    query = narrowed(query, AfterSale, wanted)
    if wanted.kinds:
        query = query.where(AfterSale.kind.in_(wanted.kinds))
    of_order: list[Any] = []
    if wanted.order_id is not None:
        of_order.append(or_(Order.id == wanted.order_id, Order.channel_order_id == wanted.order_id))
    if wanted.product_id is not None:
        of_order.append(with_product(wanted.product_id))
    if of_order:
        query = query.where(AfterSale.order_id.in_(select(Order.id).where(*of_order)))
    if wanted.text is not None:
        numbered_orders = select(Order.id).where(
            Order.channel_order_id.contains(wanted.text, autoescape=True)
        )
        numbered = AfterSale.channel_after_sale_id.contains(wanted.text, autoescape=True)
        query = query.where(or_(numbered, AfterSale.order_id.in_(numbered_orders)))
    return query
