"""Item payloads of every shape become the same product, and what they don't tell stays unknown."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mappings import youzan_specs
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


def with_spelling(item: dict[str, Any], spelling: str) -> dict[str, Any]:
    """Write the spec properties of an item in another of the spellings, as list or as JSON text."""
    keys = {"kid": ("kid", "k", "vid", "v"), "k_id": ("k_id", "k", "v_id", "v")}
    for sku in item["sku_list"]:
        props = sku.pop("sku_props")
        if spelling == "sku_props as text":
            sku["sku_props"] = json.dumps(props)
            continue
        name, _, as_text = spelling.partition(" ")
        renamed = [dict(zip(keys[name], prop.values(), strict=True)) for prop in props]
        if as_text:
            field = "properties_name_json" if name == "kid" else "sku_properties_name"
            sku[field] = json.dumps(renamed, ensure_ascii=False)
        else:
            sku["sku_props"] = renamed
    return item


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


@pytest.mark.parametrize("spelling", ["kid", "k_id", "kid text", "k_id text", "sku_props as text"])
def test_the_spellings_of_spec_properties_give_the_same_product(spelling: str) -> None:
    assert product_from_item(with_spelling(detail(), spelling)) == product_from_item(detail())


@given(
    st.lists(st.text(min_size=1), min_size=1, max_size=3, unique=True),
    st.lists(st.lists(st.text(), min_size=3, max_size=3), min_size=1, max_size=6),
    st.integers(min_value=1, max_value=2**63),
    st.sampled_from(["kid", "k_id text"]),
)
def test_any_names_and_values_survive_in_every_spelling(
    names: list[str], chosen: list[list[str]], item_id: int, spelling: str
) -> None:
    item = detail() | {"item_id": item_id}
    item["sku_list"] = [
        {
            "sku_id": item_id + number,
            "sku_no": "",
            "sku_barcode": "",
            "price": item_id,
            "stock_num": number,
            "weight": 0,
            "sku_props": [
                {"prop_name_id": level + 1, "prop_name": name, "prop_value_id": 1, "prop_value_name": value}
                for level, (name, value) in enumerate(zip(names, values, strict=False))
            ],
        }
        for number, values in enumerate(chosen)
    ]
    product = product_from_item(copy.deepcopy(item))
    assert product["id"] == str(item_id)
    assert [(sku["id"], sku["price"]) for sku in product["skus"]] == [
        (str(item_id + number), item_id) for number in range(len(chosen))
    ]
    assert [spec["name"] for spec in product["specs"]] == names
    for level, spec in enumerate(product["specs"]):
        assert spec["values"] == list(dict.fromkeys(values[level] for values in chosen))
    assert product_from_item(with_spelling(copy.deepcopy(item), spelling)) == product


def test_the_quick_way_and_the_way_by_the_book_read_skus_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """The quick way is there for speed alone: without it, nothing may change."""
    item = detail()
    item["sku_list"][1]["sku_no"] = ""
    item["sku_list"][2]["sku_barcode"] = ""
    quick = product_from_item(item)
    monkeypatch.setattr(youzan_specs, "_usual_skus", lambda *_: [])
    assert product_from_item(item) == quick
    assert "code" not in quick["skus"][1]
    assert "barcode" not in quick["skus"][2]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", "29801"),
        ("stock_num", "6"),
        ("weight", "300"),
        ("sku_id", "36234769"),
        ("sku_id", 36234769.0),
    ],
)
def test_numbers_of_an_sku_may_come_as_text(field: str, value: object) -> None:
    item = detail()
    item["sku_list"][1][field] = value
    assert product_from_item(item) == product_from_item(detail())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", True),
        ("price", -1),
        ("price", "298.00"),
        ("stock_num", 1.5),
        ("weight", -3),
        ("sku_id", 1.4364134070760302e18),
        ("sku_no", ["A"]),
        ("sku_barcode", True),
    ],
)
def test_an_sku_value_that_is_not_exact_is_refused_with_its_place(field: str, value: object) -> None:
    item = detail()
    item["sku_list"][1][field] = value
    with pytest.raises(PayloadError) as caught:
        product_from_item(item)
    assert (caught.value.path, caught.value.value) == (f"sku_list[1].{field}", value)


def test_an_sku_without_optional_fields_has_them_absent() -> None:
    item = detail()
    item["sku_list"] = [{"sku_id": 5, "sku_props": sku_props(["红", "M"])}]
    assert product_from_item(item)["skus"] == [
        {"id": "5", "specs": [{"name": "颜色", "value": "红"}, {"name": "尺码", "value": "M"}]}
    ]


def test_a_product_without_specs_has_empty_specs_and_skus() -> None:
    for item in (detail() | {"sku_list": []}, detail() | {"sku_list": None}):
        product = product_from_item(item)
        assert (product["specs"], product["skus"]) == ([], [])


def test_an_sku_without_properties_is_kept_but_makes_no_spec_level() -> None:
    item = detail()
    item["sku_list"] = [item["sku_list"][0] | {"sku_props": []}]
    product = product_from_item(item)
    assert product["specs"] == []
    assert [sku["id"] for sku in product["skus"]] == ["36234768"]


def test_spec_levels_keep_the_order_of_first_appearance_when_skus_disagree() -> None:
    item = detail()
    first, second = item["sku_list"][:2]
    second["sku_props"].reverse()
    third = copy.deepcopy(first)
    third["sku_props"].append({"prop_name_id": 0, "prop_name": "款式", "prop_value_name": "素边"})
    item["sku_list"] = [first, second, third]
    assert product_from_item(item)["specs"] == [
        {"id": "1", "name": "颜色", "values": ["红"]},
        {"id": "2", "name": "尺码", "values": ["M", "L"]},
        {"name": "款式", "values": ["素边"]},
    ]


def test_a_spec_name_without_a_plain_id_still_makes_a_level() -> None:
    for id_, level in (
        (0, {"name": "颜色", "values": ["红", "藏青"]}),
        ("77", {"id": "77", "name": "颜色", "values": ["红", "藏青"]}),
    ):
        item = detail()
        for sku in item["sku_list"]:
            sku["sku_props"] = [sku["sku_props"][0] | {"prop_name_id": id_}]
        assert product_from_item(item)["specs"] == [level]
    item = detail()
    for sku in item["sku_list"]:
        sku["sku_props"] = [{"k": "颜色", "v": sku["sku_props"][0]["prop_value_name"]}]
    assert product_from_item(item)["specs"] == [{"name": "颜色", "values": ["红", "藏青"]}]


@pytest.mark.parametrize(
    ("props", "path"),
    [
        (5, "sku_list[0].sku_props"),
        ("{", "sku_list[0].sku_props"),
        ("[" * 100_000, "sku_list[0].sku_props"),
        (["红"], "sku_list[0] 的规格[0]"),
        ([{"prop_name": "", "prop_value_name": "红"}], "sku_list[0] 的规格[0].prop_name"),
        ([{"prop_name": "颜色", "prop_value_name": 5}], "sku_list[0] 的规格[0].prop_value_name"),
        ([{"v": "红"}], "sku_list[0] 的规格[0].k"),
    ],
)
def test_spec_properties_of_no_known_form_are_refused_with_their_place(props: object, path: str) -> None:
    item = detail()
    item["sku_list"][0]["sku_props"] = props
    with pytest.raises(PayloadError) as caught:
        product_from_item(item)
    assert caught.value.path == path


def test_a_value_of_another_type_in_a_later_sku_is_refused() -> None:
    item = detail()
    item["sku_list"][3]["sku_props"][1]["prop_value_name"] = 5
    with pytest.raises(PayloadError) as caught:
        product_from_item(item)
    assert caught.value.path == "sku_list[3] 的规格[1].prop_value_name"


@pytest.mark.parametrize(("value", "path"), [({}, "sku_list"), ([5], "sku_list[0]")])
def test_a_list_of_skus_that_is_none_is_refused(value: object, path: str) -> None:
    with pytest.raises(PayloadError) as caught:
        product_from_item(detail() | {"sku_list": value})
    assert caught.value.path == path


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
