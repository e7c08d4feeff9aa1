"""A service to measure: a store with a shop, its reference data, its products and a token; and processes that serve it, or an echo.

`python -m bench.service` serves the echo: a bare Flask app that reads JSON and writes it, on the same server with the same settings.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import yaml
from flask import Flask, jsonify, request

from api.serving import Server
from bench.data import REFERENCE, SHOP, Item, facts, sample
from engine.decision import plain
from mappings.reference import read_reference
from mappings.youzan import product_from_item
from pipeline.actors import Actor
from pipeline.callers import make_token, scopes_of
from pipeline.clients import HUIJU, YOUZAN_CLIENT_ID, YOUZAN_CLIENT_SECRET, YOUZAN_URL
from pipeline.secrets import KEYS, new_key
from pipeline.shops import save_shop
from pipeline.store import BindingRow, Product, ReferenceSnapshot, Store, database_now, migrate, open_store

ROOT = Path(__file__).parent.parent
NOWHERE = "http://127.0.0.1:9"
"""An address where nobody answers."""

FACT_BYTES = 1600
"""Size of the request that is measured, about."""


@dataclass(frozen=True, slots=True)
class Served:
    """Hold a process that serves.

    Attributes:
        address: Where it is reached.
        process: The process.
    """

    address: str
    process: subprocess.Popen[str]

    def cpu(self) -> float:
        """Give the CPU seconds that it has used; Linux only."""
        parts = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Prepared:
    """Hold a store to serve.

    Attributes:
        folder: Where it is kept.
        token: A token of an administrator's role, with every scope of it.
        body: A request for one listing that is accepted, JSON.
    """

    folder: Path
    token: str
    body: bytes

    @property
    def address(self) -> str:
        """The store's address."""
        return f"sqlite:///{self.folder / 'bench.db'}"


def prepare(folder: Path, products: Sequence[Item] = ()) -> Prepared:
    """Make a store with the demo shop in it.

    Args:
        folder: An empty folder.
        products: Products to keep, as if they had been fetched just now.
    """
    prepared = Prepared(folder, "", _accepted())
    with closing(open_store(prepared.address)) as store:
        migrate(store)
        shop = yaml.safe_load(SHOP.read_text(encoding="utf-8"))
        save_shop(store, HUIJU, shop)
        _plant(store, shop["id"], products)
        actor = Actor("bench", "bench", "senior_admin", shop["id"])
        _, token = make_token(store, actor, "bench", "admin", scopes_of("admin"), timedelta(days=1))
    return Prepared(folder, token, prepared.body)


def _plant(store: Store, shop_id: str, products: Sequence[Item]) -> None:
    with store.write() as session:
        now = database_now(session)
        own = {"channel": HUIJU, "shop_id": shop_id}
        session.add(BindingRow(**own, credentials="", bound_by="bench", bound_at=now, tried_at=now))
        for kind, rows in read_reference(REFERENCE).items():
            if kind != "listings":
                session.add(
                    ReferenceSnapshot(
                        **own, kind=kind, hash=kind, row_count=len(rows), rows=list(rows), taken_at=now, checked_at=now
                    )
                )  # fmt: skip
        for product_id, text in {item.row["product_id"]: item.payload for item in products}.items():
            payload: dict[str, Any] = json.loads(text)
            title = product_from_item(payload)["title"]
            session.add(
                Product(shop_id=shop_id, id=product_id, title=title, payload=payload, hash="", fetched_at=now)
            )


def _accepted() -> bytes:
    """Give the request of about the wanted size; whether it is accepted, the measurement sees."""
    world, items = sample(200)
    bodies = [
        json.dumps({"fact": plain(fact)}, ensure_ascii=False, separators=(",", ":")).encode()
        for fact in facts(world, items)
    ]
    return min(bodies, key=lambda body: abs(len(body) - FACT_BYTES))


@contextmanager
def shelfgate(prepared: Prepared, *options: str) -> Iterator[Served]:
    """Serve a store with the command itself, on a free port; its log goes to a file beside the store."""
    words = [str(Path(sys.executable).with_name("shelfgate")), "serve", "--port", "0"]
    words += ["--store", prepared.address, "--rules", str(ROOT), *options]
    own = {KEYS: new_key(), YOUZAN_URL: NOWHERE, YOUZAN_CLIENT_ID: "bench", YOUZAN_CLIENT_SECRET: "bench"}
    with _running(words, prepared.folder, own) as served:
        yield served


@contextmanager
def echo(folder: Path) -> Iterator[Served]:
    """Serve the echo."""
    with _running([sys.executable, "-m", "bench.service"], folder, {"PYTHONPATH": str(ROOT)}) as served:
        yield served


@contextmanager
def _running(words: Sequence[str], folder: Path, own: dict[str, str]) -> Iterator[Served]:
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            words, cwd=folder, env={**os.environ, **own}, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        assert process.stdout is not None
        found = re.search(r"http://[0-9.:]+", line := process.stdout.readline())
        if found is None:
            raise RuntimeError(f"{words[0]} did not start: {line}{(folder / 'log.txt').read_text('utf-8')}")
        yield Served(found[0], process)
    finally:
        process.terminate()
        process.wait(timeout=60)
        assert process.stdout is not None
        process.stdout.close()


def main() -> None:
    """Serve the echo until the process is ended."""
    app = Flask("echo")
    app.post("/echo")(lambda: jsonify(request.get_json()))
    server = Server(app, host="127.0.0.1", port=0)
    print(server.address, flush=True)
    server.run(Event())


if __name__ == "__main__":
    main()
