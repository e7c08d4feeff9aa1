"""Orders (订单): looked for by source, state, time and product, and shown as the rules allow (R20–R27)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, Text, cast, exists, func, or_, select, tuple_
from sqlalchemy.orm import Session

from engine.errors import ShelfgateError
from engine.rulebook import Rulebook
from pipeline.orders.facts import order_facts, shipment_facts
from pipeline.orders.rules import OrderRules
from pipeline.orders.shown import Happened, Shown, shown, shown_in_list
from pipeline.secrets import Vault
from pipeline.sending.sendings import sendings_of_orders
from pipeline.store import AfterSale, Event, Order, Shipment, Store, database_now, newest_first

MOST = 500
"""Most records of one page."""

Page = TypeVar("Page", Order, AfterSale)


class OrderUnknown(ShelfgateError):
    """Report that the shop has no such order; another shop's is as unknown as none.

    Attributes:
        order_id: The id that was asked for.
    """

    def __init__(self, order_id: str) -> None:
        super().__init__(f"没有订单 {order_id}；请在订单列表里核对，新的要先收取")
        self.order_id = order_id


@dataclass(frozen=True, slots=True)
class Wanted:
    """Say which orders are wanted; a field left empty wants all.

    Attributes:
        shop_id: Of this shop, always.
        channel: From this source (R20).
        statuses: In one of these states.
        since: Made at this moment or later; aware.
        until: Made before this moment; aware.
        product_id: With a line of this Youzan product.
        text: Part of the channel's order number, or a waybill.
        before: Id of the last order seen: only those behind it, for the next page.
    """

    shop_id: str
    channel: str | None = None
    statuses: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    product_id: str | None = None
    text: str | None = None
    before: str | None = None


def list_orders(
    store: Store, rulebook: Rulebook, vault: Vault, wanted: Wanted, limit: int = 50
) -> list[Shown]:
    """Give orders, the newest first, without their consignees.

    Args:
        store: Where they are kept.
        rulebook: The rules.
        vault: What opens what is private, for the rules to mask.
        wanted: Which.
        limit: Most to give, 1 to 500; for more, ask again with `before` set to the last id.

    Raises:
        ShelfgateError: What is private can't be opened, as `Vault.open` says.
    """
    with store.read() as session:
        rows = page_of(session, _filtered(select(Order), wanted), Order, wanted.before, limit)
        facts = order_facts(session, vault, rows)
        items = sendings_of_orders(session, [row.id for row in rows])
        rules = rules_of(session, rulebook, rows)
    return [
        shown_in_list(
            rules[row.channel], "order", fact, [item for item in items[row.id] if item.after_sale_id is None]
        )
        for row, fact in zip(rows, facts, strict=True)
    ]


def count_orders(store: Store, wanted: Wanted) -> int:
    """Count the orders that a filter lets through, whatever the page."""
    with store.read() as session:
        return session.scalar(_filtered(select(func.count()).select_from(Order), wanted)) or 0


def show_order(store: Store, rulebook: Rulebook, vault: Vault, shop_id: str, order_id: str) -> Shown:
    """Give one order with its parcels, what has happened to it, and what was asked of the channel.

    Args:
        store: As for `list_orders`, like the rules and the vault.
        rulebook: The rules.
        vault: What opens what is private.
        shop_id: The shop.
        order_id: Its own id, or the channel's.

    Raises:
        OrderUnknown: The shop has none of that id.
        ShelfgateError: What is private can't be opened.
    """
    with store.read() as session:
        row = find_order(session, shop_id, order_id)
        (fact,) = order_facts(session, vault, [row])
        items = sendings_of_orders(session, [row.id])[row.id]
        rules = rules_of(session, rulebook, [row])[row.channel]
        events = happened(session, rules, row)
    found = shown(rules, "order", fact, [item for item in items if item.after_sale_id is None])
    return replace(found, shipments=tuple(shipment_facts(row)), events=events)


def find_order(session: Session, shop_id: str, order_id: str, *, lock: bool = False) -> Order:
    """Give an order of a shop by its own id or the channel's.

    Raises:
        OrderUnknown: The shop has none of that id.
    """
    named = select(Order).where(
        Order.shop_id == shop_id, or_(Order.id == order_id, Order.channel_order_id == order_id)
    )
    if lock:
        named = named.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(named.limit(1)).first()
    if found is None:
        raise OrderUnknown(order_id)
    return found


def happened(
    session: Session, rules: OrderRules, order: Order, after_sale_id: str | None = None
) -> tuple[Happened, ...]:
    """Tell what has happened to an order and its after-sales, or to one of these, the oldest first."""
    wanted = select(Event).where(
        Event.channel == order.channel,
        Event.shop_id == order.shop_id,
        Event.channel_order_id == order.channel_order_id,
    )
    if after_sale_id is not None:
        wanted = wanted.where(
            or_(Event.channel_after_sale_id == after_sale_id, Event.channel_after_sale_id.is_(None))
        )
    return tuple(
        Happened(
            event.kind, rules.event_title(event.kind), event.happened_at, event.channel_after_sale_id or ""
        )
        for event in session.scalars(wanted.order_by(Event.happened_at, Event.event_id))
    )


def page_of(
    session: Session, query: Select[tuple[Page]], model: type[Page], before: str | None, limit: int
) -> list[Page]:
    """Give one page of orders or after-sales, the newest first."""
    if before is not None:
        last = select(model.created_at, model.id).where(model.id == before).subquery()
        query = query.where(
            tuple_(model.created_at, model.id) < select(last.c.created_at, last.c.id).scalar_subquery()
        )
    ordered = query.order_by(newest_first(model.created_at), newest_first(model.id))
    return list(session.scalars(ordered.limit(max(1, min(limit, MOST)))))


def rules_of(
    session: Session, rulebook: Rulebook, rows: Iterable[Order | AfterSale]
) -> dict[str, OrderRules]:
    """Give the rules of each channel that rows are from, as of now by the database's clock.

    Raises:
        NoOrderRules: A channel has none.
    """
    now = database_now(session)
    return {channel: OrderRules(rulebook, channel, now) for channel in {row.channel for row in rows}}


def with_product(product_id: str) -> Any:
    """Make the condition that an order has a line of a product; JSON is written with and without a space."""
    value = json.dumps(product_id, ensure_ascii=False)
    lines = cast(Order.lines, Text)
    return or_(
        *(lines.contains(f'"product_id":{space}{value}', autoescape=True) for space in ("", " "))
    )  # fmt: skip


def narrowed(query: Select[Any], model: type[Order | AfterSale], wanted: Wanted) -> Select[Any]:
    """Narrow a query down by what orders and after-sales are both looked for by."""
    query = query.where(model.shop_id == wanted.shop_id)
    if wanted.channel is not None:
        query = query.where(model.channel == wanted.channel)
    if wanted.statuses:
        query = query.where(model.status.in_(wanted.statuses))
    if wanted.since is not None:
        query = query.where(model.created_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(model.created_at < wanted.until)
    return query


def _filtered(query: Select[Any], wanted: Wanted) -> Select[Any]:
    query = narrowed(query, Order, wanted)
    if wanted.product_id is not None:
        query = query.where(with_product(wanted.product_id))
    if wanted.text is not None:
        query = query.where(
            or_(
                Order.channel_order_id.contains(wanted.text, autoescape=True),
                exists().where(Shipment.order_id == Order.id, Shipment.waybill == wanted.text),
            )
        )
    return query
