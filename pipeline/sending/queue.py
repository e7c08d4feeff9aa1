"""What waits to be sent, counted by channel: how much, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from pipeline.store import ItemState, OutboxItem, Store, database_now

WAITING: tuple[ItemState, ...] = ("queued", "sending", "held")


@dataclass(frozen=True, slots=True)
class QueueLine:
    """Count the items of one channel in one state.

    Attributes:
        items: How many, ≥ 0.
        oldest_seconds: Age of the oldest, s, ≥ 0.
    """

    channel: str
    state: ItemState
    items: int
    oldest_seconds: float


def queue_by_channel(store: Store) -> list[QueueLine]:
    """Count what waits, over all shops."""
    counted = (
        select(OutboxItem.channel, OutboxItem.state, func.count(), func.min(OutboxItem.created_at))
        .where(OutboxItem.state.in_(WAITING))
        .group_by(OutboxItem.channel, OutboxItem.state)
        .order_by(OutboxItem.channel, OutboxItem.state)
    )
    with store.read() as session:
        now = database_now(session)
        rows = session.execute(counted).all()
    return [
        QueueLine(channel, state, count, max(0.0, (now - oldest).total_seconds()))
        for channel, state, count, oldest in rows
    ]
