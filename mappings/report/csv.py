"""For spreadsheets and scripts: a line for each finding, in UTF-8 with a mark so that Excel reads it."""

from __future__ import annotations

import csv
import io
from typing import BinaryIO

from mappings.report._entries import OUTCOME_TITLES, SEVERITY_TITLES, STATUS_TITLES, Entry, entries_of
from mappings.report._records import CheckedRow, Report

NAME = "csv"
SUFFIX = ".csv"
MEDIA = "text/csv; charset=utf-8"

COLUMNS = tuple(
    "文件 工作表 行 单元格 列 商品ID 结果 状态 级别 规则 标题 原因 现值 应为 修改建议 豁免 规则位置 来源".split()
)

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet take a cell for a formula, and what is trimmed off in front of it."""


def write(report: Report, out: BinaryIO) -> None:
    """Write the header and the lines."""
    text = io.TextIOWrapper(
        out, encoding="utf-8-sig", errors="backslashreplace", newline="", write_through=True
    )
    try:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in report.rows:
            for entry in entries_of(row):
                writer.writerow([harmless(value) for value in line_of(row, entry)])
    finally:
        text.detach()


def line_of(row: CheckedRow, entry: Entry) -> tuple[str, ...]:
    """Lay out one finding in the order of `COLUMNS`."""
    return (
        row.place,
        row.sheet,
        "" if entry.line is None else str(entry.line),
        entry.cell.name if entry.cell else "",
        entry.cell.column if entry.cell else "",
        row.key,
        OUTCOME_TITLES[row.outcome],
        STATUS_TITLES[entry.status],
        SEVERITY_TITLES[entry.severity],
        entry.rule,
        entry.title,
        entry.message,
        entry.found,
        entry.wanted,
        entry.fix,
        entry.waiver,
        entry.rule_place,
        entry.source,
    )


def harmless(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would run as a formula.

    Examples:
        >>> harmless("=1+1"), harmless("T恤")
        ("'=1+1", 'T恤')
    """
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text
