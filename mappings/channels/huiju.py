"""Make what Huiju is sent for a listing: the product, under the keys of the profile's `product_add` (assumed there)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.errors import ShelfgateError
from engine.mapping import Mapped

SURE = 1.0
"""Confidence of a proposal that may be sent without anyone having looked at it; a lower one only fills templates."""

Fact = Mapping[str, Any]
Payload = dict[str, Any]

_ROW = {"categoryId": "category_id", "brandId": "brand_id", "freightTemplateId": "freight_template_id"}
_SKU = {
    "outSkuId": "id",
    "skuCode": "code",
    "barcode": "barcode",
    "price": "price",
    "stock": "stock",
    "weight": "weight",
}
_TITLES = {
    "categoryId": "类目 ID",
    "brandId": "品牌 ID",
    "freightTemplateId": "运费模板 ID",
    "outProductId": "有赞商品 ID",
    "title": "商品名称",
    "images": "商品图片",
    "specList": "规格",
    "skuList": "SKU",
    "outSkuId": "SKU ID",
    "price": "价格",
    "stock": "库存",
}


class ListingIncomplete(ShelfgateError):
    """Report that a listing lacks what Huiju must be told.

    Attributes:
        product_id: The product; empty where even that is missing.
        lacking: What is missing, in words.
    """

    def __init__(self, product_id: str, lacking: tuple[str, ...]) -> None:
        super().__init__(
            f"商品 {product_id or '（未填 ID）'} 缺少 {'、'.join(lacking)}，无法推送；请补全后重新上传"
        )
        self.product_id = product_id
        self.lacking = lacking


def product_payload(listing: Fact, mapped: Iterable[Mapped] = ()) -> Payload:
    """Put a product together from a listing.

    Nothing is cut or made up: what breaks a limit of Huiju's is refused there, not silently altered here.

    Args:
        listing: A `listing` fact with product and row; prices in fen, weights in g, stocks in pieces.
        mapped: What the mapping rules say of it: fills what the row leaves open, where they are sure.

    Returns:
        The payload. Optional values that are not known are left out.

    Raises:
        ListingIncomplete: Something is missing that Huiju must be told.
    """
    product, row, said = listing.get("product") or {}, listing.get("row") or {}, tuple(mapped)
    templates = _templates(row, said)
    payload: Payload = {
        "outProductId": product.get("id"),
        "title": product.get("title"),
        "images": list(product.get("images") or ()),
        **{key: row.get(field) for key, field in _ROW.items()},
        "specList": [
            {
                "specTemplateId": templates.get(spec["name"]),
                "specName": spec["name"],
                "values": list(spec.get("values") or ()),
            }
            for spec in product.get("specs") or ()
        ],
        "skuList": [_sku(sku, templates) for sku in product.get("skus") or ()],
    }
    if payload["categoryId"] is None:
        payload["categoryId"] = next(
            (item.value for item in said if item.target == "row.category_id" and _sure(item)), None
        )
    lacking = tuple(dict.fromkeys(_lacking(payload)))
    if lacking:
        raise ListingIncomplete(str(payload["outProductId"] or row.get("product_id") or ""), lacking)
    return payload


def differences(sent: Fact, found: Fact) -> tuple[str, ...]:
    """Name what Huiju holds otherwise than it was sent; what Huiju doesn't tell is no difference.

    Args:
        sent: The payload of `product_add`.
        found: The product as `product_get` gives it.
    """
    plain = [key for key in ("title", *_ROW) if key in found and found[key] != sent.get(key)]
    for key, inner in (("specList", "specTemplateId"), ("skuList", "outSkuId")):
        if key in found and {item.get(inner) for item in found[key]} != {
            item.get(inner) for item in sent[key]
        }:
            plain.append(key)
    return tuple(_TITLES[key] for key in plain)


def _templates(row: Fact, mapped: tuple[Mapped, ...]) -> dict[str, str]:
    """Give the template of each spec by its name: the row's, else the rules'."""
    found = {
        item.key: item.value
        for item in mapped
        if item.target.startswith("row.specs") and item.key and _sure(item)
    }
    filled = {spec.get("name"): spec.get("template_id") for spec in row.get("specs") or ()}
    return found | {name: template for name, template in filled.items() if name and template}


def _sure(item: Mapped) -> bool:
    return item.value is not None and item.confidence >= SURE


def _sku(sku: Fact, templates: Mapping[str, str]) -> Payload:
    values = {key: sku[field] for key, field in _SKU.items() if sku.get(field) is not None}
    return {
        **values,
        "specs": [
            {"specTemplateId": templates.get(spec["name"]), "value": spec.get("value")}
            for spec in sku.get("specs") or ()
        ],
    }


def _lacking(payload: Payload) -> Iterable[str]:
    for key in ("outProductId", "title", "images", *_ROW, "specList", "skuList"):
        if not payload[key]:
            yield _TITLES[key]
    for spec in payload["specList"]:
        if not spec["specTemplateId"]:
            yield f"规格「{spec['specName']}」的规格模板 ID"
    for sku in payload["skuList"]:
        for key in ("outSkuId", "price", "stock"):
            if sku.get(key) is None:
                yield f"SKU {sku.get('outSkuId', '')} 的{_TITLES[key]}"
        for spec in sku["specs"]:
            if not spec["specTemplateId"] or not spec["value"]:
                yield f"SKU {sku.get('outSkuId', '')} 的规格值"
