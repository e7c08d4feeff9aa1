"""Drift and stock over HTTP (R33, R34)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from channels.sandbox import Sandbox
from engine.decision import plain
from mappings.youzan import product_from_item
from pipeline.clients import youzan_client
from pipeline.store import Listing, Product, database_now
from tests.integration.api.front import OTHER, Front
from tests.integration.demo_shop import SHOP, good_rows, reference

LISTED = sorted(row["product_id"] for row in reference()["listings"])


@pytest.fixture
def drifted(front: Front) -> str:
    """Let a product be listed that is dearer now, and has less stock in Youzan than on the channel."""
    product_id = good_rows()[0][0]
    with front.store.write() as session:
        now = database_now(session)
        fact: Any = plain(product_from_item(session.get_one(Product, (SHOP, product_id)).payload))
        skus = [{"id": sku["id"], "channel_id": sku["id"], "stock": 10_000} for sku in fact["skus"]]
        session.add(
            Listing(
                channel="huiju", shop_id=SHOP, product_id=product_id, channel_product_id="900000001", state="listed",
                created_at=now, listed_at=now, snapshot=fact | {"price": fact["price"] * 2}, channel_skus=skus,
                channel_stock=10_000 * len(skus), channel_stock_at=now,
            )
        )  # fmt: skip
    return product_id


def products(answer: Any) -> list[str]:
    return [item["product_id"] for item in answer.json["items"]]


@pytest.mark.parametrize(("path", "source"), [("/v1/drift", "R33"), ("/v1/stock", "R34")])
def test_products_to_see_to_are_listed_with_the_findings_of_one_requirement(
    front: Front, drifted: str, path: str, source: str
) -> None:
    client = front.service("viewer")
    answer = client.get(f"{path}?product={drifted}")
    assert [drifted] == products(answer)
    assert all(source in finding["source"] for finding in answer.json["items"][0]["findings"])
    assert answer.json["items"][0]["findings"]
    assert drifted in products(client.get(path))


def test_pages_go_on_behind_the_last_product(front: Front) -> None:
    client, seen, following = front.service("viewer"), [], ""
    while following is not None:
        answer = client.get(f"/v1/stock?all=true&limit=2{following and f'&cursor={following}'}")
        assert len(products(answer)) <= 2
        seen += products(answer)
        following = answer.json["next"]
    assert seen == LISTED


@pytest.mark.parametrize("query", ["all=2", "limit=0", "cursor=x", "as_of=2022-03-08", "shop=1"])
def test_what_can_not_be_asked_is_named(front: Front, query: str) -> None:
    for address in ("/v1/drift", "/v1/stock"):
        answer = front.service().get(f"{address}?{query}")
        assert (422, f"query:{query.partition('=')[0]}") == (
            answer.status_code,
            answer.json["diagnostics"][0]["pointer"],
        )


def test_both_systems_are_read_anew(front: Front, outside: Sandbox, drifted: str) -> None:
    """The sandbox has the listings of the demo shop; the one of `drifted` it does not know."""
    object.__setattr__(front.services, "youzan", youzan_client)
    long_ago = datetime(2022, 3, 1, tzinfo=UTC)
    with front.store.write() as session:
        session.execute(update(Product).where(Product.id == drifted).values(fetched_at=long_ago, title="旧"))
    answer = front.service().post("/v1/listings/refresh")
    assert (200, len(LISTED), [drifted]) == (answer.status_code, answer.json["stocks"], answer.json["gone"])
    assert answer.json["products"] >= 1
    with front.store.read() as session:
        assert "旧" != session.get_one(Product, (SHOP, drifted)).title
        known = select(Listing.product_id).where(Listing.shop_id == SHOP, Listing.channel_stock.is_not(None))
        assert LISTED == sorted(session.scalars(known))


def test_another_shop_sees_its_own_and_a_viewer_reads_nothing_anew(front: Front, drifted: str) -> None:
    assert [] == products(front.service(shop_id=OTHER).get(f"/v1/drift?product={drifted}"))
    assert 403 == front.service("viewer").post("/v1/listings/refresh").status_code
    assert [401, 401] == [front.anyone().get(path).status_code for path in ("/v1/drift", "/v1/stock")]
    assert 401 == front.anyone().post("/v1/listings/refresh").status_code
