"""Holding tries back: so many at once, then one at a time, whoever counts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from pipeline.store import Rate, Store
from pipeline.throttle import SIGN_IN, SIGN_INS, Limit, hold_back

FEW = Limit("few", burst=3, every=timedelta(seconds=20))

PROGRAM = """
import sys
from datetime import timedelta
from pipeline.store import open_store
from pipeline.throttle import Limit, hold_back
store = open_store(sys.argv[1])
print(sum(hold_back(store, Limit("few", 3, timedelta(seconds=20)), "amy") == 0 for _ in range(4)))
"""


def wait(store: Store, seconds: float) -> None:
    """Let time pass, as the rows see it."""
    with store.write() as session:
        session.execute(update(Rate).values(tat=Rate.tat - int(seconds * 1_000_000)))


def passed(store: Store, limit: Limit, who: str, tries: int) -> int:
    return sum(hold_back(store, limit, who) == 0 for _ in range(tries))


def test_so_many_pass_at_once_and_the_next_is_told_how_long_to_wait(store: Store) -> None:
    assert 3 == passed(store, FEW, "amy", 3)
    assert 0 < hold_back(store, FEW, "amy") <= 20


def test_a_try_that_is_held_back_costs_nothing_more(store: Store) -> None:
    passed(store, FEW, "amy", 3)
    first = hold_back(store, FEW, "amy")
    assert all(0 < hold_back(store, FEW, "amy") <= first for _ in range(20))


@pytest.mark.parametrize(("seconds", "more"), [(20, 1), (40, 2), (61, 3), (3600, 3)])
def test_what_was_used_comes_back_one_by_one_up_to_the_burst(store: Store, seconds: float, more: int) -> None:
    passed(store, FEW, "amy", 10)
    wait(store, seconds)
    assert more == passed(store, FEW, "amy", 10)


def test_each_name_each_address_and_each_limit_counts_apart(store: Store) -> None:
    passed(store, FEW, "10.0.0.1 amy", 10)
    assert 3 == passed(store, FEW, "10.0.0.1 ben", 10)
    assert 3 == passed(store, FEW, "10.0.0.2 amy", 10)
    assert SIGN_IN.burst == passed(store, SIGN_IN, "10.0.0.1 amy", 10)


def test_who_tried_is_not_kept_in_words(store: Store) -> None:
    hold_back(store, FEW, "10.0.0.1 amy")
    with store.read() as session:
        (row,) = session.scalars(select(Rate))
    assert "amy" not in row.shop_id
    assert "10.0" not in row.shop_id


def test_threads_at_once_are_let_through_no_more_often(
    store: Store, in_threads: Callable[[int, Callable[[int], None]], None]
) -> None:
    let = []
    in_threads(8, lambda _: let.extend(hold_back(store, FEW, "amy") == 0 for _ in range(3)))
    assert (3, 24) == (sum(let), len(let))


def test_processes_at_once_are_let_through_no_more_often(address: str) -> None:
    crew = [
        subprocess.Popen([sys.executable, "-c", PROGRAM, address], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert 3 == sum(int(process.communicate(timeout=60)[0]) for process in crew)


def test_names_that_were_made_up_are_not_kept_for_ever(store: Store) -> None:
    for number in range(30):
        hold_back(store, SIGN_INS, f"name {number}")
    hold_back(store, FEW, "amy")
    wait(store, 3600)
    hold_back(store, SIGN_INS, "another")
    with store.read() as session:
        counted = select(Rate.channel, func.count()).group_by(Rate.channel).order_by(Rate.channel)
        rows = dict(session.execute(counted).all())
    assert {"few": 1, "sign-ins": 1} == rows


def test_dropping_and_counting_at_once_holds_nobody_up(
    store: Store, in_threads: Callable[[int, Callable[[int], None]], None]
) -> None:
    for number in range(20):
        hold_back(store, FEW, f"name {number}")
    wait(store, 3600)
    let = []
    in_threads(
        8, lambda mine: let.extend(hold_back(store, FEW, f"name {(mine + n) % 20}") == 0 for n in range(20))
    )
    assert 160 == len(let)
    assert 60 == sum(let)
