"""The outbox: what is to be said to a channel is kept before it is said, and claimed just in time by one worker under a lease.

An item whose lease ran out is due again. What was claimed before and not answered may have reached the channel: whoever claims it
next looks it up there before sending it again. An outcome is kept only by the holder of the latest lease.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.decision import canonical
from engine.errors import ShelfgateError
from pipeline.sending.rate import Pace
from pipeline.store import OutboxItem, Store, UploadRow, claim, database_now, insert_for, new_id, renew

LEASE = timedelta(seconds=30)
"""Longer than the wait for a place (`rate.AHEAD`, then `rate.PATIENCE` for each further call) and the calls of one item."""

Payload = dict[str, Any]


class _NothingDue(Exception):
    """Undo the booking of a place for which there is no item."""


class LeaseLost(ShelfgateError):
    """Report that an item may have gone to another worker: stop, send nothing more, keep nothing.

    Attributes:
        item_id: The item.
    """

    def __init__(self, item_id: str) -> None:
        super().__init__(f"发件 {item_id} 的租约已到期或已转给其他进程，由后者继续")
        self.item_id = item_id


@dataclass(frozen=True, slots=True)
class Subject:
    """Say what an item is about.

    Attributes:
        kind: What the call does, such as product.add.
        channel: The channel.
        shop_id: The shop.
        name: Id of the product, order, … within the shop.
        upload_id: The upload whose row asked for it; None for others.
        row_number: That row's number, 1-based.
        order_id: Own id of the order that it is about, or whose after-sale; None for others.
        after_sale_id: Own id of the after-sale; None for others.
    """

    kind: str
    channel: str
    shop_id: str
    name: str
    upload_id: str | None = None
    row_number: int | None = None
    order_id: str | None = None
    after_sale_id: str | None = None


def enqueue(
    session: Session, subject: Subject, payload: Payload, now: datetime, *, doubtful: bool = False
) -> str:
    """Keep a call for sending, in the transaction that decides it.

    The same call of before is taken up again where it came to nothing, and gets a new key where it was done: that was undone since.

    Args:
        session: A session of `Store.write()`.
        subject: What it is about.
        payload: What is sent.
        now: The time by `database_now`.
        doubtful: The channel may have it from before, and is to be asked first.

    Returns:
        The id of the item.

    Raises:
        ShelfgateError: The same call is on its way already.
    """
    base = idempotency_key(subject, payload)
    values = {
        "kind": subject.kind,
        "channel": subject.channel,
        "shop_id": subject.shop_id,
        "payload": payload,
        "state": "queued",
        "due": now,
        "upload_id": subject.upload_id,
        "row_number": subject.row_number,
        "order_id": subject.order_id,
        "after_sale_id": subject.after_sale_id,
        "updated_at": now,
        "attempts": 0,
        "last_error": {"doubtful": True} if doubtful else None,
        "answer": None,
    }
    key, round_ = base, 1
    while True:
        insert = insert_for(session, OutboxItem).values(
            id=new_id(), idempotency_key=key, fencing=0, created_at=now, **values
        )
        found = session.scalar(
            insert.on_conflict_do_update(
                index_elements=["idempotency_key"],
                set_=values,
                where=OutboxItem.state.in_(("refused", "failed")),
            ).returning(OutboxItem.id)
        )
        if found is not None:
            return found
        state = session.scalar(select(OutboxItem.state).where(OutboxItem.idempotency_key == key))
        if state != "done":
            raise ShelfgateError(f"{subject.name} 的同一内容正在发送（{state}），不能重复提交；请等它有结果")
        round_ += 1
        key = f"{base}:{round_}"


def idempotency_key(subject: Subject, payload: Mapping[str, Any]) -> str:
    """Give the key under which a channel knows a call again: the same for the same subject and content.

    Examples:
        >>> key = idempotency_key(Subject("product.add", "huiju", "1", "403680077"), {"title": "围巾"})
        >>> key.rpartition(":")[0], len(key.rpartition(":")[2])
        ('huiju:1:product.add:403680077', 32)
    """
    return key_of(subject, canonical(payload))


def key_of(subject: Subject, content: bytes) -> str:
    """Give the same of a payload's canonical bytes."""
    digest = hashlib.sha256(content).hexdigest()[:32]
    return f"{subject.channel}:{subject.shop_id}:{subject.kind}:{subject.name}:{digest}"


