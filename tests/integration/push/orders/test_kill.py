"""A worker killed at the worst moment ships once, and closes the request once (R27, R30)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from channels.sandbox.faults import Fault, FaultPlan


@pytest.fixture
def late(office: Any, sandbox: Any) -> Callable[[str], None]:
    """Give a function that lets replies to a path come late: the effect is there, and nobody has heard of it."""

    def hold(path: str) -> None:
        handle = sandbox.huiju.server._server.app._handle

        def slow(environ: Any, body: bytes) -> Any:
            reply = handle(environ, body)
            if path in str(environ.get("PATH_INFO")):
                time.sleep(30)
            return reply

        sandbox.huiju.server._server.app._handle = slow

    return hold


def test_killed_between_the_shipment_and_its_record(
    office: Any, sandbox: Any, crew: Any, late: Callable[[str], None], wait_until: Any
) -> None:
    """R27, R30: the marketplace has the parcel, the worker is gone; the next one looks, and sends nothing."""
    order_id = office.place()
    request = office.ask(order_id)
    office.sync()
    accepted = office.ship(order_id, "SF100")
    app = sandbox.huiju.server._server.app
    handle = app._handle
    late("/order/deliver")
    team = crew(sandbox.huiju.base_url, lease=3, threads=1)
    team.start()
    wait_until(lambda: office.effects("order_deliver") == [order_id], 60)
    team.kill(0)
    app._handle = handle
    assert "sending" == office.order(order_id).sendings[0].state
    team.start()
    wait_until(lambda: office.order(order_id).sendings[0].state == "done", 60)
    assert [0] == team.stop(wait_until)
    assert [order_id] == office.effects("order_deliver")
    assert {order_id: "shipped", request: ("closed", "shipment")} == office.states() == office.there()
    assert accepted.item_id == office.order(order_id).sendings[0].item_id


def test_killed_again_and_again_while_many_orders_are_shipped(
    office: Any, sandbox: Any, crew: Any, wait_until: Any
) -> None:
    """R27, R30: on a bad line besides; every order once, every request closed once."""
    orders = [office.place(number) for number in range(1, 25)]
    requests = [office.ask(order_id) for order_id in orders[::2]]
    office.sync()
    for number, order_id in enumerate(orders):
        office.ship(order_id, f"SF{number:04d}")
    rates = {Fault.REPLY_LOST: 0.2, Fault.DELIVERED_TWICE: 0.1}
    sandbox.huiju.faults.set(FaultPlan(rates, seed=3, paths=("/order/deliver",)))
    team = crew(sandbox.huiju.base_url, lease=2, per_second=60)
    team.start(2)
    for kills in range(1, 4):
        wait_until(lambda least=5 * kills: len(office.effects("order_deliver")) >= least, 90)
        team.kill(0)
        team.start()
    wait_until(lambda: set(office.states().values()) == {"shipped", ("closed", "shipment")}, 120)
    assert {0} == set(team.stop(wait_until))
    assert sorted(orders) == sorted(office.effects("order_deliver"))
    assert all(("closed", "shipment") == office.state(request) for request in requests)
    assert office.there() == office.states()


def test_a_worker_takes_orders_in_by_itself(
    office: Any, sandbox: Any, crew: Any, wait_until: Any, tmp_path: Path
) -> None:
    """R20: every second here; what comes while it runs is there soon after."""
    office.sync()  # the first intake of a shop looks back a week; that is another test's to show
    first = office.place(1, updated_at=datetime.now(UTC))
    team = crew(sandbox.huiju.base_url, sync_every=1)
    team.start()
    wait_until(lambda: first in office.states(), 90)
    second = office.place(2, updated_at=datetime.now(UTC))
    request = office.ask(second)
    wait_until(lambda: {first, second, request} == set(office.states()), 60)
    assert [0] == team.stop(wait_until)
