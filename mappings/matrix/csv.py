"""For spreadsheets and scripts: a line for each verdict and each result of an event, in UTF-8 with a mark so that Excel reads it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from engine.matrix import Axis, Situation
from mappings.matrix._page import Page, Section, result_of
from mappings.report.csv import harmless

NAME = "csv"

LEADING = tuple("规则集 数据 类别 名称 标题".split())
TRAILING = tuple("结论 规则 原因 原因（英文） 改做 直到 直到（英文） 缺少 另有".split())
STATES = {"enabled": "可用", "disabled": "置灰", "hidden": "隐藏"}


def render(page: Page) -> str:
    """Write the header and the lines; each axis of any ruleset has a column, empty where it does not matter."""
    columns = list(
        dict.fromkeys(
            (section.fact.name, axis.path, axis.title)
            for section in page.sections
            for grid in (section.matrix.actions, section.matrix.events)
            for axis in grid.axes
        )
    )
    text = io.StringIO()
    text.write("\ufeff")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*LEADING, *(f"{title}（{fact}.{path}）" for fact, path, title in columns), *TRAILING])
    for section in page.sections:
        for leading, places, trailing in _lines(section):
            given = [places.get((fact, path), "") for fact, path, _ in columns]
            writer.writerow([harmless(cell) for cell in (*leading, *given, *trailing)])
    return text.getvalue()


def _lines(section: Section) -> Iterator[tuple[list[str], dict[tuple[str, str], str], list[str]]]:
    matrix, fact = section.matrix, section.fact
    for situation in matrix.actions.situations:
        for state in situation.actions:
            yield (
                [section.name, fact.name, "动作", state.action, state.title],
                _places(fact.name, matrix.actions.axes, situation),
                [
                    STATES[state.state],
                    state.rule,
                    state.reason,
                    state.reason_en,
                    "；".join(f"{item.action}：{item.effect}" for item in state.instead),
                    state.until,
                    state.until_en,
                    "、".join(state.missing),
                    "、".join(state.also),
                ],
            )
    for situation in matrix.events.situations:
        for event, title in fact.events:
            flows = situation.flows.get(event, ())
            yield (
                [section.name, fact.name, "事件", event, title],
                _places(fact.name, matrix.events.axes, situation),
                [
                    result_of(matrix, flows),
                    "、".join(flow.common.id for flow in flows),
                    *[""] * (len(TRAILING) - 2),
                ],
            )


def _places(fact: str, axes: tuple[Axis, ...], situation: Situation) -> dict[tuple[str, str], str]:
    pairs = zip(axes, situation.values, strict=True)
    return {(fact, axis.path): axis.word(value) for axis, value in pairs}
