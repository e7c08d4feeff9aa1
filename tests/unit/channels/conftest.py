"""A small shop on both sandboxes, and clients that wait little."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from channels.huiju import HuijuClient, HuijuCredentials
from channels.sandbox import Sandbox, SandboxConfig, Seed
from channels.wire import Retry
from channels.youzan import YouzanClient, YouzanCredentials

HUIJU = HuijuCredentials("hj00000001", "huiju-app-secret-1f2e", "huiju-data-key-9c8b")
YOUZAN = YouzanCredentials("yz-client-01", "youzan-client-secret-7a6d", "38405005")
CONFIG = SandboxConfig(huiju=HUIJU, youzan=YOUZAN, huiju_per_second=5000, youzan_per_second=5000)


def item(item_id: int, title: str) -> dict[str, Any]:
    """Return a product as ``youzan.item.detail.get`` gives it."""
    return {
        "kdt_id": 38405005,
        "item_id": item_id,
        "alias": f"a{item_id}",
        "title": title,
        "is_display": 1,
        "item_delivery_param": {"delivery_template_id": 535943, "delivery_setting": {"express": True}},
        "sku_list": [{"sku_id": item_id * 10, "price": 29800, "stock_num": 5, "sku_props": []}],
    }


def order(number: int, channel: str, status: str, at: int, **more: Any) -> dict[str, Any]:
    """Return an order fact of one line, updated at a second of 2022-03-10 12:00 UTC plus ``at``."""
    moment = f"2022-03-10T{12 + at // 3600:02d}:{at // 60 % 60:02d}:{at % 60:02d}Z"
    return {
        "id": f"E2022031012000000000000{number:02d}",
        "channel": channel,
        "channel_order_id": f"HJ{number}" if channel == "huiju" else None,
        "status": status,
        "payment_kind": "marked" if channel == "huiju" else "normal",
        "total": 29801,
        "freight": 0,
        "buyer": {"id": f"b{number}", "name": "买家甲", "phone": "13000000001"},
        "consignee": {
            "name": "收货人甲",
            "phone": "13800138000",
            "province": "四川省",
            "city": "成都市",
            "county": "锦江区",
            "address": "示例路1号",
            "postcode": "610000",
        },
        "lines": [
            {
                "id": f"{number}00",
                "product_id": "403680077",
                "sku_id": "4036800770",
                "title": "围巾",
                "count": 1,
                "price": 29801,
                "specs": "颜色：红；尺码：M",
                "shipped": status in ("shipped", "done"),
            },
            {
                "id": f"{number}01",
                "product_id": "403680078",
                "sku_id": "4036800780",
                "title": "手套",
                "count": 1,
                "price": 100,
                "specs": "颜色：蓝",
                "shipped": status in ("shipped", "done"),
            },
        ],
        "created_at": "2022-03-10T11:00:00Z",
        "paid_at": "2022-03-10T11:01:00Z",
        "updated_at": moment,
        **more,
    }


def after_sale(number: int, of: int, channel: str, kind: str, status: str) -> dict[str, Any]:
    """Return an after-sale fact."""
    return {
        "id": f"2022031012000000000000{number:02d}",
        "order_id": f"E2022031012000000000000{of:02d}",
        "channel": channel,
        "kind": kind,
        "status": status,
        "amount": 29801,
        "reason": "不想要",
        "contact": {"name": "收货人甲", "phone": "13800138000"},
        "buyer": {"id": f"b{of}", "name": "买家甲"},
        "created_at": "2022-03-10T12:00:00Z",
        "updated_at": "2022-03-10T12:00:00Z",
    }


SEED = Seed(
    products=[
        {"code": 200, "data": item(403680077, "围巾")},
        item(403680078, "手套"),
        item(403680079, "帽子"),
    ],
    reference={
        "categories": [
            {"id": "6033", "name": "服饰", "parent_id": None, "level": 1, "leaf": False},
            {"id": "6057", "name": "配件", "parent_id": "6033", "level": 2, "leaf": False},
            {"id": "6091", "name": "围巾", "parent_id": "6057", "level": 3, "leaf": True},
        ],
        "brands": [{"id": str(number), "name": f"品牌{number}"} for number in range(1, 121)],
        "freight_templates": [{"id": "47428464001", "name": "全国包邮"}],
        "spec_templates": [{"id": "1001", "name": "颜色"}, {"id": "1002", "name": "尺码"}],
        "listings": [
            {"product_id": "403680079", "channel_product_id": "777", "listed_at": "2022-03-01T00:00:00Z"}
        ],
    },
    orders=[
        order(1, "huiju", "to_ship", 0),
        order(2, "huiju", "shipped", 60),
        order(3, "huiju", "wait_pay", 1800),
        order(4, "youzan", "to_ship", 0),
        order(5, "youzan", "shipped", 5),
        order(6, "youzan", "wait_pay", 9),
    ],
    after_sales=[
        after_sale(1, 1, "huiju", "refund_only", "requested"),
        after_sale(2, 2, "huiju", "return_refund", "requested"),
        after_sale(3, 2, "huiju", "refund_only", "requested"),
        after_sale(4, 4, "youzan", "refund_only", "requested"),
        after_sale(5, 5, "youzan", "return_refund", "requested"),
    ],
)
START = 1646913600
"""2022-03-10 12:00 UTC in seconds since the epoch: the first update of the seed."""


@pytest.fixture
def start() -> int:
    return START


@pytest.fixture
def seed() -> Seed:
    return SEED


@pytest.fixture
def config() -> SandboxConfig:
    return CONFIG


@pytest.fixture
def clock() -> Callable[[], float]:
    """Give the time of an afternoon on the day of the seed; it runs as fast as the real one."""
    began = time.monotonic()
    return lambda: START + 7200 + time.monotonic() - began


@pytest.fixture
def sandbox(clock: Callable[[], float]) -> Iterator[Sandbox]:
    with Sandbox(SEED, config=CONFIG, clock=clock) as running:
        yield running


@pytest.fixture
def naps() -> list[float]:
    """Collect how long the clients would have slept."""
    return []


@pytest.fixture
def huiju(sandbox: Sandbox, clock: Callable[[], float], naps: list[float]) -> Iterator[HuijuClient]:
    with HuijuClient(
        HUIJU,
        base_url=sandbox.huiju.base_url,
        clock=clock,
        sleep=naps.append,
        timeout=2,
        retry=Retry(attempts=4),
        rng=random.Random(1),
    ) as client:
        yield client


@pytest.fixture
def youzan(sandbox: Sandbox, clock: Callable[[], float], naps: list[float]) -> Iterator[YouzanClient]:
    with YouzanClient(
        YOUZAN,
        base_url=sandbox.youzan.base_url,
        clock=clock,
        sleep=naps.append,
        timeout=2,
        rng=random.Random(1),
    ) as client:
        yield client


@pytest.fixture
def product() -> dict[str, Any]:
    """Give a product that Huiju takes."""
    return {
        "outProductId": "403680077",
        "title": "手工羊毛围巾",
        "categoryId": "6091",
        "brandId": "7",
        "freightTemplateId": "47428464001",
        "images": ["https://img.example.com/1.jpg"],
        "specList": [
            {"specTemplateId": "1001", "specName": "颜色", "values": ["红", "蓝"]},
            {"specTemplateId": "1002", "specName": "尺码", "values": ["M"]},
        ],
        "skuList": [
            {
                "outSkuId": f"3623476{number}",
                "skuCode": f"SC-{number}",
                "price": 29800,
                "stock": 5,
                "weight": 300,
                "specs": [
                    {"specTemplateId": "1001", "value": colour},
                    {"specTemplateId": "1002", "value": "M"},
                ],
            }
            for number, colour in enumerate(["红", "蓝"])
        ],
    }
