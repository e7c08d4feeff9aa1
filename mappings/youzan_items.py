"""Turn Youzan item payloads into `product` facts.

Read are `data` of item.detail.get 1.0.0–1.0.2, `response.item` of item.get 3.0.0 and the entries of items.onsale.get 3.0.0,
each with or without its envelope. What a payload does not tell is absent from the fact, never guessed:

- item.get 3.0.0 and items.onsale.get have no `delivery_setting`, so nothing is known of express; no `is_virtual`, `biz_code`,
  `goods_platform` or `ability_mark_codes`; and a `presale_extend` with content does not say which kind of presale it is.
- An entry of items.onsale.get has no SKUs: `specs` and `skus` are absent. That it is on sale is known from the list it stands
  in, so only `products_from_onsale` says so.
- item.detail.get leaves out what a product has none of: without `presale_param` it is no presale, without `fenxiao_extend` it
  has no supplier; a flag missing from `delivery_setting` means that this way is not supported (Youzan docs).
- A code that the docs don't list becomes `other` where the vocabulary has that, and is absent where it has not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mappings.values import (
    PayloadError,
    fen_or_yuan,
    flag,
    id_text,
    instant,
    not_negative,
    optional_id,
    put,
    record,
    records,
    text,
    whole,
)
from mappings.youzan_replies import body_of
from mappings.youzan_specs import add_specs

ITEM_TYPES: Final[Mapping[int, str]] = {
    0: "ordinary",
    3: "auction",
    5: "takeaway",
    10: "distribution",
    20: "member_card",
    21: "gift_card",
    22: "group_voucher",
    25: "wholesale",
    30: "cashier",
    31: "paid_knowledge",
    35: "hotel",
    40: "beauty",
    60: "virtual",
    61: "e_voucher",
}
BUSINESS_KINDS: Final[Mapping[str, str]] = {
    "000000000000": "base",
    "010000000001": "bakery",
    "010000000002": "presale",
    "000000000024": "periodic",
    "000000000035": "hotel",
    "000000000041": "catering",
    "010000000042": "fresh",
    "010000000043": "cross_border",
    "010000000045": "physical_card",
    "010000000050": "paid_level",
    "010000000051": "paid_coupon",
    "000000000071": "card_project",
}
MARKS: Final[Mapping[int, str]] = {70001: "distribution", 70002: "supplied", 10003: "shadow", 10004: "meta"}
PLATFORMS: Final[Mapping[int, str]] = {0: "normal", 10: "distribution"}
PRESALE_TYPES: Final[Mapping[int, str]] = {-1: "none", 0: "full_payment", 1: "deposit"}


def product_from_item(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Turn one item payload into a `product` fact.

    Args:
        payload: One of the shapes named in this module's docstring, with or without its envelope.

    Returns:
        The fact, with fields as declared in `rules/facts/product.yaml`; ids as text, money in fen, times aware in UTC.

    Raises:
        PayloadError: The payload is the reply of a failed call or of a list, or one of its values can't be read exactly.
    """
    item = payload if isinstance(payload, dict) and "item_id" in payload else _item_of(payload)
    get = item.get
    item_id = get("item_id")
    product: dict[str, Any] = {
        "id": str(item_id) if type(item_id) is int and item_id > 0 else id_text(item_id, "item_id")
    }
    put(product, "alias", text(get("alias"), "alias"))
    put(product, "title", text(get("title"), "title"))
    _add_kind(product, item)
    _add_delivery(product, item)
    key = "is_display" if "is_display" in item else "is_listing"
    put(product, "on_sale", flag(get(key), key))
    put(product, "price", _price(item))
    put(product, "stock", whole(get("quantity"), "quantity"))
    put(product, "weight", not_negative(get("item_weight"), "item_weight"))
    _add_category_and_images(product, item)
    add_specs(product, item)
    key = "created_time" if "created_time" in item else "created"
    put(product, "created_at", instant(get(key), key))
    put(product, "updated_at", instant(get("update_time"), "update_time"))
    return product


