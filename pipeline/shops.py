"""Shops as facts: what is known of a shop, of its standing on a channel, and whether it is bound (R1, R2, R4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from engine.errors import ShelfgateError
from pipeline.store import BindingRow, Shop, Standing, Store, database_now


class ShopUnknown(ShelfgateError):
    """Report that a shop is not registered.

    Attributes:
        shop_id: The shop that was asked for.
    """

    def __init__(self, shop_id: str, known: str = "") -> None:
        super().__init__(f"没有登记店铺 {shop_id}；" + (f"已登记的有 {known}" if known else "请先登记店铺"))
        self.shop_id = shop_id


class ShopIncomplete(ShelfgateError):
    """Report that a shop can't be registered, as something of it is missing."""


def save_shop(store: Store, channel: str, fact: Mapping[str, Any]) -> bool:
    """Register a shop, or write down what has changed of it.

    Args:
        store: Where shops are kept.
        channel: The channel that its standing is about.
        fact: A `shop` fact with id and edition. `bound` is not taken from it: only a binding binds.

    Returns:
        Whether the shop is new.

    Raises:
        ShopIncomplete: The fact has no id or no edition.
    """
    missing = [name for name in ("id", "edition") if not fact.get(name)]
    if missing:
        raise ShopIncomplete(f"店铺缺少 {'、'.join(missing)}；请补全后再登记")
    with store.write() as session:
        now = database_now(session)
        shop = session.get(Shop, fact["id"], with_for_update=True)
        is_new = shop is None
        if shop is None:
            shop = Shop(id=fact["id"], created_at=now)
            session.add(shop)
        shop.name, shop.edition, shop.updated_at = fact.get("name") or fact["id"], fact["edition"], now
        session.flush()
        if fact.get("admitted") is not None:
            standing = session.get(Standing, (fact["id"], channel)) or Standing(
                shop_id=fact["id"], channel=channel
            )
            standing.admitted, standing.updated_at = fact["admitted"], now
            standing.beta_approved = bool(fact.get("beta_approved"))
            session.add(standing)
    return is_new


def shop_fact(store: Store, channel: str, shop_id: str) -> dict[str, Any]:
    """Give a shop as the rules see it; what is not known of it is absent.

    Raises:
        ShopUnknown: The shop is not registered.
    """
    with store.read() as session:
        shop = session.get(Shop, shop_id)
        if shop is None:
            known = "、".join(session.scalars(select(Shop.id).order_by(Shop.id).limit(10)))
            raise ShopUnknown(shop_id, known)
        standing = session.get(Standing, (shop_id, channel))
        bound = session.get(BindingRow, (shop_id, channel)) is not None
    fact: dict[str, Any] = {"id": shop.id, "name": shop.name, "edition": shop.edition, "bound": bound}
    if standing is not None:
        fact |= {"admitted": standing.admitted, "beta_approved": standing.beta_approved}
    return fact


def list_shops(store: Store, channel: str) -> list[dict[str, Any]]:
    """Give every registered shop as a fact, by id."""
    with store.read() as session:
        ids = list(session.scalars(select(Shop.id).order_by(Shop.id)))
    return [shop_fact(store, channel, shop_id) for shop_id in ids]
