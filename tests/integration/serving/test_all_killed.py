"""`kill -9` of the service, its workers and its database at random moments, over an upload sent and followed over HTTP (R15, R16, R19).

On SQLite one process serves and works, and holds the database: it is what is killed. On PostgreSQL the service, three workers and
the server of the database are processes of their own, and each is killed in its turn. Whatever ends is started again. The suite does
it small; `make soak` at the size that was asked for.
"""

from __future__ import annotations

import io
import json
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import func, select

from pipeline.store import Listing, OutboxItem, Upload, UploadRow, open_store
from pipeline.uploads.state import FAILING, ROW_TITLES
from tests.acceptance.served import BIN, IDENTITY, furnish, rows_that_pass, sheet, wait_until
from tests.integration.crashing_postgres import CrashingPostgres, crashing_postgres
from tests.integration.demo_shop import SHOP, payloads, reference
from tests.integration.outside import Outside, sandbox_process
from tests.integration.serving.merchant import FINISHED, Merchant
from tests.integration.serving.supervised import Supervisor

ADD, GET = "/product/add", "/product/get"
FIRST = 403_900_000
FAILS_EVERY = 20
"""One row of so many names a category that there is none of."""

SLOW = {"rates": {"latency": 0.8}, "latency": [0.2, 0.6], "seed": 11}
SLOW_AND_LOST = {**SLOW, "rates": {"latency": 0.75, "reply_lost": 0.2}}
LOST = {"rates": {"reply_lost": 0.2}, "seed": 12}
HOLDS = ("--lease", "6", "--check-hold", "3", "--sync-every", "0")
DATABASE, SERVICE, WORKER = "database", "service", "worker-"
AT_WORK = 0.8
"""Share of the kills before which the service is let come up; the others meet whatever there is."""


@dataclass(frozen=True)
class Size:
    """Say how much is done.

    Attributes:
        products: Rows of the sheet.
        kills: Of all processes together; before each one, a sheet of one row is sent, too.
        span: Longest time from one kill to the next, s, besides what it takes to start again.
        workers: Worker processes on PostgreSQL.
        per_second: Calls to the channel per second there; on SQLite the service's two threads and the slow channel set the pace.
    """

    products: int
    kills: int
    span: float
    workers: int
    per_second: float


SMALL = Size(products=24, kills=3, span=1.0, workers=2, per_second=5)
FULL = Size(products=500, kills=50, span=4.0, workers=3, per_second=3)


def row_of(number: int) -> list[str]:
    """Give a row about a product of its own, which passes or fails by its number."""
    row = [f"{FIRST + number}", *rows_that_pass()[0][1:]]
    if number % FAILS_EVERY == 0:
        row[5] = "999999"
    return row


