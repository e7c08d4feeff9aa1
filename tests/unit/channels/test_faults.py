"""Faults are drawn by a seed, and listings come whole in spite of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.errors import IncompleteListing
from channels.huiju import HuijuClient
from channels.paging import Page, read_all
from channels.sandbox import Fault, FaultInjector, FaultPlan, Sandbox
from channels.sandbox.faults import PAGE_FAULTS, page_of
from channels.youzan import YouzanClient

RATES = {Fault.DROPPED: 0.1, Fault.REPLY_LOST: 0.2, Fault.PAGE_SHIFTED: 0.3}


def test_the_same_seed_draws_the_same_faults_at_the_rates_asked_for() -> None:
    draws = [[FaultInjector(FaultPlan(RATES, seed=7)).draw("/x") for _ in range(1)] for _ in range(3)]
    assert draws[0] == draws[1] == draws[2]
    injector = FaultInjector(FaultPlan(RATES, seed=7))
    counts = Counter(injector.draw("/x") for _ in range(10000))
    assert 900 < counts[Fault.DROPPED] < 1100
    assert 1900 < counts[Fault.REPLY_LOST] < 2100
    assert 0 == counts[Fault.PAGE_SHIFTED]
    assert 2900 < sum(injector.draw_page("/x") is Fault.PAGE_SHIFTED for _ in range(10000)) < 3100


def test_a_plan_can_be_bound_to_paths_and_to_a_number_of_faults() -> None:
    injector = FaultInjector(FaultPlan({Fault.DROPPED: 1.0}, paths=("/product",), most=2))
    drawn = [injector.draw(path) for path in ("/order", "/product/add", "/product/get", "/product/add")]
    assert [None, Fault.DROPPED, Fault.DROPPED, None] == drawn
    assert 2 == injector.total


def test_faults_that_were_asked_for_come_first_and_in_order() -> None:
    injector = FaultInjector()
    injector.next([Fault.DROPPED, Fault.PAGE_REPEATED, "reply_lost"], "/a")
    assert [None, Fault.DROPPED, Fault.REPLY_LOST, None] == [
        injector.draw(path) for path in ("/b", "/a", "/a", "/a")
    ]
    assert Fault.PAGE_REPEATED is injector.draw_page("/a")


@pytest.mark.parametrize(
    "body", [{"rates": {"nonsense": 1}}, {"rates": {"dropped": 2}}, {"rates": {"dropped": "x"}}]
)
def test_a_plan_that_makes_no_sense_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        FaultPlan.from_json(body)


@pytest.mark.parametrize(
    ("fault", "page", "rows"),
    [
        (Fault.PAGE_REPEATED, 1, [1, 1, 2, 3]),
        (Fault.PAGE_SHIFTED, 1, [2, 3, 4]),
        (Fault.PAGE_SHIFTED, 2, [3, 4, 5]),
    ],
)
def test_each_page_fault_spoils_a_page_in_its_way(fault: Fault, page: int, rows: list[int]) -> None:
    injector = FaultInjector()
    injector.next([fault])
    assert rows == page_of(list(range(1, 9)), page, 3, "/x", injector)


def test_a_shuffled_page_holds_the_same_rows() -> None:
    injector = FaultInjector(FaultPlan({Fault.PAGE_SHUFFLED: 1.0}, seed=1))
    page = page_of(list(range(20)), 1, 20, "/x", injector)
    assert list(range(20)) != page
    assert list(range(20)) == sorted(page)


class TestReadAll:
    """A row that changes while pages are read moves, and pulls another over a page border unseen."""

    def read(self, fetch: Callable[[int], Page], passes: int = 8) -> list[int]:
        rows = read_all(fetch, channel="x", page_size=2, key=lambda row: row["id"], passes=passes)
        return sorted(row["id"] for row in rows)

    def test_a_row_that_leaves_between_two_pages_hides_no_other(self) -> None:
        listing = [{"id": number} for number in range(6)]
        asked: list[int] = []

        def fetch(number: int) -> Page:
            asked.append(number)
            if len(asked) == 2:
                del listing[0]
            return Page(len(listing), listing[(number - 1) * 2 : number * 2])

        assert [0, 1, 2, 3, 4, 5] == self.read(fetch)

    def test_an_empty_listing_is_read_once(self) -> None:
        asked: list[int] = []

        def fetch(number: int) -> Page:
            asked.append(number)
            return Page(0, [])

        assert [] == self.read(fetch)
        assert [1] == asked

    def test_a_listing_that_never_holds_still_is_given_up_loudly(self) -> None:
        totals = iter(range(10, 1000))
        with pytest.raises(IncompleteListing):
            self.read(lambda number: Page(next(totals), [{"id": number}]), passes=3)

    def test_a_listing_with_fewer_rows_than_it_says_is_never_taken_for_whole(self) -> None:
        with pytest.raises(IncompleteListing):
            self.read(lambda number: Page(5, [{"id": number}] if number < 3 else []))

    def test_a_row_seen_twice_is_kept_as_it_was_last_seen(self) -> None:
        pages = iter([Page(3, [{"id": 1, "v": 1}]), Page(1, [{"id": 1, "v": 2}])])
        rows = read_all(lambda number: next(pages), channel="x", page_size=3, key=lambda row: row["id"])
        assert [{"id": 1, "v": 2}] == rows


@pytest.mark.parametrize("seed", range(5))
def test_listings_come_whole_and_once_under_every_page_fault_and_transport_fault(
    sandbox: Sandbox, huiju: HuijuClient, youzan: YouzanClient, start: int, seed: int
) -> None:
    rates = dict.fromkeys(PAGE_FAULTS, 0.1) | {Fault.REPLY_LOST: 0.1, Fault.SERVER_ERROR: 0.05}
    sandbox.set_faults(FaultPlan(rates, seed=seed))
    orders = [
        order["orderId"]
        for window in huiju.orders.updated(start, start + 1800, page_size=1)
        for order in window
    ]
    assert ["HJ1", "HJ2", "HJ3"] == sorted(orders)
    assert {str(number) for number in range(1, 121)} == {row["brandId"] for row in huiju.reference.brands()}
    noon = datetime.fromtimestamp(start, UTC)
    windows = youzan.trades.updated(noon, noon + timedelta(minutes=1), page_size=1)
    assert 3 == sum(len(window) for window in windows)
    assert 3 == len(youzan.items.on_sale(1))


def test_random_faults_need_no_luck_to_be_had_again() -> None:
    plan = FaultPlan(dict.fromkeys(Fault, 0.05), seed=random.Random(4).randrange(10**6))
    first, second = FaultInjector(plan), FaultInjector(plan)
    assert [first.draw("/x") for _ in range(500)] == [second.draw("/x") for _ in range(500)]
