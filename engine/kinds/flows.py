"""Flows: what an event does to a fact; part of a file of kind actions."""

from __future__ import annotations

from engine.read import Mapping, Node, Scalar, Sequence
from engine.rule_reader import COMMON_KEYS, Reader
from engine.rules import Change, Flow
from engine.source import Span
from engine.suggest import did_you_mean
from engine.vocabulary import SCALARS

KEYS = (*(key for key in COMMON_KEYS if key not in {"severity", "fix", "examples"}), "on", "then")


def read_flows(reader: Reader, node: Node | None, taken: dict[str, Span]) -> tuple[Flow, ...]:
    """Read the flows of a file.

    Args:
        reader: Reads the common parts and takes what is wrong.
        node: The list under `flows`.
        taken: Ids already used, with their places; flows and rules share them.

    Returns:
        The flows in order, without those that have mistakes.
    """
    if not isinstance(node, Sequence) or not node.items:
        if node is not None:
            reader.report(
                "SG0206", "flows 应是非空列表", node, "例如 flows: [{id: …, on: order_shipped, then: {…}}]"
            )
        return ()
    flows = [
        _flow(reader, found, taken)
        for item in node.items
        if (found := reader.mapping(item, KEYS, "流程")) is not None
    ]
    return tuple(flow for flow in flows if flow is not None)


def _flow(reader: Reader, node: Mapping, taken: dict[str, Span]) -> Flow | None:
    before = len(reader.diagnostics.items)
    common = reader.common(node, taken)
    on = _trigger(reader, reader.needed(node, "on", "流程", "on: order_shipped"))
    then_node = reader.needed(node, "then", "流程", "then: {set: {status: closed}}")
    then = reader.mapping(then_node, ("set", "call"), "then ") if then_node is not None else None
    if common is None or then is None or not on:
        return None
    changes = _changes(reader, then.get("set"))
    call_node = then.get("call")
    call = reader.text(call_node, "call") if call_node is not None else ""
    if not changes and not call:
        reader.report(
            "SG0221", "then 至少写一项：set 或 call", then_node or node, "例如 then: {set: {status: closed}}"
        )
    if len({change.field.startswith("order.") for change in changes}) > 1:
        message = "一条流程改订单或改售后单，不能都改"
        reader.report("SG0224", message, then_node or node, "拆成两条流程")
    failed = any(found.severity == "error" for found in reader.diagnostics.items[before:])
    return None if failed else Flow(common, on, changes, call)


def _trigger(reader: Reader, node: Node | None) -> str:
    if node is None:
        return ""
    names = (*reader.fact.event_names(), *reader.fact.action_names())
    if isinstance(node, Scalar) and node.text in names:
        return node.text
    found = node.text if isinstance(node, Scalar) else ""
    reader.report("SG0222", f"{reader.fact.name} 没有事件或动作 {found!r}", node, did_you_mean(found, names))
    return ""


def _changes(reader: Reader, node: Node | None) -> tuple[Change, ...]:
    if node is None:
        return ()
    if not isinstance(node, Mapping):
        reader.report("SG0201", "set 应写成 字段: 值", node, "例如 set: {status: closed}")
        return ()
    changes: list[Change] = []
    for key, value in node.entries:
        found = reader.builder.path(key, 0)
        if found is None:
            continue
        ref, type_ = found
        if ref.through is not None or type_.kind not in SCALARS:
            reader.report("SG0223", f"set 用在单个值上，{ref.path} 是{type_.describe()}", key)
            continue
        constant = reader.builder.constant(value, type_)
        if constant is not None:
            changes.append(Change(ref.path, constant.value))
    return tuple(changes)
