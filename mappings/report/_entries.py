"""Findings and problems of a row as one kind of line, so that each format only lays it out."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from engine.decision import Finding, plain
from engine.diagnostics import Cell, Diagnostic, Severity
from engine.source import Span
from mappings.report._records import CheckedRow

ABSENT = "（空）"
"""How an absent value is shown."""

PRODUCT = "row.product_id"
"""Field whose cell stands for everything that is told about the product or the shop."""

STATUS_TITLES = {"violated": "不通过", "undetermined": "无法判断", "waived": "已豁免", "unread": "无法读取"}
SEVERITY_TITLES = {"error": "错误", "warning": "警告", "notice": "提示"}
OUTCOME_TITLES = {"accepted": "通过", "rejected": "不通过", "undetermined": "无法判断"}


@dataclass(frozen=True, slots=True)
class Entry:
    """Say one thing about one row.

    Attributes:
        rule: The rule, or the diagnostic's code.
        title: The rule's title; of a problem, `读取问题`.
        severity: error, warning or notice.
        status: violated, undetermined, waived; unread, where the input could not be read.
        message: The reason.
        found: The value found, as text; empty where nothing was tested.
        wanted: What would have passed; empty where nothing was tested.
        fix: What to do about it.
        source: Where the rule comes from, such as R10.
        waiver: Owner, reason and last day of the waiver.
        cell: The cell to look at, or None.
        line: Row or line of the input, 1-based, or None.
        rule_span: Where the rule stands, or None.
    """

    rule: str
    title: str
    severity: Severity
    status: Literal["violated", "undetermined", "waived", "unread"]
    message: str
    found: str
    wanted: str
    fix: str
    source: str
    waiver: str
    cell: Cell | None
    line: int | None
    rule_span: Span | None

    @property
    def rule_place(self) -> str:
        """File and line of the rule; empty where it has none."""
        return f"{self.rule_span.file}:{self.rule_span.start_line}" if self.rule_span else ""


def entries_of(row: CheckedRow) -> Iterator[Entry]:
    """Give everything that is said about a row: problems first, then findings in the order of the rules."""
    for problem in row.problems:
        yield _of_problem(row, problem)
    for decision in row.decisions:
        for finding in decision.findings:
            yield _of_finding(row, finding)


def cell_for(path: str, cells: Mapping[str, Cell]) -> Cell | None:
    """Find the cell that a path is about: its own, the nearest part of it, or the product's.

    Args:
        path: Such as `row.specs[0].name`, `row.specs`, `product.stock`.
        cells: Cells by path.
    """
    part = path
    while part.startswith("row.") and part != "row.":
        if part in cells:
            return cells[part]
        inside = next((key for key in cells if key.startswith((f"{part}.", f"{part}["))), None)
        if inside is not None:
            return cells[inside]
        part = re.sub(r"(?:\.[^.\[\]]*|\[[^\]]*\])$", "", part)
    return cells.get(PRODUCT)


def place_of(row: CheckedRow, entry: Entry) -> str:
    """Write the place in the input: file and cell, or file and line."""
    if entry.cell is not None:
        return f"{row.place}:{entry.cell.name}"
    return f"{row.place}:{entry.line}" if entry.line is not None else row.place


def show_value(value: Any) -> str:
    """Write a fact's value on one line.

    Examples:
        >>> show_value(None), show_value("颜色"), show_value([1, "a"]), show_value(True)
        ('（空）', '颜色', '[1, "a"]', '是')
    """
    if value is None:
        return ABSENT
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, str):
        return one_line(value)
    return one_line(json.dumps(plain(value), ensure_ascii=False, default=str))


def one_line(text: str) -> str:
    """Make text safe to print on one line: no line ends, and no control characters that steer a terminal."""
    if text.isprintable():
        return text
    return "".join(
        " " if char in "\n\r\t" else "�" if unicodedata.category(char) in ("Cc", "Cf", "Cs") else char
        for char in text
    )


def _of_problem(row: CheckedRow, problem: Diagnostic) -> Entry:
    line = problem.cell.row if problem.cell else problem.span.start_line if problem.span else row.number
    return Entry(
        rule=problem.code,
        title="读取问题",
        severity=problem.severity,
        status="unread",
        message=problem.message,
        found=one_line(problem.cell.value) if problem.cell else "",
        wanted="",
        fix=_with(problem.hint, row.suggestions.get(problem.cell.name, "") if problem.cell else ""),
        source="",
        waiver="",
        cell=problem.cell,
        line=line,
        rule_span=None,
    )


def _of_finding(row: CheckedRow, finding: Finding) -> Entry:
    paths = [item.path for item in finding.evidence] + [path for path in finding.missing if ":" not in path]
    cell = cell_for(paths[0] if paths else PRODUCT, row.cells)
    wanted = list(dict.fromkeys(item.wanted for item in finding.evidence))
    missing = [_say_missing(path) for path in finding.missing]
    return Entry(
        rule=finding.rule,
        title=finding.title,
        severity=finding.severity,
        status=finding.status,
        message=finding.message,
        found="；".join(show_value(item.found) for item in finding.evidence) or "；".join(missing),
        wanted="；".join(wanted),
        fix=_with(finding.fix, row.suggestions.get(finding.rule, "")),
        source=finding.source,
        waiver=finding.waiver,
        cell=cell,
        line=cell.row if cell else row.number,
        rule_span=finding.span,
    )


def _with(fix: str, suggestion: str) -> str:
    """Put the nearest names behind what there is to do."""
    return "；".join(part for part in (fix.rstrip("。"), suggestion) if part) if suggestion else fix


def _say_missing(path: str) -> str:
    """Word a fact, or a table, that was needed and absent."""
    table = path.removeprefix("table:")
    return f"参考数据 {table} 没有提供" if table != path else f"{path} 没有值"
