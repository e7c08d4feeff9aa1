"""Mistakes in rules of every kind, one each: the code and the place say what is wrong, and the rule is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.diagnostics import Diagnostics
from engine.read import read
from engine.rulebook import load
from engine.rulefile import read_rule_file
from engine.source import Source
from engine.vocabulary import Vocabulary

ROOT = Path(__file__).resolve().parents[3]
COMMON = "id: a, title: 甲, source: R0"
MAPPING = {
    "when": "{product.id: {present: true}}",
    "map": "row.specs.template_id",
    "each": "product.specs",
    "key": "name",
    "cases": '[{to: "1"}]',
    "otherwise": "没有",
}
ACTION = {"restrict": "[ship]", "because": "不行"}
FLOW = {"on": "order_shipped", "then": "{set: {status: closed}}"}


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return load(ROOT / "rulesets.yaml").vocabulary


def told(vocabulary: Vocabulary, text: str) -> tuple[list[tuple[str, str]], int]:
    """Give what is wrong, and how many rules and flows are left."""
    diagnostics = Diagnostics()
    root = read(Source("r.yaml", text), diagnostics)
    assert root is not None, diagnostics.items
    found = read_rule_file(root, vocabulary, diagnostics)
    assert found is not None
    assert all(item.span is not None and item.span.file == "r.yaml" for item in diagnostics.items)
    return [(item.code, item.message) for item in diagnostics.items], len(found.rules) + len(found.flows)


def rule(keys: dict[str, str], **changed: str) -> str:
    kept = {**keys, **changed}
    return f"{{{COMMON}, {', '.join(f'{key}: {value}' for key, value in kept.items() if value != '-')}}}"


@pytest.mark.parametrize(
    ("changed", "code", "message"),
    [
        ({"map": "[a]"}, "SG0204", "map应是一个路径，这里是列表"),
        ({"each": "{a: b}"}, "SG0204", "each应是一个路径，这里是键值表"),
        ({"map": "row.nowhere"}, "SG0405", "row 没有字段 'nowhere'"),
        ({"map": "row.specs"}, "SG0217", "有 each 时，map 应是列表元素的字段，row.specs 不是"),
        ({"map": "row.category_id"}, "SG0217", "有 each 时，map 应是列表元素的字段，row.category_id 不是"),
        ({"map": "row", "each": "-", "key": "-"}, "SG0217", "map 应是一个值，row 是一组字段"),
        ({"each": "product.images"}, "SG0217", "each 需要一个由记录组成的列表，product.images 是文字的列表"),
        ({"each": "product.nowhere"}, "SG0405", "product 没有字段 'nowhere'"),
        ({"map": "row.category_id", "each": "-"}, "SG0218", "key 只与 each 一起写"),
        ({"key": "-"}, "SG0218", "有 each 时需要 key：两个列表共有、用来对上元素的字段"),
        ({"key": "template_id"}, "SG0218", "有 each 时需要 key：两个列表共有、用来对上元素的字段"),
        ({"cases": "[]"}, "SG0206", "cases 应是非空列表"),
        ({"cases": "-"}, "SG0203", "规则缺少 cases"),
        ({"cases": "[5]"}, "SG0201", "case 应是键值表，这里是单个值"),
        ({"cases": "[{when: {name: 颜色}}]"}, "SG0203", "case 缺少 to"),
        ({"cases": "[{to: 5}]"}, "SG0410", "这里需要文字，写的是数字 '5'"),
        ({"cases": "[{to: x, when: {nowhere: 5}}]"}, "SG0405", "该元素没有字段 'nowhere'"),
        ({"cases": "[{to: x, confidence: 0}]"}, "SG0219", "confidence 是 0 到 1 之间的数"),
        ({"cases": "[{to: x, confidence: true}]"}, "SG0219", "confidence 是 0 到 1 之间的数"),
        ({"cases": "[{to: {lookup: {name: nowhere}}}]"}, "SG0420", "没有名为 'nowhere' 的表"),
        ({"cases": "[{to: {lookup: {name: brands, were: {}}}}]"}, "SG0422", "不认识 'were'"),
        ({"cases": "[{to: {lookup: {name: brands}}}]"}, "SG0220", "lookup 需要 where：用哪一行"),
        (
            {"cases": "[{to: {lookup: {name: brands, column: nam, where: {id: x}}}}]"},
            "SG0420",
            "表 brands 没有可用的列 nam",
        ),
        ({"cases": "[{to: {lookup: {name: brands, where: {nam: x}}}}]"}, "SG0405", "该元素没有字段 'nam'"),
        ({"otherwise": "-"}, "SG0203", "规则缺少 otherwise"),
        ({"otherwise": "'{item.nowhere}'"}, "SG0405", "该元素没有字段 'nowhere'"),
        ({"distinct": "yes"}, "SG0205", "distinct 'yes' 不认识"),
    ],
)
def test_a_mistake_in_a_mapping_rule_is_named(
    vocabulary: Vocabulary, changed: dict[str, str], code: str, message: str
) -> None:
    found, left = told(vocabulary, f"kind: mapping\nfact: listing\nrules: [{rule(MAPPING, **changed)}]")
    assert (code, message) in found
    assert 0 == left


@pytest.mark.parametrize(
    ("changed", "code", "message"),
    [
        ({"restrict": "ship"}, "SG0206", "restrict应是列表，例如 [a, b]"),
        ({"restrict": "[fly]"}, "SG0215", "order 没有动作 'fly'"),
        ({"restrict": "-", "because": "-"}, "SG0214", "规则至少写一项：restrict、mask 或 hide"),
        ({"because": "-"}, "SG0203", "规则缺少 because"),
        ({"because": "{en: no}"}, "SG0203", "because缺少 zh"),
        ({"because": "{zh: 不, de: nein}"}, "SG0202", "because里不认识 'de'"),
        ({"because": "[不行]"}, "SG0204", "because应是文字，这里是 列表"),
        ({"effect": "vanish"}, "SG0205", "effect 'vanish' 不认识"),
        ({"effect": "[hide]"}, "SG0205", "effect '列表' 不认识"),
        ({"instead": "{action: ship}"}, "SG0206", "instead 应是列表"),
        ({"instead": "[ship]"}, "SG0201", "instead 应是键值表，这里是单个值"),
        ({"instead": "[{action: ship}]"}, "SG0203", "instead 缺少 effect"),
        ({"instead": "[{action: [ship], effect: 发货}]"}, "SG0215", "action 应是一个动作名"),
        ({"instead": "[{action: fly, effect: 飞}]"}, "SG0215", "没有动作 'fly'"),
        ({"mask": "[buyer.name]"}, "SG0201", "mask 应写成 路径: 显示的文字"),
        ({"mask": "{buyer.nam: x}"}, "SG0405", "buyer 没有字段 'nam'"),
        ({"mask": "{total: x}"}, "SG0216", "mask 用在文字字段上，total 是整数"),
        ({"mask": "{buyer.name: 5}"}, "SG0204", "mask 的显示文字应是文字，这里是 5"),
        ({"hide": "[buyer.nam]"}, "SG0405", "buyer 没有字段 'nam'"),
        ({"title": "5"}, "SG0204", "title应是文字，这里是 5"),
        (
            {"effective": "{from: 2022-03-09, until: 2022-03-08}"},
            "SG0209",
            "生效日 2022-03-09 晚于失效日 2022-03-08",
        ),
        ({"examples": "{accept: {}}"}, "SG0206", "examples 应是列表"),
        ({"until": "'{total|sum}'"}, "SG0432", "没有名为 'sum' 的写法"),
        ({"until": "'{total|count}'"}, "SG0432", "count 用在列表上，total 是整数"),
        ({"until": "'{total|title}'"}, "SG0432", "title 用在有可选值的字段上，total 没有"),
        ({"until": "'{total'"}, "SG0431", "花括号没有配对"),
    ],
)
def test_a_mistake_in_an_actions_rule_is_named(
    vocabulary: Vocabulary, changed: dict[str, str], code: str, message: str
) -> None:
    text = (
        rule(ACTION, **changed)
        if "title" not in changed
        else rule(ACTION).replace("title: 甲", f"title: {changed['title']}")
    )
    found, left = told(vocabulary, f"kind: actions\nfact: order\nrules: [{text}]")
    assert (code, message) in found
    assert 0 == left


@pytest.mark.parametrize(
    ("changed", "code", "message"),
    [
        ({"on": "-"}, "SG0203", "流程缺少 on"),
        ({"on": "[order_shipped]"}, "SG0222", "after_sale 没有事件或动作 ''"),
        ({"on": "order_shiped"}, "SG0222", "after_sale 没有事件或动作 'order_shiped'"),
        ({"then": "-"}, "SG0203", "流程缺少 then"),
        ({"then": "{}"}, "SG0221", "then 至少写一项：set 或 call"),
        ({"then": "{set: closed}"}, "SG0201", "set 应写成 字段: 值"),
        ({"then": "{set: {nowhere: x}}"}, "SG0405", "数据里没有字段 'nowhere'"),
        ({"then": "{set: {contact: x}}"}, "SG0223", "set 用在单个值上，contact 是一组字段"),
        ({"then": "{set: {status: gone}}"}, "SG0421", ""),
        (
            {"then": "{set: {status: closed, order.status: closed}}"},
            "SG0224",
            "一条流程改订单或改售后单，不能都改",
        ),
        ({"severity": "error"}, "SG0202", "流程里不认识 'severity'"),
    ],
)
def test_a_mistake_in_a_flow_is_named(
    vocabulary: Vocabulary, changed: dict[str, str], code: str, message: str
) -> None:
    base = "{id: b, title: 乙, source: R0, restrict: [agree], because: 不行}"
    found, left = told(
        vocabulary, f"kind: actions\nfact: after_sale\nrules: [{base}]\nflows: [{rule(FLOW, **changed)}]"
    )
    assert (code, message) in found or (not message and code in [known for known, _ in found])
    assert left == (2 if code == "SG0202" else 1), "an unknown key is named and the rest goes on"


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("{product.price: {equals: {field: a, item: b}}}", "SG0410"),
        ("{product.price: [1, 2]}", "SG0407"),
        ("{product.price: {}}", "SG0407"),
        ("{product.price: }", "SG0407"),
        ("{product: 5}", "SG0408"),
        ("{product.price: {field: product.stock}}", "SG0409"),
        ("{product: {title: x}}", "SG0409"),
        ("{product.title: {in: {field: product.images.x}}}", "SG0405"),
        ("{product.title: {in: [a, a]}}", "SG0413"),
        ("{product.price: {between: [1, x]}}", "SG0410"),
        ("{product.price: {between: [-5, -1]}}", "SG0411"),
        ("{product.title: {present: x}}", "SG0410"),
        ("{product.title: {matches: ''}}", "SG0415"),
        ("{product.title: {matches: [a]}}", "SG0415"),
        ("{product.title: {contains: ''}}", "SG0415"),
        ("{product.specs: {contains: x}}", "SG0417"),
        ("{product.specs: {some: {nam: x}}}", "SG0405"),
        ("{product.specs: {unique: nam}}", "SG0418"),
        ("{product.images: {unique: name}}", "SG0418"),
        ("{row.brand_id: {in_table: {name: brands, column: nam}}}", "SG0420"),
        ("{row.brand_id: {in_table: {name: categories, column: level}}}", "SG0408"),
        ("{row.brand_id: {in_table: {name: brands, where: {nam: x}}}}", "SG0405"),
        ("{product.images: {some: {unique_in: upload}}}", "SG0419"),
        ("{any: [{product.title: x}, {nowhere: y}]}", "SG0405"),
        ("{not: {nowhere: y}}", "SG0405"),
        ("5", "SG0401"),
    ],
)
def test_a_mistake_in_a_condition_is_named(vocabulary: Vocabulary, condition: str, code: str) -> None:
    text = f"{{{COMMON}, require: {condition}, otherwise: 不行}}"
    found, left = told(vocabulary, f"kind: eligibility\nfact: listing\nrules: [{text}]")
    assert code in [known for known, _ in found], found
    assert 0 == left
