"""Drift: what has changed in Youzan since a product was listed, as a list of things to carry over (R33).

A listed product is one fact, as it was listed against as it is now; the rules of `rules/<channel>/listed-product.yaml` say what of it is
worth a word, and from where on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from channels.youzan import YouzanClient
from engine.decision import Decision, Finding
from engine.errors import ShelfgateError
from engine.facts import admit
from engine.rulebook import Rulebook
from engine.rules import Ruleset
from engine.session import Session as RuleSession
from engine.tables import Tables
from pipeline.products import Pulled, products, pull_products
from pipeline.shops import shop_fact
from pipeline.store import Listing, Product, Store, database_now

FACT = "listed_product"
PAGE = 200
"""Listings looked at a time."""

Fact = dict[str, Any]


class NoListedProductRules(ShelfgateError):
    """Report that a channel has no rules about listed products.

    Attributes:
        channel: The channel.
    """

    def __init__(self, channel: str) -> None:
        super().__init__(f"渠道 {channel} 没有关于已上架商品的规则；请在清单里补上 listed-product")
        self.channel = channel


@dataclass(frozen=True, slots=True)
class ListedProduct:
    """Hold a listed product with what the rules say of it.

    Attributes:
        fact: The product as the rules see it, as declared in `rules/facts/listed_product.yaml`.
        decision: What they say, with their version.
    """

    fact: Fact
    decision: Decision

    @property
    def title(self) -> str:
        """Its title as it is now, else as it was listed."""
        now, listed = self.fact.get("now") or {}, self.fact.get("listed") or {}
        return str(now.get("title") or listed.get("title") or self.fact["product_id"])

    def findings(self, source: str) -> list[Finding]:
        """Give the findings whose rules come from one requirement, those that warn first.

        Args:
            source: R33 for drift, R34 for stock.
        """
        found = [
            item for item in self.decision.findings if source in item.source and item.status == "violated"
        ]
        return sorted(found, key=lambda item: ("error", "warning", "notice").index(item.severity))

    def as_data(self, source: str) -> Fact:
        """Give the product as data, with the findings of one requirement.

        Args:
            source: As for `findings`.
        """
        return {
            "product_id": self.fact["product_id"],
            "channel_product_id": self.fact["channel_product_id"],
            "title": self.title,
            "listed_at": self.fact["listed_at"],
            "days_changed": self.fact.get("days_changed"),
            "changed": self.fact["changed"],
            "stock": self.fact["stock"],
            "skus": self.fact["skus"],
            "findings": [finding.as_data() for finding in self.findings(source)],
        }


def refresh_products(
    store: Store, client: YouzanClient, shop_id: str, channel: str, fresh: timedelta
) -> Pulled:
    """Fetch the listed products that were fetched longer ago than is fresh, and say what came of it.

    Raises:
        ChannelFailed: Youzan could not be reached.
    """
    with store.read() as session:
        since = database_now(session) - fresh
        known = select(Product.id).where(Product.shop_id == shop_id, Product.fetched_at >= since)
        wanted = select(Listing.product_id).where(
            Listing.shop_id == shop_id,
            Listing.channel == channel,
            Listing.state == "listed",
            Listing.product_id.not_in(known),
        )
        ids = list(session.scalars(wanted.order_by(Listing.product_id)))
    return pull_products(store, client, shop_id, ids)


def listed_products(
    store: Store,
    rulebook: Rulebook,
    channel: str,
    shop_id: str,
    as_of: datetime,
    product_ids: Sequence[str] | None = None,
    after: str | None = None,
) -> Iterator[ListedProduct]:
    """Give the shop's listed products with what the rules say of them, by product id.

    Args:
        store: Where listings and products are kept; products are taken as they are kept.
        rulebook: The rules.
        channel: The channel.
        shop_id: The shop.
        as_of: The moment asked for; aware.
        product_ids: Only these; None for all.
        after: Only those behind this product id, for the next page; None to begin with the first.

    Raises:
        NoListedProductRules: The channel has no rules about listed products.
        ShopUnknown: The shop is not registered.
    """
    ruleset = _rules(rulebook, channel)
    decide = RuleSession(ruleset, rulebook.evaluator(ruleset), Tables(), as_of).decide
    shop = shop_fact(store, channel, shop_id)
    while page := _listings(store, channel, shop_id, product_ids, after):
        after = page[-1].product_id
        now = dict(products(store, shop_id, [item.product_id for item in page]))
        for listing in page:
            fact = make_fact(rulebook, listing, now, as_of) | {"shop": shop}
            yield ListedProduct(fact, decide(fact))


def make_fact(rulebook: Rulebook, listing: Listing, now: Mapping[str, Fact | None], as_of: datetime) -> Fact:
    """Make the fact of one listing.

    Args:
        rulebook: Declares the product that the snapshot is read as.
        listing: The listing.
        now: Products as they are kept, by id; one that is not there is gone, one that can't be read is None.
        as_of: The moment asked for; aware.
    """
    current = now.get(listing.product_id)
    fact: Fact = {
        "product_id": listing.product_id,
        "channel_product_id": listing.channel_product_id,
        "listed_at": listing.listed_at,
        "in_youzan": listing.product_id in now,
    }
    if current is not None:
        fact["now"] = current
        if "updated_at" in current:
            fact["days_changed"] = max(0, (as_of - current["updated_at"]).days)
    if listing.snapshot is not None:
        fact["listed"], _ = admit(rulebook.vocabulary.facts["product"].type, listing.snapshot)
    fact["changed"] = changes(fact["listed"], current) if "listed" in fact and current is not None else {}
    return fact | _stock(listing, current, as_of)


def changes(before: Fact, after: Fact) -> Fact:
    """Give what two facts of one product differ in; a field that either does not tell is no difference.

    Returns:
        The field `changed` of the fact `listed_product`.
    """
    found: Fact = {}
    if (pair := _differing(before, after, "title")) is not None:
        found["title"] = pair
    if (pair := _differing(before, after, "price")) is not None:
        least = max(pair["before"], 1)
        found["price"] = pair | {"percent": abs(pair["after"] - pair["before"]) * 100 // least}
    if (pair := _differing(before, after, "on_sale")) is not None:
        found["on_sale"] = pair
    if (pair := _differing(before, after, "images")) is not None:
        new = len(set(pair["after"]) - set(pair["before"]))
        found["images"] = {"before": len(pair["before"]), "after": len(pair["after"]), "new": new}
    if "specs" in before and "specs" in after and (was := _specs(before)) != (is_now := _specs(after)):
        found["specs"] = {"before": was, "after": is_now}
    prices = {sku["id"]: sku for sku in before.get("skus") or () if "price" in sku}
    moved = [
        {"id": sku["id"], "name": sku_name(sku), "before": prices[sku["id"]]["price"], "after": sku["price"]}
        for sku in after.get("skus") or ()
        if "price" in sku and sku["id"] in prices and prices[sku["id"]]["price"] != sku["price"]
    ]
    if moved:
        found["sku_prices"] = moved
    return found


def sku_name(sku: Mapping[str, Any]) -> str:
    """Name a SKU by its values.

    Examples:
        >>> sku_name({"id": "1", "specs": [{"name": "颜色", "value": "红"}, {"name": "尺码", "value": "M"}]})
        '红；M'
    """
    values = [spec["value"] for spec in sku.get("specs") or () if spec.get("value")]
    return "；".join(values) or str(sku["id"])


def _rules(rulebook: Rulebook, channel: str) -> Ruleset:
    found = rulebook.channels[channel].about("eligibility", FACT)
    if found is None:
        raise NoListedProductRules(channel)
    return found


def _listings(
    store: Store, channel: str, shop_id: str, product_ids: Sequence[str] | None, after: str | None
) -> list[Listing]:
    """Give the next listings behind a product id."""
    wanted = select(Listing).where(
        Listing.channel == channel, Listing.shop_id == shop_id, Listing.state == "listed"
    )
    if product_ids is not None:
        wanted = wanted.where(Listing.product_id.in_(product_ids))
    if after is not None:
        wanted = wanted.where(Listing.product_id > after)
    with store.read() as session:
        return list(session.scalars(wanted.order_by(Listing.product_id).limit(PAGE)))


def _differing(before: Fact, after: Fact, field: str) -> Fact | None:
    """Give both values of a field where both are known and differ."""
    old, new = before.get(field), after.get(field)
    return None if old is None or new is None or old == new else {"before": old, "after": new}


def _specs(product: Fact) -> str:
    return "；".join(
        f"{spec['name']}：{'、'.join(spec.get('values') or ())}" for spec in product.get("specs") or ()
    )


def _stock(listing: Listing, current: Fact | None, as_of: datetime) -> Fact:
    """Give both stocks, of the whole and of each SKU; what is not known is absent."""
    stock: Fact = {}
    if current is not None and "stock" in current:
        stock["youzan"] = current["stock"]
    if listing.channel_stock is not None:
        stock["channel"] = listing.channel_stock
    if listing.channel_stock_at is not None:
        stock["channel_age"] = max(0, int((as_of - listing.channel_stock_at).total_seconds() // 60))
    skus: dict[str, Fact] = {}
    for sku in (current or {}).get("skus") or ():
        skus[sku["id"]] = {"id": sku["id"], "name": sku_name(sku)}
        if "stock" in sku:
            skus[sku["id"]]["youzan"] = sku["stock"]
    for sku in listing.channel_skus or ():
        skus.setdefault(sku["id"], {"id": sku["id"], "name": sku["id"]})["channel"] = sku["stock"]
    return {"stock": stock, "skus": list(skus.values())}
