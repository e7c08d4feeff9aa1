"""Kind mapping: how a fact's values become the channel's."""

from __future__ import annotations

from engine.conditions import Builder, same_type
from engine.plan import Operand, Ref
from engine.read import Mapping, Node, Scalar, Sequence, type_names
from engine.rule_reader import Reader
from engine.rules import Case, Lookup, MappingRule
from engine.source import Span
from engine.suggest import did_you_mean
from engine.vocabulary import SCALARS, FieldType, resolve

KEYS = ("map", "each", "key", "cases", "otherwise", "distinct")
_CASE_KEYS = ("when", "to", "confidence")
_LOOKUP_KEYS = ("name", "column", "where")


def read_rule(reader: Reader, node: Mapping, taken: dict[str, Span]) -> MappingRule | None:
    """Read one rule.

    Args:
        reader: Reads the common parts and takes what is wrong.
        node: The rule.
        taken: Ids already used, with their places.

    Returns:
        The rule, or None where it has a mistake.
    """
    common = reader.common(node, taken)
    target_node = reader.needed(node, "map", "规则", "map: row.category_id")
    target = _path(reader, target_node, "map")
    each_node = node.get("each")
    each = _path(reader, each_node, "each")
    if target is None or (each_node is not None and each is None):
        return None
    type_ = _target_type(reader, target_node, target, each)
    builder = reader.builder
    if each is not None:
        element = each[1].element
        assert element is not None
        builder = builder.within(element)
    cases = _cases(reader, builder, node, type_) if type_ is not None else None
    otherwise = reader.message(
        reader.needed(node, "otherwise", "规则", "otherwise: 没有对应的类目"), "otherwise", builder
    )
    key = _key(reader, node, target[0], each)
    distinct = reader.choice(node.get("distinct"), ("false", "true"), "distinct") == "true"
    if common is None or cases is None or key is None:
        return None
    return MappingRule(common, target[0], each[0] if each else None, key, cases, otherwise, distinct)


def _path(reader: Reader, node: Node | None, what: str) -> tuple[Ref, FieldType] | None:
    if isinstance(node, Scalar):
        return reader.builder.path(node, 0)
    if node is not None:
        reader.report(
            "SG0204", f"{what}应是一个路径，这里是{type_names[type(node)]}", node, "例如 map: row.category_id"
        )
    return None


def _target_type(
    reader: Reader, node: Node | None, target: tuple[Ref, FieldType], each: tuple[Ref, FieldType] | None
) -> FieldType | None:
    """Check that target and `each` fit: a field for one value, a field of a list's elements for each element."""
    ref, type_ = target
    assert node is not None
    if each is not None and (
        each[1].kind != "list" or each[1].element is None or each[1].element.kind != "record"
    ):
        reader.report("SG0217", f"each 需要一个由记录组成的列表，{each[0].path} 是{each[1].describe()}", node)
        return None
    if each is not None and ref.through is None:
        reader.report(
            "SG0217",
            f"有 each 时，map 应是列表元素的字段，{ref.path} 不是",
            node,
            "例如 map: row.specs.template_id",
        )
        return None
    inner = type_.element if each is not None else type_
    if inner is None or inner.kind not in SCALARS:
        reader.report("SG0217", f"map 应是一个值，{ref.path} 是{type_.describe()}", node)
        return None
    return inner


def _key(reader: Reader, rule: Mapping, target: Ref, each: tuple[Ref, FieldType] | None) -> str | None:
    node = rule.get("key")
    if each is None:
        if node is not None:
            reader.report("SG0218", "key 只与 each 一起写", node)
            return None
        return ""
    element = each[1].element
    assert element is not None
    name = node.text if isinstance(node, Scalar) else ""
    there = None
    if target.through is not None:
        owner = resolve(reader.fact.type, target.steps[: target.through]).type
        there = owner.element if owner is not None else None
    shared = [field for field in element.names() if there is not None and there.field(field) is not None]
    if name not in shared:
        message = "有 each 时需要 key：两个列表共有、用来对上元素的字段"
        reader.report("SG0218", message, node or rule.entries[0][0], did_you_mean(name, shared))
        return None
    return name


def _cases(reader: Reader, builder: Builder, node: Mapping, type_: FieldType) -> tuple[Case, ...] | None:
    found = reader.needed(node, "cases", "规则", "cases: [{when: {…}, to: …}]")
    if not isinstance(found, Sequence) or not found.items:
        if found is not None:
            reader.report("SG0206", "cases 应是非空列表", found, "例如 cases: [{when: {…}, to: …}]")
        return None
    cases = [_case(reader, builder, item, type_) for item in found.items]
    return None if any(case is None for case in cases) else tuple(case for case in cases if case is not None)


def _case(reader: Reader, builder: Builder, item: Node, type_: FieldType) -> Case | None:
    node = reader.mapping(item, _CASE_KEYS, "case ")
    to_node = reader.needed(node, "to", "case ", "to: 颜色") if node is not None else None
    if node is None or to_node is None:
        return None
    when_node = node.get("when")
    when = builder.condition(when_node) if when_node is not None else None
    to = _to(reader, builder, to_node, type_)
    confidence = _confidence(reader, node.get("confidence"))
    if to is None or confidence is None or (when_node is not None and when is None):
        return None
    return Case(when, to, confidence)


def _confidence(reader: Reader, node: Node | None) -> float | None:
    if node is None:
        return 1.0
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1:
        return float(value)
    reader.report("SG0219", "confidence 是 0 到 1 之间的数", node, "例如 confidence: 0.8")
    return None


def _to(reader: Reader, builder: Builder, node: Node, type_: FieldType) -> Operand | Lookup | None:
    lookup = node.get("lookup") if isinstance(node, Mapping) else None
    if lookup is None:
        return builder.operand(node, type_)
    found = builder.table(lookup, _LOOKUP_KEYS, "例如 lookup: {name: spec_templates, where: {name: 颜色}}")
    if found is None:
        return None
    table, options = found
    where_node = options.get("where") if options else None
    if where_node is None:
        reader.report("SG0220", "lookup 需要 where：用哪一行", lookup, "例如 where: {name: 颜色}")
        return None
    column_node = options.get("column") if options else None
    column = column_node.text if isinstance(column_node, Scalar) else table.key
    column_type = table.row.field(column)
    if column_type is None or not same_type(column_type, type_):
        hint = did_you_mean(column, table.row.names())
        reader.report("SG0420", f"表 {table.name} 没有可用的列 {column}", column_node or lookup, hint)
        return None
    where = builder.within(table.row).condition(where_node)
    return None if where is None else Lookup(table.name, column, len(builder.scopes), where, table.row.title)
