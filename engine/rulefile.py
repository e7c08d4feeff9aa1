"""Read one rule file into the rule model, collecting everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.diagnostics import Diagnostics
from engine.read import Mapping, Node, Scalar, Sequence
from engine.rule_reader import COMMON_KEYS, Reader
from engine.rules import Flow, Rule, RulesetKind
from engine.schemas import plain_data
from engine.source import Span
from engine.suggest import did_you_mean
from engine.vocabulary import Fact, Vocabulary

FILE_KEYS = ("kind", "fact", "title", "definitions", "rules", "flows")


@dataclass(frozen=True, slots=True)
class RuleFile:
    """Hold what one file says.

    Attributes:
        kind: The kind of ruleset.
        fact: The fact it is about.
        rules: The rules in order.
        flows: The flows in order.
        content: The file as plain data, without examples; what the version hash is made of.
    """

    kind: RulesetKind
    fact: Fact
    rules: tuple[Rule, ...]
    flows: tuple[Flow, ...]
    content: Any


def read_rule_file(root: Node, vocabulary: Vocabulary, diagnostics: Diagnostics) -> RuleFile | None:
    """Read a rule file's nodes into the rule model.

    Args:
        root: The file's root node.
        vocabulary: The facts and tables there are.
        diagnostics: Takes what is wrong.

    Returns:
        What the file says, without the rules that have mistakes; None where not even its kind and fact are known.
    """
    from engine.kinds import KINDS, read_flows

    words = tuple(KINDS)
    if not isinstance(root, Mapping):
        diagnostics.report("SG0201", "规则文件应是键值表", root.span, hint="以 kind: eligibility 开头")
        return None
    kind = _word(root, "kind", words, diagnostics)
    fact = _word(root, "fact", tuple(vocabulary.facts), diagnostics)
    if not kind or not fact:
        return None
    definitions = root.get("definitions")
    if definitions is not None and not isinstance(definitions, Mapping):
        diagnostics.report(
            "SG0201",
            "definitions 应写成 名称: 条件",
            definitions.span,
            hint="例如 from-huiju: {channel: huiju}",
        )
    named = (
        {key.text: value for key, value in definitions.entries} if isinstance(definitions, Mapping) else {}
    )
    reader = Reader(vocabulary, vocabulary.facts[fact], named, diagnostics)
    reader.mapping(root, FILE_KEYS, "规则文件")
    for name, node in named.items():
        reader.builder.use(Scalar(name, name, node.span))
    rules_node = root.get("rules")
    if not isinstance(rules_node, Sequence) or not rules_node.items:
        reader.report("SG0211", "rules 需要一个非空的规则列表", rules_node or root, "例如 rules: [{id: …}]")
        rules_node = Sequence((), root.span)
    keys, read_rule = KINDS[next(known for known in KINDS if known == kind)]
    taken: dict[str, Span] = {}
    rules: list[Rule] = []
    for item in rules_node.items:
        before = len(diagnostics.items)
        found = reader.mapping(item, COMMON_KEYS + keys, "规则")
        rule = read_rule(reader, found, taken) if found is not None else None
        if rule is not None and not any(found.severity == "error" for found in diagnostics.items[before:]):
            rules.append(rule)
    flows = read_flows(reader, root.get("flows"), taken) if root.get("flows") is not None else ()
    return RuleFile(
        next(known for known in KINDS if known == kind), reader.fact, tuple(rules), flows, _content(root)
    )


def _word(root: Mapping, key: str, words: tuple[str, ...], diagnostics: Diagnostics) -> str:
    node = root.get(key)
    if isinstance(node, Scalar) and node.text in words:
        return node.text
    found = node.text if isinstance(node, Scalar) else ""
    message = f"{key} {found!r} 不认识" if node is not None else f"规则文件缺少 {key}"
    place = node.span if node is not None else root.span
    diagnostics.report("SG0212", message, Span(place.file, place.start_line, place.start_col, place.start_line, place.end_col),
                       hint=did_you_mean(found, words))  # fmt: skip
    return ""


def _content(root: Mapping) -> Any:
    """Give what the version is made of: in the file, and in each rule, the order of the keys means nothing; within them it may."""
    data = {key.text: plain_data(value) for key, value in root.entries}
    for part in ("rules", "flows", "definitions"):
        found = data.get(part)
        if isinstance(found, list):
            data[part] = [_rule(item) for item in found]
        elif isinstance(found, dict):
            data[part] = {name: in_order(value) for name, value in found.items()}
    return data


def _rule(rule: Any) -> Any:
    if not isinstance(rule, dict):
        return rule
    return {key: in_order(value) for key, value in rule.items() if key != "examples"}


def in_order(data: Any) -> Any:
    """Turn mappings into lists of pairs, so that the order of their keys counts.

    The order of conditions is the order of the evidence; that of `x-events` decides between events of one moment, that of `x-actions` is
    the order of the answer: two files that differ in it do not answer with the same bytes.

    Examples:
        >>> in_order({"b": [{"a": 1}], "a": 2})
        [['b', [[['a', 1]]]], ['a', 2]]
    """
    if isinstance(data, dict):
        return [[key, in_order(value)] for key, value in data.items()]
    return [in_order(item) for item in data] if isinstance(data, list) else data
