"""Item payloads of every shape become the same product, and what they don't tell stays unknown."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from mappings.youzan import PayloadError, product_from_item, products_from_onsale

PRODUCT = Path(__file__).parents[3] / "rules" / "facts" / "product.yaml"


SPECS = [("颜色", ["红", "藏青"]), ("尺码", ["M", "L"])]


def sku_props(chosen: list[str]) -> list[dict[str, Any]]:
    """Write spec properties as item.detail.get does."""
    return [
        {"prop_name_id": 1 + level, "prop_name": name, "prop_value_id": 9, "prop_value_name": value}
        for level, ((name, _), value) in enumerate(zip(SPECS, chosen, strict=False))
    ]


def detail() -> dict[str, Any]:
    """Write an item as item.detail.get 1.0.1 does, without its envelope."""
    pairs = [[colour, size] for colour in SPECS[0][1] for size in SPECS[1][1]]
    return {
        "kdt_id": 38405005,
        "item_id": 403680077,
        "alias": "1y8qh",
        "title": "羊毛围巾",
        "item_type": 0,
        "is_virtual": 0,
        "biz_code": "000000000000",
        "goods_platform": 0,
        "ability_mark_codes": [],
        "category_properties": {"leaf_category_id": 3, "category_names": ["服饰配件", "围巾"]},
        "images": [{"image_id": 1, "image_url": "https://img.example.com/a.jpg"}],
        "is_display": 1,
        "quantity": 46,
        "item_weight": 300,
        "created_time": 1641350400000,
        "update_time": 1641350401000,
        "item_delivery_param": {
            "postage": 0,
            "delivery_template_id": 535943,
            "delivery_setting": {"express": True, "city_delivery": False},
        },
        "presale_param": {"pre_sale_type": -1},
        "item_price_param": {"price": 29800, "origin": "398"},
        "sku_list": [
            {
                "sku_id": 36234768 + number,
                "sku_no": f"SC-{number}",
                "sku_barcode": f"690{number}",
                "price": 29800 + number,
                "stock_num": 5 + number,
                "weight": 300,
                "sku_props": sku_props(chosen),
            }
            for number, chosen in enumerate(pairs)
        ],
    }


def old() -> dict[str, Any]:
    """Write an item as item.get 3.0.0 does, without its envelope."""
    return {
        "item_id": 403680077,
        "alias": "1y8qh",
        "title": "羊毛围巾",
        "item_type": 0,
        "price": 29800,
        "quantity": 46,
        "post_fee": 800,
        "delivery_template_info": {"delivery_template_id": 424288},
        "item_imgs": [{"id": 1, "url": "https://img.example.com/a.jpg"}],
        "presale_extend": {},
        "fenxiao_extend": {},
        "is_listing": True,
        "created": "2018-01-02 16:30:16",
        "skus": [
            {
                "sku_id": 1,
                "item_no": "A",
                "price": 29800,
                "quantity": 26,
                "properties_name_json": '[{"vid":424,"v":"1盒","kid":506,"k":"套餐"}]',
            }
        ],
    }


def test_a_detail_payload_becomes_a_whole_product() -> None:
    product = product_from_item(detail())
    skus = product.pop("skus")
    assert product == {
        "id": "403680077",
        "alias": "1y8qh",
        "title": "羊毛围巾",
        "item_type": "ordinary",
        "is_virtual": False,
        "business_kind": "base",
        "platform": "normal",
        "marks": [],
        "presale_type": "none",
        "delivery": {
            "express": True,
            "city_delivery": False,
            "self_pick": False,
            "postage": 0,
            "template_id": "535943",
        },
        "on_sale": True,
        "price": 29800,
        "stock": 46,
        "weight": 300,
        "category_names": ["服饰配件", "围巾"],
        "images": ["https://img.example.com/a.jpg"],
        "specs": [
            {"id": "1", "name": "颜色", "values": ["红", "藏青"]},
            {"id": "2", "name": "尺码", "values": ["M", "L"]},
        ],
        "created_at": datetime(2022, 1, 5, 2, 40, tzinfo=UTC),
        "updated_at": datetime(2022, 1, 5, 2, 40, 1, tzinfo=UTC),
    }
    assert [sku["id"] for sku in skus] == ["36234768", "36234769", "36234770", "36234771"]
    assert skus[1] == {
        "id": "36234769",
        "code": "SC-1",
        "barcode": "6901",
        "price": 29801,
        "stock": 6,
        "weight": 300,
        "specs": [{"name": "颜色", "value": "红"}, {"name": "尺码", "value": "L"}],
    }


def test_a_product_fits_the_vocabulary() -> None:
    schema = yaml.safe_load(PRODUCT.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    for item in (detail(), old()):
        plain = json.loads(json.dumps(product_from_item(item), default=datetime.isoformat))
        Draft202012Validator(schema).validate(plain)


def test_an_old_payload_leaves_unknown_what_it_does_not_tell() -> None:
    product = product_from_item(old())
    assert product == {
        "id": "403680077",
        "alias": "1y8qh",
        "title": "羊毛围巾",
        "item_type": "ordinary",
        "presale_type": "none",
        "delivery": {"postage": 800, "template_id": "424288"},
        "on_sale": True,
        "price": 29800,
        "stock": 46,
        "images": ["https://img.example.com/a.jpg"],
        "specs": [{"id": "506", "name": "套餐", "values": ["1盒"]}],
        "skus": [
            {"id": "1", "code": "A", "price": 29800, "stock": 26, "specs": [{"name": "套餐", "value": "1盒"}]}
        ],
        "created_at": datetime(2018, 1, 2, 8, 30, 16, tzinfo=UTC),
    }


def test_an_old_sku_may_have_its_price_in_yuan_and_its_code_as_outer_id() -> None:
    item = old()
    item["skus"] = [
        {"sku_id": "36200056", "price": "1.00", "quantity": 1, "outer_id": "B7", "properties_name_json": "[]"}
    ]
    assert product_from_item(item)["skus"] == [
        {"id": "36200056", "code": "B7", "price": 100, "stock": 1, "specs": []}
    ]


def test_an_old_presale_is_known_to_be_one_of_two_kinds_so_the_kind_is_unknown() -> None:
    assert "presale_type" not in product_from_item(old() | {"presale_extend": {"etd_type": 1, "etd_days": 3}})
    without = old()
    del without["presale_extend"]
    assert "presale_type" not in product_from_item(without)


@pytest.mark.parametrize(
    ("presale", "expected"),
    [
        ({"pre_sale_type": 0}, "full_payment"),
        ({"pre_sale_type": 1}, "deposit"),
        ({"pre_sale_type": "-1"}, "none"),
        ({}, "none"),
        (None, "none"),
        ({"pre_sale_type": 7}, None),
    ],
)
def test_a_detail_payload_tells_its_presale(presale: object, expected: str | None) -> None:
    assert product_from_item(detail() | {"presale_param": presale}).get("presale_type") == expected


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"item_type": 10}, "item_type", "distribution"),
        ({"item_type": "61"}, "item_type", "e_voucher"),
        ({"item_type": 999}, "item_type", "other"),
        ({"item_type": None}, "item_type", None),
        ({"is_virtual": 1}, "is_virtual", True),
        ({"is_virtual": 2}, "is_virtual", True),
        ({"is_virtual": True}, "is_virtual", True),
        ({"is_virtual": None}, "is_virtual", None),
        ({"biz_code": "010000000002"}, "business_kind", "presale"),
        ({"biz_code": 24}, "business_kind", "periodic"),
        ({"biz_code": "000000000061"}, "business_kind", "other"),
        ({"biz_code": ""}, "business_kind", None),
        ({"goods_platform": 10}, "platform", "distribution"),
        ({"goods_platform": 20}, "platform", None),
        ({"goods_platform": None}, "platform", None),
        (
            {"ability_mark_codes": [70001, "70002", 10003, 10004, 5]},
            "marks",
            ["distribution", "supplied", "shadow", "meta", "other"],
        ),
        ({"ability_mark_codes": None}, "marks", None),
        ({"fenxiao_extend": {"supplier_kdt_id": 1, "supplier_item_id": 52}}, "supplier_item_id", "52"),
        ({"fenxiao_extend": {"supplier_goods_id": "53"}}, "supplier_item_id", "53"),
        ({"fenxiao_extend": {"supplier_item_id": 0}}, "supplier_item_id", None),
        ({"is_display": 0}, "on_sale", False),
        ({"is_display": None}, "on_sale", None),
        ({"category_properties": {}}, "category_names", None),
        ({"category_properties": None}, "category_names", None),
        ({"images": None}, "images", None),
    ],
)
def test_codes_are_read_as_the_docs_list_them(change: dict[str, Any], field: str, expected: object) -> None:
    assert product_from_item(detail() | change).get(field) == expected


@pytest.mark.parametrize(
    ("param", "delivery"),
    [
        ({"delivery_setting": {}}, {"express": False, "city_delivery": False, "self_pick": False}),
        (
            {"delivery_setting": {"express": 1, "self_pick": 0}},
            {"express": True, "city_delivery": False, "self_pick": False},
        ),
        ({"postage": 500, "delivery_template_id": 0}, {"postage": 500}),
        ({}, None),
    ],
)
def test_a_way_of_delivery_missing_from_the_setting_is_not_supported(
    param: dict[str, Any], delivery: object
) -> None:
    assert product_from_item(detail() | {"item_delivery_param": param}).get("delivery") == delivery


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"item_id": 1.4364134070760302e18}, "item_id"),
        ({"item_id": None}, "item_id"),
        ({"title": 5}, "title"),
        ({"item_type": "虚拟"}, "item_type"),
        ({"goods_platform": ""}, "goods_platform"),
        ({"ability_mark_codes": 70001}, "ability_mark_codes"),
        ({"ability_mark_codes": [None]}, "ability_mark_codes[0]"),
        (
            {"item_delivery_param": {"delivery_setting": {"express": "yes"}}},
            "item_delivery_param.delivery_setting.express",
        ),
        ({"category_properties": {"category_names": "围巾"}}, "category_properties.category_names"),
        ({"category_properties": {"category_names": [1]}}, "category_properties.category_names"),
        ({"images": ["a.jpg"]}, "images"),
        ({"images": [{"image_url": 5}]}, "images[].image_url"),
        ({"item_price_param": {"price": "298.00"}}, "item_price_param.price"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_with_its_place(change: dict[str, Any], path: str) -> None:
    with pytest.raises(PayloadError) as caught:
        product_from_item(detail() | change)
    assert caught.value.path == path


def detail_reply(item: dict[str, Any]) -> dict[str, Any]:
    return {"trace_id": "yz7-1", "code": 200, "success": True, "message": None, "data": item}


def old_reply(item: dict[str, Any]) -> dict[str, Any]:
    return {"response": {"item": item}}


@pytest.mark.parametrize(
    "wrap", [detail_reply, old_reply, lambda item: {"item": item}, lambda item: {"response": item}]
)
def test_an_envelope_makes_no_difference(wrap: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    assert product_from_item(wrap(detail())) == product_from_item(detail())


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ([], ""),
        ("x", ""),
        ({}, "item_id"),
        ({"response": []}, "response"),
        ({"response": {"item": 5}}, "item"),
        ({"success": False, "code": 223014001, "message": "商品不存在"}, "message"),
        ({"error_response": {"code": 40010, "msg": "参数 token 无效"}}, "error_response"),
        ({"gw_err_resp": {"err_code": 4201}}, "gw_err_resp"),
        ({"response": {"items": [], "count": 0}}, "items"),
    ],
)
def test_a_payload_that_is_no_item_is_refused(payload: Any, path: str) -> None:
    with pytest.raises(PayloadError) as caught:
        product_from_item(payload)
    assert caught.value.path == path


def onsale_entry() -> dict[str, Any]:
    return {
        "item_id": 87823,
        "title": "小型冰箱",
        "item_type": 0,
        "price": 105900,
        "quantity": 1111,
        "post_fee": 0,
        "delivery_template": {"delivery_template_id": 29},
        "created_time": "2016-07-18 15:18:00",
        "update_time": "2016-07-18 15:18:33",
        "item_imgs": [],
    }


def test_an_entry_of_the_list_on_sale_tells_little() -> None:
    assert product_from_item(onsale_entry()) == {
        "id": "87823",
        "title": "小型冰箱",
        "item_type": "ordinary",
        "delivery": {"postage": 0, "template_id": "29"},
        "price": 105900,
        "stock": 1111,
        "images": [],
        "created_at": datetime(2016, 7, 18, 7, 18, tzinfo=UTC),
        "updated_at": datetime(2016, 7, 18, 7, 18, 33, tzinfo=UTC),
    }


def test_the_list_on_sale_adds_that_its_entries_are_on_sale() -> None:
    found = products_from_onsale({"response": {"count": 1, "items": [onsale_entry()]}})
    assert found == [product_from_item(onsale_entry()) | {"on_sale": True}]
    with pytest.raises(PayloadError, match="列表"):
        products_from_onsale({"response": {"count": 0}})


def test_reading_a_payload_leaves_it_as_it_was() -> None:
    item = detail()
    product_from_item(item)
    assert item == detail()
