"""Take a shop's orders and after-sales in from its channel, update window by update window, each window a transaction of its own.

What a window holds is kept along with how far the intake has come, so a crash repeats at most one window; a window that is read again,
or by two at once, changes nothing. The span is measured by the channel's clock. The tail of what was read before is read again: the
channel tells time in whole seconds, and may show a change a little later than it happened.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from channels.errors import Missing
from channels.huiju import HuijuClient
from engine.rulebook import Rulebook
from mappings.values import PayloadError
from pipeline.clients import spoken
from pipeline.orders.rules import OrderRules
from pipeline.orders.snapshots import Snapshot, after_sale_snapshot, order_snapshot
from pipeline.orders.taking_in import Taken, take_in
from pipeline.secrets import Vault
from pipeline.store import Cursor, Order, Store, database_now, insert_for

log = logging.getLogger("pipeline.orders.intake")

OVERLAP = timedelta(minutes=2)
"""Tail of what was taken in before that is read again: more than a second, in which two changes look alike, and more than a channel's
lists may lag behind its records."""

LOOK_BACK = timedelta(days=7)
"""How far the first intake of a shop looks back, where not told otherwise; never beyond what the channel allows."""

ALONE = timedelta(seconds=60)
"""How long a process has an intake to itself without having kept a window."""

Kind = Literal["orders", "after_sales"]
KINDS: tuple[Kind, ...] = ("orders", "after_sales")
"""In this order: an after-sale needs its order."""

LOCK = "intake"
"""Kind of the cursor that says which process takes in; it has come nowhere."""

Payload = Mapping[str, Any]


@dataclass(slots=True)
class Synced:
    """Say what an intake brought.

    Attributes:
        windows: Windows read and kept.
        taken: What was new in them.
        left_out: The channel's ids of records that could not be read exactly, or whose order the channel does not have, with why.
    """

    windows: int = 0
    taken: Taken = field(default_factory=Taken)
    left_out: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Say the counts in one line."""
        taken = self.taken
        told = (
            f"订单新增 {taken.orders_new}、更新 {taken.orders_changed}，"
            f"售后新增 {taken.after_sales_new}、更新 {taken.after_sales_changed}，事件 {taken.events_new}"
        )
        return told + (f"，读不了 {len(self.left_out)}" if self.left_out else "")


