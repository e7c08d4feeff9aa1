"""Mistakes in the vocabulary: each is a diagnostic with its place, none a traceback, and none is silently ignored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from engine.diagnostics import Diagnostic, Diagnostics, render
from engine.read import read
from engine.schemas import plain_data, read_vocabulary
from engine.source import Source
from engine.vocabulary import FieldType, Vocabulary

ROOT = Path(__file__).resolve().parents[3]
HEAD = "title: 物\ntype: object\nadditionalProperties: false\n"
GOOD = HEAD + "properties:\n  id: {type: string, title: 编号}\nexamples: [{id: a}]\n"
TABLES = """$defs:
  brands:
    type: object
    title: 品牌
    additionalProperties: false
    x-key: id
    properties: {id: {type: string, title: 品牌 ID}}
    examples: [{id: "1"}]
"""


def vocabulary(folder: Path, files: dict[str, str]) -> tuple[Vocabulary, list[Diagnostic]]:
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    diagnostics = Diagnostics()
    found, sources = read_vocabulary(folder, "facts", diagnostics)
    render(diagnostics.in_order(), sources)
    return found, diagnostics.in_order()


def told(items: list[Diagnostic]) -> list[tuple[str, str, str]]:
    return [(item.code, str(item.span), item.message) for item in items]


def test_a_good_vocabulary_has_nothing_said_of_it(tmp_path: Path) -> None:
    found, items = vocabulary(tmp_path, {"thing.yaml": GOOD, "tables.yaml": TABLES})
    assert [] == items
    assert {"id": "a"} == found.facts["thing"].example
    assert ("id", ({"id": "1"},)) == (found.tables["brands"].key, found.tables["brands"].example)


@pytest.mark.parametrize(
    ("field", "code", "column", "message"),
    [
        ("{type: string}", "SG0311", 3, "字段 f 缺少中文 title"),
        ("[]", "SG0302", 6, "字段定义应是键值表，例如 {type: string, title: 名称}"),
        ("null", "SG0302", 6, "字段定义应是键值表，例如 {type: string, title: 名称}"),
        ("{title: 甲}", "SG0307", 6, "字段 f 的 type/format 不认识"),
        ("{title: 甲, type: [string, 'null']}", "SG0307", 23, "字段 f 的 type/format 不认识"),
        ("{title: 甲, type: string, format: email}", "SG0307", 23, "字段 f 的 type/format 不认识"),
        ("{title: 甲, type: string, pattern: x}", "SG0306", 31, "不支持 JSON Schema 关键字 pattern"),
        ("{title: 甲, type: array}", "SG0308", 6, "列表 f 缺少 items"),
        (
            "{title: 甲, type: object, properties: {g: {type: string, title: 乙}}}",
            "SG0309",
            6,
            "f 缺少 additionalProperties: false",
        ),
        ("{title: 甲, type: object, additionalProperties: false}", "SG0317", 6, "f 缺少 properties"),
        (
            "{title: 甲, type: object, additionalProperties: false, properties: [g]}",
            "SG0317",
            72,
            "f 缺少 properties",
        ),
        ("{title: 甲, $ref: other.yaml}", "SG0305", 23, "引用 other.yaml 找不到"),
        ("{title: 甲, $ref: '#/$defs/nowhere'}", "SG0305", 23, "引用 #/$defs/nowhere 找不到"),
        ("{title: 甲, $ref: thing.yaml}", "SG0305", 23, "引用 thing.yaml 成环"),
        ("{title: 甲, $ref: '#'}", "SG0305", 23, "引用 # 成环"),
        ("{title: 甲, $ref: [a]}", "SG0305", 23, "$ref 应是一个引用"),
        ("{title: 甲, $ref: '#/$defs/d', maxLength: 3}", "SG0306", 36, "maxLength 写在 $ref 旁边不起作用"),
        ("{title: 甲, type: integer, maxLength: 3}", "SG0315", 43, "maxLength 不适用于整数"),
        ("{title: 甲, type: integer, minimum: '3'}", "SG0315", 41, "minimum 应是数字"),
        ("{title: 甲, type: integer, minimum: true}", "SG0315", 41, "minimum 应是数字"),
        ("{title: 甲, type: integer, minimum: 3, maximum: 2}", "SG0315", 6, "minimum 3 大于 maximum 2"),
        ("{title: 甲, type: string, enum: red}", "SG0318", 37, "enum 应是非空的文字列表，用在文字字段上"),
        ("{title: 甲, type: string, enum: []}", "SG0318", 37, "enum 应是非空的文字列表，用在文字字段上"),
        ("{title: 甲, type: integer, enum: [1, 2]}", "SG0318", 38, "enum 应是非空的文字列表，用在文字字段上"),
        ("{title: 甲, type: string, enum: [a, 1]}", "SG0318", 41, "enum 的值应是文字"),
        ("{title: 甲, type: string, enum: [a, a]}", "SG0318", 41, "enum 的值重复"),
        (
            "{title: 甲, type: string, enum: [a], x-enum-titles: {b: 乙}}",
            "SG0318",
            57,
            "x-enum-titles 里的 'b' 不是 enum 的值",
        ),
        (
            "{title: 甲, type: string, enum: [a], x-enum-titles: [乙]}",
            "SG0318",
            57,
            "x-enum-titles 应写成 值: 中文名",
        ),
    ],
)
def test_a_mistake_in_a_field_is_named_at_its_place(
    tmp_path: Path, field: str, code: str, column: int, message: str
) -> None:
    text = f"{HEAD}properties:\n  f: {field}\n$defs: {{d: {{type: string, title: 丁}}}}\nexamples: [{{}}]\n"
    _, items = vocabulary(tmp_path, {"thing.yaml": text})
    assert (code, f"facts/thing.yaml:5:{column}", message) in told(items)


@pytest.mark.parametrize(
    "name",
    ["all", "any", "none", "not", "use", "field", "item", '"a.b"', '"a b"', '"a[0]"', '"a|b"', '"{"', '""'],
)
def test_a_field_name_that_means_something_else_in_a_rule_is_refused(tmp_path: Path, name: str) -> None:
    text = f"{HEAD}properties: {{{name}: {{type: string, title: 甲}}, id: {{type: string, title: 编号}}}}\nexamples: [{{}}]\n"
    found, items = vocabulary(tmp_path, {"thing.yaml": text})
    assert ["SG0310"] == [item.code for item in items]
    assert ("id",) == found.facts["thing"].type.names()


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("required: id", "SG0316", "required 应是字段名的列表"),
        ("required: [idd]", "SG0316", "required 里的 'idd' 不是这里的字段"),
        ("required: [{}]", "SG0316", "required 里的 '' 不是这里的字段"),
        ("x-actions: [ship]", "SG0304", "x-actions 应写成 名称: {title: 中文名}"),
        ("x-events: {shipped: 已发货}", "SG0304", "x-events 应写成 名称: {title: 中文名}"),
        ("examples: []", "SG0313", "examples 需要一个非空列表"),
        ("examples: {id: a}", "SG0313", "examples 需要一个非空列表"),
        ("examples: [a]", "SG0314", "例子应是一组字段"),
        ("examples: [{id: 5}]", "SG0314", "例子不合自己的定义：id 应是文字，这里是 5"),
        ("examples: [{ID: a}]", "SG0314", "例子不合自己的定义：ID 没有这个字段"),
    ],
)
def test_a_mistake_at_the_root_is_named(tmp_path: Path, line: str, code: str, message: str) -> None:
    text = (
        "\n".join(kept for kept in GOOD.splitlines() if not line.startswith(kept.partition(":")[0]))
        + f"\n{line}\n"
    )
    found, items = vocabulary(tmp_path, {"thing.yaml": text})
    assert [(code, message)] == [(item.code, item.message) for item in items]
    assert isinstance(found.facts["thing"].example, dict)


def test_a_root_that_is_no_record_is_named_and_the_fact_has_no_fields(tmp_path: Path) -> None:
    text = "type: array\ntitle: 物\nitems: {type: string}\nexamples: [{}]\n"
    found, items = vocabulary(tmp_path, {"thing.yaml": text})
    assert ("SG0312", "facts/thing.yaml:1:1", "thing.yaml 应是一组字段") == told(items)[0]
    assert () == found.facts["thing"].type.names()


@pytest.mark.parametrize("text", ["[]", "x", "5"])
def test_a_file_that_is_no_mapping_is_named(tmp_path: Path, text: str) -> None:
    found, items = vocabulary(tmp_path, {"thing.yaml": text})
    assert [("SG0302", "facts/thing.yaml:1:1", "词汇表文件应是键值表（JSON Schema）")] == told(items)
    assert {} == found.facts


def test_a_folder_without_files_and_a_folder_that_is_a_file_are_named(tmp_path: Path) -> None:
    assert [("SG0301", "facts:1:1", "没有词汇表：facts 里没有 *.yaml")] == told(vocabulary(tmp_path, {})[1])
    (tmp_path / "thing.yaml").mkdir()
    assert ["SG0101"] == [item.code for item in vocabulary(tmp_path, {})[1]]
    diagnostics = Diagnostics()
    read_vocabulary(Path(__file__), "facts", diagnostics)
    assert ["SG0301"] == [item.code for item in diagnostics.items]


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        ("x-key: id", "x-key: idd", ["SG0303"]),
        ("x-key: id", "x-key: [id]", ["SG0303"]),
        ("    x-key: id\n", "", ["SG0303"]),
        ('examples: [{id: "1"}]', "examples: [{id: 1}]", ["SG0314"]),
        ('    examples: [{id: "1"}]\n', "", ["SG0313"]),
        (TABLES, "$defs: {brands: []}\n", ["SG0303", "SG0302"]),
        (TABLES, "$defs: [brands]\n", ["SG0319"]),
        (TABLES, "title: 没有表\n", ["SG0319"]),
    ],
)
def test_a_mistake_in_a_table_is_named(tmp_path: Path, old: str, new: str, codes: list[str]) -> None:
    _, items = vocabulary(tmp_path, {"thing.yaml": GOOD, "tables.yaml": TABLES.replace(old, new)})
    assert codes == [item.code for item in items]


def test_two_files_that_refer_to_each_other_are_a_circle_once_named(tmp_path: Path) -> None:
    def thing(other: str) -> str:
        return f"{HEAD}properties: {{o: {{$ref: {other}.yaml, title: 另一个}}}}\nexamples: [{{}}]\n"

    _, items = vocabulary(tmp_path, {"one.yaml": thing("two"), "two.yaml": thing("one")})
    assert [("SG0305", "facts/two.yaml:4:24", "引用 one.yaml 成环")] == told(items)


def test_a_reference_takes_the_title_written_beside_it(tmp_path: Path) -> None:
    text = GOOD.replace(
        "examples",
        "  next: {$ref: '#/$defs/n', title: 下一个}\n  last: {$ref: '#/$defs/n'}\n$defs: {n: {type: integer, title: 数}}\nexamples",
    )
    found, items = vocabulary(tmp_path, {"thing.yaml": text})
    assert [] == items
    assert [FieldType("integer", "下一个"), FieldType("integer", "数")] == [
        found.facts["thing"].type.field(name) for name in ("next", "last")
    ]


def test_the_shipped_vocabulary_is_right_and_its_files_are_schemas_of_2020_12() -> None:
    diagnostics = Diagnostics()
    found, _ = read_vocabulary(ROOT / "rules" / "facts", "rules/facts", diagnostics)
    assert [] == diagnostics.items
    for name, schema in found.schemas.items():
        Draft202012Validator.check_schema(schema)
        assert "https://json-schema.org/draft/2020-12/schema" == schema["$schema"], name


WORDS = st.sampled_from(
    [
        "type",
        "title",
        "properties",
        "items",
        "$ref",
        "$defs",
        "enum",
        "required",
        "examples",
        "minimum",
        "x-key",
        "id",
    ]
)
LEAVES = (
    st.sampled_from(["object", "array", "string", "integer", "thing.yaml", "#", "#/$defs/id", "brands", "id"])
    | st.none()
    | st.booleans()
    | st.integers()
)
TREES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)


@given(TREES, TREES)
def test_nothing_that_yaml_can_say_ends_in_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, thing: Any, tables: Any
) -> None:
    import json

    folder = tmp_path_factory.mktemp("facts")
    found, items = vocabulary(folder, {"thing.yaml": json.dumps(thing), "tables.yaml": json.dumps(tables)})
    assert items or found.facts


def test_plain_data_forgets_places_only() -> None:
    node = read(Source("r.yaml", "{a: [1, true, null, x], b: {c: 0.5}}"), Diagnostics())
    assert node is not None
    assert {"a": [1, True, None, "x"], "b": {"c": 0.5}} == plain_data(node)
