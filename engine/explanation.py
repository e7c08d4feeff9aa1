"""Show a person how a rule comes to its answer about one fact: every condition, its value, and whether it holds."""

from __future__ import annotations

from collections.abc import Iterator

from engine.plan import And, Condition, InTable, Not, Once, Or, Some, Test
from engine.rules import EligibilityRule, MappingRule, Rule
from engine.truth import Judge, Scopes, places_within, shown_path, value_of, within
from engine.wording import outline, said, wanted

MARKS = {True: "✓", False: "✗", None: "?"}


def explain(rule: Rule, judge: Judge, scopes: Scopes) -> list[str]:
    """Explain what a rule makes of a fact.

    Args:
        rule: The rule.
        judge: Knows the tables and the batch.
        scopes: The fact, alone.

    Returns:
        Lines: what it applies to, what it requires, each test with the value found. ✓ holds, ✗ does not, ? can't be known.
    """
    common = rule.common
    lines = [f"{common.title}（{common.source}）"]
    if common.first_day is not None or common.last_day is not None:
        lines.append(f"生效：{common.first_day or '一直'} ～ {common.last_day or '一直'}")
    if common.when is not None:
        lines += ["适用条件：", *_tree(common.when, judge, scopes, (), "  ")]
    if isinstance(rule, EligibilityRule):
        lines += ["要求：", *_tree(rule.require, judge, scopes, (), "  ")]
    if isinstance(rule, MappingRule):
        lines += [
            f"对应到 {rule.target.path}：",
            *(f"  {outline(case.when)}" for case in rule.cases if case.when is not None),
        ]
    return lines


def _tree(
    condition: Condition, judge: Judge, scopes: Scopes, places: tuple[str, ...], indent: str
) -> Iterator[str]:
    mark = MARKS[judge.truth(condition, scopes)]
    match condition:
        case And(items) | Or(items):
            yield f"{indent}{mark} {'全部满足' if isinstance(condition, And) else '满足其一'}"
            for item in items:
                yield from _tree(item, judge, scopes, places, indent + "  ")
        case Not(Test() | InTable() | Once() as item):
            yield f"{indent}{mark} {_leaf(item, judge, scopes, places, want=False)}"
        case Not(item):
            yield f"{indent}{mark} 不满足"
            yield from _tree(item, judge, scopes, places, indent + "  ")
        case Some(subject, scope, body):
            elements = value_of(subject, scopes)
            path = shown_path(subject, places)
            yield f"{indent}{mark} {path} 至少有一个元素满足（共 {'？' if elements is None else len(elements)} 个）"
            for position, element in enumerate(elements or ()):
                inner = places_within(condition, places, position)
                yield from _tree(body, judge, within(scopes, scope, element), inner, indent + "  ")
        case _:
            yield f"{indent}{mark} {_leaf(condition, judge, scopes, places, want=True)}"


def _leaf(
    condition: Test | InTable | Once, judge: Judge, scopes: Scopes, places: tuple[str, ...], *, want: bool
) -> str:
    ref = condition.subject
    found = said(value_of(ref, scopes), ref.unit, ref.choices)
    text = wanted(condition, lambda inner: value_of(inner, scopes), want=want)
    return f"{shown_path(ref, places)} {text}；现值 {found}"
