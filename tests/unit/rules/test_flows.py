"""What happens to an after-sale: a function of what has happened, not of when we heard of it (R30, R32)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from engine.flows import CaseState, Observation, fold, matcher
from engine.rulebook import Rulebook
from engine.rules import Ruleset

START = datetime(2022, 3, 11, 2, tzinfo=UTC)
# What leads to each state, beginning at nothing.
PATHS = {
    "": (),
    "requested": ("refund_requested",),
    "rejected": ("refund_requested", "rejected"),
    "waiting_return": ("refund_requested", "return_agreed"),
    "waiting_receipt": ("refund_requested", "return_agreed", "goods_returned"),
    "return_rejected": ("refund_requested", "return_agreed", "goods_returned", "return_rejected"),
    "closed": ("refund_requested", "withdrawn"),
    "succeeded": ("refund_requested", "agreed"),
}
# From which states an event leads where; in every other state it changes nothing.
OPEN = ("requested", "rejected", "waiting_return", "waiting_receipt", "return_rejected")
MOVES = {
    "refund_requested": (("", "requested", "rejected", "return_rejected"), "requested", None),
    "withdrawn": (OPEN, "closed", "buyer"),
    "timed_out": (OPEN, "closed", "timeout"),
    "agreed": (OPEN, "succeeded", None),
    "rejected": (("requested",), "rejected", None),
    "return_agreed": (("requested", "rejected"), "waiting_return", None),
    "goods_returned": (("waiting_return", "return_rejected"), "waiting_receipt", None),
    "return_received": (("waiting_return", "waiting_receipt", "return_rejected"), "succeeded", None),
    "return_rejected": (("waiting_receipt",), "return_rejected", None),
}


@pytest.fixture(scope="module")
def ruleset(rulebook: Rulebook) -> Ruleset:
    return rulebook.ruleset("huiju/after-sale")


def happened(*events: str, kind: str = "refund_only", id_: str = "A1") -> list[Observation]:
    """Let events happen an hour apart, in the order given."""
    return [
        Observation(
            f"{id_}-{n}-{event}",
            event,
            START + timedelta(hours=n),
            "" if event.startswith("order_") else id_,
            {"kind": kind} if event == "refund_requested" else None,
        )
        for n, event in enumerate(events)
    ]


class Folding:
    """Fold what has happened to an order, with the flows compiled once."""

    def __init__(self, ruleset: Ruleset) -> None:
        self.ruleset = ruleset
        self.flows = matcher(ruleset, START)

    def state(self, observations: Iterable[Observation], status: str = "to_ship") -> CaseState:
        order = {"id": "O1", "channel": "huiju", "status": status}
        return fold(self.ruleset, self.flows, order, observations)

    def outcome(self, observations: Iterable[Observation], status: str = "to_ship") -> tuple[Any, Any, Any]:
        """Give the order's status, the after-sale's and who closed it."""
        state = self.state(observations, status)
        after_sale = state.after_sales.get("A1", {})
        return state.order["status"], after_sale.get("status", ""), after_sale.get("closed_by")


def test_every_event_in_every_state_leads_where_it_should(ruleset: Ruleset) -> None:
    """R32: a late or repeated event never moves an after-sale that has gone past it."""
    folding = Folding(ruleset)
    for before, path in PATHS.items():
        closed_by = "buyer" if before == "closed" else None
        assert folding.outcome(happened(*path)) == ("to_ship", before, closed_by)
        for event, (sources, after, who) in MOVES.items():
            got = folding.outcome(happened(*path, event))
            wanted = (after, who) if before in sources else (before, closed_by)
            assert got == ("to_ship", *wanted), (before, event)


def test_shipping_closes_a_pending_refund_and_nothing_else(ruleset: Ruleset) -> None:
    """R30: only a refund without return that still waits for an answer; R32: the rest stays as it is."""
    folding = Folding(ruleset)
    for before, path in PATHS.items():
        for kind in ("refund_only", "return_refund", "exchange"):
            got = folding.outcome(happened(*path, "order_shipped", kind=kind))
            closes = before == "requested" and kind == "refund_only"
            closed_by = "buyer" if before == "closed" else "shipment" if closes else None
            assert got == ("shipped", "closed" if closes else before, closed_by), (before, kind)


def test_shipping_moves_an_order_that_waits_for_it_and_no_other(ruleset: Ruleset) -> None:
    """R30: and a refund asked for when part had been shipped stays open, as it can be rejected."""
    folding = Folding(ruleset)
    after = {
        status: folding.outcome(happened("refund_requested", "order_shipped"), status)
        for status in ("wait_pay", "to_ship", "partly_shipped", "shipped", "done", "closed")
    }
    assert after == {
        "wait_pay": ("wait_pay", "requested", None),
        "to_ship": ("shipped", "closed", "shipment"),
        "partly_shipped": ("shipped", "requested", None),
        "shipped": ("shipped", "requested", None),
        "done": ("done", "requested", None),
        "closed": ("closed", "requested", None),
    }


def test_a_refund_asked_for_after_shipment_stays_open_even_if_shipment_is_heard_of_twice(
    ruleset: Ruleset,
) -> None:
    """R30: our own record of the shipment and the channel's echo are two observations of one thing."""
    folding = Folding(ruleset)
    shipped, requested = happened("order_shipped", "refund_requested")
    echo = Observation("echo", "order_shipped", START + timedelta(hours=5))
    for arrival in permutations([shipped, requested, echo]):
        assert folding.outcome(arrival) == ("shipped", "requested", None)


