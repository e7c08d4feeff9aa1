"""Examples in rule files: run on the fact's own example, and wrong where they can't mean what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.diagnostics import Diagnostics
from engine.examples import overlaid, rule_names, run_examples
from engine.rulebook import Rulebook, inspect

FACTS = {
    "thing.yaml": """title: 商品
type: object
additionalProperties: false
properties:
  id: {type: string, title: 编号}
  brand: {type: string, title: 品牌}
  inner: {type: object, title: 内, additionalProperties: false, properties: {size: {type: integer, title: 大小}}}
examples: [{id: "1", brand: "7", inner: {size: 2}}]
""",
    "tables.yaml": """$defs:
  brands:
    type: object
    title: 品牌
    additionalProperties: false
    x-key: id
    properties: {id: {type: string, title: 品牌 ID}}
    examples: [{id: "7"}]
""",
}
RULE = "kind: eligibility\nfact: thing\nrules:\n  - {id: a, title: 甲, source: R0, require: %s, otherwise: 乙, examples: [%s]}\n"


def book(folder: Path, require: str, examples: str) -> tuple[Rulebook, Diagnostics]:
    (folder / "facts").mkdir()
    for name, text in FACTS.items():
        (folder / "facts" / name).write_text(text, "utf-8")
    (folder / "e.yaml").write_text(RULE % (require, examples), "utf-8")
    (folder / "rulesets.yaml").write_text("facts: facts\nchannels: {c: {rulesets: {e: e.yaml}}}\n", "utf-8")
    return inspect(folder / "rulesets.yaml")


@pytest.mark.parametrize(
    ("require", "examples", "results"),
    [
        ('{id: "1"}', '{accept: {}}, {reject: {id: "2"}}, {undetermined: {id: null}}', ["", "", ""]),
        (
            "{inner.size: {at_least: 2}}",
            "{accept: {}}, {reject: {inner.size: 1}}, {undetermined: {inner: null}}",
            ["", "", ""],
        ),
        ('{id: "1"}', "{accept: {}}, {reject: {}}", ["", "例子写的是 reject，得到的是 accept"]),
        ('{id: "1"}', "{accept: {}}", ["", "缺少 reject 的例子"]),
        (
            '{id: "1"}',
            "{accept: {}}, {reject: {inner: {sise: 1}}}",
            ["", "例子的数据不合词汇表：inner.sise 没有这个字段"],
        ),
        (
            "{brand: {in_table: brands}}",
            '{accept: {}}, {reject: {}, tables: {brands: []}}, {accept: {brand: "8"}, tables: {brands: [{id: "8"}]}}',
            ["", "", ""],
        ),
        (
            "{id: {unique_in: upload}}",
            '{accept: {}}, {reject: {}, also: [{}]}, {accept: {}, also: [{id: "2"}]}',
            ["", "", ""],
        ),
    ],
)
def test_an_example_is_laid_over_the_fact_and_run(
    tmp_path: Path, require: str, examples: str, results: list[str]
) -> None:
    rulebook, diagnostics = book(tmp_path, require, examples)
    assert [] == diagnostics.items
    assert results == [result.message for result in run_examples(rulebook)]
    assert ["c/e/a"] == [name for name, _ in rule_names(rulebook)]
    assert [] == run_examples(rulebook, "nowhere")


@pytest.mark.parametrize(
    ("example", "code", "message"),
    [
        ("5", "SG0201", "例子应是键值表，这里是单个值"),
        ("{}", "SG0601", "一个例子写且只写一项：accept / reject / undetermined / maps"),
        ("{accept: {}, reject: {}}", "SG0601", "一个例子写且只写一项：accept / reject / undetermined / maps"),
        ("{accept: }", "SG0601", "例子应写成 {路径: 值}"),
        ("{accept: [id]}", "SG0601", "例子应写成 {路径: 值}"),
        ("{accept: {idd: 1}}", "SG0405", "数据里没有字段 'idd'"),
        ("{accept: {}, also: {}}", "SG0206", "also 应是列表"),
        ("{accept: {}, also: [5]}", "SG0601", "例子应写成 {路径: 值}"),
        ("{accept: {}, tables: []}", "SG0601", "tables 应写成 表名: [行…]"),
        ("{accept: {}, tables: {brand: []}}", "SG0420", "没有名为 'brand' 的表"),
        ("{accept: {}, tables: {brands: 5}}", "SG0601", "表 brands 应是行的列表"),
        ("{accept: {}, tables: {brands: {id: x}}}", "SG0601", "表 brands 应是行的列表"),
        (
            "{accept: {}, tables: {brands: [{idd: x}]}}",
            "SG0602",
            "表 brands 的行不合词汇表：idd 没有这个字段",
        ),
        ("{accept: {}, tables: {brands: [null]}}", "SG0602", "表 brands 的行不合词汇表： 是空的"),
        ("{accept: {}, as_of: 5}", "SG0210", "日期应写成 年-月-日"),
        ("{accept: {}, becuase: x}", "SG0202", "例子里不认识 'becuase'"),
    ],
)
def test_an_example_that_cannot_be_meant_is_named(
    tmp_path: Path, example: str, code: str, message: str
) -> None:
    _, diagnostics = book(tmp_path, '{id: "1"}', example)
    assert (code, message) in [(item.code, item.message) for item in diagnostics.items]


def test_values_are_laid_over_a_copy() -> None:
    base = {"a": {"b": 1, "c": [1]}, "d": 5}
    assert {"a": {"b": 2, "c": [1]}, "d": {"e": 1}} == overlaid(base, {"a.b": 2, "d.e": 1})
    assert {"a": {"c": [1]}, "d": 5} == overlaid(base, {"a.b": None, "x": None})
    assert {"a": {"b": 1, "c": [1]}, "d": 5} == base
