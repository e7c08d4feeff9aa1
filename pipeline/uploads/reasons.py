"""Why rows of an upload came out as they did, and what to do about it: finding by finding, for a page of rows at a time (R17)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from engine.decision import Decision
from engine.diagnostics import Severity
from pipeline.store import DecisionRow, Store, UploadRow
from pipeline.uploads.report import ADVICE
from pipeline.uploads.rows import decisions_from
from pipeline.uploads.state import FAILING


@dataclass(frozen=True, slots=True)
class Reason:
    """Say one thing about a row.

    Attributes:
        severity: error where it decides, warning or notice where it does not.
        message: What is wrong.
        fix: What to do about it; may be empty.
    """

    severity: Severity
    message: str
    fix: str


def reasons(store: Store, rows: Sequence[UploadRow]) -> dict[int, list[Reason]]:
    """Give the reasons of rows by number: those of the rules, and the outcome where it came later than they did.

    Args:
        store: Where the decisions are kept.
        rows: Rows of one upload.
    """
    ids = sorted({row.decision_id for row in rows if row.decision_id})
    with store.read() as session:
        found = session.scalars(select(DecisionRow).where(DecisionRow.id.in_(ids)))
        decisions = {kept.id: decisions_from(kept.content) for kept in found}
    return {row.number: list(_reasons(row, decisions.get(row.decision_id or "", ()))) for row in rows}


def _reasons(row: UploadRow, decisions: Sequence[Decision]) -> Iterator[Reason]:
    findings = [
        finding for decision in decisions for finding in decision.findings if finding.status != "waived"
    ]
    findings.sort(key=lambda finding: finding.severity != "error")
    decided = any(finding.severity == "error" for finding in findings)
    if row.reason and not decided:
        failing = row.state in FAILING
        yield Reason(
            "error" if failing else "notice", row.reason, ADVICE.get(row.state, "") if failing else ""
        )
    for finding in findings:
        yield Reason(finding.severity, finding.message, finding.fix)
