"""For GitHub Actions: a workflow command for each finding, which GitHub shows beside the line."""

from __future__ import annotations

from typing import BinaryIO

from mappings.report._entries import Entry, entries_of, one_line, place_of
from mappings.report._records import CheckedRow, Report

NAME = "github"
SUFFIX = ".txt"
MEDIA = "text/plain; charset=utf-8"


def write(report: Report, out: BinaryIO) -> None:
    """Write the commands, then the counts as a plain line."""
    for row in report.rows:
        out.writelines(f"{_command(row, entry)}\n".encode() for entry in entries_of(row))
    out.write(f"{report.summary}\n".encode())


def _command(row: CheckedRow, entry: Entry) -> str:
    properties = {"file": row.place, "line": entry.line, "title": f"{entry.rule} {entry.title}"}
    shown = ",".join(
        f"{key}={_property(one_line(str(value)))}" for key, value in properties.items() if value is not None
    )
    product = f" 商品 {row.key}" if row.key else ""
    details = (
        f"{place_of(row, entry)}{product} {entry.message}",
        entry.wanted and f"应为：{entry.wanted}",
        entry.fix and f"建议：{entry.fix}",
        entry.waiver and f"豁免：{entry.waiver}",
        entry.rule_place and f"规则：{entry.rule_place}",
    )
    return f"::{_level(entry)} {shown}::" + _data("\n".join(one_line(part) for part in details if part))


def _level(entry: Entry) -> str:
    """Choose the command: what could not be decided warns, what a waiver covers is a notice."""
    if entry.status == "waived":
        return "notice"
    return "warning" if entry.status == "undetermined" else entry.severity


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
