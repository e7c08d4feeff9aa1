"""Products of a shop: fetched from Youzan in batches, kept as they came, and read back as facts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import delete, func, select

from channels.errors import Missing
from channels.youzan import YouzanClient
from engine.decision import canonical
from engine.errors import ShelfgateError
from mappings.values import PayloadError
from mappings.youzan import product_from_item
from pipeline.clients import Youzan, spoken
from pipeline.store import Product, Store, database_now, insert_for

BATCH = 50
"""Products that are fetched, and then kept, at a time: what a broken connection can cost."""

AT_ONCE = 4
"""Calls under way at a time; the shop's rate holds for all of them together."""

PAGE = 500
"""Products read from the store at a time."""

Fact = dict[str, Any]


class WrongShop(ShelfgateError):
    """Report that Youzan gave products of another shop; nothing of them is kept.

    Attributes:
        shop_id: The shop that was asked for.
        found: The shop that answered.
    """

    def __init__(self, message: str, shop_id: str, found: str) -> None:
        super().__init__(message)
        self.shop_id = shop_id
        self.found = found


@dataclass(slots=True)
class Pulled:
    """Say what came of fetching products.

    Attributes:
        kept: Products fetched and kept.
        missing: Ids that Youzan doesn't know in this shop; what was kept of them is dropped.
        unreadable: Ids whose payload has no title or can't be taken as an item, with the reason.
    """

    kept: int = 0
    missing: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)


