"""Words: what a person reads must be right and read well."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.conditions import Builder
from engine.diagnostics import Diagnostics
from engine.plan import Condition, Plan, PlannedRule, batch_refs
from engine.read import Mapping, read
from engine.rule_reader import Reader
from engine.rulebook import load
from engine.source import Source
from engine.tables import Batch, Tables
from engine.truth import Judge, value_of
from engine.vocabulary import Fact, Vocabulary
from engine.wording import outline, render_message, said, title_of

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return load(ROOT / "rulesets.yaml").vocabulary


@pytest.fixture(scope="module")
def listing(vocabulary: Vocabulary) -> Fact:
    return vocabulary.facts["listing"]


def condition(vocabulary: Vocabulary, text: str) -> Condition:
    diagnostics = Diagnostics()
    node = read(Source("c.yaml", text), diagnostics)
    assert node is not None
    built = Builder(vocabulary, diagnostics, (vocabulary.facts["listing"].type,)).condition(node)
    assert [] == diagnostics.items
    assert built is not None
    return built


@pytest.mark.parametrize(
    ("value", "unit", "choices", "words"),
    [
        (None, "", (), "（空）"),
        (True, "", (), "是"),
        (False, "fen", (), "否"),
        (0, "fen", (), "0.00 元"),
        (29805, "fen", (), "298.05 元"),
        (-50, "fen", (), "-0.50 元"),
        (-150, "fen", (), "-1.50 元"),
        (300, "g", (), "300 克"),
        (2, "characters", (), "2 个字"),
        (2, "piece", (), "2"),
        (0.5, "", (), "0.5"),
        ("", "", (), ""),
        ("a", "", (("a", "甲"),), "a（甲）"),
        ("b", "", (("a", "甲"),), "b"),
        ([], "", (), "没有"),
        (["a", None, "b"], "", (("a", "甲"),), "a（甲）、（空）、b"),
        (list(range(9)), "", (), "0、1、2、3、4、5、6、7 等 9 项"),
        (frozenset({"b", "a"}), "", (), "a、b"),
        ([{"name": "颜色"}, {"title": "围巾"}, {"id": "1"}, {"value": 1}], "", (), "颜色、围巾、1、{…}"),
        (date(2022, 3, 8), "", (), "2022-03-08"),
        (datetime(2022, 3, 8, 16, tzinfo=UTC), "", (), "2022-03-09 00:00:00"),
    ],
)
def test_a_value_is_said_as_a_person_says_it(value: Any, unit: str, choices: Any, words: str) -> None:
    assert words == said(value, unit, choices)


@given(st.integers(-(10**30), 10**30))
def test_fen_said_in_yuan_lose_nothing(fen: int) -> None:
    text = said(fen, "fen").removesuffix(" 元").replace(".", "")
    assert fen == int(text)


FACT = {
    "product": {
        "id": "7",
        "title": "围巾",
        "price": 29800,
        "item_type": "virtual",
        "marks": ["supplied"],
        "category_names": ["服饰"],
        "images": [],
        "specs": [{"name": "颜色（深）", "values": ["红"]}, {"name": "尺码", "values": []}],
        "skus": [{"id": "1", "price": 100}],
    },
    "row": {"product_id": "7", "category_id": "9", "specs": [{"name": "花色", "template_id": "1"}]},
    "shop": {"id": "1"},
}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("product.price: {less_than: 5000}", ["product.price 小于 50.00 元"]),
        ("product.item_type: ordinary", ["product.item_type 等于 ordinary（普通商品）"]),
        ("product.item_type: {not: {equals: virtual}}", ["product.item_type 不等于 virtual（虚拟商品）"]),
        (
            "product.item_type: {in: [ordinary, auction]}",
            ["product.item_type 是 ordinary（普通商品）、auction（拍卖商品）之一"],
        ),
        (
            "product.item_type: {not: {in: [virtual, auction]}}",
            ["product.item_type 不是 virtual（虚拟商品）、auction（拍卖商品）之一"],
        ),
        ("product.marks: {contains: distribution}", ["product.marks 包含 distribution（分销商品）"]),
        ("product.marks: {none: {in: [supplied]}}", ["product.marks[0] 不是 supplied（供货商品）之一"]),
        ("product.title: {in: {field: product.category_names}}", ["product.title 是 有赞类目（服饰）之一"]),
        ("product.title: {in: {field: product.images}}", ["product.title 是 商品图片（没有）之一"]),
        ("product.price: {more_than: {field: product.price}}", ["product.price 大于 价格（298.00 元）"]),
        ("product.id: {not: {equals: {field: row.product_id}}}", ["product.id 不等于 有赞商品 ID（7）"]),
        ("product.title: {length: {between: [3, 60]}}", ["product.title 在 3～60 之间"]),
        (
            "row.specs: {every: {name: {in: {field: product.specs.name}}}}",
            ["row.specs[0].name 是 规格名（颜色（深）、尺码）之一"],
        ),
        ("product.specs: {every: {values: {count: {at_least: 1}}}}", ["product.specs[1].values 不小于 1"]),
        ("product.specs: {some: {name: 款式}}", ["product.specs 至少一个元素满足条件"]),
        ("product.images: {some: {starts_with: 'https://'}}", ["product.images 至少一个元素"]),
        ("row.category_id: {in_table: categories}", ["row.category_id 在基础数据「类目」中"]),
        (
            "row.category_id: {in_table: {name: categories, where: {any: [{level: 3}, {leaf: true}]}}}",
            ["row.category_id 在基础数据「类目」（层级 等于 3或是否末级 等于 是）中"],
        ),
        ("row.product_id: {unique_in: upload}", ["row.product_id 在本次上传中只出现一次（第 5、6 行都有）"]),
        (
            "none: [{product.item_type: virtual}, {product.title: 围巾}]",
            ["product.item_type 不等于 virtual（虚拟商品）", "product.title 不等于 围巾"],
        ),
    ],
)
def test_what_would_have_passed_reads_well(vocabulary: Vocabulary, text: str, wanted: list[str]) -> None:
    built = condition(vocabulary, text)
    batch = Batch(())
    if "unique_in" in text:
        batch = Batch(batch_refs(Plan("r", (PlannedRule("r", None, built),))))
        for number in (5, 6):
            batch.add(FACT, str(number))
    judge = Judge(Tables({"categories": []}), batch)
    reason = judge.reason(built, (FACT,), want=True)
    assert wanted == [f"{item.path} {item.wanted}" for item in reason.evidence]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("product.id: {equals: {field: row.product_id}}", "有赞商品 ID 等于 有赞商品 ID（row.product_id）"),
        (
            "product.specs: {every: {name: {in: {field: row.specs.name}}}}",
            "规格的每个元素都满足（规格名 是 规格名（row.specs.name）之一）",
        ),
        ("product.specs: {none: {name: 颜色}}", "规格的任何元素都不满足（规格名 等于 颜色）"),
        ("product.specs: {some: {name: 颜色}}", "规格至少有一个元素满足（规格名 等于 颜色）"),
        ("product.skus: {every: {stock: {more_than: 0}}}", "SKU 的每个元素都满足（SKU 库存 大于 0）"),
        ("product.specs: {count: {between: [1, 2]}}", "规格的个数在 1～2 之间"),
        ("product.title: {length: {at_most: 60}}", "商品名称的字数不大于 60"),
        (
            "{product.price: {more_than: 100}, product.on_sale: true}",
            "价格 大于 1.00 元且是否上架出售 等于 是",
        ),
        (
            "any: [{product.price: 1, product.stock: 2}, {product.stock: 3}]",
            "（价格 等于 0.01 元且库存 等于 2）或库存 等于 3",
        ),
        ("not: {product.price: 1, product.stock: 2}", "不（价格 等于 0.01 元且库存 等于 2）"),
        ("product.title: {not: {matches: '[a-z]+'}}", "商品名称 不符合模式 [a-z]+"),
        ("product.title: {present: false}", "商品名称 没有值"),
        ("row.product_id: {not: {unique_in: upload}}", "有赞商品 ID 在本次上传中出现多次"),
        ("product.images: {every: {ends_with: .jpg}}", "商品图片的每个元素都满足（图片地址 以 .jpg 结尾）"),
        (
            "row.brand_id: {not: {in_table: {name: brands, where: {name: 甲}}}}",
            "品牌 ID 不在基础数据「品牌」（品牌名称 等于 甲）中",
        ),
    ],
)
def test_a_condition_reads_well_without_values(vocabulary: Vocabulary, text: str, words: str) -> None:
    assert words == outline(condition(vocabulary, text))


def test_no_rule_that_is_shipped_reads_badly() -> None:
    """No doubled blank, no blank beside a full-width bracket, no value said to be absent where there is no fact."""
    for ruleset in load(ROOT / "rulesets.yaml").rulesets():
        for planned in ruleset.plan().rules:
            for top in (planned.when, planned.require):
                text = outline(top) if top is not None else ""
                assert not any(bad in text for bad in ("  ", "（空）", "） ", " （")), (
                    planned.id,
                    text,
                )


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("有 {product.specs|count} 级：{product.specs.name}", "zh", "有 2 级：颜色（深）、尺码"),
        ("{product.item_type|title}/{product.item_type}", "zh", "虚拟商品/virtual"),
        ("{product.marks|title}", "zh", "供货商品"),
        (
            "{product.price} {product.stock} {product.images} {product.images|count}",
            "zh",
            "298.00 元 （空） 没有 0",
        ),
        ("{product.delivery.express} {shop.edition|title} {shop.id}", "zh", "（空） （空） 1"),
        ("{zh: 中文, en: 'price {product.price}'}", "en", "price 298.00 元"),
        ("{zh: 中文}", "en", "中文"),
    ],
)
def test_a_message_is_filled_with_values_as_they_are_said(
    vocabulary: Vocabulary, listing: Fact, text: str, language: str, words: str
) -> None:
    diagnostics = Diagnostics()
    node = read(Source("m.yaml", f"m: {text}" if text.startswith("{zh") else f'm: "{text}"'), diagnostics)
    assert isinstance(node, Mapping)
    message = Reader(vocabulary, listing, {}, diagnostics).message(node.entries[0][1], "m")
    assert [] == diagnostics.items
    assert words == render_message(message, lambda ref: value_of(ref, (FACT,)), language)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("row.specs[1].name", "上架表的一行 › 规格对应 2 › 规格名"),
        ("row.specs.name", "上架表的一行 › 规格对应 › 规格名"),
        ("product", "商品"),
        ("nowhere", "nowhere"),
        ("row.nowhere.name", "row.nowhere.name"),
        ("", ""),
    ],
)
def test_a_path_is_named_by_the_titles_along_it(listing: Fact, path: str, words: str) -> None:
    assert words == title_of(listing.type, path)