def sync(
    store: Store,
    client: HuijuClient,
    rulebook: Rulebook,
    vault: Vault,
    shop_id: str,
    channel: str,
    *,
    look_back: timedelta = LOOK_BACK,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Synced:
    """Take in what has changed since the last time.

    Args:
        store: Where everything is kept.
        client: The shop's client.
        rulebook: The rules, whose flows fold the states.
        vault: What seals what is private.
        shop_id: The shop.
        channel: The channel.
        look_back: How far to look back the first time, ≥ 0; cut to what the channel allows.
        on_progress: Called with how many windows are done and how many there are.

    Raises:
        ChannelFailed: The channel could not be reached; the windows that were kept stay.
        NoOrderRules: The channel has no rules about orders.
    """
    with spoken("读取渠道时间"):
        until = datetime.fromtimestamp(client.system_time() // 1000, UTC)
    intake = _Intake(store, client, OrderRules(rulebook, channel, until), vault, shop_id, channel)
    earliest = until - timedelta(days=client.profile.limit("lookback_days"))
    starts = {kind: max(earliest, intake.start(kind, until - look_back)) for kind in KINDS}
    step = timedelta(seconds=client.profile.limit("window_seconds_max"))
    spans = [(kind, *span) for kind in KINDS for span in _windows(starts[kind], until, step)]
    result = Synced()
    for number, (kind, since, end) in enumerate(spans, 1):
        intake.window(kind, since, end, result)
        on_progress(number, len(spans))
    return result


def begin_alone(store: Store, shop_id: str, channel: str, every: timedelta) -> bool:
    """Take the intake of a shop for oneself, if it is due and nobody has it.

    It stays so until `end_alone`, or until no window was kept for some time, as when the process has died.

    Args:
        store: Where cursors are kept.
        shop_id: The shop.
        channel: The channel.
        every: How long ago the last one must have ended; 0 for at any time.

    Returns:
        Whether it was taken.
    """
    with store.write() as session:
        now = database_now(session)
        long_ago = datetime.fromtimestamp(0, UTC)
        first = insert_for(session, Cursor).values(
            channel=channel, shop_id=shop_id, kind=LOCK, until=long_ago, moved_at=long_ago
        )
        session.execute(first.on_conflict_do_nothing())
        free = or_(Cursor.busy_until.is_(None), Cursor.busy_until <= now)
        taken = update(Cursor).where(
            *_cursor(shop_id, channel, LOCK), free, Cursor.moved_at <= now - every
        )  # fmt: skip
        found = session.scalars(taken.values(busy_until=now + ALONE).returning(Cursor.kind)).all()
    return bool(found)


def end_alone(store: Store, shop_id: str, channel: str) -> None:
    """Let others have the intake of a shop; the next one is due from now on."""
    with store.write() as session:
        done = update(Cursor).where(*_cursor(shop_id, channel, LOCK))
        session.execute(done.values(busy_until=None, moved_at=database_now(session)))


@dataclass(frozen=True, slots=True)
class _Intake:
    store: Store
    client: HuijuClient
    rules: OrderRules
    vault: Vault
    shop_id: str
    channel: str

    def start(self, kind: Kind, first: datetime) -> datetime:
        """Say where to go on from."""
        with self.store.read() as session:
            known = session.get(Cursor, (self.channel, self.shop_id, kind))
        return first if known is None else known.until - OVERLAP

    def window(self, kind: Kind, since: datetime, end: datetime, result: Synced) -> None:
        """Read one window, both ends included, and keep it along with the cursor."""
        with self.store.read() as session:
            read_at = database_now(session)
        source = self.client.orders if kind == "orders" else self.client.after_sales
        span = (int(since.timestamp()), int(end.timestamp()))
        with spoken("读取订单" if kind == "orders" else "读取售后单"):
            payloads = [row for rows in source.updated(*span) for row in rows]
        if kind == "orders":
            orders, after_sales = _read(payloads, order_snapshot, "orderId", read_at, result), []
        else:
            after_sales = _read(payloads, after_sale_snapshot, "afterSaleOrderId", read_at, result)
            orders = self.missing_orders(after_sales, read_at, result)
        with self.store.write() as session:
            result.taken += take_in(session, self.vault, self.rules, self.shop_id, orders, after_sales)
            self.move(session, kind, end)
        result.windows += 1

    def missing_orders(
        self, after_sales: Sequence[Snapshot], read_at: datetime, result: Synced
    ) -> list[Snapshot]:
        """Fetch the orders of after-sales that are not kept yet, one by one: there are few."""
        wanted = {item.order_id for item in after_sales}
        with self.store.read() as session:
            known = select(Order.channel_order_id).where(
                Order.channel == self.channel,
                Order.shop_id == self.shop_id,
                Order.channel_order_id.in_(wanted),
            )
            wanted -= set(session.scalars(known))
        found: list[Payload] = []
        for order_id in sorted(wanted):
            with spoken("读取售后单的订单"), suppress(Missing):
                found.append(self.client.orders.get(order_id))
        orders = _read(found, order_snapshot, "orderId", read_at, result)
        lost = wanted - {item.record_id for item in orders}
        for item in after_sales:
            if item.order_id in lost:
                result.left_out[item.record_id] = f"渠道没有它的订单 {item.order_id or '（未写）'}"
                log.warning("售后单 %s 的订单在渠道查不到，没有收下", item.record_id)
        return orders

    def move(self, session: Session, kind: Kind, end: datetime) -> None:
        """Note how far the intake has come; another one that came further stays so."""
        now, until = database_now(session), end + timedelta(seconds=1)
        key = {"channel": self.channel, "shop_id": self.shop_id, "kind": kind}
        insert = insert_for(session, Cursor).values(**key, until=until, moved_at=now)
        session.execute(
            insert.on_conflict_do_update(
                index_elements=["channel", "shop_id", "kind"],
                set_={"until": until, "moved_at": now},
                where=Cursor.until < until,
            )
        )
        busy = update(Cursor).where(
            *_cursor(self.shop_id, self.channel, LOCK), Cursor.busy_until.is_not(None)
        )
        session.execute(busy.values(busy_until=now + ALONE))


def _cursor(shop_id: str, channel: str, kind: str) -> tuple[Any, ...]:
    return (Cursor.channel == channel, Cursor.shop_id == shop_id, Cursor.kind == kind)


def _windows(start: datetime, until: datetime, step: timedelta) -> Iterable[tuple[datetime, datetime]]:
    """Cut a span into windows whose ends are both included, in whole seconds."""
    since = start.replace(microsecond=0)
    while since <= until:
        end = min(since + step - timedelta(seconds=1), until)
        yield since, end
        since = end + timedelta(seconds=1)


def _read(
    payloads: Iterable[Payload],
    read: Callable[[Payload, datetime], Snapshot],
    key: str,
    read_at: datetime,
    result: Synced,
) -> list[Snapshot]:
    """Read payloads; one that can't be read exactly is named and left out, without the value: that may be anyone's."""
    found = []
    for payload in payloads:
        try:
            found.append(read(payload, read_at))
        except PayloadError as error:
            record_id = str(payload.get(key) or "")
            result.left_out[record_id] = f"{error.path} 读不了，应为{error.wanted}"
            log.warning("%s 的 %s 读不了，没有收下", record_id, error.path)
    return found
