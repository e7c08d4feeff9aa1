from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from channels.sandbox import Sandbox
from channels.sandbox.faults import Fault, FaultPlan
from pipeline.sending.outbox import Subject, enqueue
from pipeline.sending.worker import Worker
from pipeline.store import OutboxItem, database_now

SHOP = "38405005"
Wait = Callable[[Callable[[], bool], float], None]


def test_a_worker_ends_when_there_is_nothing_more_to_wait_for(depot: Any, sandbox: Sandbox) -> None:
    upload = depot.queue(8)
    worker = Worker(depot.lanes(sandbox.huiju.base_url), depot.rulebook)
    worker.run(threading.Event(), lambda: depot.progress(upload).is_finished)
    assert ({"listed": 8}, 8) == (depot.states(upload), worker.tally.done)
    assert "完成 8，被拒绝 0" in str(worker.tally)


def test_a_worker_that_is_told_to_stop_brings_what_it_holds_to_an_end(depot: Any, sandbox: Sandbox) -> None:
    upload = depot.queue(20)
    sandbox.huiju.faults.set(FaultPlan({Fault.LATENCY: 1.0}, latency=(0.5, 0.5)))
    stop = threading.Event()
    worker = Worker(depot.lanes(sandbox.huiju.base_url), depot.rulebook, threads=2)
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    while "sending" not in depot.states(upload):
        time.sleep(0.02)
    stop.set()
    thread.join(10)
    states = depot.states(upload)
    assert not thread.is_alive()
    assert "sending" not in states
    assert 20 == states["listed"] + states["queued"]
    assert 1 <= states["listed"] <= 4


def test_a_worker_process_told_to_stop_ends_well(
    depot: Any, outside: Any, crew: Any, wait_until: Wait
) -> None:
    channel, upload = outside(), depot.queue(30)
    workers = crew(channel.base_url, per_second=20)
    workers.start()
    wait_until(lambda: bool(channel.requests()), 60)
    assert [0] == workers.stop(wait_until)
    states = depot.states(upload)
    assert "sending" not in states
    assert states["listed"] == len(channel.added()) == channel.counts()["/product/add"]


def test_a_call_that_takes_longer_than_its_lease_is_made_once(depot: Any, sandbox: Sandbox) -> None:
    """The lease is renewed while the call is under way: no other worker takes the item over."""
    upload = depot.queue(1)
    sandbox.huiju.faults.set(FaultPlan({Fault.LATENCY: 1.0}, latency=(2.5, 2.5)))
    stop, lease = threading.Event(), timedelta(seconds=1)
    workers = [
        Worker(depot.lanes(sandbox.huiju.base_url, timeout=0.4), depot.rulebook, lease=lease, threads=1)
        for _ in range(2)
    ]
    for worker in workers:  # it is the channel that is slow, and the client that is patient
        for lane in worker._lanes.due():
            lane._connect = patient(worker, lane)  # type: ignore[assignment]
    threads = [
        threading.Thread(target=worker.run, args=(stop, lambda: depot.progress(upload).is_finished))
        for worker in workers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert ({"listed": 1}, 1) == (depot.states(upload), depot.item().fencing)
    assert 1 == sandbox.huiju.faults.counts[Fault.LATENCY]


def patient(worker: Worker, lane: Any) -> Any:
    connect = lane._connect

    def make(shop_id: str, before_call: Callable[[], None]) -> Any:
        client = connect(shop_id, before_call)
        client._wire._http.timeout = 10
        return client

    return make


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_database_that_is_away_for_a_moment_stops_no_worker(
    depot: Any, sandbox: Sandbox, postgres_admin: str
) -> None:
    """The outcome of a call is kept as soon as it can be, and the call not made again."""
    upload, name = depot.queue(3), depot.store.engine.url.database
    sandbox.huiju.faults.set(FaultPlan({Fault.LATENCY: 1.0}, latency=(0.4, 0.4), most=3))
    stop = threading.Event()
    worker = Worker(depot.lanes(sandbox.huiju.base_url), depot.rulebook, threads=3)
    thread = threading.Thread(target=worker.run, args=(stop, lambda: depot.progress(upload).is_finished))
    thread.start()
    while "sending" not in depot.states(upload):
        time.sleep(0.02)
    with psycopg.connect(postgres_admin, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        time.sleep(1.0)
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
    thread.join(30)
    assert not thread.is_alive()
    assert {"listed": 3} == depot.states(upload)
    assert 3 == len([1 for _, what, _ in sandbox.huiju.state.effects if what == "product_add"])


def test_an_item_of_a_kind_that_is_not_known_waits_for_a_person(depot: Any, sandbox: Sandbox) -> None:
    with depot.store.write() as session:
        enqueue(session, Subject("coupon.add", "huiju", SHOP, "1"), {}, database_now(session))
    worker = Worker(depot.lanes(sandbox.huiju.base_url), depot.rulebook)
    assert worker.step()
    assert "held" == depot.item().state


def test_a_fault_of_the_program_costs_one_item_its_tries_and_no_worker_its_life(
    depot: Any, sandbox: Sandbox
) -> None:
    upload = depot.queue(2)
    with depot.store.write() as session:
        item = session.query(OutboxItem).filter(OutboxItem.row_number == 2).one()
        item.payload = {**item.payload, "title": 5, "skuList": None, "images": None}
    worker = Worker(depot.lanes(sandbox.huiju.base_url), depot.rulebook)
    worker.step()
    worker.step()
    states = depot.states(upload)
    assert 1 == states["listed"]
