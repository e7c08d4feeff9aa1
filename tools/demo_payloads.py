"""The demo shop's products in the shapes in which Youzan's APIs give them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from demo_reference import CATEGORIES, SPEC_TEMPLATES

SHOP_ID = 38405005
CREATED = 1_641_350_400_000  # 2022-01-05 10:40 in Shanghai, in ms
BIG_IDS = {5: 9007199254740993, 12: 1436413407076030219}  # beyond 2^53: a float would lose their last digits
IDS_AS_TEXT = (2, 14, 30)


@dataclass(frozen=True, slots=True)
class Good:
    """Hold a product of the shop as read from its line.

    Attributes:
        number: Place among the shop's products, from 0.
        item_id: Youzan product id.
        title: Name.
        category: Huiju category id.
        brand: Huiju brand id.
        freight: Huiju freight template id.
        weight: Weight in g.
        price: Price of the cheapest SKU in fen.
        specs: Names of the spec levels with their values.
    """

    number: int
    item_id: int
    title: str
    category: str
    brand: str
    freight: str
    weight: int
    price: int
    specs: tuple[tuple[str, tuple[str, ...]], ...]


def read_good(number: int, line: str) -> Good:
    """Read a product's line of `demo_goods`."""
    title, category, brand, freight, weight, price, specs = line.split("|")
    levels = [level.split("=") for level in specs.split(";") if level]
    item_id = BIG_IDS.get(number, 403680077 if number == 0 else 403681000 + 37 * number)
    fen = int(Decimal(price) * 100)
    pairs = tuple((name, tuple(values.split(","))) for name, values in levels)
    return Good(number, item_id, title, category, brand, freight, int(weight), fen, pairs)


def sku_lines(good: Good) -> list[dict[str, Any]]:
    """List a product's SKUs with what every shape tells of them; the spec properties as tuples of kid, k, vid, v."""
    names = list(SPEC_TEMPLATES.values())
    skus = []
    combined = itertools.product(*(enumerate(values) for _, values in good.specs)) if good.specs else ()
    for number, chosen in enumerate(combined):
        props = []
        for (name, _), (place, value) in zip(good.specs, chosen, strict=True):
            kid = names.index(name) + 1
            props.append((kid, name, 1000 * kid + place, value))
        skus.append(
            {
                "sku_id": 36_000_000 + 100 * good.number + number,
                "code": f"QH{good.number:03d}-{number + 1:02d}",
                "price": good.price + 500 * chosen[-1][0],
                "stock": 12 + (7 * good.number + 5 * number) % 60,
                "props": props,
            }
        )
    return skus


def detail_payload(good: Good, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Write a product as item.detail.get 1.0.1 replies, with its envelope."""
    skus = sku_lines(good)
    as_text = good.number in IDS_AS_TEXT
    data: dict[str, Any] = {
        "kdt_id": SHOP_ID,
        "item_id": str(good.item_id) if as_text else good.item_id,
        "alias": f"qh{good.item_id:x}",
        "item_no": f"QH{good.number:03d}",
        "title": good.title,
        "item_type": 0,
        "is_virtual": 0,
        "biz_code": "000000000000",
        "goods_platform": 0,
        "ability_mark_codes": [],
        "category_properties": {
            "leaf_category_id": int(good.category),
            "status": 1,
            "category_names": category_names(good),
        },
        "images": [
            {
                "image_id": 100 * good.number + n,
                "image_url": f"https://img.example.com/{good.item_id}/{n}.jpg",
            }
            for n in range(1, 4 + good.number % 3)
        ],
        "is_display": 1,
        "created_time": CREATED + 3_600_000 * good.number,
        "quantity": sum(sku["stock"] for sku in skus) or 25,
        "item_weight": good.weight,
        "item_price_param": {"price": good.price, "origin": f"{good.price / 80:.0f}"},
        "item_delivery_param": {
            "postage": 0,
            "delivery_template_id": 535943,
            "delivery_setting": {"express": True, "city_delivery": good.number % 4 == 0, "self_pick": False},
        },
        "presale_param": {"pre_sale_type": -1},
        "sku_list": [
            {
                "sku_id": str(sku["sku_id"]) if as_text else sku["sku_id"],
                "sku_no": sku["code"],
                "sku_barcode": f"69{good.number:05d}{number:05d}",
                "price": sku["price"],
                "stock_num": sku["stock"],
                "quantity": sku["stock"],
                "weight": good.weight,
                "sold_num": 0,
                "sku_props": [
                    {"prop_name_id": kid, "prop_name": name, "prop_value_id": vid, "prop_value_name": value}
                    for kid, name, vid, value in sku["props"]
                ],
            }
            for number, sku in enumerate(skus)
        ],
    }
    data |= changes
    return {
        "trace_id": f"yz7-0a34f85c-{good.number}",
        "code": 200,
        "success": True,
        "message": "",
        "data": data,
    }


def old_payload(good: Good, spelling: str, *, completed: bool) -> dict[str, Any]:
    """Write a product as item.get 3.0.0 replies; completed with what that leaves out, where it is known from elsewhere."""
    keys = ("kid", "k", "vid", "v") if spelling == "properties_name_json" else ("k_id", "k", "v_id", "v")
    item: dict[str, Any] = {
        "kdt_id": SHOP_ID,
        "item_id": good.item_id,
        "alias": f"qh{good.item_id:x}",
        "title": good.title,
        "item_type": 0,
        "price": good.price,
        "origin_price": "",
        "quantity": sum(sku["stock"] for sku in sku_lines(good)),
        "post_type": 2,
        "post_fee": 0,
        "delivery_template_info": {"delivery_template_id": 535943, "delivery_template_name": "全国包邮"},
        "item_imgs": [{"id": good.number, "url": f"https://img.example.com/{good.item_id}/1.jpg"}],
        "presale_extend": {},
        "fenxiao_extend": {},
        "hotel_extend": {},
        "virtual_extend": {"effective_type": 0},
        "is_listing": True,
        "created": f"2022-01-06 10:{good.number % 60:02d}:00",
        "skus": [
            {
                "item_id": good.item_id,
                "sku_id": sku["sku_id"],
                "item_no": sku["code"],
                "price": sku["price"],
                "quantity": sku["stock"],
                "with_hold_quantity": 0,
                spelling: json.dumps(
                    [dict(zip(keys, prop, strict=True)) for prop in sku["props"]], ensure_ascii=False
                ),
            }
            for sku in sku_lines(good)
        ],
    }
    if completed:
        item |= {
            "is_virtual": 0,
            "biz_code": "000000000000",
            "goods_platform": 0,
            "ability_mark_codes": [],
            "item_delivery_param": {
                "postage": 0,
                "delivery_template_id": 535943,
                "delivery_setting": {"express": True},
            },
        }
    return {"response": {"item": item}}


def category_names(good: Good) -> list[str]:
    """Give the names on the way to a product's category."""
    return next(
        line.split()[1].split("/")[1:] for line in CATEGORIES.split("\n") if line.startswith(good.category)
    )
