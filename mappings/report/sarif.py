"""For code scanning: SARIF 2.1.0. Results come first and the rules after them, as only then all of them are known."""

from __future__ import annotations

import json
from typing import Any, BinaryIO
from urllib.parse import quote

from mappings.report._entries import Entry, entries_of
from mappings.report._records import CheckedRow, Report

NAME = "sarif"
SUFFIX = ".sarif"
MEDIA = "application/sarif+json"

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning", "notice": "note"}


def write(report: Report, out: BinaryIO) -> None:
    """Write one run."""
    rules: dict[str, dict[str, Any]] = {}
    places: dict[str, int] = {}
    out.write(
        f'{{"version":"2.1.0","$schema":"{SCHEMA}","runs":[{{"columnKind":"unicodeCodePoints","results":['.encode()
    )
    comma = b"\n"
    for row in report.rows:
        for entry in entries_of(row):
            if entry.rule not in rules:
                places[entry.rule] = len(rules)
                rules[entry.rule] = _rule(entry)
            out.write(comma + _bytes(_result(row, entry, places[entry.rule])))
            comma = b",\n"
    versions = [{"name": name, "version": version} for name, version in report.rulesets]
    tool = {"driver": {"name": "Shelfgate", "rules": list(rules.values())}, "extensions": versions}
    properties = {
        "asOf": report.as_of.isoformat(),
        "source": report.source_name,
        "summary": report.summary.as_data(),
    }
    out.write(b'\n],\n"tool":' + _bytes(tool) + b',\n"properties":' + _bytes(properties) + b"}]}\n")


def _rule(entry: Entry) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": entry.rule,
        "shortDescription": {"text": entry.title},
        "defaultConfiguration": {"level": LEVELS[entry.severity]},
    }
    if entry.fix:
        rule["help"] = {"text": entry.fix}
    if entry.source:
        rule["properties"] = {"tags": [entry.source]}
    return rule


def _result(row: CheckedRow, entry: Entry, index: int) -> dict[str, Any]:
    """Lay out one finding: an undecided one is `open`, a waived one is suppressed."""
    is_open = entry.status == "undetermined"
    details = (entry.message, entry.wanted and f"应为：{entry.wanted}", entry.fix and f"建议：{entry.fix}")
    result: dict[str, Any] = {
        "ruleId": entry.rule,
        "ruleIndex": index,
        "kind": "open" if is_open else "fail",
        "level": "none" if is_open else LEVELS[entry.severity],
        "message": {"text": "。".join(part for part in details if part)},
        "locations": [_location(row, entry)],
    }
    if entry.rule_span is not None:
        span = entry.rule_span
        region = {"startLine": span.start_line, "startColumn": span.start_col}
        region |= {"endLine": span.end_line, "endColumn": span.end_col}
        place = {"artifactLocation": {"uri": quote(span.file)}, "region": region}
        result["relatedLocations"] = [{"id": 1, "physicalLocation": place, "message": {"text": "规则在这里"}}]
    if entry.status == "waived":
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": entry.waiver}]
    return result


def _location(row: CheckedRow, entry: Entry) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(row.place)}}
    if entry.line is not None:
        place["region"] = {"startLine": entry.line}
    location: dict[str, Any] = {"physicalLocation": place}
    if entry.cell is not None:
        cell = entry.cell
        name = {"name": cell.name, "fullyQualifiedName": f"{cell.sheet}!{cell.name}", "kind": "member"}
        location["logicalLocations"] = [name]
    about = (row.key and f"商品 {row.key}", entry.cell and f"{entry.cell.column}：{entry.cell.value}")
    if any(about):
        location["message"] = {"text": " · ".join(part for part in about if part)}
    return location


def _bytes(data: Any) -> bytes:
    """Write data in UTF-8; half a character, as broken input may hold, becomes the escape that JSON has for it."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")
