"""Read the vocabulary from its schema files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.diagnostics import Diagnostics
from engine.facts import admit
from engine.read import Mapping as MappingNode
from engine.read import Node, Scalar, Sequence, read_file
from engine.source import Source, Span
from engine.suggest import did_you_mean
from engine.vocabulary import KIND_TITLES, RESERVED, Fact, FieldType, Kind, Table, Vocabulary

TABLES_FILE = "tables.yaml"

_KINDS: Mapping[tuple[str, str], Kind] = {
    ("string", ""): "text",
    ("string", "date"): "date",
    ("string", "date-time"): "datetime",
    ("integer", ""): "integer",
    ("number", ""): "number",
    ("boolean", ""): "boolean",
    ("object", ""): "record",
    ("array", ""): "list",
}
_BOUNDS = {
    "text": ("minLength", "maxLength"),
    "integer": ("minimum", "maximum"),
    "number": ("minimum", "maximum"),
    "list": ("minItems", "maxItems"),
}
_NOTES = frozenset({"$schema", "$id", "title", "description", "examples", "$comment", "$defs", "default"})
_KNOWN = _NOTES | {
    "type",
    "format",
    "enum",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "$ref",
}
_BESIDE_REF = frozenset({"$ref", "title", "description", "$comment"})
_EVERY_BOUND = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
_NO_NAME = re.compile(r"[.|{}\[\]\s]")
"""Characters that mean something in a path, in the place of a finding or in a message."""


def plain_data(node: Node) -> Any:
    """Turn nodes into plain data.

    Args:
        node: What was read.

    Returns:
        Dicts, lists and scalars, without places.
    """
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain_data(item) for item in node.items]
    return {key.text: plain_data(value) for key, value in node.entries}


def read_vocabulary(
    folder: Path, shown: str, diagnostics: Diagnostics
) -> tuple[Vocabulary, dict[str, Source]]:
    """Read every schema file of a folder.

    Args:
        folder: Where the files are, `rules/facts`.
        shown: How the folder is called in places.
        diagnostics: Takes what is wrong.

    Returns:
        The vocabulary, without the facts whose file is broken, and the sources by file.
    """
    sources: dict[str, Source] = {}
    roots: dict[str, MappingNode] = {}
    paths = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    if not paths:
        diagnostics.report("SG0301", f"没有词汇表：{shown} 里没有 *.yaml", Span(shown, 1, 1, 1, 1))
    for path in paths:
        file = f"{shown}/{path.name}"
        source, root = read_file(path, file, diagnostics)
        sources[file] = source
        if isinstance(root, MappingNode):
            roots[path.name] = root
        elif root is not None:
            diagnostics.report("SG0302", "词汇表文件应是键值表（JSON Schema）", root.span)
    reader = _Reader(roots, diagnostics)
    facts = {Path(name).stem: reader.fact(name) for name in roots if name != TABLES_FILE}
    schemas = {name: plain_data(root) for name, root in roots.items()}
    return Vocabulary(facts, reader.tables(), schemas), sources


class _Reader:
    """Read types from the schema files, each reference once."""

    def __init__(self, roots: dict[str, MappingNode], diagnostics: Diagnostics) -> None:
        self.roots = roots
        self.diagnostics = diagnostics
        self.done: dict[str, FieldType] = {}
        self.open: list[str] = []

    def fact(self, name: str) -> Fact:
        root = self.roots[name]
        type_ = self.reference(name, name, root.span)
        if type_.kind != "record":
            self.diagnostics.report("SG0312", f"{name} 应是一组字段", root.span, hint="写成 type: object")
            type_ = FieldType("record", type_.title)
        actions = tuple(
            (key, str(data.get("title", key)), str(data.get("title_en", key)))
            for key, data in self.entries(root, "x-actions")
        )
        events = tuple((key, str(data.get("title", key))) for key, data in self.entries(root, "x-events"))
        return Fact(Path(name).stem, type_, actions, events, next(iter(self.examples(root, type_)), {}))

    def tables(self) -> dict[str, Table]:
        root = self.roots.get(TABLES_FILE)
        definitions = root.get("$defs") if root is not None else None
        if not isinstance(definitions, MappingNode):
            if root is not None:
                place = root.span if definitions is None else definitions.span
                self.diagnostics.report(
                    "SG0319", "表应写在 $defs 下", place, hint="例如 $defs: {brands: {…}}"
                )
            return {}
        tables: dict[str, Table] = {}
        for name, node in definitions.entries:
            row = self.reference(f"{TABLES_FILE}#/$defs/{name.text}", TABLES_FILE, name.span)
            key = node.get("x-key") if isinstance(node, MappingNode) else None
            key_name = key.text if isinstance(key, Scalar) else ""
            if row.field(key_name) is None:
                hint = did_you_mean(key_name, row.names())
                self.diagnostics.report(
                    "SG0303", f"表 {name.text} 的 x-key 应是它的一列", name.span, hint=hint
                )
                continue
            tables[name.text] = Table(name.text, key_name, row, tuple(self.examples(node, row)))
        return tables

    def examples(self, node: Node, type_: FieldType) -> list[Any]:
        """Read the examples, of which each must be valid: rules are tried on them."""
        found = node.get("examples") if isinstance(node, MappingNode) else None
        if not isinstance(found, Sequence) or not found.items:
            place = node.span if found is None else found.span
            self.diagnostics.report(
                "SG0313", "examples 需要一个非空列表", place, hint='例如 examples: [{id: "1"}]'
            )
            return []
        for item in found.items:
            for problem in admit(type_, plain_data(item))[1] if isinstance(item, MappingNode) else ():
                message = f"例子不合自己的定义：{problem.path} {problem.message}"
                self.diagnostics.report("SG0314", message, item.span, hint=problem.hint)
            if not isinstance(item, MappingNode):
                self.diagnostics.report("SG0314", "例子应是一组字段", item.span)
        return [plain_data(item) for item in found.items if isinstance(item, MappingNode)]

    def entries(self, root: MappingNode, key: str) -> list[tuple[str, dict[str, Any]]]:
        node = root.get(key)
        if node is None:
            return []
        data = plain_data(node)
        if not isinstance(data, dict) or not all(isinstance(item, dict) for item in data.values()):
            self.diagnostics.report("SG0304", f"{key} 应写成 名称: {{title: 中文名}}", node.span)
            return []
        return list(data.items())

    def reference(self, target: str, file: str, span: Span) -> FieldType:
        """Read what a `$ref` names: a file, `#/$defs/x` in the same file, or both together."""
        name, _, pointer = target.partition("#")
        name = name or file
        key = f"{name}#{pointer}"
        if key in self.done:
            return self.done[key]
        node: Node | None = self.roots.get(name)
        for step in [step for step in pointer.split("/") if step]:
            node = node.get(step) if isinstance(node, MappingNode) else None
        if node is None or key in self.open:
            why = "成环" if node is not None else "找不到"
            self.diagnostics.report(
                "SG0305", f"引用 {target} {why}", span, hint=did_you_mean(name, self.roots)
            )
            return FieldType("record")
        self.open.append(key)
        self.done[key] = self.type(node, name, "")
        self.open.pop()
        return self.done[key]

    def type(self, node: Node, file: str, where: str) -> FieldType:
        if not isinstance(node, MappingNode):
            self.diagnostics.report(
                "SG0302", "字段定义应是键值表，例如 {type: string, title: 名称}", node.span
            )
            return FieldType("record")
        for key, _ in node.entries:
            if key.text not in _KNOWN and not key.text.startswith("x-"):
                self.diagnostics.report(
                    "SG0306",
                    f"不支持 JSON Schema 关键字 {key.text}",
                    key.span,
                    hint=did_you_mean(key.text, _KNOWN),
                )
        ref = node.get("$ref")
        title = self.text(node, "title")
        if ref is not None and not isinstance(ref, Scalar):
            self.diagnostics.report("SG0305", "$ref 应是一个引用", ref.span, hint="例如 $ref: shop.yaml")
            return FieldType("record", title)
        if isinstance(ref, Scalar):
            for key, _ in node.entries:
                if key.text in _KNOWN and key.text not in _BESIDE_REF:
                    message = f"{key.text} 写在 $ref 旁边不起作用"
                    self.diagnostics.report("SG0306", message, key.span, hint="写到被引用的定义里")
            found = self.reference(ref.text, file, ref.span)
            return replace(found, title=title) if title else found
        kind = _KINDS.get((self.text(node, "type"), self.text(node, "format")))
        if kind is None:
            place = node.get("type") or node
            self.diagnostics.report(
                "SG0307",
                f"字段 {where or file} 的 type/format 不认识",
                place.span,
                hint="可用：string、string+date、string+date-time、integer、number、boolean、object、array",
            )
            return FieldType("record", title)
        return self.of_kind(kind, node, file, where, title)

    def of_kind(self, kind: Kind, node: MappingNode, file: str, where: str, title: str) -> FieldType:
        element_node = node.get("items")
        if kind == "list" and element_node is None:
            self.diagnostics.report("SG0308", f"列表 {where} 缺少 items", node.span)
        fields = self.fields(node, file, where) if kind == "record" else ()
        low, high = self.bounds(kind, node)
        return FieldType(
            kind,
            title,
            self.text(node, "x-unit"),
            choices=self.choices(kind, node),
            fields=fields,
            required=self.required(node, dict(fields)),
            element=self.element(kind, element_node, file, where),
            minimum=low,
            maximum=high,
        )

    def element(self, kind: Kind, node: Node | None, file: str, where: str) -> FieldType | None:
        """Read the type of a list's elements; every list has one, if only a record without fields."""
        if node is None:
            return FieldType("record") if kind == "list" else None
        return self.type(node, file, f"{where}[]")

    def bounds(self, kind: Kind, node: MappingNode) -> tuple[float | None, float | None]:
        """Read the bounds that the kind has; any other would be ignored."""
        fitting = _BOUNDS.get(kind, ("", ""))
        found: dict[str, float] = {}
        for key in _EVERY_BOUND:
            bound = node.get(key)
            if bound is None:
                continue
            value = bound.value if isinstance(bound, Scalar) else None
            if key not in fitting:
                message = f"{key} 不适用于{KIND_TITLES[kind]}"
            elif isinstance(value, bool) or not isinstance(value, int | float):
                message = f"{key} 应是数字"
            else:
                found[key] = value
                continue
            self.diagnostics.report("SG0315", message, bound.span)
        low, high = (found.get(key) for key in fitting)
        if low is not None and high is not None and low > high:
            self.diagnostics.report(
                "SG0315", f"{fitting[0]} {low:g} 大于 {fitting[1]} {high:g}", node.span, hint="对调"
            )
        return low, high

    def required(self, node: MappingNode, fields: Mapping[str, FieldType]) -> tuple[str, ...]:
        """Read the names of the fields that must be there."""
        found = node.get("required")
        items = found.items if isinstance(found, Sequence) else ()
        if found is not None and not isinstance(found, Sequence):
            self.diagnostics.report(
                "SG0316", "required 应是字段名的列表", found.span, hint="例如 required: [id]"
            )
        for item in items:
            if not isinstance(item, Scalar) or item.text not in fields:
                name = item.text if isinstance(item, Scalar) else ""
                message = f"required 里的 {name!r} 不是这里的字段"
                self.diagnostics.report("SG0316", message, item.span, hint=did_you_mean(name, fields))
        return tuple(item.text for item in items if isinstance(item, Scalar) and item.text in fields)

    def fields(self, node: MappingNode, file: str, where: str) -> tuple[tuple[str, FieldType], ...]:
        properties = node.get("properties")
        closed = node.get("additionalProperties")
        if not (isinstance(closed, Scalar) and closed.value is False):
            self.diagnostics.report(
                "SG0309",
                f"{where or file} 缺少 additionalProperties: false",
                node.span,
                hint="多余的字段要报出来",
            )
        if not isinstance(properties, MappingNode):
            place = node.span if properties is None else properties.span
            self.diagnostics.report(
                "SG0317", f"{where or file} 缺少 properties", place, hint="例如 properties: {id: {…}}"
            )
            return ()
        fields: list[tuple[str, FieldType]] = []
        for key, value in properties.entries:
            if key.text in RESERVED:
                self.diagnostics.report("SG0310", f"字段名 {key.text} 是规则语言的保留字", key.span)
                continue
            if not key.text or _NO_NAME.search(key.text):
                self.diagnostics.report(
                    "SG0310", f"字段名 {key.text!r} 里不能有空白与 . | {{ }} [ ]", key.span
                )
                continue
            inner = self.type(value, file, f"{where}.{key.text}".lstrip("."))
            if not inner.title:
                self.diagnostics.report("SG0311", f"字段 {key.text} 缺少中文 title", key.span)
            fields.append((key.text, inner))
        return tuple(fields)

    def choices(self, kind: Kind, node: MappingNode) -> tuple[tuple[str, str], ...]:
        """Read the enum values of a text and their titles."""
        found = node.get("enum")
        titles = node.get("x-enum-titles")
        named = plain_data(titles) if isinstance(titles, MappingNode) else {}
        values: list[str] = []
        if found is not None and (kind != "text" or not isinstance(found, Sequence) or not found.items):
            message = "enum 应是非空的文字列表，用在文字字段上"
            self.diagnostics.report("SG0318", message, found.span, hint="例如 enum: [normal, marked]")
        elif isinstance(found, Sequence):
            for item in found.items:
                value = item.value if isinstance(item, Scalar) else None
                if not isinstance(value, str) or value in values:
                    message = "enum 的值重复" if isinstance(value, str) else "enum 的值应是文字"
                    self.diagnostics.report("SG0318", message, item.span, hint="数字与 true、false 加引号")
                else:
                    values.append(value)
        if titles is not None and not isinstance(titles, MappingNode):
            message = "x-enum-titles 应写成 值: 中文名"
            self.diagnostics.report("SG0318", message, titles.span, hint="例如 {normal: 普通支付}")
        for key in named:
            if key not in values and titles is not None:
                message = f"x-enum-titles 里的 {key!r} 不是 enum 的值"
                self.diagnostics.report("SG0318", message, titles.span, hint=did_you_mean(key, values))
        return tuple((value, str(named.get(value, value))) for value in values)

    def text(self, node: MappingNode, key: str) -> str:
        found = node.get(key)
        return found.text if isinstance(found, Scalar) else ""
