"""For a terminal: rows with their findings, then a table of the rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta, timezone
from typing import BinaryIO

from engine.source import columns_wide
from mappings.report._entries import OUTCOME_TITLES, STATUS_TITLES, Entry, entries_of, one_line, place_of
from mappings.report._records import CheckedRow, Report, Summary

NAME = "text"
SUFFIX = ".txt"
MEDIA = "text/plain; charset=utf-8"

SHANGHAI = timezone(timedelta(hours=8))
COLUMNS = ("规则", "标题", "不通过", "无法判断", "已豁免", "警告")
COLOURS = {"rejected": "31", "undetermined": "33", "accepted": "32", "bold": "1", "faint": "2"}
SIGNS = {"rejected": "✗", "undetermined": "?", "accepted": "!"}


def write(report: Report, out: BinaryIO) -> None:
    """Write every row there is something to say about, grouped, then the counts."""
    out.writelines(f"{line}\n".encode() for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    asked = report.as_of.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    yield _paint(report, "bold", f"{report.title} · {one_line(report.source_name)} · 以 {asked} 为准")
    for name, version in report.rulesets:
        yield _paint(report, "faint", f"  规则集 {name}  {version[:19]}")
    for row in report.rows:
        if row.notable:
            yield ""
            yield _paint(report, row.outcome, _headline(row))
            for entry in entries_of(row):
                yield from _entry(report, row, entry)
    yield ""
    yield from _table(report.summary)
    outcome = (
        "rejected"
        if report.summary.rejected
        else "undetermined"
        if report.summary.undetermined
        else "accepted"
    )
    yield _paint(report, outcome, str(report.summary))


def _headline(row: CheckedRow) -> str:
    where = row.place if row.number is None else f"第 {row.number} 行"
    product = f" · 商品 {one_line(row.key)}" if row.key else ""
    result = "无法读取" if row.number is None else OUTCOME_TITLES[row.outcome]
    return f"{SIGNS[row.outcome]} {where}{product} · {result}"


def _entry(report: Report, row: CheckedRow, entry: Entry) -> Iterator[str]:
    status = "" if entry.status == "violated" and entry.severity == "error" else f"[{_status(entry)}] "
    yield f"  {place_of(row, entry)}  {status}{entry.rule}  {one_line(entry.message)}"
    details = (
        ("现值", entry.found if entry.status != "unread" else ""),
        ("应为", entry.wanted),
        ("建议", entry.fix),
        ("豁免", entry.waiver),
        (
            "规则",
            entry.rule_place + (f"（{entry.source}）" if entry.source else "") if entry.rule_span else "",
        ),
    )
    for label, text in details:
        if text:
            yield _paint(report, "faint", f"      {label}  ") + one_line(text)


def _status(entry: Entry) -> str:
    if entry.status == "violated" or (entry.status == "unread" and entry.severity != "error"):
        return "警告" if entry.severity == "warning" else "提示"
    return STATUS_TITLES[entry.status]


def _table(summary: Summary) -> Iterator[str]:
    if not summary.rules:
        return
    rows = [COLUMNS] + [
        (
            rule,
            one_line(count.title),
            *map(str, (count.violations, count.undetermined, count.waived, count.warnings)),
        )
        for rule, count in sorted(summary.rules.items(), key=lambda item: -item[1].violations)
    ]
    widths = [max(columns_wide(row[place]) for row in rows) for place in range(len(COLUMNS))]
    for row in rows:
        cells = (
            _pad(text, width, right=place > 1)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()
    yield ""


def _pad(text: str, width: int, *, right: bool) -> str:
    blanks = " " * (width - columns_wide(text))
    return blanks + text if right else text + blanks


def _paint(report: Report, colour: str, text: str) -> str:
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if report.colour else text
