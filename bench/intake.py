"""Measure the intake of orders as a whole, from a marketplace on a socket, against decrypting and storing the same orders alone."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bench.clock import Spread, interleaved
from channels.huiju import HuijuClient, HuijuCredentials
from channels.huiju.codec import Codec
from channels.huiju.crypto import decrypt, encrypt
from channels.huiju.profile import Profile, load_profile
from channels.sandbox import Sandbox, SandboxConfig, Seed
from channels.sandbox.huiju.people import person
from channels.sandbox.huiju.seed import order_of
from engine.rulebook import find_manifest, load
from mappings.channels.huiju_orders import parted
from pipeline.orders.intake import sync
from pipeline.secrets import Vault, new_key
from pipeline.shops import save_shop
from pipeline.store import Order, Store, insert_for, migrate, new_id, open_store

SHOP = "38405005"
IDENTITY = ("hj00000001", "huiju-app-secret-1f2e", "huiju-data-key-9c8b")
PAGE = 50
"""Orders of a page, and so of one transaction where they are only stored."""

SPAN = 5 * 3600
"""Seconds over which the orders are spread: ten windows of half an hour."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Hold what taking in costs.

    Attributes:
        orders: How many.
        whole: CPU seconds an order of the intake as a whole.
        alone: CPU seconds an order of reading the same JSON, decrypting and storing it.
        lasted: Seconds an order that the intake as a whole lasted, waiting for the marketplace included, the fastest time.
    """

    orders: int
    whole: Spread
    alone: Spread
    lasted: float


def facts(orders: int, now: int) -> list[dict[str, Any]]:
    """Make orders of two lines, one of three of them shipped, spread over some hours before a moment."""
    found = []
    for number in range(orders):
        who = person(number + 1)
        at = datetime.fromtimestamp(now - SPAN + number * SPAN // orders, UTC)
        shipped = number % 3 == 0
        lines = [
            {
                "id": f"L{number}-{place}", "product_id": f"{500_000_000 + place}", "sku_id": f"{place}", "title": "手工羊毛围巾加厚款",
                "count": 1, "price": 29800, "specs": "颜色：红；尺码：M", "shipped": shipped,
            }
            for place in range(2)
        ]  # fmt: skip
        found.append(
            {
                "id": f"E{number}", "channel": "huiju", "channel_order_id": f"HJ{number:08d}",
                "status": "shipped" if shipped else "to_ship", "total": 59600, "freight": 0,
                "buyer": {"id": who["buyerId"], "name": who["buyerName"]},
                "consignee": {
                    "name": who["userName"], "phone": who["telNumber"], "province": who["provinceName"], "city": who["cityName"],
                    "county": who["countyName"], "address": who["detailInfo"], "postcode": who["postalCode"],
                },
                "lines": lines, "created_at": at, "paid_at": at, "updated_at": at, "shipped_at": at if shipped else None,
            }
        )  # fmt: skip
    return found


def measure(folder: Path, orders: int, rounds: int) -> Intake:
    """Take orders in again and again, each time into an empty SQLite store, and only store them in between.

    Args:
        folder: For the stores.
        orders: How many.
        rounds: How often.

    Raises:
        RuntimeError: Not all were taken in.
    """
    now = int(time.time())
    vault, rulebook = Vault([new_key()]), load(find_manifest(Path(__file__).parent.parent))
    template = folder / "template.db"
    with closing(open_store(f"sqlite:///{template}")) as store:
        migrate(store)
        save_shop(
            store, "huiju", {"id": SHOP, "name": "青禾集市", "edition": "wsc_ecommerce", "admitted": True}
        )
        with store.write() as session:  # let nothing stay in the write-ahead log
            session.connection().exec_driver_sql("SELECT 1")
    numbers = count()
    lasted: list[float] = []
    profile = load_profile()
    codec = Codec(
        profile,
        encrypt=lambda text: encrypt(text, IDENTITY[2]),
        decrypt=lambda text: decrypt(text, IDENTITY[2]),
    )
    pages = wire_pages(codec, profile, facts(orders, now))

    @contextmanager
    def empty_store() -> Iterator[Store]:
        path = folder / f"store-{next(numbers)}.db"
        shutil.copy(template, path)
        with closing(open_store(f"sqlite:///{path}")) as store:
            yield store

    with (
        marketplace(orders, now) as address,
        closing(HuijuClient(HuijuCredentials(*IDENTITY), base_url=address)) as client,
    ):

        def whole() -> None:
            with empty_store() as store:
                began = time.monotonic()
                found = sync(
                    store, client, rulebook, vault, SHOP, "huiju", look_back=timedelta(seconds=SPAN + 600)
                )
                lasted.append((time.monotonic() - began) / orders)
            if found.taken.orders_new != orders:
                raise RuntimeError(f"{found.taken.orders_new} of {orders} orders were taken in")

        def alone() -> None:
            with empty_store() as store:
                for page in pages:
                    decrypt_and_store(store, vault, codec, profile, page)

        spent = interleaved({"whole": whole, "alone": alone}, rounds)
    return Intake(orders, spent["whole"].scaled(1 / orders), spent["alone"].scaled(1 / orders), min(lasted))


def wire_pages(codec: Codec, profile: Profile, orders: list[dict[str, Any]]) -> list[bytes]:
    """Give the data of the marketplace's replies, as bytes."""
    reply = profile.endpoints["order_increment"].reply
    records = [order_of(order) for order in orders]
    pages = [records[start : start + PAGE] for start in range(0, len(records), PAGE)]
    return [
        json.dumps(
            codec.to_wire({"totalCount": len(records), "orderList": page}, reply), ensure_ascii=False
        ).encode()
        for page in pages
    ]


def decrypt_and_store(store: Store, vault: Vault, codec: Codec, profile: Profile, page: bytes) -> None:
    """Do what no intake can do without: read the JSON, decrypt, seal what is private again, and insert one row an order."""
    payload = codec.from_wire(json.loads(page), profile.endpoints["order_increment"].reply)
    rows = []
    for order in payload["orderList"]:
        open_part, private = parted(order)
        at = datetime.fromtimestamp(order["updateTime"], UTC)
        sealed = vault.seal(
            json.dumps(private, ensure_ascii=False), shop_id=SHOP, field=f"private.{order['orderId']}"
        )
        rows.append(
            {
                "id": new_id(), "channel": "huiju", "shop_id": SHOP, "channel_order_id": order["orderId"], "status": order["orderStatus"],
                "payment_kind": "marked", "total": order["totalAmount"], "freight": 0, "private": sealed, "payload": open_part, "lines": [],
                "created_at": at, "updated_at": at, "fetched_at": at,
            }
        )  # fmt: skip
    with store.write() as session:
        session.execute(insert_for(session, Order).values(rows))


@contextmanager
def marketplace(orders: int, now: int) -> Iterator[str]:
    """Run a marketplace that has the orders, in a process of its own, and give its address."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(orders, now, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send(None)
        process.join()


def _serve(orders: int, now: int, pipe: Connection) -> None:
    config = SandboxConfig(huiju=HuijuCredentials(*IDENTITY), huiju_per_second=100_000)
    with Sandbox(Seed(orders=facts(orders, now)), config=config) as sandbox:
        pipe.send(sandbox.huiju.base_url)
        pipe.recv()
