from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from engine.errors import ShelfgateError
from pipeline.sending.outbox import (
    Hold,
    LeaseLost,
    Renewer,
    Subject,
    claim_next,
    enqueue,
    idempotency_key,
    may_have_arrived,
)
from pipeline.sending.rate import HeldBack, Pace
from pipeline.store import OutboxItem, Rate, database_now, settle

SHOP = "38405005"
LEASE = timedelta(seconds=30)
ABOUT = Subject("product.add", "huiju", SHOP, "403680077")


def put(depot: Any, payload: dict[str, Any], subject: Subject = ABOUT, **more: Any) -> str:
    with depot.store.write() as session:
        return enqueue(session, subject, payload, database_now(session), **more)


def end(depot: Any, state: str, **more: Any) -> None:
    """Let the one item that is due come to an end."""
    hold = take(depot)
    assert hold is not None
    with depot.store.write() as session:
        assert settle(session, hold.item, state, now=database_now(session), **more)  # type: ignore[arg-type]


def take(depot: Any, holder: str = "w1", lease: timedelta = LEASE, per_second: float = 10_000) -> Hold | None:
    return claim_next(depot.store, Pace(depot.store, "huiju", SHOP, per_second), holder, "huiju", SHOP, lease)


def test_the_key_is_the_same_for_the_same_content_and_only_then() -> None:
    key = idempotency_key(ABOUT, {"a": 1, "b": 2})
    assert key == idempotency_key(ABOUT, {"b": 2, "a": 1})
    others = [
        idempotency_key(ABOUT, {"a": 1, "b": 3}),
        idempotency_key(Subject("product.add", "huiju", "2", "403680077"), {"a": 1, "b": 2}),
        idempotency_key(Subject("product.add", "wechat", SHOP, "403680077"), {"a": 1, "b": 2}),
        idempotency_key(Subject("product.add", "huiju", SHOP, "403680078"), {"a": 1, "b": 2}),
    ]
    assert 5 == len({key, *others})


def test_a_call_on_its_way_is_not_taken_a_second_time(depot: Any) -> None:
    put(depot, {"title": "围巾"})
    with pytest.raises(ShelfgateError, match="正在发送"):
        put(depot, {"title": "围巾"})
    assert 1 == depot.count("queued")


@pytest.mark.parametrize("state", ["refused", "failed"])
def test_a_call_that_came_to_nothing_is_taken_up_again_under_its_key(depot: Any, state: str) -> None:
    first = put(depot, {"title": "围巾"})
    end(depot, state, error={"code": "1", "failures": 2})
    assert first == put(depot, {"title": "围巾"})
    item = depot.item()
    assert ("queued", 0, 1, None) == (item.state, item.attempts, item.fencing, item.last_error)
    hold = take(depot)
    assert hold is not None
    assert hold.doubtful


def test_a_call_that_was_done_gets_a_new_key_when_it_is_asked_for_again(depot: Any) -> None:
    put(depot, {"title": "围巾"})
    end(depot, "done")
    put(depot, {"title": "围巾"})
    with depot.store.read() as session:
        first, second = sorted(item.idempotency_key for item in session.query(OutboxItem))
    assert f"{first}:2" == second


def test_nothing_is_kept_of_a_call_whose_row_is_not_kept(depot: Any) -> None:
    with pytest.raises(RuntimeError), depot.store.write() as session:
        enqueue(session, ABOUT, {"title": "围巾"}, database_now(session))
        raise RuntimeError
    assert 0 == depot.count("queued")


def test_an_item_and_its_place_are_taken_together_or_not_at_all(depot: Any) -> None:
    assert take(depot) is None
    with depot.store.read() as session:
        assert session.get(Rate, ("huiju", SHOP)) is None
    put(depot, {"title": "围巾"})
    Pace(depot.store, "huiju", SHOP, 1).hold(60)
    with pytest.raises(HeldBack):
        take(depot)
    assert ("queued", 0) == (depot.item().state, depot.item().fencing)


def test_the_row_is_shown_as_being_sent_while_it_is(depot: Any) -> None:
    upload = depot.queue(2)
    take(depot)
    assert {"queued": 1, "sending": 1} == depot.states(upload)


def test_an_item_never_sent_before_is_in_no_doubt(depot: Any) -> None:
    put(depot, {"title": "围巾"})
    hold = take(depot)
    assert hold is not None
    assert not hold.doubtful
    put(depot, {"title": "手套"}, doubtful=True)
    hold = take(depot)
    assert hold is not None
    assert hold.doubtful


@pytest.mark.parametrize(
    ("fencing", "last", "doubtful"),
    [
        (1, None, False),
        (2, None, True),
        (2, {"fencing": 1, "doubtful": False}, False),
        (2, {"fencing": 1, "doubtful": True}, True),
        (3, {"fencing": 1, "doubtful": False}, True),
    ],
)
def test_what_is_not_known_to_have_failed_may_have_arrived(
    fencing: int, last: dict[str, Any] | None, doubtful: bool
) -> None:
    assert doubtful == may_have_arrived(OutboxItem(fencing=fencing, last_error=last))


def test_a_lease_is_renewed_while_it_is_held(depot: Any) -> None:
    put(depot, {"title": "围巾"})
    lease = timedelta(seconds=1)
    hold = take(depot, lease=lease)
    assert hold is not None
    renewer = Renewer(depot.store, lease)
    renewer.add(hold)
    for _ in range(8):
        time.sleep(0.2)
        renewer.renew()
        assert take(depot, "w2") is None
    hold.check(0.1)
    renewer.remove(hold)
    time.sleep(1.1)
    assert take(depot, "w2") is not None


def test_whoever_has_lost_an_item_sends_and_keeps_nothing(depot: Any) -> None:
    put(depot, {"title": "围巾"})
    lease = timedelta(seconds=0.3)
    hold = take(depot, lease=lease)
    assert hold is not None
    renewer = Renewer(depot.store, lease)
    renewer.add(hold)
    time.sleep(0.4)
    assert take(depot, "w2") is not None
    renewer.renew()
    assert hold.lost
    with pytest.raises(LeaseLost):
        hold.check(0.0)


def test_nothing_is_begun_that_the_lease_may_not_outlast(depot: Any) -> None:
    put(depot, {"title": "围巾"})
    hold = take(depot, lease=timedelta(seconds=5))
    assert hold is not None
    hold.check(4)
    with pytest.raises(LeaseLost):
        hold.check(6)
