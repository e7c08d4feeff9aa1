"""For code scanning: SARIF 2.1.0. Results come first and the rules after them, as only then all of them are known."""

from __future__ import annotations

import json
from typing import Any, BinaryIO
from urllib.parse import quote

from mappings.report._entries import Entry, entries_of
from mappings.report._records import CheckedRow, Report

NAME = "sarif"
SUFFIX = ".sarif"

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning", "notice": "note"}


def write(report: Report, out: BinaryIO) -> None:
    """Write one run."""
    rules: dict[str, dict[str, Any]] = {}
    places: dict[str, int] = {}
    out.write(
        f'{{"version":"2.1.0","$schema":"{SCHEMA}","runs":[{{"columnKind":"unicodeCodePoints","results":['.encode()
    )
    comma = "\n"
    for row in report.rows:
        for entry in entries_of(row):
            if entry.rule not in rules:
                places[entry.rule] = len(rules)
                rules[entry.rule] = _rule(entry)
            out.write(f"{comma}{_text(_result(row, entry, places[entry.rule]))}".encode())
            comma = ",\n"
    versions = [{"name": name, "version": version} for name, version in report.rulesets]
    tool = {"driver": {"name": "Shelfgate", "rules": list(rules.values())}, "extensions": versions}
    properties = {
        "asOf": report.as_of.isoformat(),
        "source": report.source_name,
        "summary": report.summary.as_data(),
    }
    out.write(f'\n],\n"tool":{_text(tool)},\n"properties":{_text(properties)}}}]}}\n'.encode())


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
        location["message"] = {"text": f"{cell.column}：{cell.value}"}
    return location


def _text(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
