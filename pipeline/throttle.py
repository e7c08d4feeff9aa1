"""Hold back who tries too often, by one row for each, whichever process is asked (generic cell rate algorithm with bursts)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import case, delete, select
from sqlalchemy.orm import Session

from pipeline.store import Rate, Store, database_now, insert_for
from pipeline.store.rates import EPOCH, MICROSECOND


@dataclass(frozen=True, slots=True)
class Limit:
    """Say how often something may be tried.

    Attributes:
        name: What is tried.
        burst: How often at once, ≥ 1.
        every: How long until one more is allowed.
    """

    name: str
    burst: int
    every: timedelta


SIGN_IN = Limit("sign-in", burst=5, every=timedelta(seconds=20))
"""Tries of one login name from one address."""

SIGN_INS = Limit("sign-ins", burst=30, every=timedelta(seconds=2))
"""Tries from one address, with whatever names; each costs a tenth of a second of one core."""


def hold_back(store: Store, limit: Limit, who: str) -> float:
    """Count one try.

    Args:
        store: Where it is counted.
        limit: How often it may be tried.
        who: Who tries; only a hash of it is kept.

    Returns:
        Seconds to wait before the next try is let through; 0 where this one is.
    """
    key = {"channel": limit.name, "shop_id": hashlib.sha256(who.encode()).hexdigest()[:32]}
    with store.write() as session:
        now = (database_now(session) - EPOCH) // MICROSECOND
        _drop_idle(session, limit, now)
        return _count(session, key, now, limit) / 1_000_000


def _drop_idle(session: Session, limit: Limit, now: int) -> None:
    """Drop rows of who has been quiet for so long that no row would say the same: names that were made up are not kept for ever."""
    idle = select(Rate.shop_id).where(Rate.channel == limit.name, Rate.tat <= now).limit(100)
    keys = session.scalars(idle.with_for_update(skip_locked=True)).all()
    if keys:
        session.execute(delete(Rate).where(Rate.channel == limit.name, Rate.shop_id.in_(keys)))


def _count(session: Session, key: dict[str, str], now: int, limit: Limit) -> int:
    """Move the row on by one try and give 0; or leave it, and give the microseconds until it may be moved."""
    cost = limit.every // MICROSECOND
    insert = insert_for(session, Rate).values(**key, tat=now + cost)
    moved = session.scalars(
        insert.on_conflict_do_update(
            index_elements=["channel", "shop_id"],
            set_={"tat": case((Rate.tat > now, Rate.tat), else_=now) + cost},
            where=Rate.tat <= now + cost * (limit.burst - 1),
        ).returning(Rate.tat)
    ).one_or_none()
    if moved is not None:
        return 0
    row = session.get(Rate, tuple(key.values()))
    return max(1, (row.tat if row else now) - cost * (limit.burst - 1) - now)