def pull_products(
    store: Store,
    client: YouzanClient,
    shop_id: str,
    ids: Sequence[str] | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Pulled:
    """Fetch products and keep them, batch by batch.

    Args:
        store: Where products are kept.
        client: The shop's client.
        shop_id: The shop.
        ids: The products; None for everything on sale and everything kept already, so that what left the shelf is seen.
        on_progress: Called with how many are done and how many there are.

    Raises:
        ChannelFailed: Youzan could not be reached; batches that were kept stay.
        WrongShop: Youzan answered for another shop.
    """
    if ids is None:
        with spoken("读取有赞在售商品"):
            on_sale = [str(item["item_id"]) for item in client.items.on_sale()]
        ids = [*on_sale, *product_ids(store, shop_id)]
    wanted = list(dict.fromkeys(ids))
    result, done = Pulled(), 0
    left = iter(wanted)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while batch := list(islice(left, BATCH)):
            with spoken("读取有赞商品"):
                found = list(pool.map(lambda item_id: _fetch(client, item_id), batch))
            _keep(store, shop_id, batch, found, result)
            done += len(batch)
            on_progress(done, len(wanted))
    return result


def pull_chosen(
    store: Store,
    youzan: Youzan,
    shop_id: str,
    ids: Sequence[str] | None,
    *,
    refresh: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Pulled | None:
    """Fetch the products that were chosen and are not kept yet.

    Args:
        store: Where products are kept.
        youzan: Makes the client of the shop, where there is something to fetch.
        shop_id: The shop.
        ids: The products chosen; None for everything on sale, which is fetched where nothing is kept.
        refresh: Fetch all of them anew.
        on_progress: As for `pull_products`.

    Returns:
        What came of it; None where nothing was fetched.

    Raises:
        ChannelFailed: As for `pull_products`, like `WrongShop`.
    """
    kept = set(product_ids(store, shop_id))
    missing = [item for item in ids or () if item not in kept]
    if not (refresh or missing or (ids is None and not kept)):
        return None
    with youzan(store, shop_id) as client:
        if client is None:
            return None
        return pull_products(store, client, shop_id, missing if missing and not refresh else ids, on_progress)


def chosen_products(
    store: Store, shop_id: str, ids: Sequence[str] | None
) -> Iterator[tuple[str, Fact | None]]:
    """Give the products chosen as facts, in the order in which they were named; or all that are on sale.

    Args:
        store: Where products are kept.
        shop_id: The shop.
        ids: The products; None for all that are on sale. Of one that is not kept, or can't be read, the fact is None.
    """
    if ids is None:
        for product_id, fact in products(store, shop_id):
            if fact is None or fact.get("on_sale") is not False:
                yield product_id, fact
        return
    found = dict(products(store, shop_id, ids))
    for product_id in ids:
        yield product_id, found.get(product_id)


def product_ids(store: Store, shop_id: str) -> list[str]:
    """Give the ids of the products that are kept, in order."""
    with store.read() as session:
        return list(
            session.scalars(select(Product.id).where(Product.shop_id == shop_id).order_by(Product.id))
        )


def fetched_at(store: Store, shop_id: str) -> datetime | None:
    """Give when the product that was fetched longest ago was fetched; None where there is none."""
    with store.read() as session:
        return session.scalar(select(func.min(Product.fetched_at)).where(Product.shop_id == shop_id))


def payloads(
    store: Store, shop_id: str, ids: Sequence[str] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give products as Youzan gave them, by id; ids that aren't kept are left out.

    Args:
        store: Where products are kept.
        shop_id: The shop.
        ids: The products; None for all.
    """
    known = sorted(set(ids)) if ids is not None else product_ids(store, shop_id)
    rest = iter(known)
    while page := list(islice(rest, PAGE)):
        with store.read() as session:
            wanted = select(Product.id, Product.payload).where(
                Product.shop_id == shop_id, Product.id.in_(page)
            )
            rows = [(row.id, row.payload) for row in session.execute(wanted.order_by(Product.id))]
        yield from rows


def products(
    store: Store, shop_id: str, ids: Sequence[str] | None = None
) -> Iterator[tuple[str, Fact | None]]:
    """Give products as facts, as `payloads` does; None where a payload can't be read exactly."""
    for product_id, payload in payloads(store, shop_id, ids):
        try:
            yield product_id, product_from_item(payload)
        except PayloadError:
            yield product_id, None


def _fetch(client: YouzanClient, item_id: str) -> dict[str, Any] | None:
    """Fetch one product; None where there is none."""
    try:
        return client.items.detail(item_id)
    except Missing:
        return None


def _keep(
    store: Store, shop_id: str, batch: list[str], found: list[dict[str, Any] | None], result: Pulled
) -> None:
    rows = []
    for item_id, payload in zip(batch, found, strict=True):
        if payload is None:
            result.missing.append(item_id)
            continue
        try:
            fact = product_from_item(payload)
        except PayloadError as error:
            result.unreadable[item_id] = error.message
            fact = {}
        _check_shop(payload, shop_id)
        rows.append(
            {
                "shop_id": shop_id,
                "id": item_id,
                "title": fact.get("title") or item_id,
                "payload": payload,
                "hash": hashlib.sha256(canonical(payload)).hexdigest(),
            }
        )
    gone = [item_id for item_id, payload in zip(batch, found, strict=True) if payload is None]
    with store.write() as session:
        now = database_now(session)
        if gone:
            session.execute(delete(Product).where(Product.shop_id == shop_id, Product.id.in_(gone)))
        if rows:
            insert = insert_for(session, Product).values([{**row, "fetched_at": now} for row in rows])
            changed = {name: insert.excluded[name] for name in ("title", "payload", "hash", "fetched_at")}
            session.execute(insert.on_conflict_do_update(index_elements=["shop_id", "id"], set_=changed))
    result.kept += len(rows)


def _check_shop(payload: dict[str, Any], shop_id: str) -> None:
    """Make sure that a product is the shop's own; a payload may stand in an envelope, or not tell."""
    inner: Any = payload
    while isinstance(inner, dict) and "item_id" not in inner:
        inner = inner.get("item") or inner.get("data") or inner.get("response")
    found = str(inner.get("kdt_id") or "") if isinstance(inner, dict) else ""
    if found and found != shop_id:
        raise WrongShop(
            f"有赞返回的是店铺 {found} 的商品，不是 {shop_id}；请核对应用授权的店铺", shop_id, found
        )
