"""A bound shop's office for orders, with the marketplace on the other side of a socket."""

from __future__ import annotations

import random
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from channels.huiju import HuijuClient, HuijuCredentials
from channels.sandbox import Sandbox
from channels.sandbox.faults import Fault
from channels.sandbox.huiju.seed import order_of
from engine.rulebook import Rulebook
from pipeline.actors import Actor
from pipeline.orders.actions import Accepted, act_on_after_sale, act_on_order
from pipeline.orders.after_sales import show_after_sale
from pipeline.orders.intake import Synced, sync
from pipeline.orders.orders import show_order
from pipeline.orders.requests import Decide, Parcel, Ship
from pipeline.orders.shown import Shown
from pipeline.secrets import Vault
from pipeline.sending.lanes import Lanes
from pipeline.sending.retrying import Patience
from pipeline.sending.sendings import Sending, find_sending
from pipeline.sending.worker import Worker
from pipeline.store import AfterSale, AuditEntry, Order, OutboxItem, Store, database_now

SHOP = "38405005"
AMY = Actor("u1", "王小美", "operator", SHOP)
IDENTITY = ("hj00000001", "huiju-app-secret-1f2e", "huiju-data-key-9c8b")
SECRETS = ("收货人丁", "13987654321", "梧桐巷九号", "买家丁丁", "hj-buyer-7788", "请放门卫老李处")
"""What nobody may read in the open: name, phone, address, buyer's name and id, message; each order has them with its own number behind."""


def order_fact(number: int, *, status: str = "to_ship", lines: int = 2, **changes: Any) -> dict[str, Any]:
    """Give an order fact for the sandbox to begin with."""
    now = datetime.now(UTC) - timedelta(minutes=10)
    name, phone, address, buyer, buyer_id, message = (f"{value}-{number}" for value in SECRETS)
    return {
        "id": f"E{number}",
        "channel": "huiju",
        "channel_order_id": f"HJ{number:06d}",
        "status": status,
        "total": 29800 * lines,
        "freight": 0,
        "buyer": {"id": buyer_id, "name": buyer},
        "consignee": {
            "name": name, "phone": phone, "province": "四川省", "city": "成都市", "county": "锦江区",
            "address": address, "postcode": "610000",
        },
        "lines": [
            {
                "id": f"L{number}{place}", "product_id": f"{403000001 + place}", "sku_id": f"s{place}",
                "title": f"羊毛围巾{place}", "count": 1, "price": 29800, "specs": "红", "shipped": status in ("shipped", "done"),
            }
            for place in range(lines)
        ],
        "buyer_message": message,
        "merchant_remark": "老客户",
        "created_at": now,
        "paid_at": now,
        "updated_at": now,
        **changes,
    }  # fmt: skip


def ship(*waybills: str, lines: tuple[tuple[str, ...], ...] = ()) -> Ship:
    """Ask for parcels of one carrier."""
    return Ship(
        tuple(
            Parcel("顺丰速运", waybill, lines[place] if lines else ())
            for place, waybill in enumerate(waybills)
        )
    )


