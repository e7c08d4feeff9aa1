"""Read the waivers of a channel: which facts may pass which rule, until when, and who answers for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.diagnostics import Diagnostics
from engine.read import Mapping as MappingNode
from engine.read import Node, Sequence
from engine.rule_reader import Reader
from engine.rules import Ruleset, Waiver
from engine.schemas import plain_data
from engine.suggest import did_you_mean
from engine.vocabulary import Vocabulary

_KEYS = ("rule", "when", "owner", "reason", "until")


def read_waivers(
    root: Node, rulesets: Mapping[str, Ruleset], vocabulary: Vocabulary, diagnostics: Diagnostics
) -> dict[str, tuple[tuple[Waiver, ...], Any]]:
    """Read a file of waivers.

    Args:
        root: The file's root node.
        rulesets: The channel's rulesets by family; each waiver names a rule of one.
        vocabulary: The facts and tables there are.
        diagnostics: Takes what is wrong.

    Returns:
        For each family that has any: its waivers in order, and their content as plain data for the version hash.
    """
    items = root.get("waivers") if isinstance(root, MappingNode) else None
    if not isinstance(items, Sequence):
        diagnostics.report(
            "SG0230", "豁免文件应写成 waivers: [ … ]", root.span, hint="没有豁免时写 waivers: []"
        )
        return {}
    found: dict[str, list[Waiver]] = {}
    content: dict[str, list[Any]] = {}
    for item in items.items:
        waiver = _waiver(item, rulesets, vocabulary, diagnostics)
        if waiver is not None:
            family = waiver.rule.partition("/")[0]
            found.setdefault(family, []).append(waiver)
            content.setdefault(family, []).append(plain_data(item))
    return {family: (tuple(waivers), content[family]) for family, waivers in found.items()}


def _waiver(
    item: Node, rulesets: Mapping[str, Ruleset], vocabulary: Vocabulary, diagnostics: Diagnostics
) -> Waiver | None:
    rules = [
        f"{family}/{rule.common.id}"
        for family, ruleset in rulesets.items()
        for rule in ruleset.rules
        if ruleset.kind == "eligibility"
    ]
    rule_node = item.get("rule") if isinstance(item, MappingNode) else None
    name = plain_data(rule_node) if rule_node is not None else ""
    if name not in rules:
        place = rule_node or item
        diagnostics.report(
            "SG0231",
            f"没有可以豁免的规则 {name!r}（kind: eligibility）",
            place.span,
            hint=did_you_mean(str(name), rules),
        )
        return None
    ruleset = rulesets[str(name).partition("/")[0]]
    reader = Reader(vocabulary, ruleset.fact, {}, diagnostics)
    node = reader.mapping(item, _KEYS, "豁免")
    if node is None:
        return None
    when = reader.condition(reader.needed(node, "when", "豁免", 'when: {product.id: "1001"}'))
    owner = reader.text(reader.needed(node, "owner", "豁免", "owner: 张三"), "owner")
    reason = reader.text(reader.needed(node, "reason", "豁免", "reason: 平台已特批"), "reason")
    last_day = reader.day(reader.needed(node, "until", "豁免", "until: 2026-12-31"))
    if when is None or last_day is None or not owner or not reason:
        return None
    return Waiver(str(name), when, owner, reason, last_day, item.span)
