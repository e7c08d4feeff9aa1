"""The state is a function of what the channel has told, not of when we heard of it, how often, or in which order (R30, R32).

Stories are played on the marketplace itself; what it shows after each step is a snapshot. All arrivals of all snapshots lead to where the
marketplace stands in the end.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import delete, select

from channels.huiju.profile import load_profile
from channels.sandbox.huiju import after_sales as decisions
from channels.sandbox.huiju import orders as shipping
from channels.sandbox.huiju.buyer import Buyer
from channels.sandbox.huiju.state import HuijuState
from pipeline.orders.rules import OrderRules
from pipeline.orders.snapshots import Snapshot, after_sale_snapshot, order_snapshot
from pipeline.orders.taking_in import take_in
from pipeline.store import AfterSale, Event, Order, Shipment

SHOP = "38405005"
START = 1_646_900_000
PRODUCT = {
    "productId": "P1", "outProductId": "1", "title": "围巾",
    "skuList": [{"skuId": "K1", "outSkuId": "s1", "price": 100, "stock": 99, "specs": []}],
}  # fmt: skip


class Story:
    """Play on a marketplace whose clock the story sets, and take a snapshot of everything after each step.

    Attributes:
        snapshots: What was seen, the oldest first.
    """

    def __init__(self, seconds_per_step: float) -> None:
        self.time = float(START)
        self.state = HuijuState(load_profile(), lambda: self.time)
        self.state.products["P1"], self.state.listed["1"] = copy.deepcopy(PRODUCT), "P1"
        self.buyer = Buyer(self.state)
        self.snapshots: list[Snapshot] = []
        self._step = seconds_per_step
        self._read_at = datetime(2022, 3, 10, 9, tzinfo=UTC)

    def then(self, happens: Callable[[], Any], *, seen: bool = True) -> Any:
        found = happens()
        if seen:
            self.look()
        self.time += self._step
        return found

    def look(self) -> None:
        """See what is there; the reading has a clock of its own, the database's."""
        self._read_at += timedelta(seconds=1)
        for row in copy.deepcopy(list(self.state.orders.values())):
            self.snapshots.append(order_snapshot(row, self._read_at))
        for row in copy.deepcopy(list(self.state.after_sales.values())):
            self.snapshots.append(after_sale_snapshot(row, self._read_at))

    def order(self, lines: int = 1) -> str:
        order_id = self.buyer.place_order("1")
        first = self.state.orders[order_id]["itemList"][0]
        self.state.orders[order_id]["itemList"] = [{**first, "lineId": f"L{n}"} for n in range(lines)]
        return order_id

    def ship(self, order_id: str, waybill: str, lines: list[str] | None = None) -> None:
        params = {"orderId": order_id, "deliverCompany": "顺丰", "deliverNumber": waybill, "lineIds": lines}
        shipping.deliver(self.state, params, "")

    def decide(self, after_sale_id: str, how: str) -> None:
        decisions.audit(self.state, {"afterSaleOrderId": after_sale_id, "auditType": how}, "")

    def end(self) -> dict[str, Any]:
        found: dict[str, Any] = {id_: row["orderStatus"] for id_, row in self.state.orders.items()}
        for id_, row in self.state.after_sales.items():
            found[id_] = (row["afterSaleStatus"], row["closedBy"])
        return found


def shipped_while_asked(story: Story) -> None:
    order = story.then(story.order)
    story.then(lambda: story.buyer.request(order))
    story.then(lambda: story.ship(order, "SF01"))


def asked_after_it_left(story: Story) -> None:
    order = story.then(story.order)
    story.then(lambda: story.ship(order, "SF01"))
    request = story.then(lambda: story.buyer.request(order))
    story.then(lambda: story.decide(request, "reject"))


def withdrawn_then_shipped_then_asked_anew(story: Story) -> None:
    """A second request after one that is closed is a new one."""
    order = story.then(story.order)
    first = story.then(lambda: story.buyer.request(order))
    story.then(lambda: story.buyer.withdraw(first))
    story.then(lambda: story.buyer.request(order))
    story.then(lambda: story.ship(order, "SF01"))
    story.then(lambda: story.buyer.request(order))


def shipped_in_parts(story: Story) -> None:
    order = story.then(lambda: story.order(2))
    story.then(lambda: story.buyer.request(order))
    story.then(lambda: story.ship(order, "SF01", ["L0"]))
    story.then(lambda: story.buyer.request(order))
    story.then(lambda: story.ship(order, "SF02", ["L1"]))


def agreed_before_it_left(story: Story) -> None:
    order = story.then(story.order)
    request = story.then(lambda: story.buyer.request(order))
    story.then(lambda: story.decide(request, "agree"))


