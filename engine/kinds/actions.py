"""Kind actions: which actions of a fact are restricted, and which of its fields are masked or hidden."""

from __future__ import annotations

from engine.plan import Ref
from engine.read import Mapping, Node, Scalar, Sequence
from engine.rule_reader import Reader
from engine.rules import ActionRule, Effect, Instead, Message
from engine.source import Span
from engine.suggest import did_you_mean

KEYS = ("restrict", "effect", "because", "instead", "until", "mask", "hide")
_EFFECTS: dict[str, Effect] = {"disable": "disable", "hide": "hide"}


def read_rule(reader: Reader, node: Mapping, taken: dict[str, Span]) -> ActionRule | None:
    """Read one rule.

    Args:
        reader: Reads the common parts and takes what is wrong.
        node: The rule.
        taken: Ids already used, with their places.

    Returns:
        The rule, or None where it has a mistake.
    """
    common = reader.common(node, taken)
    restrict = tuple(_action(reader, item) for item in reader.texts(node.get("restrict"), "restrict"))
    mask, hide = _mask(reader, node.get("mask")), _hide(reader, node.get("hide"))
    if not (node.get("restrict") or node.get("mask") or node.get("hide")):
        reader.report(
            "SG0214", "规则至少写一项：restrict、mask 或 hide", node.entries[0][0], "例如 restrict: [refund]"
        )
        return None
    because_node = node.get("because")
    if restrict:
        because_node = reader.needed(node, "because", "规则", "because: 惠聚订单不支持主动退款")
    because = reader.message(because_node, "because")
    effect = _EFFECTS[reader.choice(node.get("effect"), tuple(_EFFECTS), "effect")]
    instead = tuple(
        found for item in _items(reader, node.get("instead")) if (found := _instead(reader, item)) is not None
    )
    until = reader.message(node.get("until"), "until")
    if common is None or "" in restrict:
        return None
    return ActionRule(common, restrict, effect, because, instead, until, mask, hide)


def _action(reader: Reader, item: Scalar) -> str:
    names = reader.fact.action_names()
    if item.text in names:
        return item.text
    reader.report(
        "SG0215", f"{reader.fact.name} 没有动作 {item.text!r}", item, did_you_mean(item.text, names)
    )
    return ""


def _items(reader: Reader, node: Node | None) -> tuple[Node, ...]:
    if node is None:
        return ()
    if isinstance(node, Sequence):
        return node.items
    reader.report(
        "SG0206", "instead 应是列表", node, "例如 instead: [{action: ship, effect: 发货后退款申请自动关闭}]"
    )
    return ()


def _instead(reader: Reader, item: Node) -> Instead | None:
    found = reader.mapping(item, ("action", "effect"), "instead ")
    if found is None:
        return None
    action = reader.needed(found, "action", "instead ", "action: ship")
    effect = reader.message(
        reader.needed(found, "effect", "instead ", "effect: 发货后退款申请自动关闭"), "effect"
    )
    if action is None or effect == Message():
        return None
    if not isinstance(action, Scalar):
        reader.report("SG0215", "action 应是一个动作名", action, "例如 action: ship")
        return None
    known = {name for fact in reader.builder.vocabulary.facts.values() for name in fact.action_names()}
    if action.text not in known:
        reader.report("SG0215", f"没有动作 {action.text!r}", action, did_you_mean(action.text, sorted(known)))
        return None
    return Instead(action.text, effect)


def _mask(reader: Reader, node: Node | None) -> tuple[tuple[Ref, str], ...]:
    if node is None:
        return ()
    if not isinstance(node, Mapping):
        reader.report("SG0201", "mask 应写成 路径: 显示的文字", node, "例如 mask: {buyer.name: 匿名用户}")
        return ()
    masks: list[tuple[Ref, str]] = []
    for key, value in node.entries:
        found = reader.builder.path(key, 0)
        shown = reader.text(value, "mask 的显示文字")
        if found is None:
            continue
        kind = found[1].element.kind if found[0].through is not None and found[1].element else found[1].kind
        if kind != "text":
            reader.report(
                "SG0216", f"mask 用在文字字段上，{key.text} 是{found[1].describe()}", key, "用 hide 整个去掉"
            )
            continue
        masks.append((found[0], shown))
    return tuple(masks)


def _hide(reader: Reader, node: Node | None) -> tuple[Ref, ...]:
    found = [reader.builder.path(item, 0) for item in reader.texts(node, "hide")]
    return tuple(item[0] for item in found if item is not None)