@dataclass
class Office:
    """Take orders in, look at them and act on them.

    Attributes:
        calls: Paths of the requests that reached the marketplace, since `listen`.
    """

    store: Store
    vault: Vault
    rulebook: Rulebook
    sandbox: Sandbox
    calls: list[str] = field(default_factory=list)

    def place(self, number: int = 1, **changes: Any) -> str:
        """Let an order be there at the marketplace, and give its number."""
        record = order_of(order_fact(number, **changes))
        with self.sandbox.huiju.state.lock:
            self.sandbox.huiju.state.orders[record["orderId"]] = record
        return str(record["orderId"])

    def ask(self, order_id: str, **how: Any) -> str:
        """Let the buyer ask for something."""
        return self.sandbox.huiju.buyer.request(order_id, **how)

    def client(self) -> HuijuClient:
        return HuijuClient(HuijuCredentials(*IDENTITY), base_url=self.sandbox.huiju.base_url)

    def sync(self, **more: Any) -> Synced:
        with closing(self.client()) as client:
            look_back = {"look_back": timedelta(hours=1)} | more
            return sync(self.store, client, self.rulebook, self.vault, SHOP, "huiju", **look_back)

    def ship(self, order_id: str, *waybills: str, actor: Actor = AMY, **more: Any) -> Accepted:
        request = ship(*(waybills or ("SF100",)), **more)
        return act_on_order(self.store, self.rulebook, self.vault, actor, order_id, "ship", request)

    def order_action(self, order_id: str, action: str, request: Any = None, actor: Actor = AMY) -> Accepted:
        return act_on_order(
            self.store, self.rulebook, self.vault, actor, order_id, action, request or Decide()
        )

    def decide(self, after_sale_id: str, action: str, actor: Actor = AMY, **how: str) -> Accepted:
        return act_on_after_sale(
            self.store, self.rulebook, self.vault, actor, after_sale_id, action, Decide(**how)
        )

    def order(self, order_id: str) -> Shown:
        return show_order(self.store, self.rulebook, self.vault, SHOP, order_id)

    def after_sale(self, after_sale_id: str) -> Shown:
        return show_after_sale(self.store, self.rulebook, self.vault, SHOP, after_sale_id)

    def state(self, after_sale_id: str) -> tuple[Any, Any]:
        """Give status and closer of an after-sale."""
        fact = self.after_sale(after_sale_id).fact
        return fact.get("status"), fact.get("closed_by")

    def states(self) -> dict[str, Any]:
        """Give the state of everything by the channel's ids."""
        with self.store.read() as session:
            found: dict[str, Any] = {
                row.channel_order_id: row.status for row in session.scalars(select(Order))
            }
            for row in session.scalars(select(AfterSale)):
                found[row.channel_after_sale_id] = (row.status, row.closed_by)
        return found

    def there(self) -> dict[str, Any]:
        """Give the same as the marketplace has it."""
        state = self.sandbox.huiju.state.snapshot()
        found: dict[str, Any] = {id_: row["orderStatus"] for id_, row in state["orders"].items()}
        for id_, row in state["after_sales"].items():
            found[id_] = (row["afterSaleStatus"], row["closedBy"])
        return found

    def effects(self, endpoint: str) -> list[str]:
        """Give what a kind of call did at the marketplace."""
        return [
            about for _, what, about in self.sandbox.huiju.state.snapshot()["effects"] if what == endpoint
        ]

    def parcels(self, order_id: str) -> list[tuple[str, list[str]]]:
        order = self.sandbox.huiju.state.snapshot()["orders"][order_id]
        return [(parcel["deliverNumber"], parcel["lineIds"]) for parcel in order["logisticsList"]]

    def listen(self) -> list[str]:
        """Note the requests from now on."""
        self.calls.clear()
        draw = self.sandbox.huiju.faults.draw

        def noting(path: str) -> Fault | None:
            self.calls.append(path.removeprefix("/openapi/v1"))
            return draw(path)

        self.sandbox.huiju.faults.draw = noting  # type: ignore[method-assign]
        return self.calls

    def worker(self, **more: Any) -> Worker:
        lanes = Lanes(
            self.store, self.vault, base_url=self.sandbox.huiju.base_url, per_second=2000, timeout=5.0
        )
        soon = {"patience": Patience(first=0.0, longest=0.0), "rng": random.Random(1)}
        return Worker(lanes, self.rulebook, **soon | more)

    def work(self, item: Accepted | None = None, seconds: float = 20.0) -> Sending | None:
        """Work the outbox off, waiting for nothing but what the channel asks for."""
        worker = self.worker()
        end = time.monotonic() + seconds
        while True:
            assert time.monotonic() < end, f"not after {seconds} s"
            for lane in worker._lanes._lanes.values():
                lane.resting = 0.0
            worker._lanes._looked = 0.0
            with self.store.write() as session:
                open_ = session.query(OutboxItem).filter(OutboxItem.state.in_(("queued", "sending"))).all()
                for row in open_:
                    row.due = database_now(session)
            if not open_:
                break
            if not worker.step():
                time.sleep(0.05)
        worker._lanes.close()
        return None if item is None else find_sending(self.store, SHOP, item.item_id)

    def audit(self) -> list[tuple[str, str, str]]:
        """Give action, outcome and reason of every entry, the oldest first."""
        with self.store.read() as session:
            found = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
            return [(entry.action, entry.outcome, entry.reason) for entry in found]


@pytest.fixture
def office(depot: Any, sandbox: Sandbox) -> Office:
    """Give the shop, with the marketplace's sandbox within this process."""
    return Office(depot.store, depot.vault, depot.rulebook, sandbox)


@pytest.fixture
def secrets() -> tuple[str, ...]:
    """Give what nobody may read in the open."""
    return SECRETS
