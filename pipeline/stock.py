"""Both stocks side by side: the channel's own, read from it, against Youzan's, so that overselling is seen before it happens (R34)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

from sqlalchemy import select, update

from channels.errors import Missing
from pipeline.clients import spoken
from pipeline.store import Listing, Store, database_now

BATCH = 50
"""Listings whose stock is read, and then kept, at a time."""

AT_ONCE = 4
"""Calls under way at a time; the shop's rate holds for all of them together."""

Payload = Mapping[str, Any]


class StockInterface(Protocol):
    """Read the channel's stock."""

    def query(self, product_id: str) -> list[dict[str, Any]]:
        """Return one row per SKU: `skuId`, `outSkuId`, `stock`."""


@dataclass(slots=True)
class StockRead:
    """Say what came of reading the channel's stock.

    Attributes:
        read: Listings whose stock was read.
        gone: Youzan ids of listings that the channel no longer has; what was known of their stock is dropped.
    """

    read: int = 0
    gone: list[str] = field(default_factory=list)


def refresh_stock(
    store: Store,
    stock: StockInterface,
    shop_id: str,
    channel: str,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> StockRead:
    """Read the channel's stock of every listed product and keep it, batch by batch.

    Args:
        store: Where listings are kept.
        stock: The channel's interface for stock.
        shop_id: The shop.
        channel: The channel.
        on_progress: Called with how many listings are read and how many there are.

    Raises:
        ChannelFailed: The channel could not be reached; batches that were kept stay.
    """
    with store.read() as session:
        wanted = select(Listing.id, Listing.product_id, Listing.channel_product_id).where(
            Listing.channel == channel, Listing.shop_id == shop_id, Listing.state == "listed"
        )
        listings = [tuple(row) for row in session.execute(wanted.order_by(Listing.product_id))]
    result, left, done = StockRead(), iter(listings), 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while batch := list(islice(left, BATCH)):
            with spoken("读取渠道库存"):
                found = list(pool.map(lambda listing: _query(stock, listing[2]), batch))
            _keep(store, batch, found, result)
            done += len(batch)
            on_progress(done, len(listings))
    return result


def _query(stock: StockInterface, channel_product_id: str) -> list[dict[str, Any]] | None:
    """Read the stock of one product; None where the channel doesn't have it."""
    try:
        return stock.query(channel_product_id)
    except Missing:
        return None


def _keep(
    store: Store,
    batch: Iterable[tuple[Any, ...]],
    found: Iterable[list[dict[str, Any]] | None],
    result: StockRead,
) -> None:
    with store.write() as session:
        now = database_now(session)
        for (listing_id, product_id, _), rows in zip(batch, found, strict=True):
            if rows is None:
                result.gone.append(product_id)
                values: dict[str, Any] = {
                    "channel_stock": None,
                    "channel_skus": None,
                    "channel_stock_at": now,
                }
            else:
                result.read += 1
                skus = [
                    {
                        "id": str(row.get("outSkuId") or row["skuId"]),
                        "channel_id": row["skuId"],
                        "stock": row["stock"],
                    }
                    for row in rows
                ]
                total = sum(sku["stock"] for sku in skus)
                values = {"channel_stock": total, "channel_skus": skus, "channel_stock_at": now}
            session.execute(update(Listing).where(Listing.id == listing_id).values(**values))
