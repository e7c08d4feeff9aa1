"""Keep the calls for one shop on one channel to the channel's rate, whichever process or thread makes them.

One row per channel and shop says when the next call may start (generic cell rate algorithm without bursts). A call books its place
in that row, waits for it, and starts. The clock is the database's. On SQLite, where all processes share one machine, it is this
machine's; there, the wait itself is measured by the monotonic clock, and a row that is further ahead than any hold may be, as after
the clock was set back, counts for nothing.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta

from sqlalchemy import case, or_, select
from sqlalchemy.orm import Session

from engine.errors import ShelfgateError
from pipeline.store import Rate, Store, database_now, hold_back, insert_for
from pipeline.store.rates import EPOCH, MICROSECOND

SHARE = 0.98
"""Share of the channel's rate that is used: what is left takes up calls that start a little late."""

LEAD = timedelta(milliseconds=15)
"""Time between booking and the earliest start: what keeping the booking takes."""

AHEAD = timedelta(milliseconds=250)
"""How far ahead a place is booked at most: what a Retry-After may come too late for."""

LOOK_BACK = 0.03
"""Seconds before its start at which a call looks whether a pause has been asked for."""

TRIES = 3
"""Places booked at most for one call that comes too late each time, as on a machine without breath."""

LONGEST_HOLD = timedelta(hours=1)
PATIENCE = 2.0
"""Seconds that a call waits for a place that can't be booked yet; beyond, whoever makes it has better things to do."""


class HeldBack(ShelfgateError):
    """Report that no call may start for some time, as the channel asked.

    Attributes:
        wait: Seconds until there is a place again.
    """

    def __init__(self, wait: float) -> None:
        super().__init__(f"渠道要求暂缓调用，{wait:.1f} 秒后继续")
        self.wait = wait


class Pace:
    """Book places for the calls of one shop on one channel, and wait for them.

    Args:
        store: Where the row is kept.
        channel: The channel.
        shop_id: The shop.
        per_second: The channel's limit, calls per second, > 0; the same in every process.
    """

    def __init__(self, store: Store, channel: str, shop_id: str, per_second: float) -> None:
        self._store = store
        self._key = (channel, shop_id)
        self._gap = timedelta(seconds=1 / (per_second * SHARE))
        # Calls that are late by x bunch with those after them: up to per_second · SHARE · (1 + x) in a second. What keeps that
        # within one more than the limit, but for a quarter, which the way to the channel may take.
        self._late = 0.75 * ((1 + 1 / per_second) / SHARE - 1)
        self._mine = threading.local()

    def book(self, session: Session, now: datetime) -> datetime:
        """Book a place, to be kept along with the rest of the transaction.

        Args:
            session: A session of `Store.write()`.
            now: The time by `database_now`.

        Returns:
            When the call may start, by the database's clock.

        Raises:
            HeldBack: There is no place soon.
        """
        channel, shop_id = self._key
        cost, start = self._gap // MICROSECOND, _microseconds(now + LEAD)
        absurd = Rate.tat > _microseconds(now + 2 * LONGEST_HOLD)
        insert = insert_for(session, Rate).values(channel=channel, shop_id=shop_id, tat=start + cost)
        tat = session.scalars(
            insert.on_conflict_do_update(
                index_elements=["channel", "shop_id"],
                set_={"tat": case((absurd, start), (Rate.tat > start, Rate.tat), else_=start) + cost},
                where=or_(Rate.tat <= _microseconds(now + AHEAD), absurd),
            ).returning(Rate.tat)
        ).one_or_none()
        if tat is None:
            raise HeldBack((self._next(session) - AHEAD + MICROSECOND - now).total_seconds())
        return _moment(tat - cost)

    def use(self, start: float | None) -> None:
        """Let the next call of this thread start at a place that is booked already.

        Args:
            start: When, by the monotonic clock; None to forget about it.
        """
        self._mine.start = start

    def hold(self, seconds: float) -> None:
        """Let no call start for a time, as a channel's Retry-After asks; a longer hold already set stays."""
        wait = min(timedelta(seconds=max(0.0, seconds)), LONGEST_HOLD)
        with self._store.write() as session:
            hold_back(session, *self._key, until=database_now(session) + wait)

    def __call__(self) -> None:
        """Wait until the next call may start.

        Raises:
            HeldBack: The channel asked for a pause, before the call was booked or while it waited.
        """
        start, self._mine.start = getattr(self._mine, "start", None), None
        for _ in range(TRIES):
            start = self._take() if start is None else start
            time.sleep(max(0.0, start - time.monotonic() - LOOK_BACK))
            self._check()
            time.sleep(max(0.0, start - time.monotonic()))
            if time.monotonic() - start <= self._late:
                return
            start = None

    def _take(self) -> float:
        """Book a place for a further call and give its start by the monotonic clock."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                with self._store.write() as session:
                    now = database_now(session)
                    seen = time.monotonic()
                    return seen + (self.book(session, now) - now).total_seconds()
            except HeldBack as held:
                if time.monotonic() + held.wait > end:
                    raise
                wait = held.wait
            time.sleep(max(0.001, wait))

    def _check(self) -> None:
        """See whether a pause has been asked for since the place was booked: only that moves the row so far ahead."""
        with self._store.read() as session:
            tat, now = self._next(session), database_now(session)
        if now + AHEAD + 1.5 * self._gap < tat <= now + 2 * LONGEST_HOLD:
            raise HeldBack((tat - now).total_seconds())

    def _next(self, session: Session) -> datetime:
        channel, shop_id = self._key
        tat = session.scalar(select(Rate.tat).where(Rate.channel == channel, Rate.shop_id == shop_id))
        return _moment(tat or 0)


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def _moment(microseconds: int) -> datetime:
    return EPOCH + microseconds * MICROSECOND
