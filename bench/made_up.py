"""Rules made up with a seed, as a shop's operations people might add them; as YAML for the engine, and as Python by hand.

Each shape writes one rule twice: the way it would stand in a rule file, and the way that someone would add it to one long Python function.
The Python is written rule by rule; nothing is shared between rules but the three records of the fact.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import yaml

from bench.data import World

SEED = 14
BANNED = "最佳 第一 国家级 顶级 特效 祖传 根治 万能 独家 秒杀 清仓 假一赔十 无效退款 史上最低 全网 绝无 仅此 驰名 特供 专供".split()
SPEC_NAMES = "颜色 尺码 款式 尺寸 口味 规格 容量 重量 包装 型号".split()
EDGE = 0.01
"""Share of the bounds that lie where some products fail; the others are as wide as a sensible limit is."""

Made = tuple[dict[str, Any], str]
Shape = Callable[[Random, World], Made]


@dataclass(frozen=True, slots=True)
class MadeUp:
    """Hold made-up rules.

    Attributes:
        yaml: The rule file.
        python: Source of `failing(fact)`, which lists the ids of the rules that a fact does not pass.
        names: What the source's names stand for.
    """

    yaml: str
    python: str
    names: Mapping[str, Any]

    def by_hand(self) -> Callable[[Mapping[str, Any]], list[str]]:
        """Compile the Python."""
        namespace = dict(self.names)
        exec(compile(self.python, "<by hand>", "exec"), namespace)  # noqa: S102 - written by this module
        failing: Callable[[Mapping[str, Any]], list[str]] = namespace["failing"]
        return failing


def made_up(count: int, world: World) -> MadeUp:
    """Make up rules.

    Args:
        count: How many.
        world: Gives the categories and brands that rules speak of.

    Returns:
        The rules; the same for the same count.
    """
    rng = Random(SEED + count)
    shapes, weights = zip(*SHAPES, strict=True)
    rules: list[dict[str, Any]] = []
    lines = ["def failing(fact):", "    bad = []"]
    lines += [f"    {name} = fact.get({name!r}) or {{}}" for name in ("shop", "product", "row")]
    for number in range(count):
        rule, failed = rng.choices(shapes, weights)[0](rng, world)
        id_ = f"made-up-{number}"
        if rng.random() < GUARDED:
            when, unknown, applies = _when(rng, world)
            rule = {"when": when, **rule}
            failed = f"{unknown} or ({applies} and ({failed}))"
        rules.append({"id": id_, "title": f"规则 {number}", **rule, "otherwise": "不符合", "source": "R14"})
        lines += [f"    if {failed}:", f"        bad.append({id_!r})"]
    lines.append("    return bad")
    names = {
        name: frozenset(row["id"] for row in world.tables.rows(name) or ())
        for name in ("categories", "brands", "freight_templates", "spec_templates")
    }
    names["leaves"] = frozenset(
        row["id"] for row in world.tables.rows("categories") or () if row["level"] == 3
    )
    content = {"kind": "eligibility", "fact": "listing", "rules": rules}
    text = yaml.dump(content, allow_unicode=True, sort_keys=False, Dumper=yaml.CSafeDumper)
    return MadeUp(text, "\n".join(lines), {**names, "compiled": re.compile})


GUARDED = 0.6
"""Share of the rules that speak of one category, brand or kind of goods."""


def _when(rng: Random, world: World) -> tuple[dict[str, Any], str, str]:
    """Say which products a rule is about: as YAML, when that can't be known, and when the rule applies."""
    draw = rng.random()
    if draw < 0.5:
        ids = [row["id"] for row in world.tables.rows("categories") or () if row["level"] == 3]
        id_ = rng.choice(ids)
        value = 'row.get("category_id")'
        return {"row.category_id": id_}, f"{value} is None", f"{value} == {id_!r}"
    if draw < 0.75:
        id_ = rng.choice([row["id"] for row in world.tables.rows("brands") or ()])
        value = 'row.get("brand_id")'
        return {"row.brand_id": id_}, f"{value} is None", f"{value} == {id_!r}"
    if draw < 0.9:
        names = sorted(row["name"] for row in world.tables.rows("categories") or () if row["level"] > 1)
        name = rng.choice(names)
        value = 'product.get("category_names")'
        return {"product.category_names": {"contains": name}}, f"{value} is None", f"{name!r} in {value}"
    value = '(product.get("delivery") or {}).get("express")'
    return {"product.delivery.express": True}, f"{value} is None", value


def _bounds(rng: Random, low: int, high: int) -> tuple[int, int]:
    """Draw a range; now and then one that cuts into what products have."""
    tight = rng.random() < EDGE
    return (
        round(low * rng.uniform(1.0, 1.5) if tight else low * rng.uniform(0.2, 0.9)),
        round(high * rng.uniform(0.6, 0.9) if tight else high * rng.uniform(1.1, 3.0)),
    )


def _number(path: str, low: int, high: int) -> Shape:
    def shape(rng: Random, world: World) -> Made:
        least, most = _bounds(rng, low, high)
        value = f'product.get("{path}")'
        match rng.randrange(3):
            case 0:
                return {"require": {f"product.{path}": {"between": [least, most]}}}, (
                    f"{value} is None or not {least} <= {value} <= {most}"
                )
            case 1:
                return {
                    "require": {f"product.{path}": {"at_most": most}}
                }, f"{value} is None or {value} > {most}"
        return {"require": {f"product.{path}": {"at_least": least}}}, f"{value} is None or {value} < {least}"

    return shape


