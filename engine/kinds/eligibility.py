"""Kind eligibility: what must hold for a fact to be accepted."""

from __future__ import annotations

from engine.plan import negate
from engine.read import Mapping
from engine.rule_reader import Reader
from engine.rules import EligibilityRule
from engine.source import Span

KEYS = ("require", "forbid", "otherwise", "preempts")


def read_rule(reader: Reader, node: Mapping, taken: dict[str, Span]) -> EligibilityRule | None:
    """Read one rule; `forbid` is the opposite of `require`.

    Args:
        reader: Reads the common parts and takes what is wrong.
        node: The rule.
        taken: Ids already used, with their places.

    Returns:
        The rule, or None where it has a mistake.
    """
    common = reader.common(node, taken)
    required, forbidden = node.get("require"), node.get("forbid")
    if (required is None) == (forbidden is None):
        place = node.key("forbid") or node.entries[0][0]
        reader.report(
            "SG0213",
            "规则写且只写一项：require 或 forbid",
            place,
            "例如 require: {product.is_virtual: false}",
        )
        return None
    condition = reader.condition(required if required is not None else forbidden)
    otherwise_node = reader.needed(node, "otherwise", "规则", "otherwise: 不支持虚拟商品")
    otherwise = reader.message(otherwise_node, "otherwise")
    preempts = tuple(code.text for code in reader.texts(node.get("preempts"), "preempts"))
    if common is None or condition is None:
        return None
    return EligibilityRule(
        common, condition if required is not None else negate(condition), otherwise, preempts
    )
