"""A bound shop with rows that passed, a sandbox process on a socket, and worker processes that can be killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from channels.huiju import HuijuCredentials
from channels.sandbox import Sandbox, SandboxConfig, Seed
from engine.rulebook import Rulebook, find_manifest, load
from mappings.channels.huiju import product_payload
from mappings.reference import read_reference
from pipeline.secrets import KEYS, Vault, new_key
from pipeline.sending.lanes import Lanes
from pipeline.sending.push import enqueue_listing
from pipeline.shops import save_shop
from pipeline.store import (
    BindingRow,
    Listing,
    OutboxItem,
    RowState,
    Store,
    Upload,
    UploadRow,
    database_now,
    new_id,
)
from pipeline.uploads.state import Progress, advance, progress
from tests.integration.outside import Outside, sandbox_process

ROOT = Path(__file__).parents[3]
SHOP = "38405005"
KEY = new_key()
IDENTITY = ("hj00000001", "huiju-app-secret-1f2e", "huiju-data-key-9c8b")
ADD, GET = "/product/add", "/product/get"

Fact = dict[str, Any]


def listing(product_id: str, **row: Any) -> Fact:
    """Give a listing that passes."""
    return {
        "product": {
            "id": product_id,
            "title": f"羊毛围巾 {product_id}",
            "images": ["https://img.example.com/1.jpg"],
            "specs": [{"id": "1", "name": "颜色", "values": ["红", "藏青"]}],
            "skus": [
                {
                    "id": f"{product_id}{number}",
                    "code": None,
                    "price": 29800,
                    "stock": 3,
                    "specs": [{"name": "颜色", "value": color}],
                }
                for number, color in enumerate(("红", "藏青"))
            ],
        },
        "row": {
            "product_id": product_id,
            "specs": [{"name": "颜色", "template_id": "30001"}],
            "category_id": "6091",
            "brand_id": "7001",
            "freight_template_id": "47428464001",
            **row,
        },
    }


@dataclass
class Depot:
    """Hold a bound shop and what it sends."""

    store: Store
    vault: Vault
    rulebook: Rulebook

    def queue(self, count: int, *, first: int = 1, corrects: str | None = None, **row: Any) -> str:
        """Keep an upload whose rows all passed, as its check would, and give its id."""
        with self.store.write() as session:
            now = database_now(session)
            upload = Upload(
                id=new_id(), channel="huiju", shop_id=SHOP, actor_id="u1", actor_name="王小美", filename="上架.xlsx",
                sha256=new_id(), size=1, state="checked", row_total=count, as_of=now, received_at=now, corrects=corrects,
            )  # fmt: skip
            session.add(upload)
            session.flush()
            for number in range(2, count + 2):
                product_id = f"{403_000_000 + first + number - 2}"
                fact = listing(product_id, **row)
                session.add(
                    UploadRow(
                        upload_id=upload.id, number=number, product_id=product_id, cells={}, row=fact["row"],
                        state="queued", updated_at=now,
                    )
                )  # fmt: skip
                session.add(
                    Listing(
                        channel="huiju", shop_id=SHOP, product_id=product_id, state="reserved", upload_id=upload.id,
                        row_number=number, snapshot=fact["product"], created_at=now,
                    )
                )  # fmt: skip
                session.flush()
                enqueue_listing(session, upload, number, product_id, product_payload(fact), now)
            advance(session, upload.id)
        return upload.id

    def progress(self, upload_id: str) -> Progress:
        return progress(self.store, upload_id)

    def states(self, upload_id: str) -> dict[RowState, int]:
        return {state: count for state, count in self.progress(upload_id).rows.items() if count}

    def row(self, upload_id: str, number: int = 2) -> UploadRow:
        with self.store.read() as session:
            return session.get_one(UploadRow, (upload_id, number))

    def item(self) -> OutboxItem:
        with self.store.read() as session:
            return session.scalars(select(OutboxItem).order_by(OutboxItem.updated_at.desc())).first()  # type: ignore[return-value]

    def listings(self) -> dict[str, str | None]:
        """Give the channel's id of each listing by product; None while it is reserved."""
        with self.store.read() as session:
            found = session.execute(select(Listing.product_id, Listing.channel_product_id))
            return {row.product_id: row.channel_product_id for row in found}

    def count(self, state: str) -> int:
        with self.store.read() as session:
            wanted = select(func.count()).select_from(OutboxItem).where(OutboxItem.state == state)
            return session.scalar(wanted) or 0

    def lanes(self, base_url: str, **more: Any) -> Lanes:
        return Lanes(self.store, self.vault, base_url=base_url, **{"per_second": 2000, "timeout": 5.0} | more)


