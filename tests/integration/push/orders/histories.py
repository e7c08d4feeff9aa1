"""A shop and its marketplace that random histories are played on: buyers, staff, intakes and workers, all of which may stop anywhere.

Everything is real but the marketplace's calendar, which moves when it is told to, so that much or nothing happens in one second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any, NoReturn

import pytest
from sqlalchemy import delete, select, update

import pipeline.orders.intake
from channels.huiju import HuijuClient, HuijuCredentials
from channels.huiju.profile import load_profile
from channels.sandbox.faults import PAGE_FAULTS, Fault, FaultPlan
from channels.sandbox.huiju import after_sales as office_after_sales
from channels.sandbox.huiju import orders as office_orders
from channels.sandbox.huiju.seed import order_of
from channels.wire import Retry
from engine.actions import ActionState
from pipeline.clients import ChannelFailed
from pipeline.orders.actions import Accepted, ActionRefused
from pipeline.orders.intake import Synced, sync
from pipeline.orders.rules import OrderRules
from pipeline.orders.snapshots import Snapshot, after_sale_snapshot, order_snapshot
from pipeline.orders.taking_in import take_in
from pipeline.sending.releasing import release_sending
from pipeline.store import AfterSale, AuditEntry, Cursor, Event, Order, OutboxItem, Rate, database_now
from tests.integration.push.orders.conftest import AMY, IDENTITY, SHOP, Office, order_fact
from tests.integration.push.orders.marketplace import Marketplace
from tests.integration.push.orders.mortal import Dead, Mortal

BACK_OFFICE = "back-office"
"""Mark of what is done in the marketplace's own back office, without us."""

REACHED = {
    "agree": ("succeeded",),
    "reject": ("rejected",),
    "agree_return": ("waiting_return", "waiting_receipt"),
    "confirm_return": ("succeeded",),
    "reject_return": ("return_rejected",),
}
DECISION = {"agree_return": "agree"}
"""What a decision is called there, where that is another name."""

OVER = ("done", "refused", "failed")
LOST = (
    Fault.REPLY_LOST,
    Fault.REPLY_CUT,
    Fault.REPLY_GARBLED,
    Fault.ERROR_AFTER_EFFECT,
    Fault.SERVER_ERROR,
    Fault.DROPPED,
)
SPOILT = tuple(sorted(PAGE_FAULTS))


@dataclass
class Sent:
    """What staff were told is on its way, and what has come of it at the marketplace."""

    kind: str
    payload: Mapping[str, Any]
    effects: int = 0
    state: str = "queued"

    @property
    def about(self) -> str:
        return str(self.payload.get("afterSaleOrderId") or self.payload["orderId"])

    @property
    def action(self) -> str:
        return self.kind.partition(".")[2]

    @property
    def parcels(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(item["deliverNumber"], tuple(item["lineIds"] or ())) for item in self.payload["parcels"]]


@dataclass
class Scene:
    """Hold shop, marketplace and model, and keep all three together.

    Attributes:
        office: The shop, with the real client, store and rules.
        model: What should be so at the marketplace.
        sent: What staff were told is on its way, by item.
        heard: How far in its past each record was last seen in the store.
        kept: Ids of the events in the store.
        newest: When each record in the store was last changed at the marketplace.
        steps: What was done, by kind, over all histories.
        failures: What failed, with its traceback.
    """

    office: Office
    steps: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        credentials = HuijuCredentials(*IDENTITY)
        retry = Retry(attempts=3, first=0.0)
        address = self.office.sandbox.huiju.base_url
        profile = load_profile()
        self.client = HuijuClient(credentials, base_url=address, retry=retry)
        limits = {
            **profile.limits,
            "window_seconds_max": replace(profile.limits["window_seconds_max"], value=97),
        }
        short = replace(profile, limits=limits)
        self.short_windows = HuijuClient(credentials, base_url=address, retry=retry, profile=short)
        self.state = self.office.sandbox.huiju.state
        self.pool = ThreadPoolExecutor(8)
        self.number = 0
        self.start = self.state.now()
        self.state.clock = lambda: self.model.now
        self.model = Marketplace(self.start)

    def begin(self) -> None:
        """Let everything be empty."""
        self.model = Marketplace(self.start)
        with self.state.lock:
            for table in (self.state.orders, self.state.after_sales, self.state.effects):
                table.clear()
        with self.office.store.write() as session:
            for model in (OutboxItem, AfterSale, Order, Event, Cursor, AuditEntry):
                session.execute(delete(model))
        self.sent: dict[str, Sent] = {}
        self.seen_effects = 0
        self.heard: dict[str, int] = {}
        self.kept: set[str] = set()
        self.newest: dict[str, datetime] = {}
        self.told: Counter[str] = Counter()
        self.stash: list[Snapshot] = []
        self.worker = Mortal(self.office)
        self.frozen: list[Mortal] = []

    def close(self) -> None:
        self.client.close()
        self.short_windows.close()
        self.pool.shutdown()

    # ── the marketplace ──────────────────────────────────────────────

    def place(self, lines: int, *, paid: bool) -> None:
        self.number += 1
        at = datetime.fromtimestamp(self.model.now, UTC)
        status = "to_ship" if paid else "wait_pay"
        fact = order_fact(
            self.number,
            status=status,
            lines=lines,
            created_at=at,
            paid_at=at if paid else None,
            updated_at=at,
        )
        record = order_of(fact)
        with self.state.lock:
            self.state.orders[record["orderId"]] = record
        self.model.place(record["orderId"], [line["lineId"] for line in record["itemList"]], status)

    def ask(self, order_id: str, kind: str) -> None:
        self.model.ask(self.office.ask(order_id, kind=kind), order_id, kind)

    def buyer(self, act: str, id_: str) -> None:
        getattr(self.office.sandbox.huiju.buyer, act)(id_)
        (self.model.move_order if id_ in self.model.orders else self.model.move_after_sale)(act, id_)

    def ship_there(self, order_id: str, lines: tuple[str, ...]) -> None:
        """Ship in the marketplace's own back office."""
        waybill = self.waybill()
        parcel = {
            "orderId": order_id,
            "deliverCompany": "中通",
            "deliverNumber": waybill,
            "lineIds": list(lines),
        }
        with self.state.lock:
            office_orders.deliver(self.state, parcel, BACK_OFFICE)
        self.model.deliver(order_id, waybill, lines)

    def decide_there(self, action: str, after_sale_id: str) -> None:
        """Decide in the marketplace's own back office."""
        params = {"afterSaleOrderId": after_sale_id, "auditType": action}
        with self.state.lock:
            office_after_sales.audit(self.state, params, BACK_OFFICE)
        self.model.decide(after_sale_id, action)

    def waybill(self) -> str:
        self.number += 1
        return f"SF{self.number:08d}"

    # ── arrivals ─────────────────────────────────────────────────────

    def intake(self, *, short: bool = False, dies: str = "", fault: Fault | None = None) -> Synced | None:
        """Take in as a worker or `shelfgate sync` does; None where it did not come to its end."""
        client = self.short_windows if short else self.client
        look_back = timedelta(seconds=self.model.now - self.start + 1)
        with self.faults([fault] if fault else []), pytest.MonkeyPatch.context() as patch:
            if dies == "within":
                patch.setattr(pipeline.orders.intake, "take_in", _dying(take_in))
            try:
                return sync(
                    self.office.store, client, self.office.rulebook, self.office.vault, SHOP, "huiju",
                    look_back=look_back, on_progress=_die if dies == "between" else lambda _done, _total: None,
                )  # fmt: skip
            except Dead:
                return None
            except ChannelFailed:
                assert fault is not None
                return None

    def overhear(self, order_id: str) -> None:
        """Read an order and its after-sales, and be slow to keep what was read."""
        with self.office.store.read() as session:
            read_at = database_now(session)
        self.stash.append(order_snapshot(self.client.orders.get(order_id), read_at))
        for id_, row in self.model.after_sales.items():
            if row.order == order_id:
                self.stash.append(after_sale_snapshot(self.client.after_sales.get(id_), read_at))

    def hear(self, snapshots: list[Snapshot]) -> None:
        """Keep what was read before, in whatever order, once or more often."""
        with self.office.store.write() as session:
            rules = OrderRules(self.office.rulebook, "huiju", database_now(session))
            orders = [item for item in snapshots if item.is_order]
            rest = [item for item in snapshots if not item.is_order]
            take_in(session, self.office.vault, rules, SHOP, orders, rest)

    @contextmanager
    def faults(self, faults: list[Fault]) -> Iterator[None]:
        """Let the next calls go wrong."""
        injector = self.office.sandbox.huiju.faults
        injector.next(faults)
        try:
            yield
        finally:
            injector.set(FaultPlan())

    # ── staff ────────────────────────────────────────────────────────

    def verdict(self, id_: str) -> dict[str, ActionState]:
        """Give what the page shows of every action."""
        show = self.office.order if id_ in self.model.orders else self.office.after_sale
        return {state.action: state for state in show(id_).verdict.actions}

    def act(self, id_: str, action: str, request: Any) -> ActionState | Accepted:
        """Do what a button does; give the refusal as it is told."""
        try:
            if id_ in self.model.orders:
                return self.office.order_action(id_, action, request)
            return self.office.decide(id_, action)
        except ActionRefused as refused:
            return refused.state

    # ── workers ──────────────────────────────────────────────────────

    def soon(self, *, leases: bool = False) -> None:
        """Let what waits for its next try be due now, and where asked what is under a lease."""
        states = ("queued", "sending") if leases else ("queued",)
        with self.office.store.write() as session:
            session.execute(delete(Rate))
            wanted = update(OutboxItem).where(OutboxItem.state.in_(states))
            session.execute(wanted.values(due=database_now(session) - timedelta(seconds=1)))

    def step(self, worker: Mortal) -> bool:
        """Let a worker take one item; give whether it came to the end of it."""
        worker.lanes._looked = 0.0
        for lane in worker.lanes._lanes.values():
            lane.resting = 0.0
        try:
            return worker.step()
        except Dead:
            return False

    def work(self, seam: str = "", calls: int | None = None, fault: Fault | None = None) -> None:
        """Let a worker take one item, and stop where it is told to; the next one is another process."""
        self.soon()
        self.worker.seam, self.worker.calls = seam, calls
        with self.faults([fault] if fault else []):
            self.step(self.worker)
        if self.worker.paused is not None:
            self.frozen.append(self.worker)
        if seam or calls is not None:
            if self.worker.paused is None:
                self.worker.lanes.close()
            self.worker = Mortal(self.office)

    def wake(self) -> None:
        worker = self.frozen.pop(0)
        worker.wake()
        worker.lanes.close()

    def release(self) -> None:
        """Let everything go on that waits for a person."""
        for item_id, sent in self.sent.items():
            if sent.state == "held":
                release_sending(self.office.store, AMY, item_id)

    def at_once(self, *works: Callable[[], Any]) -> list[Any]:
        """Do several things at the same time, and give what each gave."""
        start = Barrier(len(works))

        def one(work: Callable[[], Any]) -> Any:
            start.wait(30)
            return work()

        return [done.result() for done in [self.pool.submit(one, work) for work in works]]

    def items(self) -> list[OutboxItem]:
        with self.office.store.read() as session:
            return list(session.scalars(select(OutboxItem).order_by(OutboxItem.id)))

    def event_ids(self) -> set[str]:
        with self.office.store.read() as session:
            return set(session.scalars(select(Event.event_id)))

    def ages(self) -> dict[str, datetime]:
        """Give when each record was last changed at the marketplace, by the newest that the store has of it."""
        with self.office.store.read() as session:
            orders = session.execute(select(Order.channel_order_id, Order.updated_at))
            after_sales = session.execute(select(AfterSale.channel_after_sale_id, AfterSale.updated_at))
            return dict((*orders, *after_sales))


def _die(_done: int, _total: int) -> NoReturn:
    raise Dead


def _dying(work: Callable[..., Any]) -> Callable[..., Any]:
    def dying(*arguments: Any) -> NoReturn:
        work(*arguments)
        raise Dead

    return dying
