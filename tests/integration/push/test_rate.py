"""The channel's rate, across processes: places are booked in one row, waits are real, arrivals are counted by the channel."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from pipeline.sending.rate import AHEAD, LONGEST_HOLD, SHARE, HeldBack, Pace
from pipeline.store import Rate, Store, database_now, hold_back

Wait = Callable[[Callable[[], bool], float], None]
SECOND = timedelta(seconds=1)


def worst_second(moments: list[float]) -> int:
    """Give the most moments that lie within any one second."""
    worst, first = 0, 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - 1:
            first += 1
        worst = max(worst, last - first + 1)
    return worst


@pytest.mark.alone
@pytest.mark.parametrize("limit", [20])
def test_three_processes_keep_to_the_limit_between_them(
    depot: Any, outside: Any, crew: Any, wait_until: Wait, database: str, limit: int,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """The limit holds however busy the machine is; how well it is used is printed, as that depends on the machine."""
    products = 5 * limit
    channel = outside()
    workers = crew(channel.base_url, lease=15, per_second=limit, threads=2)
    workers.start(3)
    wait_until(workers.at_work, 60)
    upload = depot.queue(products, first=1)
    wait_until(partial(is_finished, depot, upload), 60)
    moments = [moment for moment, _ in channel.requests()]
    mean = (len(moments) - 1) / (moments[-1] - moments[0])
    with capsys.disabled():
        print(f"\n  {database}: worst second {worst_second(moments)} of {limit}, mean {mean:.2f}/s")
    assert products == len(moments)
    assert worst_second(moments) <= limit + 1


def is_finished(depot: Any, upload: str) -> bool:
    return bool(depot.progress(upload).is_finished)


def test_a_place_is_booked_only_a_little_ahead(store: Store) -> None:
    pace = Pace(store, "huiju", "1", 10 / SHARE)
    with store.write() as session:
        now = database_now(session)
        starts = [pace.book(session, now) for _ in range(3)]
        with pytest.raises(HeldBack) as caught:
            while True:
                starts += [pace.book(session, now)]
    assert [timedelta(milliseconds=100)] * (len(starts) - 1) == [
        later - earlier for earlier, later in pairwise(starts)
    ]
    assert all(start - now <= AHEAD + timedelta(milliseconds=100) for start in starts)
    assert 0 < caught.value.wait <= 0.2


def test_other_shops_and_channels_have_their_own_places(store: Store) -> None:
    with store.write() as session:
        now = database_now(session)
        paces = [Pace(store, channel, shop, 1) for channel in ("huiju", "wechat") for shop in ("1", "2")]
        assert 1 == len({pace.book(session, now) for pace in paces})


def test_a_pause_that_comes_while_a_call_waits_for_its_place_stops_it(store: Store) -> None:
    pace, other = (Pace(store, "huiju", "1", 10) for _ in range(2))
    with store.write() as session:
        hold_back(session, "huiju", "1", until=database_now(session) + timedelta(milliseconds=200))
    caught: list[HeldBack] = []

    def call() -> None:
        try:
            pace()
        except HeldBack as held:
            caught.append(held)

    thread = threading.Thread(target=call)
    thread.start()
    time.sleep(0.1)
    other.hold(5)
    thread.join()
    assert 4 < caught[0].wait <= 5


def test_a_pause_in_force_lets_nothing_be_booked(store: Store) -> None:
    pace = Pace(store, "huiju", "1", 10)
    pace.hold(60)
    pace.hold(3)
    with store.write() as session, pytest.raises(HeldBack) as caught:
        pace.book(session, database_now(session))
    assert 59 < caught.value.wait + AHEAD.total_seconds() <= 60
    with pytest.raises(HeldBack):
        pace()


def test_a_short_pause_is_waited_for(store: Store) -> None:
    pace = Pace(store, "huiju", "1", 100)
    pace.hold(0.5)
    begun = time.monotonic()
    pace()
    assert 0.2 < time.monotonic() - begun


def test_a_pause_is_never_longer_than_the_longest(store: Store) -> None:
    pace = Pace(store, "huiju", "1", 10)
    pace.hold(10**9)
    with store.read() as session:
        assert pace._next(session) - database_now(session) <= LONGEST_HOLD


def test_a_row_beyond_any_pause_counts_for_nothing(store: Store) -> None:
    """The clock of the machine was set back: the row is from a future that no pause reaches."""
    pace = Pace(store, "huiju", "1", 10)
    with store.write() as session:
        now = database_now(session)
        hold_back(session, "huiju", "1", until=now + 3 * LONGEST_HOLD)
        assert pace.book(session, now) - now < SECOND
        assert pace._next(session) - now < SECOND
    pace()


def test_a_call_that_comes_late_books_another_place(store: Store) -> None:
    pace = Pace(store, "huiju", "1", 10)
    pace.use(time.monotonic() - 1)
    pace()
    with store.read() as session:
        assert session.get(Rate, ("huiju", "1")) is not None


def test_a_call_on_time_uses_the_place_it_has(store: Store) -> None:
    pace = Pace(store, "huiju", "1", 10)
    pace.use(time.monotonic() + 0.1)
    begun = time.monotonic()
    pace()
    assert time.monotonic() - begun >= 0.09
    with store.read() as session:
        assert session.get(Rate, ("huiju", "1")) is None
