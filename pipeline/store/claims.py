"""Claim outbox items under a lease, renew it, and record the outcome only while it is still held."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from pipeline.store.outbox import OPEN, OutboxItem

Settled = Literal["queued", "done", "refused", "failed", "held"]


def new_holder() -> str:
    """Name a holder of leases, unique among those alive: machine, process, and eight hex digits at random."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def claim(
    session: Session,
    holder: str,
    *,
    now: datetime,
    lease: timedelta,
    limit: int = 1,
    channel: str | None = None,
    shop_id: str | None = None,
) -> Sequence[OutboxItem]:
    """Take up to `limit` due items; no two workers ever get the same one while its lease runs.

    An item whose lease has run out is due again: whatever is claimed with `fencing` above 1 may have reached the channel
    already, and is looked up there before it is sent again.

    Args:
        session: A session of `Store.write()`; the claim holds once that block has ended.
        holder: Name of the worker, unique among those alive.
        now: The time by `database_now`.
        lease: How long the worker may take; longer than a call with all its tries.
        limit: Most items to take, ≥ 1. Take what can be sent within the lease, not more.
        channel: Only items of this channel.
        shop_id: Only items of this shop.

    Returns:
        The items, longest due first.
    """
    due = (
        select(OutboxItem.id)
        .where(text(OPEN), OutboxItem.due <= now)
        .order_by(OutboxItem.due, OutboxItem.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if channel is not None:
        due = due.where(OutboxItem.channel == channel)
    if shop_id is not None:
        due = due.where(OutboxItem.shop_id == shop_id)
    order = {item_id: place for place, item_id in enumerate(session.scalars(due))}
    taken = session.scalars(
        update(OutboxItem)
        .where(OutboxItem.id.in_(order))
        .values(
            state="sending",
            lease_holder=holder,
            due=now + lease,
            fencing=OutboxItem.fencing + 1,
            attempts=OutboxItem.attempts + 1,
            updated_at=now,
        )
        .returning(OutboxItem)
        .execution_options(synchronize_session=False, populate_existing=True)
    ).all()
    return sorted(taken, key=lambda item: order[item.id])


def renew(session: Session, item: OutboxItem, *, now: datetime, lease: timedelta) -> bool:
    """Let the lease run on from now.

    Returns:
        False where another worker has it by now: stop, and record nothing.
    """
    return _fenced(session, item, {"due": now + lease, "updated_at": now})


def settle(
    session: Session,
    item: OutboxItem,
    state: Settled,
    *,
    now: datetime,
    due: datetime | None = None,
    answer: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> bool:
    """Record an outcome, if the lease under which the item was claimed is still the latest.

    Args:
        session: A session of `Store.write()`.
        item: The item as `claim` gave it.
        state: The outcome; queued means: try again at `due`.
        now: The time by `database_now`.
        due: When to try again; now, where not given.
        answer: The channel's answer.
        error: The error, as normalised by the channel's client.

    Returns:
        False where another worker has taken the item since; nothing is recorded then.
    """
    values: dict[str, Any] = {"state": state, "lease_holder": None, "due": due or now, "updated_at": now}
    if answer is not None:
        values["answer"] = answer
    if error is not None:
        values["last_error"] = error
    return _fenced(session, item, values)


def _fenced(session: Session, item: OutboxItem, values: dict[str, Any]) -> bool:
    changed = session.scalars(
        update(OutboxItem)
        .where(
            OutboxItem.id == item.id,
            OutboxItem.state == "sending",
            OutboxItem.lease_holder == item.lease_holder,
            OutboxItem.fencing == item.fencing,
        )
        .values(**values)
        .returning(OutboxItem.id)
        .execution_options(synchronize_session=False)
    ).all()
    return bool(changed)
