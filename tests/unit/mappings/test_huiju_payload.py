from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from channels.huiju.profile import load_profile
from engine.constants import read_datetime
from engine.mapping import map_fact
from engine.rulebook import find_manifest, load
from engine.tables import Tables
from mappings.channels.huiju import ListingIncomplete, differences, product_payload

ROOT = Path(__file__).parents[3]
RULEBOOK = load(find_manifest(ROOT))
TABLES = {
    "spec_templates": [{"id": "30001", "name": "颜色"}, {"id": "30002", "name": "尺码"}],
    "categories": [{"id": "6091", "name": "围巾", "level": 3, "leaf": True}],
}


@pytest.fixture
def listing() -> dict[str, Any]:
    from copy import deepcopy

    return deepcopy(dict(RULEBOOK.vocabulary.facts["listing"].example))


def mapped(listing: dict[str, Any]) -> tuple[Any, ...]:
    as_of = read_datetime("2022-03-08T09:00:00+08:00")
    assert as_of is not None
    rules = RULEBOOK.channels["huiju"].rulesets["spec-mapping"]
    return map_fact(rules, listing, Tables(TABLES), as_of).mapped


def test_the_whole_product_is_told(listing: dict[str, Any]) -> None:
    payload = product_payload(listing)
    skus = payload.pop("skuList")
    assert {
        "outProductId": "403680077",
        "title": "手工羊毛围巾加厚款",
        "images": [f"https://img.example.com/403680077/{number}.jpg" for number in (1, 2, 3)],
        "categoryId": "6091",
        "brandId": "7001",
        "freightTemplateId": "47428464001",
        "specList": [
            {"specTemplateId": "30001", "specName": "颜色", "values": ["红", "藏青"]},
            {"specTemplateId": "30002", "specName": "尺码", "values": ["M"]},
        ],
    } == payload
    assert {
        "outSkuId": "36234768",
        "skuCode": "SC-RED-M",
        "barcode": "6900000000018",
        "price": 29800,
        "stock": 26,
        "weight": 300,
        "specs": [{"specTemplateId": "30001", "value": "红"}, {"specTemplateId": "30002", "value": "M"}],
    } == skus[0]


def test_every_key_is_one_that_the_profile_knows(listing: dict[str, Any]) -> None:
    profile, payload = load_profile(), product_payload(listing)
    assert set(payload) | {"idempotencyKey"} == set(profile.endpoints["product_add"].request)
    assert set(payload["specList"][0]) <= set(profile.records["product_spec"])
    assert set(payload["skuList"][0]) <= set(profile.records["product_sku"])
    assert set(payload["skuList"][0]["specs"][0]) <= set(profile.records["sku_spec"])


def test_what_is_not_known_is_left_out(listing: dict[str, Any]) -> None:
    listing["product"]["skus"][0].update(code=None, barcode=None, weight=None)
    (sku, _) = product_payload(listing)["skuList"]
    assert {"outSkuId", "price", "stock", "specs"} == set(sku)


def test_a_spec_that_the_row_leaves_open_is_mapped_by_a_rule_that_is_sure(listing: dict[str, Any]) -> None:
    listing["row"]["specs"] = [{"name": "颜色"}]
    payload = product_payload(listing, mapped(listing))
    assert ["30001", "30002"] == [spec["specTemplateId"] for spec in payload["specList"]]


def test_what_the_row_says_goes_before_the_rules(listing: dict[str, Any]) -> None:
    listing["row"]["specs"][0]["template_id"] = "30009"
    payload = product_payload(listing, mapped(listing))
    assert ["30009", "30002"] == [spec["specTemplateId"] for spec in payload["specList"]]


def test_a_proposal_that_is_not_sure_is_not_sent(listing: dict[str, Any]) -> None:
    """The category of the same name is a suggestion for the template, not an answer."""
    listing["row"]["category_id"] = None
    with pytest.raises(ListingIncomplete) as caught:
        product_payload(listing, mapped(listing))
    assert ("类目 ID",) == caught.value.lacking


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        ({"title": None}, "商品名称"),
        ({"images": []}, "商品图片"),
        ({"specs": []}, "规格"),
        ({"skus": []}, "SKU"),
        ({"skus": [{"id": "1", "price": None, "stock": 0, "specs": []}]}, "SKU 1 的价格"),
        ({"skus": [{"id": "1", "price": 1, "specs": []}]}, "SKU 1 的库存"),
        (
            {"skus": [{"id": "1", "price": 1, "stock": 0, "specs": [{"name": "材质", "value": "棉"}]}]},
            "SKU 1 的规格值",
        ),
        ({"specs": [{"name": "材质", "values": ["棉"]}]}, "规格「材质」的规格模板 ID"),
    ],
)
def test_what_huiju_must_be_told_and_is_missing_is_named(
    listing: dict[str, Any], change: dict[str, Any], lacking: str
) -> None:
    listing["product"].update(change)
    with pytest.raises(ListingIncomplete) as caught:
        product_payload(listing)
    assert lacking in caught.value.lacking
    assert lacking in caught.value.message


def test_a_listing_without_a_product_is_refused(listing: dict[str, Any]) -> None:
    del listing["product"]
    with pytest.raises(ListingIncomplete) as caught:
        product_payload(listing)
    assert "403680077" == caught.value.product_id


def test_a_product_as_it_was_sent_has_no_differences(listing: dict[str, Any]) -> None:
    payload = product_payload(listing)
    assert () == differences(payload, {**payload, "productId": "9", "listedTime": 1})
    assert () == differences(payload, {"productId": "9"})


def test_differences_are_named_by_title(listing: dict[str, Any]) -> None:
    payload = product_payload(listing)
    found = {**payload, "title": "别的", "brandId": "7002", "skuList": payload["skuList"][:1]}
    assert ("商品名称", "品牌 ID", "SKU") == differences(payload, found)
