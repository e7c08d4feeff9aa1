"""A thousand faults on the way to the channel: nothing counted as done that was not, nothing lost, nothing twice.

Client and sandbox meet over a socket only. Worker threads list products the way an outbox does: the key is fixed before
sending, an unclear answer is looked up before anything is sent again. Every request that took effect is on the sandbox's
record with its request id, so that each thing the client said about a request can be held against what happened.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from channels.errors import AlreadyListed, BusinessRefusal, ChannelError, EffectUnknown, StateChanged
from channels.huiju import HuijuClient
from channels.sandbox import Fault, FaultPlan, Sandbox, SandboxConfig, Seed
from channels.wire import Retry

REFERENCE: dict[str, list[dict[str, Any]]] = {
    "categories": [{"id": "6091", "name": "围巾", "parent_id": "6057", "level": 3, "leaf": True}],
    "brands": [{"id": "7", "name": "品牌"}],
    "freight_templates": [{"id": "47428464001", "name": "全国包邮"}],
    "spec_templates": [{"id": "1001", "name": "颜色"}],
}
FAULTS = {
    Fault.LATENCY: 0.03,
    Fault.SERVER_ERROR: 0.07,
    Fault.DROPPED: 0.08,
    Fault.RATE_LIMITED: 0.05,
    Fault.ERROR_AFTER_EFFECT: 0.07,
    Fault.REPLY_LOST: 0.10,
    Fault.REPLY_CUT: 0.06,
    Fault.REPLY_GARBLED: 0.05,
    Fault.DELIVERED_TWICE: 0.07,
}
WANTED = 1000
BATCH = 64


@dataclass
class Said:
    """What the client said, to be held against what happened.

    Attributes:
        done: Youzan product id to the Huiju product id that was reported.
        refused: Youzan product ids that were reported as refused for their content.
        nothing_happened: Request ids of which it was said that they did nothing.
        kinds: How often each kind of answer came.
    """

    done: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    nothing_happened: set[str] = field(default_factory=set)
    kinds: Counter[str] = field(default_factory=Counter)


def product(number: int) -> dict[str, Any]:
    """Return a product; every ninth has a category that the channel doesn't know."""
    return {
        "outProductId": f"4036{number:06d}",
        "title": f"手工羊毛围巾 {number}",
        "categoryId": "404" if number % 9 == 0 else "6091",
        "brandId": "7",
        "freightTemplateId": "47428464001",
        "images": ["https://img.example.com/1.jpg"],
        "specList": [{"specTemplateId": "1001", "specName": "颜色", "values": ["红"]}],
        "skuList": [
            {
                "outSkuId": f"{number}1",
                "price": 29800,
                "stock": 5,
                "specs": [{"specTemplateId": "1001", "value": "红"}],
            }
        ],
    }


def look_up(client: HuijuClient, out_id: str) -> dict[str, Any] | None:
    """Ask until there is an answer whether a product is listed."""
    while True:
        try:
            return client.products.find(out_id)
        except ChannelError as error:
            assert error.retryable, error


def list_one(client: HuijuClient, number: int, said: Said) -> None:
    """List one product and write down what the client says on the way."""
    payload = product(number)
    out_id, key = payload["outProductId"], f"huiju/shop/{payload['outProductId']}/v1"
    while True:
        try:
            said.done[out_id] = client.products.add(payload, idempotency_key=key)["productId"]
            said.kinds["done"] += 1
            return
        except (EffectUnknown, AlreadyListed) as error:
            said.kinds[type(error).__name__] += 1
            found = look_up(client, out_id)
            if found is not None:
                said.done[out_id] = found["productId"]
                said.kinds["done, found by look-up"] += 1
                return
        except BusinessRefusal as error:
            said.kinds["refused"] += 1
            assert not isinstance(error, StateChanged)
            said.refused.add(out_id)
            said.nothing_happened.add(error.trace)
            return
        except ChannelError as error:
            assert (True, "none") == (error.retryable, error.effect), error
            said.kinds[type(error).__name__] += 1
            said.nothing_happened.add(error.trace)


