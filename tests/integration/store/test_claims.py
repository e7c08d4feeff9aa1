"""Outbox items under lease, and calls kept to the channel's rate, with several workers at once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Connection, event, func, select

from pipeline.store import (
    OutboxItem,
    Shop,
    Store,
    book,
    claim,
    database_now,
    hold_back,
    open_store,
    renew,
    settle,
)

Threads = Callable[[int, Callable[[int], None]], None]
NOW = datetime(2022, 3, 8, 1, 2, 3, 456789, tzinfo=UTC)
LEASE = timedelta(seconds=30)
SECOND = timedelta(seconds=1)


def put(store: Store, count: int) -> None:
    with store.write() as session:
        session.add(Shop(id="1", name="店", edition="wsc_ecommerce", created_at=NOW, updated_at=NOW))
        session.flush()
        for number in range(count):
            session.add(
                OutboxItem(
                    id=f"{number:04}", kind="list_product", channel="huiju", shop_id="1", idempotency_key=f"k{number}",
                    payload={}, due=NOW + number * SECOND, created_at=NOW, updated_at=NOW,
                )
            )  # fmt: skip


def claim_one(store: Store, holder: str, now: datetime) -> OutboxItem:
    with store.write() as session:
        (item,) = claim(session, holder, now=now, lease=LEASE)
    return item


def test_items_are_claimed_longest_due_first_and_only_when_due(store: Store) -> None:
    put(store, 5)
    with store.write() as session:
        first = claim(session, "w1", now=NOW + 2 * SECOND, lease=LEASE, limit=2)
        then = claim(session, "w1", now=NOW + 2 * SECOND, lease=LEASE, limit=9)
    assert (["0000", "0001"], ["0002"]) == ([item.id for item in first], [item.id for item in then])


def test_only_the_wanted_channel_and_shop_are_claimed(store: Store) -> None:
    put(store, 1)
    with store.write() as session:
        assert [] == list(claim(session, "w1", now=NOW, lease=LEASE, channel="wechat"))
        assert [] == list(claim(session, "w1", now=NOW, lease=LEASE, shop_id="2"))
        assert 1 == len(claim(session, "w1", now=NOW, lease=LEASE, channel="huiju", shop_id="1"))


def test_no_item_is_claimed_by_two_of_eight_workers(store: Store, in_threads: Threads) -> None:
    """SQLAlchemy leaves SKIP LOCKED out on SQLite without a word; there the one write lock keeps claims apart."""
    put(store, 200)
    claimed: list[str] = []

    def work(number: int) -> None:
        while True:
            with store.write() as session:
                items = claim(session, f"w{number}", now=NOW + 300 * SECOND, lease=LEASE, limit=3)
            if not items:
                return
            claimed.extend(item.id for item in items)

    in_threads(8, work)
    assert [f"{number:04}" for number in range(200)] == sorted(claimed)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_claim_does_not_wait_for_another_one_under_way(store: Store) -> None:
    put(store, 2)
    with store.write() as one, store.write() as other:
        (first,) = claim(one, "w1", now=NOW + 9 * SECOND, lease=LEASE)
        (second,) = claim(other, "w2", now=NOW + 9 * SECOND, lease=LEASE)
    assert ("0000", "0001") == (first.id, second.id)


def test_a_lease_keeps_others_away_until_it_ends(store: Store) -> None:
    put(store, 1)
    item = claim_one(store, "w1", NOW)
    with store.write() as session:
        assert [] == list(claim(session, "w2", now=NOW + LEASE - SECOND, lease=LEASE))
    again = claim_one(store, "w2", NOW + LEASE)
    assert (("w1", 1), ("w2", 2)) == ((item.lease_holder, item.fencing), (again.lease_holder, again.fencing))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_claim_looks_only_at_open_items(store: Store) -> None:
    """An index with a condition serves only a query that states the same condition, not one with its values bound."""
    seen: list[str] = []
    with store.write() as session:

        def explain(connection: Connection, _cursor: object, statement: str, values: Any, *_: object) -> None:
            if statement.startswith("SELECT outbox.id"):
                plan = (
                    connection.connection.cursor()
                    .execute(f"EXPLAIN QUERY PLAN {statement}", values)
                    .fetchall()
                )
                seen.extend(str(step[3]) for step in plan)

        event.listen(session.connection(), "before_cursor_execute", explain)
        claim(session, "w1", now=NOW, lease=LEASE, channel="huiju", shop_id="1")
        claim(session, "w1", now=NOW, lease=LEASE)
    assert "SEARCH outbox USING INDEX ix_outbox_due (channel=? AND shop_id=? AND due<?)" == seen[0]
    assert "SCAN outbox USING INDEX ix_outbox_due" in seen


def test_a_renewed_lease_runs_on(store: Store) -> None:
    put(store, 1)
    item = claim_one(store, "w1", NOW)
    with store.write() as session:
        assert renew(session, item, now=NOW + 20 * SECOND, lease=LEASE)
        assert [] == list(claim(session, "w2", now=NOW + LEASE, lease=LEASE))


def test_a_worker_whose_lease_has_gone_to_another_records_nothing(store: Store) -> None:
    put(store, 1)
    late = claim_one(store, "w1", NOW)
    current = claim_one(store, "w2", NOW + LEASE)
    with store.write() as session:
        assert not settle(session, late, "failed", now=NOW + LEASE, error={"code": "timeout"})
        assert not renew(session, late, now=NOW + LEASE, lease=LEASE)
        assert settle(session, current, "done", now=NOW + LEASE, answer={"product": "HJ1"})
        assert not settle(session, current, "failed", now=NOW + LEASE)
    with store.read() as session:
        row = session.scalars(select(OutboxItem)).one()
    assert ("done", {"product": "HJ1"}, None, None) == (
        row.state,
        row.answer,
        row.last_error,
        row.lease_holder,
    )


def test_a_restarted_worker_of_the_same_name_does_not_pass_for_the_one_before(store: Store) -> None:
    put(store, 1)
    late = claim_one(store, "w1", NOW)
    claim_one(store, "w1", NOW + LEASE)
    with store.write() as session:
        assert not settle(session, late, "done", now=NOW + LEASE)


def test_an_item_put_back_is_due_when_it_was_told(store: Store) -> None:
    put(store, 1)
    item = claim_one(store, "w1", NOW)
    with store.write() as session:
        assert settle(session, item, "queued", now=NOW, due=NOW + 60 * SECOND, error={"code": 4101})
        assert [] == list(claim(session, "w1", now=NOW + 59 * SECOND, lease=LEASE))
    again = claim_one(store, "w2", NOW + 60 * SECOND)
    assert (2, 2, {"code": 4101}) == (again.attempts, again.fencing, again.last_error)


def test_calls_are_booked_at_an_even_pace(store: Store) -> None:
    with store.write() as session:
        starts = [book(session, "huiju", "1", now=NOW, per_second=4) for _ in range(4)]
        after_a_pause = book(session, "huiju", "1", now=NOW + 10 * SECOND, per_second=4)
        other_shop = book(session, "huiju", "2", now=NOW, per_second=4)
    assert [NOW + n * SECOND / 4 for n in range(4)] == starts
    assert (NOW + 10 * SECOND, NOW) == (after_a_pause, other_shop)


def test_several_calls_may_be_booked_at_once(store: Store) -> None:
    with store.write() as session:
        assert NOW == book(session, "huiju", "1", now=NOW, per_second=3, calls=3)
        assert NOW + SECOND == book(session, "huiju", "1", now=NOW, per_second=3)


def test_a_call_waits_as_long_as_the_channel_asks(store: Store) -> None:
    with store.write() as session:
        hold_back(session, "huiju", "1", until=NOW + 30 * SECOND)
        hold_back(session, "huiju", "1", until=NOW + 10 * SECOND)
        assert NOW + 30 * SECOND == book(session, "huiju", "1", now=NOW, per_second=4)


def test_no_second_holds_more_calls_than_the_limit_with_eight_workers(
    store: Store, address: str, in_threads: Threads
) -> None:
    """Each worker has its own connections, as separate processes would have."""
    starts: list[datetime] = []

    def work(_number: int) -> None:
        with closing(open_store(address)) as own:
            for _ in range(25):
                with own.write() as session:
                    starts.append(book(session, "huiju", "1", now=database_now(session), per_second=50))

    in_threads(8, work)
    starts.sort()
    assert all(later - earlier >= SECOND / 50 for earlier, later in pairwise(starts))
    assert 200 == len(starts)
    with store.read() as session:
        assert 0 == session.scalar(select(func.count()).select_from(OutboxItem))
