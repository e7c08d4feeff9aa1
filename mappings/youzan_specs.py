"""Read the spec levels and SKUs of a Youzan item, in any of the three spellings of spec properties.

item.detail.get has `sku_props: [{prop_name_id, prop_name, prop_value_id, prop_value_name}]`; item.get 3.0.0 has
`properties_name_json`, the JSON text of `[{kid, k, vid, v}]`; order lines have `sku_properties_name`, that of
`[{k_id, k, v_id, v}]` (Youzan docs).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mappings.values import (
    PayloadError,
    code_text,
    fen_or_yuan,
    id_text,
    not_negative,
    optional_id,
    put,
    whole,
)

Level = dict[str, dict[str, str]]
"""The values of a spec level in order of first appearance, each with the record `{name, value}` that SKUs share."""


@dataclass(slots=True)
class Levels:
    """Collect the spec levels of an item, SKU by SKU.

    Attributes:
        names: Name of each level.
        ids: Id of each level's name; None where the payload has none.
        values: Values of each level.
    """

    names: list[str] = field(default_factory=list)
    ids: list[str | None] = field(default_factory=list)
    values: list[Level] = field(default_factory=list)

    def add(self, name: str, id_: str | None) -> Level:
        """Add a level and give its values, none as yet."""
        level: Level = {}
        self.names.append(name)
        self.ids.append(id_)
        self.values.append(level)
        return level


def add_specs(product: dict[str, Any], item: Mapping[str, Any]) -> None:
    """Add spec levels and SKUs; both stay absent where the payload doesn't list SKUs.

    Levels come in the order of the first SKU's properties, their values in the order of first appearance. SKUs of equal
    name and value share one record of it.
    """
    key = "sku_list" if "sku_list" in item else "skus"
    entries = item.get(key)
    if entries is None:
        if item.get("item_price_param") is None:
            return
        entries = []
    if not isinstance(entries, list):
        raise PayloadError(key, entries, "列表")
    levels = _usual_levels(entries)
    skus = _usual_skus(entries, levels)
    for index in range(len(skus), len(entries)):
        entry = entries[index]
        if not isinstance(entry, dict):
            raise PayloadError(f"{key}[{index}]", entry, "对象")
        sku = _sku(entry, key, index)
        sku["specs"] = _specs(entry, key, index, levels)
        skus.append(sku)
    specs: list[dict[str, Any]] = []
    for position, name in enumerate(levels.names):
        id_ = levels.ids[position]
        spec: dict[str, Any] = {"name": name} if id_ is None else {"id": id_, "name": name}
        spec["values"] = list(levels.values[position])
        specs.append(spec)
    product["specs"] = specs
    product["skus"] = skus


def _usual_levels(entries: list[Any]) -> Levels:
    """Read the spec levels off the first SKU, if it has the form that nearly all have; else give none."""
    names: list[str] = []
    ids: list[str | None] = []
    try:
        for prop in entries[0]["sku_props"]:
            name, id_ = prop["prop_name"], prop["prop_name_id"]
            if type(name) is not str or type(id_) is not int or id_ <= 0 or not name:
                return Levels()
            names.append(name)
            ids.append(str(id_))
    except (KeyError, TypeError, IndexError):
        return Levels()
    return Levels(names, ids, [{} for _ in names])


def _usual_skus(entries: list[Any], levels: Levels) -> list[dict[str, Any]]:
    """Read the first SKUs, as far as they have the form that nearly all have: that of item.detail.get, every field there.

    Checking is dominated by this, so it does by hand what `_sku` and `_specs` do by the book, and leaves to them the first
    SKU of another form and all that come after it.
    """
    skus: list[dict[str, Any]] = []
    names, values = levels.names, levels.values
    if not names:
        return skus
    n_levels = len(names)
    try:
        for entry in entries:
            sku_id = entry["sku_id"]
            code = entry["sku_no"]
            price = entry["price"]
            stock = entry["stock_num"]
            weight = entry["weight"]
            barcode = entry["sku_barcode"]
            props = entry["sku_props"]
            if not (
                type(sku_id) is int
                and type(price) is int
                and type(stock) is int
                and type(weight) is int
                and type(code) is str
                and type(barcode) is str
                and sku_id > 0
                and price >= 0
                and weight >= 0
                and len(props) == n_levels
            ):
                return skus
            specs = []
            for prop, name, level in zip(props, names, values):  # noqa: B905 - of one length; saying so costs time
                if prop["prop_name"] != name:
                    return skus
                value = prop["prop_value_name"]
                spec = level.get(value)
                if spec is None:
                    if type(value) is not str:
                        return skus
                    spec = level[value] = {"name": name, "value": value}
                specs.append(spec)
            sku = {
                "id": str(sku_id),
                "code": code,
                "barcode": barcode,
                "price": price,
                "stock": stock,
                "weight": weight,
                "specs": specs,
            }
            if not code:
                del sku["code"]
            if not barcode:
                del sku["barcode"]
            skus.append(sku)
    except (KeyError, TypeError):
        return skus
    return skus


def _sku(entry: dict[str, Any], key: str, index: int) -> dict[str, Any]:
    """Give an SKU without its specs."""
    where = f"{key}[{index}]"
    sku: dict[str, Any] = {"id": id_text(entry.get("sku_id"), f"{where}.sku_id")}
    name = "sku_no" if "sku_no" in entry else "item_no" if "item_no" in entry else "outer_id"
    put(sku, "code", code_text(entry.get(name), f"{where}.{name}"))
    put(sku, "barcode", code_text(entry.get("sku_barcode"), f"{where}.sku_barcode"))
    read_price = not_negative if key == "sku_list" else fen_or_yuan
    put(sku, "price", read_price(entry.get("price"), f"{where}.price"))
    name = "stock_num" if "stock_num" in entry else "quantity"
    put(sku, "stock", whole(entry.get(name), f"{where}.{name}"))
    put(sku, "weight", not_negative(entry.get("weight"), f"{where}.weight"))
    return sku


def _specs(entry: dict[str, Any], key: str, index: int, levels: Levels) -> list[dict[str, str]]:
    """Give the specs of an SKU, adding to the levels what is new in it."""
    specs: list[dict[str, str]] = []
    for position, prop in enumerate(_props(entry, key, index)):
        where = f"{key}[{index}] 的规格[{position}]"
        name, value = name_and_value(prop, where)
        if position < len(levels.names) and levels.names[position] == name:
            level = levels.values[position]
        elif index and name in levels.names:
            level = levels.values[levels.names.index(name)]
        else:
            level = levels.add(name, _spec_id(prop, where))
        specs.append(level.setdefault(value, {"name": name, "value": value}))
    return specs


def _props(entry: dict[str, Any], key: str, index: int) -> list[Any]:
    """Give the spec properties of an SKU as a list, whichever field they are in and whether as a list or as JSON text."""
    props = entry.get("sku_props")
    if type(props) is list:
        return props
    name = "sku_props"
    if props is None:
        name = "properties_name_json" if "properties_name_json" in entry else "sku_properties_name"
        props = entry.get(name)
    return spec_properties(props, f"{key}[{index}].{name}")


def spec_properties(value: object, path: str) -> list[Any]:
    """Read spec properties that come as a list or as the JSON text of one; absent or empty gives an empty list.

    Raises:
        PayloadError: The value is neither.
    """
    if value is None or value == "":
        return []
    parsed = value
    if isinstance(value, str):
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError):
            raise PayloadError(path, value, "规格属性列表的 JSON 文字") from None
    if not isinstance(parsed, list):
        raise PayloadError(path, value, "规格属性的列表")
    return parsed


def name_and_value(prop: object, path: str) -> tuple[str, str]:
    """Give spec name and value of a property: `prop_name` of item.detail.get, `k` of items 3.0.0 and order lines."""
    if not isinstance(prop, dict):
        raise PayloadError(path, prop, "对象")
    name_key, value_key = ("prop_name", "prop_value_name") if "prop_name" in prop else ("k", "v")
    name, value = prop.get(name_key), prop.get(value_key)
    if not isinstance(name, str) or not name:
        raise PayloadError(f"{path}.{name_key}", name, "规格名文字")
    if not isinstance(value, str):
        raise PayloadError(f"{path}.{value_key}", value, "规格值文字")
    return name, value


def _spec_id(prop: Mapping[str, Any], path: str) -> str | None:
    """Give the id of a spec name in any of the three spellings."""
    for key in ("prop_name_id", "kid", "k_id"):
        if key in prop:
            return optional_id(prop[key], f"{path}.{key}")
    return None