def _title_length(rng: Random, world: World) -> Made:
    most = rng.randint(12, 60)
    failed = f'product.get("title") is None or len(product["title"]) > {most}'
    return {"require": {"product.title": {"length": {"at_most": most}}}}, failed


def _banned_words(rng: Random, world: World) -> Made:
    words = rng.sample(BANNED, rng.randint(1, 4))
    forbidden: dict[str, Any] = {"any": [{"product.title": {"contains": word}} for word in words]}
    if len(words) == 1:
        forbidden = {"product.title": {"contains": words[0]}}
    found = " or ".join(f'{word!r} in product["title"]' for word in words)
    return {"forbid": forbidden}, f'product.get("title") is None or {found}'


def _title_pattern(rng: Random, world: World) -> Made:
    pattern = rng.choice(["[^!！?？]+", "[一-龥0-9A-Za-z（）·， ]+", "[^*#]{1,60}"])
    matches = f"compiled({pattern!r}).fullmatch"
    return {"require": {"product.title": {"matches": pattern}}}, (
        f'product.get("title") is None or {matches}(product["title"]) is None'
    )


def _image_count(rng: Random, world: World) -> Made:
    most = rng.randint(6, 15)
    return {"require": {"product.images": {"count": {"between": [1, most]}}}}, (
        f'product.get("images") is None or not 1 <= len(product["images"]) <= {most}'
    )


def _sku_numbers(rng: Random, world: World) -> Made:
    path, low, high = rng.choice([("price", 800, 90_000), ("stock", 1, 500)])
    least, most = _bounds(rng, low, high)
    there = 'product.get("skus") is None'
    if rng.random() < 0.5:
        return {"require": {"product.skus": {"every": {path: {"at_least": least}}}}}, (
            f'{there} or any(sku.get("{path}") is None or sku["{path}"] < {least} for sku in product["skus"])'
        )
    return {"require": {"product.skus": {"none": {path: {"more_than": most}}}}}, (
        f'{there} or any(sku.get("{path}") is None or sku["{path}"] > {most} for sku in product["skus"])'
    )


def _sku_in_stock(rng: Random, world: World) -> Made:
    least = rng.randint(1, 5)
    return {"require": {"product.skus": {"some": {"stock": {"at_least": least}}}}}, (
        'product.get("skus") is None or '
        f'not any(sku.get("stock") is not None and sku["stock"] >= {least} for sku in product["skus"])'
    )


def _spec_names(rng: Random, world: World) -> Made:
    name = rng.choice(SPEC_NAMES) + "表"
    if rng.random() < 0.5:
        return {"require": {"product.specs": {"none": {"name": name}}}}, (
            f'product.get("specs") is None or any(spec.get("name") in ({name!r}, None) for spec in product["specs"])'
        )
    most = rng.randint(8, 40)
    return {"require": {"product.specs": {"every": {"values": {"count": {"at_most": most}}}}}}, (
        'product.get("specs") is None or '
        f'any(spec.get("values") is None or len(spec["values"]) > {most} for spec in product["specs"])'
    )


def _in_table(rng: Random, world: World) -> Made:
    path, table = rng.choice(
        [("category_id", "categories"), ("brand_id", "brands"), ("freight_template_id", "freight_templates")]
    )
    if table == "categories" and rng.random() < 0.5:
        require = {"row.category_id": {"in_table": {"name": "categories", "where": {"level": 3}}}}
        return {"require": require}, 'row.get("category_id") not in leaves'
    return {"require": {f"row.{path}": {"in_table": table}}}, f'row.get("{path}") not in {table}'


def _spec_templates(rng: Random, world: World) -> Made:
    return {"require": {"row.specs": {"every": {"template_id": {"in_table": "spec_templates"}}}}}, (
        'row.get("specs") is None or any(spec.get("template_id") not in spec_templates for spec in row["specs"])'
    )


def _brand_price(rng: Random, world: World) -> Made:
    brand = rng.choice([row["id"] for row in world.tables.rows("brands") or ()])
    least, _ = _bounds(rng, 2_000, 50_000)
    rule = {"require": {"any": [{"row.brand_id": {"not": brand}}, {"product.price": {"at_least": least}}]}}
    return rule, (
        f'not ((row.get("brand_id") is not None and row["brand_id"] != {brand!r}) '
        f'or (product.get("price") is not None and product["price"] >= {least}))'
    )


def _kinds(rng: Random, world: World) -> Made:
    kinds = rng.sample(["auction", "takeaway", "hotel", "beauty", "cashier", "wholesale", "gift_card"], 3)
    return {"forbid": {"product.item_type": {"in": kinds}}}, (
        f'product.get("item_type") is None or product["item_type"] in {tuple(kinds)!r}'
    )


SHAPES: tuple[tuple[Shape, int], ...] = (
    (_number("price", 2_000, 60_000), 18),
    (_number("stock", 20, 500), 8),
    (_number("weight", 0, 4_000), 8),
    (_title_length, 8),
    (_banned_words, 14),
    (_title_pattern, 1),
    (_image_count, 5),
    (_sku_numbers, 8),
    (_sku_in_stock, 3),
    (_spec_names, 5),
    (_in_table, 8),
    (_spec_templates, 3),
    (_brand_price, 6),
    (_kinds, 5),
)
"""The shapes and how often each is drawn."""
