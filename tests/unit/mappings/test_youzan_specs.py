"""Spec levels and SKUs are the same in every spelling, exact, and refused by place where they can't be read."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import youzan_specs
from mappings.youzan import PayloadError, product_from_item

SPECS = [("颜色", ["红", "藏青"]), ("尺码", ["M", "L"])]


def sku_props(chosen: list[str]) -> list[dict[str, Any]]:
    """Write spec properties as item.detail.get does."""
    return [
        {"prop_name_id": 1 + level, "prop_name": name, "prop_value_id": 9, "prop_value_name": value}
        for level, ((name, _), value) in enumerate(zip(SPECS, chosen, strict=False))
    ]


def detail() -> dict[str, Any]:
    """Write what item.detail.get 1.0.1 says of an item's specs."""
    pairs = [[colour, size] for colour in SPECS[0][1] for size in SPECS[1][1]]
    return {
        "item_id": 403680077,
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
