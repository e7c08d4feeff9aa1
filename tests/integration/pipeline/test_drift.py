"""What changes in Youzan after the listing is noticed, and said by rule (R33)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from channels.sandbox import Sandbox, SandboxConfig, Seed
from channels.youzan import YouzanClient, YouzanCredentials
from pipeline.drift import ListedProduct, NoListedProductRules, changes, listed_products, refresh_products
from pipeline.store import Product, database_now
from tests.integration.demo_shop import payloads

Sheet = Callable[[Sequence[Sequence[str]]], bytes]
Rows = list[list[str]]
SHOP = "38405005"


@pytest.fixture
def listed(desk: Any, sheet: Sheet, good_rows: Rows) -> list[str]:
    """List three products."""
    desk.list_all(desk.check(sheet(good_rows[:3])))
    return [row[0] for row in good_rows[:3]]


def look(desk: Any, *, days: int = 0, only: list[str] | None = None) -> dict[str, ListedProduct]:
    with desk.store.read() as session:
        as_of = database_now(session) + timedelta(days=days)
    found = listed_products(desk.store, desk.rulebook, "huiju", SHOP, as_of, only)
    return {item.fact["product_id"]: item for item in found}


def edit(desk: Any, product_id: str, **fields: Any) -> None:
    with desk.store.write() as session:
        product = session.get(Product, (SHOP, product_id))
        product.payload = deepcopy(dict(product.payload)) | fields


def rules_of(item: ListedProduct) -> list[str]:
    return [finding.rule.rpartition("/")[2] for finding in item.findings("R33")]


def test_a_product_that_is_as_it_was_listed_has_no_drift(desk: Any, listed: list[str]) -> None:
    found = look(desk, only=listed)
    assert {product_id: ({}, []) for product_id in listed} == {
        key: (item.fact["changed"], rules_of(item)) for key, item in found.items()
    }


def test_each_change_is_told_with_before_and_after(desk: Any, listed: list[str]) -> None:
    """R33: the channel is not told, so the merchant is."""
    before = look(desk, only=listed[:1])[listed[0]].fact["now"]
    edit(
        desk,
        listed[0],
        title="新名字",
        is_display=0,
        images=[{"image_url": "https://img.example.com/new.jpg"}],
    )
    item = look(desk, only=listed[:1])[listed[0]]
    assert ["taken-off-sale", "title-changed", "images-changed"] == rules_of(item)
    assert {"before": before["title"], "after": "新名字"} == item.fact["changed"]["title"]
    assert {"before": len(before["images"]), "after": 1, "new": 1} == item.fact["changed"]["images"]
    assert f"标题由「{before['title']}」改为「新名字」" == item.findings("R33")[1].message
    assert "新名字" == item.title


def test_a_product_that_youzan_no_longer_has_is_told(desk: Any, listed: list[str]) -> None:
    with desk.store.write() as session:
        session.delete(session.get(Product, (SHOP, listed[1])))
    assert ["gone-from-youzan"] == rules_of(look(desk)[listed[1]])


def test_only_a_change_of_price_beyond_the_threshold_warns() -> None:
    """R33: rounded down, so that the threshold itself counts."""

    def product(price: int) -> dict[str, Any]:
        return {"id": "1", "price": price, "skus": [{"id": "9", "price": price, "specs": []}]}

    assert {"before": 10000, "after": 10499, "percent": 4} == changes(product(10000), product(10499))["price"]
    assert 5 == changes(product(10000), product(9500))["price"]["percent"]
    assert 100 == changes(product(0), product(1))["price"]["percent"]
    assert [{"id": "9", "name": "9", "before": 10000, "after": 9500}] == changes(
        product(10000), product(9500)
    )["sku_prices"]


def test_specs_are_compared_with_their_values() -> None:
    before = {"id": "1", "specs": [{"name": "颜色", "values": ["红"]}]}
    after = {"id": "1", "specs": [{"name": "颜色", "values": ["红", "藏青"]}]}
    assert {"specs": {"before": "颜色：红", "after": "颜色：红、藏青"}} == changes(before, after)


def test_what_is_not_known_is_no_change() -> None:
    assert {} == changes({"id": "1"}, {"id": "1", "title": "围巾", "price": 1, "images": [], "specs": []})


def test_the_age_of_the_last_change_is_told(desk: Any, listed: list[str]) -> None:
    now = look(desk)[listed[0]].fact.get("days_changed")
    assert now is None or look(desk, days=3)[listed[0]].fact["days_changed"] == now + 3


def test_products_that_are_not_fresh_are_fetched_before_they_are_compared(
    desk: Any, listed: list[str]
) -> None:
    config = SandboxConfig(youzan=YouzanCredentials("id", "secret" * 4, SHOP))
    with Sandbox(Seed(products=payloads()), config=config) as sandbox:
        item = sandbox.youzan.state.items[listed[2]]
        item["title"] = "改了标题"
        with YouzanClient(sandbox.youzan.credentials, base_url=sandbox.youzan.base_url) as client:
            refresh_products(desk.store, client, SHOP, "huiju", timedelta(hours=1))
            assert [] == rules_of(look(desk)[listed[2]])
            refresh_products(desk.store, client, SHOP, "huiju", timedelta(0))
    assert ["title-changed"] == rules_of(look(desk)[listed[2]])


def test_a_channel_without_such_rules_is_told_so(desk: Any, tmp_path: Any) -> None:
    channel = desk.rulebook.channels["huiju"]
    import dataclasses

    rulesets = {name: item for name, item in channel.rulesets.items() if name != "listed-product"}
    bare = dataclasses.replace(
        desk.rulebook, channels={"huiju": dataclasses.replace(channel, rulesets=rulesets)}
    )
    with desk.store.read() as session, pytest.raises(NoListedProductRules, match="listed-product"):
        next(listed_products(desk.store, bare, "huiju", SHOP, database_now(session)))
