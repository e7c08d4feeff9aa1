"""Keep what a channel says of its orders: each record as of its newest snapshot, each event once, states folded from both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pipeline.orders.folding import refold
from pipeline.orders.rules import OrderRules
from pipeline.orders.snapshots import Snapshot, open_private, seal_private
from pipeline.secrets import Vault
from pipeline.store import AfterSale, Event, Order, Shipment, database_now, insert_for, new_id

Row = TypeVar("Row", Order, AfterSale)


@dataclass(slots=True)
class Taken:
    """Count what was new in what was taken in.

    Attributes:
        orders_new, after_sales_new: Records that were not known.
        orders_changed, after_sales_changed: Records whose snapshot was newer, and said something else.
        events_new: Events that were not known.
    """

    orders_new: int = 0
    orders_changed: int = 0
    after_sales_new: int = 0
    after_sales_changed: int = 0
    events_new: int = 0

    def __iadd__(self, other: Taken) -> Taken:
        """Add up."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self


def take_in(
    session: Session,
    vault: Vault,
    rules: OrderRules,
    shop_id: str,
    orders: Iterable[Snapshot] = (),
    after_sales: Iterable[Snapshot] = (),
) -> Taken:
    """Keep snapshots of one shop's orders and after-sales.

    Of two snapshots of a record the newer one counts (`Snapshot.age`); the same again, or one from before, changes nothing. Rows are
    held in the order of the channel's ids, orders first, so that no two that take in wait for each other.

    Args:
        session: A session of `Store.write()`.
        vault: What seals what is private.
        rules: The rules of the channel.
        shop_id: The shop.
        orders: Orders.
        after_sales: After-sales; those whose order is neither among them nor kept are left out.
    """
    keeping = _Keeping(session, vault, rules.channel, shop_id, database_now(session))
    taken = Taken()
    newest = _newest(orders)
    asked = _newest(after_sales)
    known = keeping.orders(newest, {item.order_id for item in asked}, taken)
    asked = [item for item in asked if item.order_id in known]
    keeping.after_sales(asked, known, taken)
    keeping.events([*newest, *asked], taken)
    refold(session, rules, list(known.values()))
    session.flush()
    return taken