@dataclass(slots=True)
class Hold:
    """Hold an item under a lease.

    Attributes:
        item: The item as claimed.
        start: When its first call may start, by the monotonic clock.
        until: When the lease ends, by the monotonic clock, at the latest.
        lost: Another worker has it.
        doubtful: It may have reached the channel before.
    """

    item: OutboxItem
    start: float
    until: float
    lost: bool = False
    doubtful: bool = field(init=False)

    def __post_init__(self) -> None:
        self.doubtful = may_have_arrived(self.item)

    def check(self, needed: float) -> None:
        """Make sure that the lease outlasts what comes next.

        Args:
            needed: How long that may take, s.

        Raises:
            LeaseLost: It doesn't.
        """
        if self.lost or time.monotonic() + needed > self.until:
            raise LeaseLost(self.item.id)


def may_have_arrived(item: OutboxItem) -> bool:
    """Say whether an item may have reached the channel under an earlier lease: unless each ended with an error that says no."""
    last = item.last_error or {}
    if last.get("doubtful"):
        return True
    return item.fencing > last.get("fencing", 0) + 1


def claim_next(
    store: Store, pace: Pace, holder: str, channel: str, shop_id: str, lease: timedelta = LEASE
) -> Hold | None:
    """Claim one due item along with a place among the calls to its channel, both or neither.

    Args:
        store: Where items are kept.
        pace: The places of this channel and shop.
        holder: Name of the worker, unique among those alive.
        channel: The channel.
        shop_id: The shop.
        lease: How long the worker may take, the wait for the place included.

    Returns:
        The item held; None where nothing is due.

    Raises:
        HeldBack: There is no place soon.
    """
    seen = time.monotonic()
    try:
        with store.write() as session:
            now = database_now(session)
            place = time.monotonic()
            start = place + (pace.book(session, now) - now).total_seconds()
            items = claim(session, holder, now=now, lease=lease, channel=channel, shop_id=shop_id)
            if not items:
                raise _NothingDue
            item = items[0]
            if item.upload_id is not None:
                row = (UploadRow.upload_id == item.upload_id, UploadRow.number == item.row_number)
                session.execute(update(UploadRow).where(*row).values(state="sending", updated_at=now))
    except _NothingDue:
        return None
    return Hold(item, start, seen + lease.total_seconds())


class Renewer:
    """Let the leases of the items in hand run on, each for as long as the first time."""

    def __init__(self, store: Store, lease: timedelta = LEASE) -> None:
        self._store = store
        self._lease = lease
        self._held: dict[str, Hold] = {}
        self._lock = threading.Lock()

    def add(self, hold: Hold) -> None:
        """Take care of an item."""
        with self._lock:
            self._held[hold.item.id] = hold

    def remove(self, hold: Hold) -> None:
        """Let go of an item."""
        with self._lock:
            self._held.pop(hold.item.id, None)

    def renew(self) -> None:
        """Renew what has run for a third of its lease; what can't be renewed now runs out unless the next time it can."""
        with self._lock:
            held = list(self._held.values())
        for hold in held:
            seen = time.monotonic()
            if hold.until - seen > self._lease.total_seconds() * 2 / 3:
                continue
            with self._store.write() as session:
                kept = renew(session, hold.item, now=database_now(session), lease=self._lease)
            if kept:
                hold.until = seen + self._lease.total_seconds()
            else:
                hold.lost = True