@pytest.fixture(scope="session")
def reference() -> dict[str, list[Fact]]:
    return read_reference(ROOT / "examples" / "惠聚数据.xlsx")


@pytest.fixture
def depot(store: Store) -> Depot:
    """Give a bound shop with nothing to send yet."""
    vault = Vault([KEY])
    names = ("app_id", "app_secret", "data_key")
    sealed = vault.seal(
        json.dumps(dict(zip(names, IDENTITY, strict=True))), shop_id=SHOP, field="bindings.credentials.huiju"
    )
    save_shop(store, "huiju", {"id": SHOP, "name": "青禾集市", "edition": "wsc_ecommerce", "admitted": True})
    with store.write() as session:
        now = database_now(session)
        session.add(
            BindingRow(
                shop_id=SHOP, channel="huiju", credentials=sealed, bound_by="u1", bound_at=now, tried_at=now
            )
        )
    return Depot(store, vault, load(find_manifest(ROOT)))


@pytest.fixture
def sandbox(reference: dict[str, list[Fact]]) -> Iterator[Sandbox]:
    """Give the sandboxes within this process, which lets a test look at them and steer them."""
    config = SandboxConfig(huiju=HuijuCredentials(*IDENTITY), huiju_per_second=5000)
    tables = {name: rows for name, rows in reference.items() if name != "listings"}
    with Sandbox(Seed(reference=tables), config=config) as running:
        yield running


@pytest.fixture
def outside(tmp_path: Path, reference: dict[str, list[Fact]]) -> Iterator[Callable[..., Outside]]:
    """Give a function that starts a sandbox process."""
    with contextlib.ExitStack() as running:

        def start(per_second: float = 5000, faults: dict[str, Any] | None = None) -> Outside:
            tables = {name: rows for name, rows in reference.items() if name != "listings"}
            started = sandbox_process(tmp_path, tables, IDENTITY, per_second=per_second, faults=faults)
            return running.enter_context(started)

        yield start


@dataclass
class Crew:
    """Run worker processes: the installed command, as a user would."""

    address: str
    base_url: str
    lease: int
    per_second: float
    threads: int
    folder: Path
    sync_every: int = 0
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    logs: dict[int, Path] = field(default_factory=dict)

    def start(self, count: int = 1) -> None:
        environment = {**os.environ, KEYS: KEY, "SHELFGATE_HUIJU_URL": self.base_url, "PYTHONPATH": str(ROOT)}
        words = [
            sys.executable, "-c", "from cli.main import main; main()", "worker", "--store", self.address,
            "--lease", str(self.lease), "--per-second", str(self.per_second), "--threads", str(self.threads),
            "--retry-after", "1", "--sync-every", str(self.sync_every),
        ]  # fmt: skip
        for _ in range(count):
            path = self.folder / f"worker-{len(self.logs)}.log"
            with path.open("wb") as log:
                process = subprocess.Popen(words, env=environment, cwd=ROOT, stderr=log)
            self.processes.append(process)
            self.logs[process.pid] = path

    def kill(self, place: int) -> None:
        """Kill one as `kill -9` does, and have another one start."""
        victim = self.processes.pop(place)
        victim.send_signal(signal.SIGKILL)
        victim.wait()

    def at_work(self) -> bool:
        """Say whether all have begun."""
        return all(
            "开始推送" in self.logs[process.pid].read_text(encoding="utf-8") for process in self.processes
        )

    def stop(self, wait_until: Callable[[Callable[[], bool], float], None]) -> list[int]:
        """Ask all to end once they have begun, and give their exit codes."""
        wait_until(self.at_work, 60)
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        return [process.wait(timeout=30) for process in self.processes]


@pytest.fixture
def crew(address: str, tmp_path: Path) -> Iterator[Callable[..., Crew]]:
    """Give a function that makes a crew of workers; none outlives the test."""
    made: list[Crew] = []

    def make(
        base_url: str, *, lease: int = 3, per_second: float = 2000, threads: int = 4, sync_every: int = 0
    ) -> Crew:
        made.append(Crew(address, base_url, lease, per_second, threads, tmp_path, sync_every))
        return made[-1]

    yield make
    for crew in made:
        for process in crew.processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()


def wait_until(done: Callable[[], bool], seconds: float) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"not after {seconds} s"
        time.sleep(0.05)


@pytest.fixture(name="wait_until")
def wait_until_fixture() -> Callable[[Callable[[], bool], float], None]:
    return wait_until