def products_from_onsale(payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Turn a reply of items.onsale.get 3.0.0 into `product` facts, each known to be on sale.

    Raises:
        PayloadError: The payload is no such reply, or one of its values can't be read exactly.
    """
    entries = records(body_of(payload).get("items"), "items")
    if entries is None:
        raise PayloadError("items", None, "出售中商品的列表")
    return [product_from_item(entry) | {"on_sale": True} for entry in entries]


def _item_of(payload: object) -> dict[str, Any]:
    """Take the one item out of its envelope."""
    body = body_of(payload)
    if "item" in body:
        body = record(body["item"], "item")
    elif "items" in body:
        raise PayloadError("items", body["items"], "单个商品；这是商品列表的返回，请逐个传入")
    return body


def _add_kind(product: dict[str, Any], item: Mapping[str, Any]) -> None:
    """Add what kind of goods it is: type, virtual, business kind, distribution, presale."""
    get = item.get
    item_type = whole(get("item_type"), "item_type")
    if item_type is not None:
        product["item_type"] = ITEM_TYPES.get(item_type, "other")
    virtual = get("is_virtual")
    if virtual is not None:
        product["is_virtual"] = virtual if isinstance(virtual, bool) else _code(virtual, "is_virtual") != 0
    kind = get("biz_code")
    if kind is not None and kind != "":
        product["business_kind"] = BUSINESS_KINDS.get(id_text(kind, "biz_code").zfill(12), "other")
    platform = get("goods_platform")
    if platform is not None:
        put(product, "platform", PLATFORMS.get(_code(platform, "goods_platform")))
    codes = get("ability_mark_codes")
    if codes is not None:
        if not isinstance(codes, list):
            raise PayloadError("ability_mark_codes", codes, "列表")
        product["marks"] = [
            MARKS.get(_code(code, f"ability_mark_codes[{index}]"), "other")
            for index, code in enumerate(codes)
        ]
    supplier = get("fenxiao_extend")
    if supplier:
        extend = record(supplier, "fenxiao_extend")
        key = "supplier_item_id" if "supplier_item_id" in extend else "supplier_goods_id"
        put(product, "supplier_item_id", optional_id(extend.get(key), f"fenxiao_extend.{key}"))
    put(product, "presale_type", _presale_type(item))


def _code(value: object, path: str) -> int:
    """Read a code of a list that the docs give as numbers."""
    number = whole(value, path)
    if number is None:
        raise PayloadError(path, value, "整数")
    return number


def _presale_type(item: Mapping[str, Any]) -> str | None:
    """Say which kind of presale it is; None where the payload doesn't tell."""
    presale = item.get("presale_param")
    if presale is not None:
        code = record(presale, "presale_param").get("pre_sale_type")
        return "none" if code is None else PRESALE_TYPES.get(_code(code, "presale_param.pre_sale_type"))
    extend = item.get("presale_extend")
    if extend is not None:
        return None if record(extend, "presale_extend") else "none"
    return "none" if "sku_list" in item or "item_delivery_param" in item else None


def _add_delivery(product: dict[str, Any], item: Mapping[str, Any]) -> None:
    """Add the ways of delivery, as far as the payload tells."""
    detail = item.get("item_delivery_param")
    delivery: dict[str, Any] = {}
    if detail is not None:
        where = "item_delivery_param"
        detail = record(detail, where)
        setting = detail.get("delivery_setting")
        if setting is not None:
            ways = record(setting, f"{where}.delivery_setting")
            for way in ("express", "city_delivery", "self_pick"):
                supported = ways.get(way)
                delivery[way] = (
                    supported
                    if supported is True or supported is False
                    else bool(flag(supported, f"{where}.delivery_setting.{way}"))
                )
        put(delivery, "postage", not_negative(detail.get("postage"), f"{where}.postage"))
        template, path = detail.get("delivery_template_id"), f"{where}.delivery_template_id"
    else:
        put(delivery, "postage", fen_or_yuan(item.get("post_fee"), "post_fee"))
        where = "delivery_template_info" if "delivery_template_info" in item else "delivery_template"
        template = record(item.get(where), where).get("delivery_template_id")
        path = f"{where}.delivery_template_id"
    put(delivery, "template_id", optional_id(template, path))
    if delivery:
        product["delivery"] = delivery


def _price(item: Mapping[str, Any]) -> int | None:
    """Give the item's own price in fen."""
    param = item.get("item_price_param")
    if param is not None:
        return not_negative(record(param, "item_price_param").get("price"), "item_price_param.price")
    return fen_or_yuan(item.get("price"), "price")


def _add_category_and_images(product: dict[str, Any], item: Mapping[str, Any]) -> None:
    """Add the names of the Youzan category and the addresses of the images."""
    category = item.get("category_properties")
    if category is not None:
        names = record(category, "category_properties").get("category_names")
        if names is not None:
            if not isinstance(names, list) or any(type(name) is not str for name in names):
                raise PayloadError("category_properties.category_names", names, "文字的列表")
            product["category_names"] = list(names)
    key, address = ("images", "image_url") if "images" in item else ("item_imgs", "url")
    images = item.get(key)
    if images is not None:
        try:
            product["images"] = addresses = [image[address] for image in images]
        except (KeyError, TypeError):
            raise PayloadError(key, images, f"图片的列表，每张都有 {address}") from None
        for found in addresses:
            if type(found) is not str:
                raise PayloadError(f"{key}[].{address}", found, "图片地址")
