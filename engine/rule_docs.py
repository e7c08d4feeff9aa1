"""A page for each rule, written from the rule itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.decision import plain
from engine.plan import Ref
from engine.rules import (
    ActionRule,
    Common,
    EligibilityRule,
    Example,
    Flow,
    Lookup,
    MappingRule,
    Message,
    Rule,
    Ruleset,
    Slot,
)
from engine.wording import outline, said

_EXPECTED = {"accept": "通过", "reject": "不通过", "undetermined": "无法判断", "maps": "对应"}
_EFFECTS = {"disable": "置灰", "hide": "隐藏"}


def rule_page(ruleset: Ruleset, rule: Rule) -> str:
    """Write the page of one rule.

    Args:
        ruleset: The ruleset that the rule belongs to.
        rule: The rule.

    Returns:
        Markdown: what it does, what it asks, what to do, what passes and fails, where it comes from.
    """
    common = rule.common
    lines = [
        f"# {common.title}",
        "",
        f"`{ruleset.name}/{common.id}` · 来源 {common.source} · {_severity(common)}",
        "",
    ]
    lines += _dates(common)
    if common.when is not None:
        lines += ["## 何时适用", "", outline(common.when), ""]
    match rule:
        case EligibilityRule():
            lines += [
                "## 要求",
                "",
                outline(rule.require),
                "",
                "## 不通过时",
                "",
                message_text(rule.otherwise),
                "",
            ]
            if rule.preempts:
                lines += ["## 省去的渠道错误", "", "、".join(f"`{code}`" for code in rule.preempts), ""]
        case ActionRule():
            lines += _action_lines(ruleset, rule)
        case MappingRule():
            lines += _mapping_lines(rule)
    if common.fix.zh:
        lines += ["## 怎么办", "", message_text(common.fix), ""]
    lines += _examples(common.examples)
    return "\n".join(lines).rstrip() + "\n"


def flow_page(ruleset: Ruleset, flow: Flow) -> str:
    """Write the page of one flow."""
    common = flow.common
    lines = [f"# {common.title}", "", f"`{ruleset.name}/{common.id}` · 来源 {common.source}", ""]
    lines += [
        "## 何时发生",
        "",
        f"事件 `{flow.on}`" + (f"，且 {outline(common.when)}" if common.when else ""),
        "",
    ]
    lines += ["## 结果", "", *[f"- `{change.field}` 变为 {said(change.value)}" for change in flow.changes]]
    lines += [f"- 通知渠道：`{flow.call}`"] if flow.call else []
    return "\n".join(lines) + "\n"


def index_page(rulesets: list[Ruleset]) -> str:
    """Write the page that lists every rule."""
    lines = ["# 规则", ""]
    for ruleset in rulesets:
        lines += [f"## {ruleset.name}", "", "| 规则 | 标题 | 来源 | 级别 |", "|---|---|---|---|"]
        for item in (*ruleset.rules, *ruleset.flows):
            common = item.common
            link = f"[{common.id}]({ruleset.name}/{common.id}.md)"
            lines.append(f"| {link} | {common.title} | {common.source} | {_severity(common)} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def message_text(message: Message) -> str:
    """Write a message with its slots as they stand in the file."""
    return "".join(piece if isinstance(piece, str) else _slot(piece) for piece in message.zh)


def _slot(slot: Slot) -> str:
    return f"`{{{slot.ref.path}{'|' + slot.filter if slot.filter else ''}}}`"


def _severity(common: Common) -> str:
    return {"error": "不通过则拒绝", "warning": "警告", "notice": "提示"}[common.severity]


def _dates(common: Common) -> list[str]:
    if common.first_day is None and common.last_day is None:
        return []
    return [f"生效：{common.first_day or '一直'} 至 {common.last_day or '今后'}（含首尾两天，北京时间）", ""]


def _action_lines(ruleset: Ruleset, rule: ActionRule) -> list[str]:
    titles = {name: title for name, title, _ in ruleset.fact.actions}
    lines: list[str] = []
    if rule.restrict:
        actions = "、".join(f"{titles[name]}（`{name}`）" for name in rule.restrict)
        lines += [
            f"## {_EFFECTS[rule.effect]}的动作",
            "",
            actions,
            "",
            "## 原因",
            "",
            message_text(rule.because),
            "",
        ]
    if rule.instead:
        lines += [
            "## 可以改为",
            "",
            *(
                f"- {titles.get(item.action, item.action)}：{message_text(item.effect)}"
                for item in rule.instead
            ),
            "",
        ]
    if rule.until.zh:
        lines += ["## 直到", "", message_text(rule.until), ""]
    if rule.mask:
        lines += ["## 遮盖的字段", "", *(f"- `{ref.path}` 显示为「{shown}」" for ref, shown in rule.mask), ""]
    if rule.hide:
        lines += ["## 不显示的字段", "", *(f"- `{ref.path}`" for ref in rule.hide), ""]
    return lines


def _mapping_lines(rule: MappingRule) -> list[str]:
    each = f"，对 `{rule.each.path}` 的每个元素" if rule.each else ""
    lines = [
        "## 对应",
        "",
        f"目标 `{rule.target.path}`{each}",
        "",
        "| 条件 | 对应到 | 把握 |",
        "|---|---|---|",
    ]
    lines += [
        f"| {outline(case.when) if case.when else '其余'} | {_to(case.to)} | {case.confidence:.0%} |"
        for case in rule.cases
    ]
    return [*lines, "", "## 没有对应时", "", message_text(rule.otherwise), ""]


def _to(to: Any) -> str:
    if isinstance(to, Lookup):
        return f"基础数据「{to.title or to.table}」中{outline(to.where)}的 `{to.column}`"
    return f"`{to.path}`" if isinstance(to, Ref) else said(to.value)


def _examples(examples: tuple[Example, ...]) -> list[str]:
    if not examples:
        return []
    lines = ["## 例子", "", "| 结果 | 数据（其余为基础例子） |", "|---|---|"]
    rows = [f"| {_EXPECTED[example.expect]} | {_data(example.overlay, example)} |" for example in examples]
    return [*lines, *rows, ""]


def _data(overlay: Mapping[str, Any], example: Example) -> str:
    parts = [f"`{path}` = {_json(value)}" for path, value in overlay.items()] or ["（不变）"]
    parts += [f"日期 {example.as_of}"] if example.as_of else []
    parts += [f"对应到 {_json(example.to)}"] if example.expect == "maps" else []
    parts += [f"表 {name} = {_json(rows)}" for name, rows in example.tables.items()]
    parts += [f"同批还有 {_json(dict(other))}" for other in example.also]
    return "；".join(parts).replace("|", "\\|")


def _json(value: Any) -> str:
    return "没有值" if value is None else f"`{json.dumps(plain(value), ensure_ascii=False)}`"
