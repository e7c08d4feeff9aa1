"""For programs: one JSON document, written row by row; rows there is nothing to say about are only counted."""

from __future__ import annotations

import json
from typing import Any, BinaryIO

from engine.decision import Decision, plain
from engine.diagnostics import Cell, Diagnostic
from engine.source import Span
from mappings.report._entries import PRODUCT, cell_for
from mappings.report._records import CheckedRow, Report

NAME = "json"
SUFFIX = ".json"
MEDIA = "application/json"


def write(report: Report, out: BinaryIO) -> None:
    """Write the document, a row on each line."""
    head = {
        "title": report.title,
        "source": report.source_name,
        "as_of": plain(report.as_of),
        "rulesets": [{"name": name, "version": version} for name, version in report.rulesets],
    }
    out.write(_bytes(head)[:-1] + b',\n"rows":[')
    comma = b"\n"
    for row in report.rows:
        if row.notable:
            out.write(comma + _bytes(_row(row)))
            comma = b",\n"
    out.write(b'\n],\n"summary":' + _bytes(report.summary.as_data()) + b"}\n")


def _row(row: CheckedRow) -> dict[str, Any]:
    return {
        "file": row.place,
        "sheet": row.sheet,
        "row": row.number,
        "product_id": row.key,
        "outcome": row.outcome,
        "problems": [_problem(problem) for problem in row.problems],
        "decisions": [_decision(row, decision) for decision in row.decisions],
        **({"suggestions": dict(row.suggestions)} if row.suggestions else {}),
    }


def _decision(row: CheckedRow, decision: Decision) -> dict[str, Any]:
    data = decision.as_data()
    for found, finding in zip(data["findings"], decision.findings, strict=True):
        paths = [item.path for item in finding.evidence] or [
            path for path in finding.missing if ":" not in path
        ]
        found["cell"] = _cell(cell_for(paths[0] if paths else PRODUCT, row.cells))
        found["span"] = _span(finding.span)
    return data


def _problem(problem: Diagnostic) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "hint": problem.hint,
        "cell": _cell(problem.cell),
        "span": _span(problem.span),
    }


def _cell(cell: Cell | None) -> dict[str, Any] | None:
    if cell is None:
        return None
    return {
        "sheet": cell.sheet,
        "name": cell.name,
        "row": cell.row,
        "column": cell.column,
        "value": cell.value,
    }


def _span(span: Span | None) -> dict[str, Any] | None:
    if span is None:
        return None
    return {
        "file": span.file,
        "start_line": span.start_line,
        "start_col": span.start_col,
        "end_line": span.end_line,
        "end_col": span.end_col,
    }


def _bytes(data: Any) -> bytes:
    """Write data in UTF-8; half a character, as broken input may hold, becomes the escape that JSON has for it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.encode(errors="backslashreplace")
