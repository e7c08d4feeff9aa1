"""`in_table`: 在基础数据中."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.operators._operator import Argument, Operator, Subject
from engine.plan import Condition, InTable
from engine.read import Node, Scalar
from engine.suggest import did_you_mean
from engine.vocabulary import SCALARS, FieldType

if TYPE_CHECKING:
    from engine.conditions import Builder

_KEYS = ("name", "column", "where")


def _lower(builder: Builder, operator: Operator, subject: Subject, node: Node) -> Condition | None:
    found = builder.table(node, _KEYS, f"例如 {operator.example}")
    if found is None:
        return None
    table, options = found
    column_node = options.get("column") if options else None
    column = column_node.text if isinstance(column_node, Scalar) else table.key
    type_ = table.row.field(column)
    if type_ is None:
        builder.report(
            "SG0420",
            f"表 {table.name} 没有列 {column}",
            column_node or node,
            hint=did_you_mean(column, table.row.names()),
        )
        return None
    if type_.kind != subject.type.kind:
        what = f"{subject.ref.path or '元素'} 是{subject.type.describe()}，表 {table.name} 的列 {column} 是{type_.describe()}"
        builder.report("SG0408", f"类型不同：{what}", column_node or node)
        return None
    where_node = options.get("where") if options else None
    where = None
    if where_node is not None:
        where = builder.within(table.row).condition(where_node)
        if where is None:
            return None
    return InTable(subject.ref, table.name, column, len(builder.scopes), where, table.row.title)


def _schema(_: FieldType) -> dict[str, Any]:
    options = {
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {
            "name": {"$ref": "#/$defs/table"},
            "column": {"type": "string"},
            "where": {"type": "object"},
        },
    }
    return {"anyOf": [{"$ref": "#/$defs/table"}, options]}


OPERATOR = Operator(
    id="in_table",
    title="在基础数据中",
    summary="基础数据表里有这个值；where 限定哪些行算数。",
    subjects=SCALARS,
    argument=Argument(_lower, _schema),
    example="in_table: {name: categories, where: {level: 3}}",
    passes=("501", "categories", [{"id": "501"}]),
    fails=("502", "categories", [{"id": "501"}]),
)