@dataclass(frozen=True, slots=True)
class _Keeping:
    session: Session
    vault: Vault
    channel: str
    shop_id: str
    now: datetime

    def orders(self, snapshots: Sequence[Snapshot], more: set[str], taken: Taken) -> dict[str, Order]:
        """Keep orders and hold their rows, and those of others that are kept; give all by the channel's id."""
        new = self.insert(Order, "channel_order_id", snapshots, self.order_values)
        wanted = {item.record_id for item in snapshots} | more
        known = {row.channel_order_id: row for row in self.held(Order, Order.channel_order_id, wanted)}
        for item in snapshots:
            row = known[item.record_id]
            fresh = item.record_id in new or self.update(row, item, self.order_values)
            taken.orders_new += item.record_id in new
            taken.orders_changed += fresh and item.record_id not in new
            if fresh:
                self.shipments(row.id, item)
        return known

    def after_sales(self, snapshots: Sequence[Snapshot], orders: dict[str, Order], taken: Taken) -> None:
        """Keep after-sales of orders that are held."""

        def values(item: Snapshot) -> dict[str, Any]:
            return self.after_sale_values(item) | {"order_id": orders[item.order_id].id}

        new = self.insert(AfterSale, "channel_after_sale_id", snapshots, values)
        wanted = {item.record_id for item in snapshots}
        known = {
            row.channel_after_sale_id: row
            for row in self.held(AfterSale, AfterSale.channel_after_sale_id, wanted)
        }
        for item in snapshots:
            if item.record_id in new:
                taken.after_sales_new += 1
            elif self.update(known[item.record_id], item, values):
                taken.after_sales_changed += 1

    def events(self, snapshots: Sequence[Snapshot], taken: Taken) -> None:
        """Keep the events that are not known."""
        rows = {
            seen.id: {
                "id": new_id(),
                "channel": self.channel,
                "shop_id": self.shop_id,
                "event_id": seen.id,
                "channel_order_id": item.order_id,
                "channel_after_sale_id": seen.after_sale or None,
                "kind": seen.event,
                "data": dict(seen.data or {}),
                "happened_at": seen.at,
                "received_at": self.now,
            }
            for item in snapshots
            for seen in item.observations
        }
        if rows:
            insert = insert_for(self.session, Event).values([rows[id_] for id_ in sorted(rows)])
            kept = insert.on_conflict_do_nothing(index_elements=["channel", "shop_id", "event_id"])
            taken.events_new += len(self.session.scalars(kept.returning(Event.id)).all())

    def insert(
        self,
        model: type[Row],
        key: str,
        snapshots: Sequence[Snapshot],
        values: Callable[[Snapshot], dict[str, Any]],
    ) -> set[str]:
        """Insert the records that are not kept yet; give the channel's ids of those."""
        column = getattr(model, key)
        ids = [item.record_id for item in snapshots]
        mine = (model.channel == self.channel, model.shop_id == self.shop_id)
        kept = set(self.session.scalars(select(column).where(*mine, column.in_(ids))))
        rows = [
            {
                "id": new_id(),
                "channel": self.channel,
                "shop_id": self.shop_id,
                key: item.record_id,
                **values(item),
            }
            for item in snapshots
            if item.record_id not in kept
        ]
        if not rows:
            return set()
        insert = insert_for(self.session, model).values(rows)
        made = insert.on_conflict_do_nothing(index_elements=["channel", "shop_id", key]).returning(column)
        return set(self.session.scalars(made))

    def held(self, model: type[Row], column: Any, ids: set[str]) -> list[Row]:
        """Read rows in order to change them."""
        wanted = select(model).where(
            model.channel == self.channel, model.shop_id == self.shop_id, column.in_(ids)
        )
        fresh = {"populate_existing": True}
        return list(
            self.session.scalars(wanted.order_by(column).with_for_update().execution_options(**fresh))
        )

    def update(self, row: Row, item: Snapshot, values: Callable[[Snapshot], dict[str, Any]]) -> bool:
        """Let a row say what a newer snapshot says; tell whether that is something else."""
        if item.age <= (row.updated_at, row.fetched_at):
            return False
        same = dict(row.payload) == item.payload and item.private == open_private(
            self.vault, self.shop_id, item.record_id, row.private
        )
        changes = {"updated_at": item.updated_at, "fetched_at": item.read_at} if same else values(item)
        for name, value in changes.items():
            setattr(row, name, value)
        return not same

    def order_values(self, item: Snapshot) -> dict[str, Any]:
        """Give the columns of an order."""
        fact = item.fact
        return self.values(item) | {
            "payment_kind": fact["payment_kind"],
            "total": fact.get("total"),
            "freight": fact.get("freight"),
            "lines": fact.get("lines", []),
            "merchant_remark": fact.get("merchant_remark"),
            "paid_at": fact.get("paid_at"),
            "shipped_at": fact.get("shipped_at"),
        }

    def after_sale_values(self, item: Snapshot) -> dict[str, Any]:
        """Give the columns of an after-sale, but for its order."""
        fact = item.fact
        return self.values(item) | {
            "kind": fact.get("kind"),
            "closed_by": fact.get("closed_by"),
            "amount": fact.get("amount"),
            "version": fact.get("version"),
            "auto_handle_at": fact.get("auto_handle_at"),
        }

    def values(self, item: Snapshot) -> dict[str, Any]:
        """Give the columns that both have."""
        return {
            "status": item.fact.get("status"),
            "private": seal_private(self.vault, self.shop_id, item.record_id, item.private),
            "payload": item.payload,
            "created_at": item.fact.get("created_at", item.updated_at),
            "updated_at": item.updated_at,
            "fetched_at": item.read_at,
        }

    def shipments(self, order_id: str, item: Snapshot) -> None:
        """Keep the parcels of an order as the channel has them now; one of which it tells no number is none yet."""
        self.session.execute(delete(Shipment).where(Shipment.order_id == order_id))
        parcels = {
            (parcel.get("carrier_name", ""), parcel["waybill"]): parcel
            for parcel in item.shipments
            if "waybill" in parcel
        }
        for (carrier, waybill), parcel in parcels.items():
            self.session.add(
                Shipment(
                    order_id=order_id,
                    carrier_id=carrier,
                    carrier_name=carrier,
                    waybill=waybill,
                    line_ids=parcel["line_ids"],
                    shipped_at=parcel.get("shipped_at", item.updated_at),
                )
            )


def _newest(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """Give the newest snapshot of each record, in the order of the channel's ids."""
    newest: dict[str, Snapshot] = {}
    for item in snapshots:
        if item.record_id not in newest or newest[item.record_id].age < item.age:
            newest[item.record_id] = item
    return [newest[id_] for id_ in sorted(newest)]