def test_the_order_and_number_of_arrivals_do_not_matter(ruleset: Ruleset) -> None:
    """R30: every permutation, each observation once or twice."""
    folding = Folding(ruleset)
    stories = {
        ("refund_requested", "order_shipped"): ("shipped", "closed", "shipment"),
        ("order_shipped", "refund_requested"): ("shipped", "requested", None),
        ("refund_requested", "agreed", "order_shipped"): ("shipped", "succeeded", None),
        ("refund_requested", "order_shipped", "agreed"): ("shipped", "closed", "shipment"),
        ("refund_requested", "withdrawn", "order_shipped"): ("shipped", "closed", "buyer"),
        ("refund_requested", "order_shipped", "timed_out"): ("shipped", "closed", "shipment"),
        ("order_shipped", "refund_requested", "rejected", "refund_requested"): ("shipped", "requested", None),
        ("refund_requested", "return_agreed", "goods_returned", "return_received"): (
            "to_ship",
            "succeeded",
            None,
        ),
    }
    for events, expected in stories.items():
        observations = happened(*events)
        for arrival in permutations(observations):
            assert folding.outcome(arrival) == expected, events
            assert folding.outcome([*arrival, *arrival]) == expected, events


def test_a_request_and_the_shipment_of_the_same_moment_close_the_request(ruleset: Ruleset) -> None:
    """R30: the request counts as the earlier of the two, by the rank of the events."""
    folding = Folding(ruleset)
    requested = Observation("z", "refund_requested", START, "A1", {"kind": "refund_only"})
    shipped = Observation("a", "order_shipped", START)
    for arrival in permutations([requested, shipped]):
        assert folding.outcome(arrival) == ("shipped", "closed", "shipment")


def test_shipping_closes_every_pending_refund_of_the_order_each_once(ruleset: Ruleset) -> None:
    """R30: an order may have several, one a line; what the shipment did is recorded for each."""
    folding = Folding(ruleset)
    first, second = (
        Observation(id_, "refund_requested", START, id_, {"kind": "refund_only"}) for id_ in "AB"
    )
    back = Observation("C", "refund_requested", START, "C", {"kind": "return_refund"})
    shipped = Observation("S", "order_shipped", START + timedelta(hours=1))
    state = folding.state([shipped, shipped, second, back, first])
    assert {id_: found["status"] for id_, found in state.after_sales.items()} == {
        "A": "closed",
        "B": "closed",
        "C": "requested",
    }
    effects = [
        (item.flow, item.after_sale, item.changes) for item in state.effects if item.observation == "S"
    ]
    closing = (("status", "closed"), ("closed_by", "shipment"))
    assert effects == [
        ("shipment-closes-refund", "A", closing),
        ("shipment-closes-refund", "B", closing),
        ("order-shipped", "", (("order.status", "shipped"),)),
    ]


def test_a_refund_of_unknown_kind_is_left_open(ruleset: Ruleset) -> None:
    """R30: nothing is closed on a guess."""
    folding = Folding(ruleset)
    requested = Observation("r", "refund_requested", START, "A1")
    shipped = Observation("s", "order_shipped", START + timedelta(hours=1))
    assert folding.outcome([requested, shipped]) == ("shipped", "requested", None)


def test_a_request_that_the_buyer_changes_is_the_same_request_with_what_is_new(ruleset: Ruleset) -> None:
    """R32: of two observations of one request the later tells what is asked for now."""
    folding = Folding(ruleset)
    first, second = (
        Observation(
            str(amount),
            "refund_requested",
            START + timedelta(seconds=amount),
            "A1",
            {"kind": "refund_only", "amount": amount},
        )
        for amount in (100, 200)
    )
    for arrival in permutations([first, second]):
        state = folding.state(arrival)
        assert state.after_sales["A1"]["amount"] == 200
        assert state.ignored == ()


def test_events_that_come_to_nothing_are_kept_as_ignored(ruleset: Ruleset) -> None:
    folding = Folding(ruleset)
    state = folding.state(happened("rejected", "refund_requested", "goods_returned"))
    assert state.ignored == ("A1-0-rejected", "A1-2-goods_returned")


def test_a_part_of_the_order_that_leaves_closes_nothing_by_itself(ruleset: Ruleset) -> None:
    """R30: whether it does is for the channel to say; and what leaves later finds the order shipped in part."""
    folding = Folding(ruleset)
    wanted = {status: status for status in ("wait_pay", "partly_shipped", "shipped", "done", "closed")}
    for before, after in ({"to_ship": "partly_shipped"} | wanted).items():
        got = folding.outcome(happened("refund_requested", "order_partly_shipped"), before)
        assert got == (after, "requested", None)
    for arrival in permutations(happened("refund_requested", "order_partly_shipped", "order_shipped")):
        assert folding.outcome(arrival) == ("shipped", "requested", None)


def test_what_the_channel_reports_holds_whatever_the_flows_make_of_it(ruleset: Ruleset) -> None:
    """R30: a report of the moment of an event is the later of the two; what happens after it goes on from there."""
    folding = Folding(ruleset)
    requested, shipped = happened("refund_requested", "order_shipped")
    told = {"kind": "refund_only", "status": "requested", "closed_by": None}
    for at, status in ((shipped.at, "requested"), (requested.at, "closed")):
        report = Observation("told", "reported", at, "A1", told, reported=True)
        for arrival in permutations([requested, shipped, report]):
            assert folding.outcome(arrival)[1] == status
    reopened = Observation("told", "reported", shipped.at + timedelta(hours=1), "A1", told, reported=True)
    withdrawn = Observation("w", "withdrawn", shipped.at + timedelta(hours=2), "A1")
    assert folding.outcome([requested, shipped, reopened]) == ("shipped", "requested", None)
    assert folding.outcome([requested, shipped, reopened, withdrawn]) == ("shipped", "closed", "buyer")
