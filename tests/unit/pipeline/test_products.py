"""Products: fetched in batches over a socket, kept as they came, and gone when they are gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from channels.sandbox import Sandbox
from channels.sandbox.faults import Fault, FaultPlan
from channels.wire import Retry
from channels.youzan import YouzanClient
from pipeline import products as module
from pipeline.clients import YOUZAN_CLIENT_SECRET, YOUZAN_RATE, ChannelFailed, SettingsUnusable, youzan_client
from pipeline.products import WrongShop, fetched_at, payloads, product_ids, products, pull_products
from pipeline.store import Store

SHOP = "38405005"


@pytest.fixture
def client(store: Store, settings: dict[str, str]) -> Iterator[YouzanClient]:
    with closing(youzan_client(store, SHOP, settings)) as opened:
        yield opened


def ids_of(example_products: list[dict[str, Any]]) -> list[str]:
    found = [item.get("data") or item["response"]["item"] for item in example_products]
    return sorted(str(item["item_id"]) for item in found)


def test_everything_on_sale_is_kept_as_youzan_gave_it(
    store: Store, client: YouzanClient, sandbox: Sandbox, example_products: list[dict[str, Any]]
) -> None:
    pulled = pull_products(store, client, SHOP)
    assert (12, [], {}) == (pulled.kept, pulled.missing, pulled.unreadable)
    assert ids_of(example_products) == product_ids(store, SHOP)
    assert sandbox.youzan.state.items == dict(payloads(store, SHOP))
    fact = dict(products(store, SHOP, ["403680077"]))["403680077"]
    assert fact is not None
    assert ("手工羊毛围巾加厚款", ["颜色", "尺码"]) == (
        fact["title"],
        [spec["name"] for spec in fact["specs"]],
    )


def test_a_second_pull_sees_what_changed_and_what_left_the_shelf(
    store: Store, client: YouzanClient, sandbox: Sandbox
) -> None:
    """A product that is no longer on sale is not in the list any more; it is asked for all the same."""
    pull_products(store, client, SHOP)
    first = fetched_at(store, SHOP)
    sandbox.youzan.state.edit_item("403680077", {"is_display": 0, "title": "改名"})
    assert 12 == pull_products(store, client, SHOP).kept
    fact = dict(products(store, SHOP))["403680077"]
    assert fact is not None
    assert (False, "改名") == (fact["on_sale"], fact["title"])
    second = fetched_at(store, SHOP)
    assert first is not None
    assert second is not None
    assert first < second


def test_a_product_that_is_gone_is_named_and_dropped(
    store: Store, client: YouzanClient, sandbox: Sandbox
) -> None:
    pull_products(store, client, SHOP)
    with sandbox.youzan.state.lock:
        del sandbox.youzan.state.items["403680077"]
    pulled = pull_products(store, client, SHOP, ["403680077", "1"])
    assert (0, ["403680077", "1"]) == (pulled.kept, pulled.missing)
    assert "403680077" not in product_ids(store, SHOP)


def test_what_was_kept_before_the_line_broke_stays(
    store: Store, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 4)
    wanted = sorted(sandbox.youzan.state.items)
    done: list[tuple[int, int]] = []

    def break_after_one(count: int, total: int) -> None:
        done.append((count, total))
        sandbox.set_faults(FaultPlan({Fault.RATE_LIMITED: 1.0}))

    side = sandbox.youzan
    with (
        closing(YouzanClient(side.credentials, base_url=side.base_url, retry=Retry(attempts=1))) as client,
        pytest.raises(ChannelFailed, match="读取有赞商品没有成功") as caught,
    ):
        pull_products(store, client, SHOP, wanted, break_after_one)
    assert caught.value.retryable
    assert [(4, 12)] == done
    assert wanted[:4] == product_ids(store, SHOP)


def test_products_of_another_shop_are_refused(store: Store, client: YouzanClient, sandbox: Sandbox) -> None:
    sandbox.youzan.state.edit_item("403680077", {"kdt_id": 38405999})
    with pytest.raises(WrongShop, match="38405999"):
        pull_products(store, client, SHOP, ["403680077"])
    assert [] == product_ids(store, SHOP)


def test_a_payload_that_can_t_be_read_is_kept_and_named(
    store: Store, client: YouzanClient, sandbox: Sandbox
) -> None:
    sandbox.youzan.state.edit_item("403680077", {"quantity": "很多"})
    pulled = pull_products(store, client, SHOP, ["403680077"])
    assert ["403680077"] == list(pulled.unreadable)
    assert [("403680077", None)] == list(products(store, SHOP))


def test_missing_settings_are_named(store: Store, settings: dict[str, str]) -> None:
    del settings[YOUZAN_CLIENT_SECRET]
    with pytest.raises(SettingsUnusable, match=YOUZAN_CLIENT_SECRET) as caught:
        youzan_client(store, SHOP, settings)
    assert (YOUZAN_CLIENT_SECRET,) == caught.value.names


@pytest.mark.parametrize("rate", ["0", "-1", "很快", "nan", "inf"])
def test_a_rate_that_is_none_is_refused(store: Store, settings: dict[str, str], rate: str) -> None:
    with pytest.raises(SettingsUnusable, match="应是大于 0 的数"):
        youzan_client(store, SHOP, settings | {YOUZAN_RATE: rate})


def test_calls_wait_for_their_turn(store: Store) -> None:
    """The rate is one row of the store, so that every process that calls for the shop waits in one queue."""
    import time

    from pipeline.clients import paced

    waits = [paced(store, "youzan", SHOP, 20.0) for _ in range(2)]
    began = time.monotonic()
    for wait in (*waits, *waits):
        wait()
    assert 0.14 <= time.monotonic() - began
