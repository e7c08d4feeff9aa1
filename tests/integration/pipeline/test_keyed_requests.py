"""Idempotency keys: a request is carried out once, whoever repeats it, and whatever becomes of the first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from pipeline import keyed_requests
from pipeline.actors import Actor
from pipeline.callers import Caller
from pipeline.keyed_requests import (
    KEPT,
    SILENCE,
    Answer,
    Hold,
    KeyInUse,
    KeyMisused,
    alive,
    begin,
    finish,
    forget,
    note_made,
)
from pipeline.shops import save_shop
from pipeline.store import KeyedRequest, Store, database_now
from tests.acceptance.served import wait_until
from tests.integration.api.front import OTHER
from tests.integration.demo_shop import SHOP

DONE = Answer(202, '{"编号":"é\\u0000"}'.encode() + b"\x00\xff", "application/json", "/v1/uploads/1")


def caller(name: str = "amy", shop_id: str = SHOP) -> Caller:
    actor = Actor(name, name, "operator", shop_id)
    return Caller(actor, frozenset(), "session", None)  # type: ignore[arg-type]


AMY = caller()


@pytest.fixture
def shops(store: Store) -> Store:
    for shop_id in (SHOP, OTHER):
        save_shop(store, "huiju", {"id": shop_id, "name": shop_id, "edition": "wsc_ecommerce"})
    return store


def held(store: Store, key: str = "k1", fingerprint: str = "f1", who: Caller = AMY) -> Hold:
    found = begin(store, who, key, fingerprint)
    assert isinstance(found, Hold)
    return found


def alive_at(store: Store) -> datetime:
    with store.read() as session:
        return session.scalars(select(KeyedRequest.alive_at)).one()


def silence(store: Store) -> None:
    """Let the time pass after which a request that says nothing is taken to have died."""
    with store.write() as session:
        session.scalars(select(KeyedRequest)).one().alive_at -= SILENCE


def age(store: Store, by: timedelta) -> None:
    with store.write() as session:
        for row in session.scalars(select(KeyedRequest)):
            row.started_at -= by


def test_a_repeated_request_is_answered_byte_for_byte(shops: Store) -> None:
    finish(shops, held(shops), DONE)
    assert [DONE, DONE] == [begin(shops, AMY, "k1", "f1") for _ in range(2)]


def test_a_key_of_another_request_is_refused_before_and_after_the_answer(shops: Store) -> None:
    hold = held(shops)
    with pytest.raises(KeyMisused):
        begin(shops, AMY, "k1", "f2")
    finish(shops, hold, DONE)
    with pytest.raises(KeyMisused):
        begin(shops, AMY, "k1", "f2")


def test_a_request_under_way_is_not_done_twice(shops: Store) -> None:
    held(shops)
    with pytest.raises(KeyInUse):
        begin(shops, AMY, "k1", "f1")


def test_keys_of_others_are_others(shops: Store) -> None:
    finish(shops, held(shops), DONE)
    held(shops, who=caller("ben"))
    held(shops, who=caller(shop_id=OTHER))
    held(shops, who=replace(AMY, actor=Actor("token:1", "t", "operator", SHOP), by="token"))
    held(shops, key="k2")


def test_a_request_that_came_to_nothing_may_be_tried_again(shops: Store) -> None:
    forget(shops, held(shops))
    finish(shops, held(shops), DONE)
    assert DONE == begin(shops, AMY, "k1", "f1")


def test_an_answer_that_is_kept_is_not_forgotten(shops: Store) -> None:
    hold = held(shops)
    finish(shops, hold, DONE)
    forget(shops, hold)
    assert DONE == begin(shops, AMY, "k1", "f1")


def test_a_request_whose_process_died_is_taken_over_and_the_dead_one_changes_nothing(shops: Store) -> None:
    first = held(shops)
    silence(shops)
    second = held(shops)
    forget(shops, first)
    finish(shops, first, replace(DONE, status=500))
    with pytest.raises(KeyInUse):
        begin(shops, AMY, "k1", "f1")
    finish(shops, second, DONE)
    finish(shops, first, replace(DONE, status=500))
    assert DONE == begin(shops, AMY, "k1", "f1")


def test_a_request_that_says_that_it_lives_keeps_its_key(
    shops: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyed_requests, "TELL_EVERY", 0.01)
    hold = held(shops)
    with alive(shops, hold):
        silence(shops)
        wait_until(lambda: alive_at(shops) > hold.started_at)
        with pytest.raises(KeyInUse):
            begin(shops, AMY, "k1", "f1")


def test_what_a_request_made_before_it_died_is_told_to_the_next(shops: Store) -> None:
    first = held(shops)
    with shops.write() as session:
        note_made(session, first, "upload-1")
    silence(shops)
    second = held(shops)
    assert (None, "upload-1") == (first.made, second.made)
    with pytest.raises(KeyInUse), shops.write() as session:
        note_made(session, first, "upload-2")
    finish(shops, second, DONE)
    assert DONE == begin(shops, AMY, "k1", "f1")


def test_what_a_request_made_is_known_where_its_answer_failed(shops: Store) -> None:
    """As where the database is gone when it is read back, and there again for the next request."""
    hold = held(shops)
    with shops.write() as session:
        note_made(session, hold, "upload-1")
    forget(shops, hold)
    assert "upload-1" == held(shops).made


def test_answers_are_kept_for_some_time_only(shops: Store) -> None:
    finish(shops, held(shops), DONE)
    age(shops, KEPT + timedelta(seconds=1))
    held(shops, fingerprint="f2")
    with shops.read() as session:
        assert 1 == session.scalar(select(func.count()).select_from(KeyedRequest))


def test_one_of_many_at_once_gets_the_key(
    shops: Store, in_threads: Callable[[int, Callable[[int], None]], None]
) -> None:
    got: Counter[str] = Counter()

    def ask(_: int) -> None:
        try:
            got[type(begin(shops, AMY, "k1", "f1")).__name__] += 1
        except KeyInUse:
            got["in use"] += 1

    in_threads(12, ask)
    assert {"Hold": 1, "in use": 11} == got


def test_a_key_that_is_freed_while_others_ask_for_it_is_given_to_one_at_a_time(
    shops: Store, in_threads: Callable[[int, Callable[[int], None]], None]
) -> None:
    """The key may vanish between being found taken and being looked at."""
    holders: list[int] = []
    most: list[int] = []

    def ask(number: int) -> None:
        for _ in range(25):
            try:
                hold = begin(shops, AMY, "k1", "f1")
            except KeyInUse:
                continue
            assert isinstance(hold, Hold)
            holders.append(number)
            most.append(len(holders))
            holders.remove(number)
            forget(shops, hold)

    in_threads(6, ask)
    assert {1} == set(most)


def test_what_a_shop_asked_goes_with_the_shop(shops: Store) -> None:
    finish(shops, held(shops), DONE)
    with shops.write() as session:
        session.execute(update(KeyedRequest).values(started_at=database_now(session)))
        from pipeline.store import Shop

        session.delete(session.get_one(Shop, SHOP))
    with shops.read() as session:
        assert 0 == session.scalar(select(func.count()).select_from(KeyedRequest))
