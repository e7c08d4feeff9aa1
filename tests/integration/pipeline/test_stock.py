"""Both stocks stand side by side, and overselling is warned of before it happens (R34)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from channels.errors import Missing
from pipeline.drift import ListedProduct, listed_products
from pipeline.stock import refresh_stock
from pipeline.store import Listing, database_now

Sheet = Callable[[Sequence[Sequence[str]]], bytes]
Rows = list[list[str]]
SHOP = "38405005"


class ChannelStock:
    """A channel's stock as a table; the sandbox's is read over a socket in the acceptance tests."""

    def __init__(self, stocks: dict[str, list[tuple[str, int]]]) -> None:
        self.stocks = stocks

    def query(self, product_id: str) -> list[dict[str, Any]]:
        if product_id not in self.stocks:
            raise Missing("huiju", "商品不存在")
        return [
            {"skuId": f"9{sku}", "outSkuId": sku, "stock": stock} for sku, stock in self.stocks[product_id]
        ]


@pytest.fixture
def product(desk: Any, sheet: Sheet, good_rows: Rows) -> dict[str, Any]:
    """List one product with two SKUs or more, and give its fact."""
    desk.list_all(desk.check(sheet(good_rows)))
    for item in look(desk):
        if (
            len(item.fact.get("now", {}).get("skus", ())) >= 2
            and min(sku["stock"] for sku in item.fact["now"]["skus"]) > 2
        ):
            return item.fact["now"]
    raise AssertionError("no such product in the example")


def look(desk: Any, only: list[str] | None = None, **later: int) -> list[ListedProduct]:
    with desk.store.read() as session:
        as_of = database_now(session) + timedelta(**later)
    return list(listed_products(desk.store, desk.rulebook, "huiju", SHOP, as_of, only))


def read(desk: Any, product: dict[str, Any], stocks: list[int], **later: int) -> ListedProduct:
    rows = [(sku["id"], stock) for sku, stock in zip(product["skus"], stocks, strict=True)]
    refresh_stock(desk.store, ChannelStock({f"88{product['id']}": rows}), SHOP, "huiju")
    (item,) = look(desk, [product["id"]], **later)
    return item


def rules_of(item: ListedProduct) -> list[str]:
    return [finding.rule.rpartition("/")[2] for finding in item.findings("R34")]


def test_both_stocks_stand_side_by_side(desk: Any, product: dict[str, Any]) -> None:
    own = [sku["stock"] for sku in product["skus"]]
    item = read(desk, product, own)
    assert {"youzan": sum(own), "channel": sum(own), "channel_age": 0} == item.fact["stock"]
    assert [(sku["stock"], sku["stock"]) for sku in product["skus"]] == [
        (sku["youzan"], sku["channel"]) for sku in item.fact["skus"]
    ]
    assert [] == rules_of(item)


def test_more_on_the_channel_than_in_youzan_is_warned_of(desk: Any, product: dict[str, Any]) -> None:
    """R34: before it oversells, not after."""
    own = [sku["stock"] for sku in product["skus"]]
    item = read(desk, product, [own[0] + 1, *own[1:]])
    assert ["oversells"] == rules_of(item)
    assert f"惠聚库存 {sum(own) + 1}，有赞只剩 {sum(own)}" in item.findings("R34")[0].message


def test_one_sku_too_many_is_warned_of_although_the_whole_is_not(desk: Any, product: dict[str, Any]) -> None:
    """R34: buyers order SKUs."""
    own = [sku["stock"] for sku in product["skus"]]
    assert ["sku-oversells"] == rules_of(read(desk, product, [own[0] + 1, own[1] - 1, *own[2:]]))


def test_stock_read_long_ago_is_said_to_be_old(desk: Any, product: dict[str, Any]) -> None:
    own = [sku["stock"] for sku in product["skus"]]
    assert ["channel-stock-stale"] == rules_of(read(desk, product, own, days=2))


def test_a_product_that_the_channel_no_longer_has_is_named(desk: Any, product: dict[str, Any]) -> None:
    read(desk, product, [sku["stock"] for sku in product["skus"]])
    found = refresh_stock(desk.store, ChannelStock({}), SHOP, "huiju")
    assert product["id"] in found.gone
    with desk.store.read() as session:
        listing = session.query(Listing).filter_by(product_id=product["id"]).one()
        assert (None, None) == (listing.channel_stock, listing.channel_skus)


def test_a_stock_that_was_never_read_warns_of_nothing(desk: Any, product: dict[str, Any]) -> None:
    (item,) = look(desk, [product["id"]])
    assert "channel" not in item.fact["stock"]
    assert [] == rules_of(item)
