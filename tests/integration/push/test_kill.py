"""`kill -9` of workers, and crashes of the database, at random moments: each product once, each row with its outcome.

The suite does it small; `make soak` at the size that was asked for.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from pipeline.store import StoreError, migrate, open_store
from tests.integration.crashing_postgres import crashing_postgres

ADD, GET = "/product/add", "/product/get"
LOST = {"rates": {"reply_lost": 0.2}, "seed": 11}
Wait = Callable[[Callable[[], bool], float], None]


@pytest.fixture(scope="module")
def postgres_database() -> Iterator[str]:
    """Give a server of this file's own: it keeps what it has committed, and no other test goes down with it."""
    with crashing_postgres() as server:
        with closing(open_store(server.address)) as store:
            migrate(store)
        yield server.address


def crash_database(address: str, wait_until: Wait) -> None:
    """Kill one process of the server as `kill -9` does: it ends all others, recovers from its log, and lets in who comes next."""
    before = helpers(address)
    with psycopg.connect(address, autocommit=True) as connection:
        found = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert found is not None
        os.kill(found[0], signal.SIGKILL)
        with contextlib.suppress(psycopg.Error):
            connection.execute("SELECT pg_sleep(10)")
    wait_until(lambda: helpers(address) not in ([], before), 60)


def helpers(address: str) -> list[Any]:
    """Give the processes that a server has besides those of its clients, which it starts anew after a crash; none where it lets nobody in."""
    asked = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(address) as connection:
        return connection.execute(asked).fetchall()
    return []


def finished(depot: Any, upload: str) -> bool:
    with contextlib.suppress(StoreError):
        return bool(depot.progress(upload).is_finished)
    return False


def run(
    depot: Any, outside: Any, crew: Any, wait_until: Wait, *, products: int, kills: int, per_second: float,
    crashes: int = 0, faults: dict[str, Any] | None = None, seed: int = 7,
) -> dict[str, int]:  # fmt: skip
    """Push an upload with three workers that die all the time, and look at what came of it."""
    rng = random.Random(seed)
    channel = outside(faults=faults)
    upload = depot.queue(products)
    workers = crew(channel.base_url, per_second=per_second)
    workers.start(3)
    wait_until(lambda: bool(channel.requests()), 60)
    moments = sorted(rng.sample(range(kills), crashes))
    done = 0
    for number in range(kills):
        time.sleep(rng.uniform(0.5, 1.1) * products / per_second / max(kills, 1))
        if number in moments:  # who begins while there is no database ends at once, for others to start again
            wait_until(workers.at_work, 60)
            crash_database(workers.address, wait_until)
        workers.kill(rng.randrange(3))
        workers.start()
        done += not finished(depot, upload)
    wait_until(lambda: finished(depot, upload), 300)
    assert [0, 0, 0] == workers.stop(wait_until)
    added, counts = channel.added(), channel.counts()
    listed = channel.state()["listed"]
    assert {f"{403_000_001 + number}": 1 for number in range(products)} == dict(added)
    assert {"listed": products} == depot.states(upload)
    assert listed == depot.listings()
    assert "done" == depot.progress(upload).state
    return {
        "products": products, "kills": kills, "kills while work was left": done, "database crashes": crashes,
        "sent": counts[ADD], "sent again": counts[ADD] - products, "looked up": counts[GET],
    }  # fmt: skip


def told(database: str, figures: dict[str, int], capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n  {database}: " + ", ".join(f"{value} {name}" for name, value in figures.items()))


def test_killed_workers_and_lost_replies_list_each_product_once(
    depot: Any, outside: Any, crew: Any, wait_until: Wait, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """R15, R16: it survives a crash without sending a product twice."""
    figures = run(
        depot, outside, crew, wait_until, products=60, kills=3, per_second=30,
        crashes=int(database == "postgresql"), faults=LOST,
    )  # fmt: skip
    told(database, figures, capsys)
    assert figures["looked up"] > 0


@pytest.mark.soak
def test_fifty_kills_over_five_hundred_products(
    depot: Any, outside: Any, crew: Any, wait_until: Wait, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = run(
        depot, outside, crew, wait_until, products=500, kills=50, per_second=4,
        crashes=10 if database == "postgresql" else 0,
    )  # fmt: skip
    told(database, figures, capsys)


@pytest.mark.soak
def test_fifty_kills_with_replies_lost(
    depot: Any, outside: Any, crew: Any, wait_until: Wait, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = run(
        depot, outside, crew, wait_until, products=500, kills=50, per_second=4,
        crashes=10 if database == "postgresql" else 0, faults=LOST,
    )  # fmt: skip
    told(database, figures, capsys)
