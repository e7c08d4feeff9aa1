"""Change rules a little, in every way that a slip of the hand might: what `mutate_rules.py` puts to the examples and tests.

A rule file is taken as plain data. Each mutant differs from it in one place: a bound moved by one, a test turned round, a condition,
a choice, an action, a mask or a case left out. Titles, messages and examples are left alone.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from engine.operators import operators

Path = tuple[str | int, ...]
Edit = tuple[Path, Any, str]
"""Where, what is put there (`GONE` to leave it out), and how a person calls the change."""

GONE = object()
DAY = timedelta(days=1)
TURNED = {
    "at_least": "more_than",
    "more_than": "at_least",
    "at_most": "less_than",
    "less_than": "at_most",
    "every": "some",
    "some": "every",
    "none": "some",
}
CONNECTIVES = {"all": "any", "any": "all", "none": "any"}
SEVERITIES = {"error": "warning", "warning": "error", "notice": "error"}
LISTS = ("restrict", "hide", "instead")


@dataclass(frozen=True, slots=True)
class Mutant:
    """Hold a rule file that differs in one place.

    Attributes:
        part: definitions, rules or flows.
        name: The definition's name, or the id of the rule or flow.
        place: Where in it, such as `require.product.specs.count.between.0`.
        change: What is changed.
        data: The whole file as plain data.
    """

    part: str
    name: str
    place: str
    change: str
    data: dict[str, Any]


def mutants(data: Mapping[str, Any]) -> Iterator[Mutant]:
    """Make every mutant of a rule file, in the order of the file."""
    for name, node in data.get("definitions", {}).items():
        yield from (_mutant(data, "definitions", name, edit, name) for edit in condition(node))
    for part, edits_of in (("rules", rule), ("flows", flow)):
        nodes = data.get(part, [])
        for position, node in enumerate(nodes):
            edits = edits_of(node, nodes)
            yield from (_mutant(data, part, position, edit, node["id"]) for edit in edits)
            if len(nodes) > 1:
                yield _mutant(data, part, position, ((), GONE, "去掉整条"), node["id"])


def _mutant(data: Mapping[str, Any], part: str, key: str | int, edit: Edit, name: str) -> Mutant:
    path, new, change = edit
    changed = copy.deepcopy(dict(data))
    place = changed[part]
    full = (key, *path)
    for step in full[:-1]:
        place = place[step]
    if new is GONE:
        del place[full[-1]]
    else:
        place[full[-1]] = copy.deepcopy(new)
    return Mutant(part, name, ".".join(map(str, path)), change, changed)


def rule(node: Mapping[str, Any], siblings: list[Any]) -> Iterator[Edit]:
    """Yield the edits of a rule of any kind."""
    yield from _when(node)
    yield from _effective(node)
    severity = node.get("severity", "error")
    yield ("severity",), SEVERITIES[severity], f"{severity} → {SEVERITIES[severity]}"
    for word, other in (("require", "forbid"), ("forbid", "require")):
        if word in node:
            turned = {other if key == word else key: value for key, value in node.items()}
            yield (), turned, f"{word} → {other}"
            yield from _under((word,), condition(node[word]))
    yield from _restriction(node)
    for position, case in enumerate(node.get("cases", ())):
        yield from _under(("cases", position), _case(case))
        if len(node["cases"]) > 1:
            yield ("cases", position), GONE, "去掉"
    if "distinct" in node:
        yield ("distinct",), not node["distinct"], "取反"


def flow(node: Mapping[str, Any], siblings: list[Any]) -> Iterator[Edit]:
    """Yield the edits of a flow; a value that is set becomes each other value that some flow sets there."""
    yield from _when(node)
    then = node["then"]
    changes = then.get("set", {})
    for field, value in changes.items():
        others = {other["then"].get("set", {}).get(field) for other in siblings} - {None, value}
        for other in sorted(others):
            yield ("then", "set", field), other, f"{value} → {other}"
        if len(changes) > 1:
            yield ("then", "set", field), GONE, "去掉"
    if changes and "call" in then:
        yield ("then", "set"), GONE, "去掉"
        yield ("then", "call"), GONE, "去掉"
    elif "call" in then:
        yield ("then", "call"), f"{then['call']}-else", "改名"


def _when(node: Mapping[str, Any]) -> Iterator[Edit]:
    if "when" in node:
        yield ("when",), GONE, "去掉"
        yield from _under(("when",), condition(node["when"]))


def _effective(node: Mapping[str, Any]) -> Iterator[Edit]:
    for end, day in node.get("effective", {}).items():
        for moved in (date.fromisoformat(day) - DAY, date.fromisoformat(day) + DAY):
            yield ("effective", end), moved.isoformat(), f"{day} → {moved}"
        yield ("effective", end), GONE, "去掉"


def _restriction(node: Mapping[str, Any]) -> Iterator[Edit]:
    """Yield the edits of what an actions rule does."""
    for key in LISTS:
        for position, entry in enumerate(node.get(key, ())):
            named = entry["action"] if isinstance(entry, dict) else entry
            whole = len(node[key]) == 1
            yield ((key,) if whole else (key, position)), GONE, f"去掉 {named}"
    for path in node.get("mask", {}):
        yield ("mask", path), GONE, "去掉"
    if "restrict" in node:
        effect = node.get("effect", "disable")
        other = "hide" if effect == "disable" else "disable"
        yield ("effect",), other, f"{effect} → {other}"
    if "until" in node:
        yield ("until",), GONE, "去掉"


def _case(case: Mapping[str, Any]) -> Iterator[Edit]:
    yield from _when(case)
    lookup = case["to"].get("lookup") if isinstance(case["to"], dict) else None
    if lookup is not None:
        yield from _under(("to", "lookup", "where"), condition(lookup["where"]))
    if "confidence" in case:
        yield ("confidence",), GONE, "去掉"
    else:
        yield ("confidence",), 0.5, "1 → 0.5"


def condition(node: Mapping[str, Any]) -> Iterator[Edit]:
    """Yield the edits of a condition."""
    for key, value in node.items():
        rest = {other: kept for other, kept in node.items() if other != key}
        if rest:
            yield (key,), GONE, "去掉"
        if key in CONNECTIVES:
            if len(value) > 1 or key == "none":
                yield (), {**rest, CONNECTIVES[key]: value}, f"{key} → {CONNECTIVES[key]}"
            for position, item in enumerate(value):
                if len(value) > 1:
                    yield (key, position), GONE, "去掉"
                yield from _under((key, position), condition(item))
        elif key == "not":
            yield (), {**rest, **value}, "去掉 not"
            yield from _under(("not",), condition(value))
        elif key == "use":
            yield (), {**rest, "not": {"use": value}}, f"不是 {value}"
        else:
            yield from _under((key,), tests(value))


def tests(node: Any) -> Iterator[Edit]:
    """Yield the edits of what is written after a path: a bare value, or tests."""
    if not isinstance(node, dict):
        yield from _value(node)
        return
    for key, argument in node.items():
        rest = {other: kept for other, kept in node.items() if other != key}
        if rest:
            yield (key,), GONE, "去掉"
        if key == "not":
            yield (), {**rest, **argument}, "去掉 not"
            yield from _under(("not",), tests(argument))
        elif key == "present":
            yield (key,), not argument, f"{_said(argument)} → {_said(not argument)}"
        elif key in {"count", "length"}:
            yield from _under((key,), tests(argument))
        else:
            yield (), {**rest, "not": {key: argument}}, f"不 {key}"
            if key in TURNED:
                yield (), {**rest, TURNED[key]: argument}, f"{key} → {TURNED[key]}"
            yield from _under((key,), _argument(key, argument))


def _argument(key: str, argument: Any) -> Iterator[Edit]:
    """Yield the edits within an operator's argument."""
    if isinstance(argument, list):
        for position, item in enumerate(argument):
            if key == "between":
                yield from _under((position,), _moved(item))
            elif len(argument) > 1:
                yield (position,), GONE, f"去掉 {item}"
    elif key in {"every", "some", "none"}:
        inner = tests if set(argument) <= {*operators(), "not"} else condition
        yield from inner(argument)
    elif key == "in_table" and isinstance(argument, dict):
        if "where" in argument:
            yield ("where",), GONE, "去掉"
            yield from _under(("where",), condition(argument["where"]))
    else:
        yield from _moved(argument)


def _value(value: Any) -> Iterator[Edit]:
    """Yield the edits of a bare value: turned round, and a number also moved by one."""
    if isinstance(value, bool):
        yield (), not value, f"{_said(value)} → {_said(not value)}"
        return
    yield (), {"not": {"equals": value}}, f"不等于 {value}"
    yield from _moved(value)


def _moved(value: Any) -> Iterator[Edit]:
    if isinstance(value, int) and not isinstance(value, bool):
        yield (), value - 1, f"{value} → {value - 1}"
        yield (), value + 1, f"{value} → {value + 1}"


def _said(value: bool) -> str:
    return "true" if value else "false"


def _under(path: Path, edits: Iterator[Edit]) -> Iterator[Edit]:
    for inner, new, change in edits:
        yield (*path, *inner), new, change
