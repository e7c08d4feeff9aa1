"""The sample: rows and products of the demo shop, varied with a seed; about one in ten is rejected."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import yaml

from engine.plan import Plan, batch_refs
from engine.tables import Batch, Tables
from mappings.reference import read_reference
from mappings.sheet import open_upload
from mappings.youzan import product_from_item

EXAMPLES = Path(__file__).parent.parent / "examples"
PRODUCTS = EXAMPLES / "products.jsonl"
UPLOAD = EXAMPLES / "上架表.xlsx"
REFERENCE = EXAMPLES / "惠聚数据.xlsx"
EXPECTED = EXAMPLES / "expected.csv"
SHOP = EXAMPLES / "shop.yaml"

SEED = 20220308
FAILING = 0.1
"""Share of the sample that is drawn from the rows that are not accepted."""

AS_OF = datetime(2022, 3, 18, 4, tzinfo=UTC)
DAY = date(2022, 3, 18)
FIRST_ID = 500_000_000
"""Ids of the sample count up from here; the demo shop has none as high."""


@dataclass(frozen=True, slots=True)
class Item:
    """Hold one product on its way in.

    Attributes:
        payload: Youzan's reply, as bytes.
        row: The row of the upload, as a fact.
    """

    payload: bytes
    row: dict[str, Any]


@dataclass(frozen=True, slots=True)
class World:
    """Hold what an evaluation knows beside the fact.

    Attributes:
        shop: The shop.
        tables: The reference data.
        batch: The values of the other rows, or None.
        day: The day asked for.
    """

    shop: dict[str, Any]
    tables: Tables
    batch: Batch | None = None
    day: date = DAY

    def noting(self, plan: Plan, facts: list[dict[str, Any]]) -> World:
        """Give this world with the batch that a plan needs, made of all facts."""
        batch = Batch(batch_refs(plan))
        for number, fact in enumerate(facts, 1):
            batch.add(fact, str(number))
        return World(self.shop, self.tables, batch, self.day)

    def fact(self, item: Item, product: dict[str, Any]) -> dict[str, Any]:
        """Put a `listing` fact together."""
        return {"shop": self.shop, "product": product, "row": item.row}


def sample(count: int) -> tuple[World, list[Item]]:
    """Make the sample.

    Args:
        count: How many products, ≥ 1.

    Returns:
        The world without a batch, and the products in an order that mixes accepted and rejected ones.
    """
    rng = Random(SEED)
    rows = {row.number: row.row for row in open_upload(UPLOAD).rows}
    payloads = _payloads()
    passing: list[tuple[str, dict[str, Any]]] = []
    failing: list[tuple[str, dict[str, Any]]] = []
    with EXPECTED.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            row = rows[int(line["row"])]
            if row.get("product_id") in payloads:
                (passing if line["outcome"] == "accepted" else failing).append((line["rules"], row))
    tables: dict[str, list[Any]] = {name: list(found) for name, found in read_reference(REFERENCE).items()}
    items: list[Item] = []
    for number in range(count):
        rules, row = rng.choice(failing if rng.random() < FAILING else passing)
        twice = "twice-in-upload" in rules and items
        new = items[rng.randrange(len(items))].row["product_id"] if twice else str(FIRST_ID + number)
        if "listed-already" in rules:
            tables["listings"].append({"product_id": new, "channel_product_id": f"88{new}"})
        payload = varied(payloads[row["product_id"]], int(new), rng)
        items.append(Item(payload, {**row, "product_id": new}))
    shop = yaml.safe_load(SHOP.read_text(encoding="utf-8"))
    return World(shop, Tables(tables)), items


def facts(world: World, items: list[Item]) -> list[dict[str, Any]]:
    """Make the facts of the sample."""
    return [world.fact(item, product_from_item(json.loads(item.payload))) for item in items]


def varied(text: str, new_id: int, rng: Random) -> bytes:
    """Give a payload with another id, and with prices, stocks and weights near the old ones."""
    payload = json.loads(text)
    body = payload["data"] if "data" in payload else payload["response"]["item"]
    body["item_id"] = new_id
    body["alias"] = f"qh{new_id:x}"
    body["title"] += rng.choice(["", "", " 春季新款", " 两件装", "（加大码）", " 家庭装 量贩"])
    factor = rng.uniform(0.7, 1.6)
    for part in [body, body.get("item_price_param"), *body.get("sku_list", ()), *body.get("skus", ())]:
        for name in ("price", "quantity", "stock_num", "weight", "item_weight"):
            if part is not None and type(part.get(name)) is int:
                part[name] = round(part[name] * factor)
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def _payloads() -> dict[str, str]:
    """Give the demo shop's payloads by product id."""
    lines = PRODUCTS.read_text(encoding="utf-8").splitlines()
    return {product_from_item(json.loads(line))["id"]: line for line in lines}
