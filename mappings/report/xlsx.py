"""For people with a spreadsheet: sheet 明细 with a line for each finding, sheet 汇总 with the counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

import xlsxwriter

from mappings.report._entries import entries_of
from mappings.report._records import Report
from mappings.report.csv import COLUMNS, line_of

NAME = "xlsx"
SUFFIX = ".xlsx"
MEDIA = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

MOST_LINES = 1_048_575
"""Lines below the header that a sheet of Excel holds."""

MOST_CHARACTERS = 32_000
"""Characters that are kept of one cell; Excel holds 32,767."""

WIDTHS = {
    "文件": 20,
    "商品ID": 22,
    "规则": 34,
    "标题": 20,
    "原因": 48,
    "现值": 24,
    "应为": 28,
    "修改建议": 48,
    "规则位置": 34,
}
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def write(report: Report, out: BinaryIO) -> None:
    """Write the workbook; every cell is text or a count, never a formula."""
    with xlsxwriter.Workbook(out, OPTIONS) as book:
        book.set_properties({"title": report.title, "created": report.as_of.replace(tzinfo=None)})
        bold = book.add_format({"bold": True, "bg_color": "#EAF1FB", "border": 1})
        wrap = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
        sheet: Any = None
        line = MOST_LINES
        sheets = 0
        for row in report.rows:
            for entry in entries_of(row):
                if line == MOST_LINES:
                    sheets += 1
                    sheet, line = _details(book, "明细" if sheets == 1 else f"明细{sheets}", bold), 0
                line += 1
                _write_texts(sheet, line, line_of(row, entry), wrap)
        if sheet is None:
            _details(book, "明细", bold)
        _summary(report, book.add_worksheet("汇总"), bold)


def _details(book: Any, name: str, bold: Any) -> Any:
    sheet = book.add_worksheet(name)
    for place, title in enumerate(COLUMNS):
        sheet.set_column(place, place, WIDTHS.get(title, 10))
    sheet.freeze_panes(1, 0)
    _write_texts(sheet, 0, COLUMNS, bold)
    return sheet


def _summary(report: Report, sheet: Any, bold: Any) -> None:
    """Write the counts of rows, then those of each rule."""
    summary = report.summary
    sheet.set_column(0, 0, 40)
    sheet.set_column(1, 1, 28)
    facts = [("来源", report.source_name), ("时间", report.as_of.isoformat())]
    facts += [(f"规则集 {name}", version) for name, version in report.rulesets]
    counts = [("行数", summary.total), ("通过", summary.accepted), ("不通过", summary.rejected)]
    counts += [
        ("无法判断", summary.undetermined),
        ("读取问题", summary.problems),
        ("无法读取的文件", summary.unreadable),
    ]
    _write_texts(sheet, 0, (report.title,), bold)
    for line, pair in enumerate(facts, 1):
        _write_texts(sheet, line, pair, None)
    for line, (title, number) in enumerate(counts, len(facts) + 1):
        _write_texts(sheet, line, (title,), None)
        sheet.write_number(line, 1, number)
    top = len(facts) + len(counts) + 2
    _write_texts(sheet, top, ("规则", "标题", "不通过", "无法判断", "已豁免", "警告"), bold)
    for line, (rule, found) in enumerate(summary.rules.items(), top + 1):
        _write_texts(sheet, line, (rule, found.title), None)
        for place, number in enumerate(
            (found.violations, found.undetermined, found.waived, found.warnings), 2
        ):
            sheet.write_number(line, place, number)


def _write_texts(sheet: Any, line: int, texts: Sequence[str], style: Any) -> None:
    for place, text in enumerate(texts):
        kept = (
            text
            if len(text) <= MOST_CHARACTERS
            else f"{text[:MOST_CHARACTERS]}…（已截短，共 {len(text)} 字）"
        )
        sheet.write_string(line, place, kept.encode(errors="backslashreplace").decode(), style)