def returned(story: Story) -> None:
    order = story.then(story.order)
    story.then(lambda: story.ship(order, "SF01"))
    request = story.then(lambda: story.buyer.request(order, kind="return_refund"))
    story.then(lambda: story.decide(request, "agree"), seen=False)
    story.then(lambda: story.buyer.return_goods(request))
    story.then(lambda: story.decide(request, "reject_return"))


STORIES = (
    shipped_while_asked,
    asked_after_it_left,
    withdrawn_then_shipped_then_asked_anew,
    shipped_in_parts,
    agreed_before_it_left,
    returned,
)


def arrive(office: Any, arrivals: list[Snapshot]) -> None:
    """Let snapshots arrive one by one, as each window brings them: an after-sale brings its order where that is not known."""
    rules = OrderRules(office.rulebook, "huiju", datetime(2022, 3, 12, tzinfo=UTC))
    with office.store.read() as session:
        known = set(session.scalars(select(Order.channel_order_id)))
    orders = {item.record_id: item for item in arrivals if item.is_order}
    for item in arrivals:
        with office.store.write() as session:
            some = [item] if item.is_order else []
            if not item.is_order and item.order_id not in known:
                some = [orders[item.order_id]]
            take_in(session, office.vault, rules, SHOP, some, [item for item in [item] if not item.is_order])
        known.add(item.order_id)


def forget(office: Any) -> None:
    with office.store.write() as session:
        for model in (Event, Shipment, AfterSale, Order):
            session.execute(delete(model))


@pytest.mark.parametrize("seconds", [60.0, 0.1], ids=["a minute a step", "all within a second or two"])
@pytest.mark.parametrize("tell", STORIES, ids=lambda tell: tell.__name__)
def test_every_order_and_number_of_arrivals_ends_where_the_marketplace_stands(
    tell: Callable[[Story], None], seconds: float, office: Any
) -> None:
    """R30: told in whole seconds, a request and a shipment of the same second too."""
    story = Story(seconds)
    tell(story)
    rng = random.Random(11)
    orders = list(permutations(range(len(story.snapshots)))) if len(story.snapshots) < 4 else []
    orders += [
        tuple(rng.sample(range(len(story.snapshots)), len(story.snapshots))) for _ in range(8 - len(orders))
    ]
    for places in (range(len(story.snapshots)), *orders):
        arrivals = [story.snapshots[place] for place in places]
        arrivals += rng.sample(arrivals, len(arrivals) // 2)
        arrive(office, arrivals)
        assert story.end() == office.states(), places
        forget(office)


@pytest.mark.parametrize("tell", STORIES, ids=lambda tell: tell.__name__)
def test_what_was_never_seen_is_not_missed(tell: Callable[[Story], None], office: Any) -> None:
    """R32: some of the steps are never heard of; the newest of each record is enough."""
    story = Story(60.0)
    tell(story)
    newest = list({item.record_id: item for item in story.snapshots}.values())
    rng = random.Random(5)
    for count in (0, 0, 1, 2, 3):
        arrivals = newest + rng.sample(story.snapshots, min(count, len(story.snapshots)))
        rng.shuffle(arrivals)
        arrive(office, arrivals)
        assert story.end() == office.states()
        forget(office)


def test_a_shipment_that_is_heard_of_first_closes_the_request_at_once(office: Any) -> None:
    """R30: before the marketplace has told that it did; and when it tells, nothing changes."""
    story = Story(60.0)
    shipped_while_asked(story)
    *_, order, closed = story.snapshots
    asked = next(item for item in story.snapshots if item.fact.get("status") == "requested")
    for arrivals in ([asked, order], [order, asked]):
        arrive(office, [*arrivals])
        assert ("closed", "shipment") == office.states()[asked.record_id]
        arrive(office, [closed, asked])
        assert ("closed", "shipment") == office.states()[asked.record_id]
        forget(office)


def test_where_the_marketplace_says_otherwise_it_is_right(office: Any) -> None:
    """It opens a request again that the shipment had closed: no flow of ours knows of that."""
    story = Story(60.0)
    shipped_while_asked(story)
    (request,) = story.state.after_sales
    story.state.after_sales[request] |= {"afterSaleStatus": "requested", "closedBy": None}
    story.then(lambda: story.state.touch(story.state.after_sales[request]))
    for arrivals in (story.snapshots, story.snapshots[::-1]):
        arrive(office, arrivals)
        assert ("requested", None) == office.states()[request]
        forget(office)


def test_of_two_snapshots_of_one_second_the_one_read_later_counts(office: Any) -> None:
    """The channel tells time in whole seconds: what was read between two changes of one second is not the end of it."""
    story = Story(0.1)
    shipped_while_asked(story)
    assert {START} == {int(item.updated_at.timestamp()) for item in story.snapshots}
    for arrivals in (story.snapshots, story.snapshots[::-1]):
        arrive(office, arrivals)
        assert story.end() == office.states()
        forget(office)
