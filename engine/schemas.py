"""Read the vocabulary from its schema files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.diagnostics import Diagnostics
from engine.read import Mapping as MappingNode
from engine.read import Node, Scalar, Sequence, read_file
from engine.source import Source, Span
from engine.suggest import did_you_mean
from engine.vocabulary import RESERVED, Fact, FieldType, Kind, Table, Vocabulary

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
        actions = tuple(
            (key, str(data.get("title", key)), str(data.get("title_en", key)))
            for key, data in self.entries(root, "x-actions")
        )
        events = tuple((key, str(data.get("title", key))) for key, data in self.entries(root, "x-events"))
        return Fact(Path(name).stem, type_, actions, events, self.examples(root, [None])[0])

    def tables(self) -> dict[str, Table]:
        root = self.roots.get(TABLES_FILE)
        definitions = root.get("$defs") if root is not None else None
        if not isinstance(definitions, MappingNode):
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
            tables[name.text] = Table(name.text, key_name, row, tuple(self.examples(node, [])))
        return tables

    def examples(self, node: Node, default: list[Any]) -> list[Any]:
        found = node.get("examples") if isinstance(node, MappingNode) else None
        return plain_data(found) if isinstance(found, Sequence) and found.items else default

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
        if isinstance(ref, Scalar):
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
        low, high = _BOUNDS.get(kind, ("", ""))
        element_node = node.get("items")
        if kind == "list" and element_node is None:
            self.diagnostics.report("SG0308", f"列表 {where} 缺少 items", node.span)
            element_node = MappingNode((), node.span)
        return FieldType(
            kind,
            title,
            self.text(node, "x-unit"),
            choices=self.choices(node),
            fields=self.fields(node, file, where) if kind == "record" else (),
            required=tuple(_texts(node.get("required"))),
            element=self.type(element_node, file, f"{where}[]") if element_node is not None else None,
            minimum=_number(node.get(low)),
            maximum=_number(node.get(high)),
        )

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
            return ()
        fields: list[tuple[str, FieldType]] = []
        for key, value in properties.entries:
            if key.text in RESERVED or "." in key.text:
                self.diagnostics.report("SG0310", f"字段名 {key.text} 是规则语言的保留字", key.span)
                continue
            inner = self.type(value, file, f"{where}.{key.text}".lstrip("."))
            if not inner.title:
                self.diagnostics.report("SG0311", f"字段 {key.text} 缺少中文 title", key.span)
            fields.append((key.text, inner))
        return tuple(fields)

    def choices(self, node: MappingNode) -> tuple[tuple[str, str], ...]:
        titles = node.get("x-enum-titles")
        named = plain_data(titles) if isinstance(titles, MappingNode) else {}
        return tuple((value, str(named.get(value, value))) for value in _texts(node.get("enum")))

    def text(self, node: MappingNode, key: str) -> str:
        found = node.get(key)
        return found.text if isinstance(found, Scalar) else ""


def _texts(node: Node | None) -> list[str]:
    return (
        [item.text for item in node.items if isinstance(item, Scalar)] if isinstance(node, Sequence) else []
    )


def _number(node: Node | None) -> float | None:
    value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
