"""Keep the calls of one shop on one channel to the channel's rate, across all processes, by one row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import case
from sqlalchemy.orm import Session

from pipeline.store.outbox import Rate
from pipeline.store.statements import insert_for

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def book(
    session: Session, channel: str, shop_id: str, *, now: datetime, per_second: float, calls: int = 1
) -> datetime:
    """Book calls at an even pace: each starts 1/`per_second` after the one before, whoever makes it.

    Retries and token calls book too.

    Args:
        session: A session of `Store.write()`.
        channel: The channel to be called.
        shop_id: The shop for which it is called.
        now: The time by `database_now`.
        per_second: The channel's limit, calls per second, > 0.
        calls: How many calls to book, ≥ 1.

    Returns:
        When the first of them may start; `now` or later.
    """
    cost = round(calls * 1_000_000 / per_second)
    start = _microseconds(now)
    insert = insert_for(session, Rate).values(channel=channel, shop_id=shop_id, tat=start + cost)
    tat = session.scalars(
        insert.on_conflict_do_update(
            index_elements=["channel", "shop_id"],
            set_={"tat": case((Rate.tat > start, Rate.tat), else_=start) + cost},
        ).returning(Rate.tat)
    ).one()
    return EPOCH + (tat - cost) * MICROSECOND


def hold_back(session: Session, channel: str, shop_id: str, *, until: datetime) -> None:
    """Let no further call start before a moment, as a channel's Retry-After asks; a later one already set stays."""
    moment = _microseconds(until)
    insert = insert_for(session, Rate).values(channel=channel, shop_id=shop_id, tat=moment)
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["channel", "shop_id"],
            set_={"tat": case((Rate.tat > moment, Rate.tat), else_=moment)},
        )
    )


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND
