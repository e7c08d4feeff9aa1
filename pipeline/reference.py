"""Reference data (惠聚数据): pulled from the channel, kept as snapshots, and said to be stale when it is (R7)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from channels.huiju import HuijuClient
from engine.decision import canonical
from engine.errors import ShelfgateError
from engine.wording import SHANGHAI
from mappings.channels.huiju_reference import ID_KEYS, rows_from_list
from mappings.reference import KINDS
from mappings.values import PayloadError
from pipeline.clients import HUIJU, ChannelFailed, spoken
from pipeline.store import Listing, ReferenceSnapshot, Store, database_now, newest_first

STALE_AFTER = timedelta(days=1)
"""Age from which reference data is said to be stale: categories and brands are maintained by people, on weekdays."""

LISTINGS = "listings"
ADVICE = {kind.table: kind.advice for kind in KINDS if kind.table in ID_KEYS}
SHEETS = {kind.table: kind.sheet for kind in KINDS}


class NoReference(ShelfgateError):
    """Report that a shop's reference data was never pulled.

    Attributes:
        shop_id: The shop.
    """

    def __init__(self, shop_id: str) -> None:
        super().__init__(f"店铺 {shop_id} 还没有下载过惠聚数据；请先下载")
        self.shop_id = shop_id


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Hold one kind of reference data as the channel gave it.

    Attributes:
        table: Name of the table, such as `categories`.
        rows: The rows, with fields as declared in `rules/facts/tables.yaml`.
        hash: SHA-256 of the rows' canonical JSON, hex.
        taken_at: When these rows were first seen; aware.
        checked_at: When the channel last gave these very rows; aware.
    """

    table: str
    rows: list[dict[str, Any]]
    hash: str
    taken_at: datetime
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class Reference:
    """Hold a shop's reference data.

    Attributes:
        snapshots: One for each kind, in the order of their sheets.
        listings: What is listed already, from our own books: the channel has no list of it (R15).
    """

    snapshots: tuple[Snapshot, ...]
    listings: list[dict[str, Any]]

    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Give the rows by table, for the rules and the workbook."""
        return {item.table: item.rows for item in self.snapshots} | {LISTINGS: self.listings}

    @property
    def checked_at(self) -> datetime:
        """When the oldest kind was last checked; the age of the whole."""
        return min(item.checked_at for item in self.snapshots)

    def advice(self) -> list[str]:
        """Say for each kind that is still empty what to do."""
        return [ADVICE[item.table] for item in self.snapshots if not item.rows]

    def is_stale(self, now: datetime) -> bool:
        """Tell whether the data is old enough to be said so."""
        return now - self.checked_at >= STALE_AFTER

    def note(self, now: datetime) -> str:
        """Say how old the data is, and what to do where it is stale."""
        moment = self.checked_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
        text = f"惠聚数据取自 {moment}（{age(now - self.checked_at)}）"
        return f"{text}，可能已经过时：请重新下载惠聚数据" if self.is_stale(now) else text

    def counts(self) -> str:
        """Say how many rows there are of each kind."""
        return "、".join(f"{SHEETS[item.table]} {len(item.rows)}" for item in self.snapshots)


def age(span: timedelta) -> str:
    """Say how long ago something was.

    Examples:
        >>> age(timedelta(seconds=20)), age(timedelta(minutes=90)), age(timedelta(days=3, hours=5))
        ('刚刚', '1 小时前', '3 天前')
    """
    minutes = int(span.total_seconds() // 60)
    if minutes < 1:
        return "刚刚"
    if minutes < 60:
        return f"{minutes} 分钟前"
    return f"{minutes // 60} 小时前" if minutes < 48 * 60 else f"{minutes // 1440} 天前"


def pull_reference(
    store: Store,
    client: HuijuClient,
    shop_id: str,
    channel: str = HUIJU,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Reference:
    """Pull every kind of reference data and keep it; all kinds or none.

    Args:
        store: Where snapshots are kept.
        client: The shop's client.
        shop_id: The shop.
        channel: The channel.
        on_progress: Called with how many kinds are pulled and how many there are.

    Raises:
        ChannelFailed: The channel could not be reached, or gave something that can't be read; what was kept before stays.
    """
    calls = {
        "categories": client.reference.categories,
        "brands": client.reference.brands,
        "freight_templates": client.reference.freight_templates,
        "spec_templates": client.reference.spec_templates,
    }
    pulled: dict[str, list[dict[str, Any]]] = {}
    for table in ADVICE:
        with spoken(f"下载{SHEETS[table]}"):
            payloads = calls[table]()
        try:
            pulled[table] = rows_from_list(table, payloads)
        except PayloadError as error:
            raise ChannelFailed(
                f"惠聚给出的{SHEETS[table]}无法读取：{error.message}", channel, retryable=False
            ) from None
        on_progress(len(pulled), len(ADVICE))
    with store.write() as session:
        now = database_now(session)
        snapshots = tuple(
            _keep(session, channel, shop_id, table, rows, now) for table, rows in pulled.items()
        )
        return Reference(snapshots, _listings(session, channel, shop_id))


def load_reference(store: Store, shop_id: str, channel: str = HUIJU) -> Reference:
    """Give what was pulled last.

    Raises:
        NoReference: A kind was never pulled.
    """
    with store.read() as session:
        rows = [(table, _latest(session, channel, shop_id, table)) for table in ADVICE]
        if any(row is None for _, row in rows):
            raise NoReference(shop_id)
        snapshots = tuple(_snapshot(row) for _, row in rows if row is not None)
        return Reference(snapshots, _listings(session, channel, shop_id))


def _latest(session: Session, channel: str, shop_id: str, table: str) -> ReferenceSnapshot | None:
    wanted = select(ReferenceSnapshot).where(
        ReferenceSnapshot.channel == channel,
        ReferenceSnapshot.shop_id == shop_id,
        ReferenceSnapshot.kind == table,
    )
    return session.scalars(wanted.order_by(newest_first(ReferenceSnapshot.checked_at)).limit(1)).one_or_none()


def _keep(
    session: Session, channel: str, shop_id: str, table: str, rows: list[dict[str, Any]], now: datetime
) -> Snapshot:
    """Keep one kind; rows that are as they were only move the time of the last check."""
    digest = hashlib.sha256(canonical(rows)).hexdigest()
    latest = _latest(session, channel, shop_id, table)
    if latest is None or latest.hash != digest:
        latest = ReferenceSnapshot(channel=channel, shop_id=shop_id, kind=table, hash=digest, taken_at=now)
        latest.rows, latest.row_count = rows, len(rows)
        session.add(latest)
    latest.checked_at = now
    session.flush()
    return _snapshot(latest)


def _snapshot(row: ReferenceSnapshot) -> Snapshot:
    return Snapshot(row.kind, row.rows, row.hash, row.taken_at, row.checked_at)


def _listings(session: Session, channel: str, shop_id: str) -> list[dict[str, Any]]:
    """Give the shop's listings, those on their way to the channel too: neither may be listed again."""
    columns = (Listing.product_id, Listing.channel_product_id, Listing.listed_at)
    wanted = select(*columns).where(Listing.channel == channel, Listing.shop_id == shop_id)
    found = []
    for listing in session.execute(wanted.order_by(Listing.product_id)).mappings():
        row = {**listing, "shop_id": shop_id}
        found.append({key: value for key, value in row.items() if value is not None})
    return found
