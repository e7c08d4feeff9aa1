"""Products, stock and reference lists of the Huiju sandbox."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from channels.sandbox.huiju.state import HuijuState, Record, Refused


def add(state: HuijuState, params: Mapping[str, Any], request_id: str) -> Record:
    """List a product once.

    The same idempotency key with the same content gives the first answer again, marked as repeated; with other
    content it is a conflict. Without the key, or with a new one, a Youzan product that is listed is refused, and the
    refusal names the Huiju product.
    """
    content = {name: value for name, value in params.items() if name != "idempotencyKey"}
    key, text = params.get("idempotencyKey"), json.dumps(content, ensure_ascii=False, sort_keys=True)
    out_id = params["outProductId"]
    if key in state.added:
        before, product_id = state.added[key]
        if before != text:
            raise Refused("idempotency_conflict", str(key))
        return {"productId": product_id, "repeated": True, "skuList": state.products[product_id]["skuList"]}
    if out_id in state.listed:
        raise Refused("already_listed", out_id, {"productId": state.listed[out_id]})
    _check(state, content)
    product_id = state.number()
    skus = [{**sku, "skuId": state.number()} for sku in params["skuList"]]
    state.products[product_id] = {
        **content,
        "productId": product_id,
        "skuList": skus,
        "listedTime": state.now(),
    }
    state.listed[out_id] = product_id
    if key:
        state.added[key] = (text, product_id)
    state.effects.append((request_id, "product_add", out_id))
    return {"productId": product_id, "repeated": False, "skuList": skus}


def get(state: HuijuState, params: Mapping[str, Any], request_id: str) -> Record:
    """Return a product by its Youzan id or its own."""
    product_id = params.get("productId") or state.listed.get(params.get("outProductId") or "", "")
    return {"product": _product(state, product_id)}


def stock_query(state: HuijuState, params: Mapping[str, Any], request_id: str) -> Record:
    """Return the stock of every SKU of a product."""
    skus = _product(state, params["productId"])["skuList"]
    return {"stockList": [{key: sku.get(key) for key in ("skuId", "outSkuId", "stock")} for sku in skus]}


def stock_update(state: HuijuState, params: Mapping[str, Any], request_id: str) -> Record:
    """Set, raise or lower the stock of a SKU."""
    by, sku = params["stock"], find_sku(state, params["skuId"])
    now = {"set": by, "increase": sku["stock"] + by, "decrease": sku["stock"] - by}.get(params["changeType"])
    if now is None:
        raise Refused("bad_request", f"changeType {params['changeType']}")
    if by < 0 or now < 0:
        raise Refused("stock_invalid", f"库存将为 {now}")
    sku["stock"] = now
    state.effects.append((request_id, "stock_update", params["skuId"]))
    return {"stock": now}


def find_sku(state: HuijuState, sku_id: str) -> Record:
    """Return a SKU, or refuse."""
    for product in state.products.values():
        for sku in product["skuList"]:
            if sku["skuId"] == sku_id:
                found: Record = sku
                return found
    raise Refused("sku_missing", sku_id)


def _product(state: HuijuState, product_id: str) -> Record:
    try:
        return state.products[product_id]
    except KeyError:
        raise Refused("product_missing", product_id) from None


def _check(state: HuijuState, product: Mapping[str, Any]) -> None:
    """Refuse a product that breaks a rule of the marketplace, naming the first."""
    limit = state.profile.limit
    if not 1 <= len(product["title"].strip()) <= limit("title_length_max"):
        raise Refused("title_invalid", f"标题应为 1～{limit('title_length_max')} 个字")
    if not 1 <= len(product["images"]) <= limit("images_max"):
        raise Refused("images_invalid", f"图片应为 1～{limit('images_max')} 张")
    category = _row(state, "categories", "categoryId", product["categoryId"])
    if category is None:
        raise Refused("category_missing", product["categoryId"])
    if category.get("level") != limit("category_level") or category.get("leaf") is False:
        raise Refused("category_not_leaf", product["categoryId"])
    if _row(state, "brands", "brandId", product["brandId"]) is None:
        raise Refused("brand_missing", product["brandId"])
    if _row(state, "freight_templates", "freightTemplateId", product["freightTemplateId"]) is None:
        raise Refused("freight_template_missing", product["freightTemplateId"])
    _check_specs(state, product["specList"])
    _check_skus(state, product)


def _check_specs(state: HuijuState, specs: list[Record]) -> None:
    limit = state.profile.limit
    if not limit("spec_levels_min") <= len(specs) <= limit("spec_levels_max"):
        raise Refused("spec_levels", f"提交了 {len(specs)} 级")
    templates = [str(spec.get("specTemplateId", "")) for spec in specs]
    for template in templates:
        if _row(state, "spec_templates", "specTemplateId", template) is None:
            raise Refused("spec_template_missing", template)
    if len(set(templates)) != len(templates):
        raise Refused("spec_template_repeated", templates[0])


def _check_skus(state: HuijuState, product: Mapping[str, Any]) -> None:
    skus = product["skuList"]
    if not 1 <= len(skus) <= state.profile.limit("skus_max"):
        raise Refused("skus_invalid", f"SKU 数为 {len(skus)}")
    values = {spec["specTemplateId"]: set(spec.get("values") or ()) for spec in product["specList"]}
    seen = set()
    for sku in skus:
        chosen = {spec.get("specTemplateId"): spec.get("value") for spec in sku.get("specs") or ()}
        if set(chosen) != set(values) or any(
            value not in values[template] for template, value in chosen.items()
        ):
            raise Refused("skus_invalid", f"SKU {sku.get('outSkuId')} 的规格与商品规格不符")
        seen.add((sku.get("outSkuId"), tuple(sorted(chosen.items()))))
        if type(sku.get("price")) is not int or sku["price"] <= 0:
            raise Refused("price_invalid", f"SKU {sku.get('outSkuId')} 的价格为 {sku.get('price')}")
        if type(sku.get("stock")) is not int or sku["stock"] < 0:
            raise Refused("stock_invalid", f"SKU {sku.get('outSkuId')} 的库存为 {sku.get('stock')}")
    if len({out_id for out_id, _ in seen}) != len(skus) or len({chosen for _, chosen in seen}) != len(skus):
        raise Refused("skus_invalid", "有重复的 SKU")


def _row(state: HuijuState, table: str, key: str, value: str) -> Record | None:
    return next((row for row in state.reference.get(table, []) if row[key] == value), None)