def test_a_thousand_random_faults_lose_nothing_and_invent_nothing() -> None:
    config = SandboxConfig(huiju_per_second=100_000)
    with (
        Sandbox(Seed(reference=REFERENCE), config=config) as sandbox,
        HuijuClient(
            sandbox.huiju.credentials,
            base_url=sandbox.huiju.base_url,
            timeout=0.25,
            retry=Retry(attempts=3, first=0.001),
            sleep=lambda seconds: time.sleep(min(seconds, 0.002)),
            rng=random.Random(20220211),
        ) as client,
        ThreadPoolExecutor(6) as workers,
    ):
        side, said, number = sandbox.huiju, Said(), 0
        side.faults.set(FaultPlan(FAULTS, seed=20220318, latency=(0.02, 0.4)))
        while side.faults.total < WANTED:
            for future in [
                workers.submit(list_one, client, each, said) for each in range(number, number + BATCH)
            ]:
                future.result()
            number += BATCH
        side.faults.clear()
        time.sleep(0.5)  # whatever was held back longer than the client waited has arrived by then
        snapshot = side.state.snapshot()
        counts = side.faults.counts

    sent = {product(each)["outProductId"] for each in range(number)}
    bad = {product(each)["outProductId"] for each in range(0, number, 9)}
    effects = [(request_id, out_id) for request_id, endpoint, out_id in snapshot["effects"]]
    listed_times = Counter(out_id for _, out_id in effects)

    assert set(FAULTS) == set(counts), "every kind of fault came up"
    assert said.done == snapshot["listed"], "what was counted as done is what happened, under the same id"
    assert sent - bad == set(said.done), "nothing was lost"
    assert bad == said.refused, "what must not be listed was refused and is known to be"
    assert {1} == set(listed_times.values()), "no product was listed twice"
    assert not said.nothing_happened & {request_id for request_id, _ in effects}, (
        "“nothing happened” was never untrue"
    )
    assert said.kinds["done, found by look-up"] > 50, said.kinds
    assert said.kinds["EffectUnknown"] > 100, said.kinds


def test_shipping_through_faults_makes_one_parcel_each() -> None:
    """Shipping has no idempotency key: after an unclear answer the order itself tells whether it was shipped."""
    fact = {
        "channel": "huiju",
        "status": "to_ship",
        "total": 100,
        "created_at": "2022-03-01T00:00:00Z",
        "lines": [{"id": "1", "title": "围巾", "count": 1, "price": 100}],
    }
    orders = [{**fact, "id": f"E{number}", "channel_order_id": f"HJ{number}"} for number in range(120)]
    with (
        Sandbox(Seed(orders=orders), config=SandboxConfig(huiju_per_second=100_000)) as sandbox,
        HuijuClient(
            sandbox.huiju.credentials,
            base_url=sandbox.huiju.base_url,
            timeout=0.25,
            retry=Retry(attempts=3, first=0.001),
            sleep=lambda seconds: None,
            rng=random.Random(1),
        ) as client,
    ):
        sandbox.huiju.faults.set(FaultPlan(FAULTS, seed=5, latency=(0.0, 0.02)))
        for number in range(120):
            while True:
                try:
                    client.orders.deliver(f"HJ{number}", "顺丰速运", f"SF{number:010d}")
                    break
                except ChannelError as error:
                    if error.effect == "unknown" and shipped(client, f"HJ{number}"):
                        break
        sandbox.huiju.faults.clear()
        snapshot = sandbox.huiju.state.snapshot()
    assert [("shipped", [f"SF{number:010d}"]) for number in range(120)] == [
        (order["orderStatus"], [parcel["deliverNumber"] for parcel in order["logisticsList"]])
        for order in snapshot["orders"].values()
    ]


def shipped(client: HuijuClient, order_id: str) -> bool:
    """Ask until there is an answer whether an order is shipped."""
    while True:
        try:
            return bool(client.orders.get(order_id)["orderStatus"] == "shipped")
        except ChannelError as error:
            assert error.retryable, error