def write_products(folder: Path, count: int) -> Path:
    """Write as many products as Youzan gives them, alike but for their ids."""
    model = next(item for item in payloads() if str(item["item_id"]) == rows_that_pass()[0][0])
    known = json.dumps(model, ensure_ascii=False)
    lines = [
        known.replace(str(model["item_id"]), f"{FIRST + number}").replace('"sku_id": 36', f'"sku_id": {number + 1000}')
        for number in range(count)
    ]  # fmt: skip
    folder.mkdir()
    (folder / "products.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Everything:
    """Hold what runs.

    Attributes:
        channel: The sandbox, which alone is never killed.
        supervisor: The service and the workers.
        postgres: The database where it is a process; None for SQLite.
        merchant: Who uploads.
    """

    channel: Outside
    supervisor: Supervisor
    postgres: CrashingPostgres | None
    merchant: Merchant

    def kill(self, victim: str, rng: random.Random) -> None:
        """Kill a process, or the database with all of its own; that is started again a moment later."""
        if victim != DATABASE or self.postgres is None:
            self.supervisor.kill(victim)
            return
        self.postgres.crash()
        self.supervisor.kills[DATABASE] += 1
        time.sleep(rng.uniform(0.0, 1.5))
        self.postgres.start()


@contextmanager
def everything(database: str, folder: Path, size: Size, faults: dict[str, Any]) -> Iterator[Everything]:
    """Run the sandbox, the database, the service and the workers."""
    with ExitStack() as stack:
        postgres = stack.enter_context(crashing_postgres()) if database == "postgresql" else None
        house = furnish(folder, postgres.address if postgres is not None else "")
        products = write_products(folder / "products", size.products + size.kills)
        tables = {name: rows for name, rows in reference().items() if name != "listings"}
        channel = stack.enter_context(
            sandbox_process(folder, tables, list(IDENTITY.values()), products=products, faults=faults)
        )
        house.own |= {
            "SHELFGATE_HUIJU_URL": channel.base_url,
            "SHELFGATE_YOUZAN_URL": channel.youzan_url,
            "SHELFGATE_YOUZAN_PER_SECOND": "200",
        }
        with socket.create_server(("127.0.0.1", 0)) as found:
            port = found.getsockname()[1]
        supervisor = stack.enter_context(Supervisor(house))
        serve = (BIN / "shelfgate", "serve", "--port", str(port))
        if postgres is None:
            supervisor.keep(SERVICE, *serve, "--worker-threads", "2", *HOLDS)
        else:
            supervisor.keep(SERVICE, *serve, "--no-worker")
            for number in range(size.workers):
                supervisor.keep(
                    f"{WORKER}{number}", BIN / "shelfgate", "worker", "--threads", "2",
                    "--per-second", str(size.per_second), "--retry-after", "1", *HOLDS,
                )  # fmt: skip
        yield Everything(channel, supervisor, postgres, Merchant(f"http://127.0.0.1:{port}", house.token))


def victims(database: str, size: Size, rng: random.Random) -> list[str]:
    """Give what is killed, in its order: on PostgreSQL each fifth time the database, and else in turn the service and a worker."""
    if database == "sqlite":
        return [SERVICE] * size.kills
    crashes = max(1, size.kills // 5)
    others = [
        SERVICE if number % 2 else f"{WORKER}{rng.randrange(size.workers)}"
        for number in range(size.kills - crashes)
    ]
    found = [DATABASE] * crashes + others
    rng.shuffle(found)
    return found


def run(database: str, folder: Path, size: Size, *, lost: bool, seed: int) -> dict[str, Any]:
    """Do it, look at what came of it, and give the figures."""
    rng, began = random.Random(seed), time.monotonic()
    with everything(database, folder, size, SLOW_AND_LOST if lost else SLOW) as running:
        channel, supervisor, merchant = running.channel, running.supervisor, running.merchant
        upload = merchant.upload("all", sheet([row_of(number) for number in range(size.products)]))
        early, stop = 0, threading.Event()
        with ThreadPoolExecutor(8) as pool, closing_by(stop):
            following = pool.submit(merchant.follow, upload, stop)
            sheets, sent = {}, {}
            for number, victim in enumerate(victims(database, size, rng)):
                if rng.random() < AT_WORK:
                    wait_until(merchant.is_up)
                time.sleep(rng.uniform(0.1, size.span))
                key = f"later-{number}"
                sheets[key] = sheet([row_of(size.products + number)])
                sent[key] = pool.submit(merchant.upload, key, sheets[key])
                time.sleep(rng.uniform(0.0, 0.15))
                running.kill(victim, rng)
                early += unfinished(channel, size.products)
            channel.set_faults(LOST if lost else {})
            ids = {"all": upload} | {key: done.result() for key, done in sent.items()}
            for found in ids.values():
                wait_until(lambda found=found: merchant.state(found)["state"] in FINISHED, 300)  # type: ignore[misc]
            again = {key: merchant.upload(key, content) for key, content in sheets.items()}
            stop.set()
            following.result()
            wait_until(merchant.is_up)
        assert ids == {"all": upload} | again, "a key gives its upload for good"
        assert len(ids) == len(set(ids.values())), "each sheet is an upload of its own"
        assert [] == merchant.broken
        check(merchant, channel, list(ids.values()), supervisor.house.store, size)
        requests, effects = channel.counts(), channel.added()
        assert {0} == set(supervisor.end().values())
    kills = {f"kills of {name}": count for name, count in sorted(supervisor.kills.items())}
    return {
        "seed": seed, "products": effects.total(), **kills, "kills while work was left": early,
        "ended by themselves": dict(Counter(supervisor.ended)), "requests to the channel": requests.total(),
        "sent": requests[ADD], "sent again": requests[ADD] - effects.total(), "looked up": requests[GET],
        "listed twice": sum(count > 1 for count in effects.values()),
        "requests to the service": merchant.answers.total(), "repeated": merchant.repeats,
        "answers": dict(merchant.answers), "longest until 202, s": round(merchant.longest, 1),
        "seconds": round(time.monotonic() - began),
    }  # fmt: skip


@contextmanager
def closing_by(stop: threading.Event) -> Iterator[None]:
    """Have what runs beside end, too, where something fails."""
    try:
        yield
    finally:
        stop.set()


def unfinished(channel: Outside, products: int) -> bool:
    """Say whether the channel has not been sent every product yet."""
    return channel.counts()[ADD] < products - products // FAILS_EVERY


def check(merchant: Merchant, channel: Outside, ids: list[str], address: str, size: Size) -> None:
    """See that each product that passes is listed once, and that store and service tell of each row what became of it."""
    numbers = range(size.products + size.kills)
    passes = {f"{FIRST + number}" for number in numbers if number % FAILS_EVERY}
    assert dict.fromkeys(passes, 1) == dict(channel.added())
    listed = channel.state()["listed"]
    told = [row for upload in ids for row in merchant.rows(upload)]
    assert {f"{FIRST + number}" for number in numbers} == {row["product_id"] for row in told}
    assert len(numbers) == len(told)
    for row in told:
        assert ("listed" if row["product_id"] in passes else "rejected") == row["state"], row
        assert listed.get(row["product_id"]) == row["channel_product_id"]
    with closing(open_store(address)) as store, store.read() as session:
        counted = select(UploadRow.state, func.count().label("found")).group_by(UploadRow.state)
        assert Counter(row["state"] for row in told) == {
            row.state: row.found for row in session.execute(counted)
        }
        assert len(ids) == session.scalar(select(func.count()).select_from(Upload))
        assert {"done"} == set(session.scalars(select(OutboxItem.state)))
        kept = select(Listing.product_id, Listing.channel_product_id).where(
            Listing.product_id.in_(passes), Listing.shop_id == SHOP
        )
        assert listed == {row.product_id: row.channel_product_id for row in session.execute(kept)}
    for upload in ids:
        state = merchant.state(upload)
        mine = Counter(row["state"] for row in merchant.rows(upload))
        assert mine == {name: count for name, count in state["rows_by_state"].items() if count}
        assert (state["total"], state["settled"]) == (mine.total(), mine.total())
        failing = sum(mine[name] for name in FAILING)
        assert ("done_with_failures" if failing else "done", failing) == (state["state"], state["failing"])
    report = merchant.ask("GET", f"/v1/uploads/{ids[0]}/report")
    assert 200 == report.status_code
    titles, *lines = openpyxl.load_workbook(io.BytesIO(report.content)).worksheets[0].values
    column = titles.index("状态")
    found = Counter(str(line[column]).partition("（")[0] for line in lines)
    mine = Counter(row["state"] for row in merchant.rows(ids[0]))
    assert {ROW_TITLES[state]: count for state, count in mine.items()} == dict(found)


def tell(database: str, figures: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n  {database}: " + ", ".join(f"{name} {value}" for name, value in figures.items()))


def test_whatever_is_killed_each_product_is_listed_once_and_no_upload_is_lost(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """R15, R16: an upload answered 202 survives a crash of anything; with replies lost on top of it."""
    tell(database, run(database, tmp_path, SMALL, lost=True, seed=7), capsys)


@pytest.mark.soak
@pytest.mark.parametrize("lost", [False, True], ids=["replies", "replies lost"])
def test_fifty_kills_of_everything_over_five_hundred_products(
    database: str, lost: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(database, run(database, tmp_path, FULL, lost=lost, seed=8 + lost), capsys)
