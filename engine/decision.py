"""What an evaluation answers: a decision and its findings, as plain records that turn into the same bytes each time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

from engine.diagnostics import Severity
from engine.source import Span

Outcome = Literal["accepted", "rejected", "undetermined"]
Status = Literal["violated", "undetermined", "waived"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Show one test that did not hold.

    Attributes:
        path: Field that was tested, with list positions, such as `row.specs[1].name` (0-based positions).
        found: The value found; None where the field is absent.
        wanted: What would have passed, in Chinese.
    """

    path: str
    found: Any
    wanted: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Say what one rule has against one fact.

    Attributes:
        rule: Channel, ruleset and rule id, such as `huiju/eligibility/spec-levels`.
        title: The rule's title.
        severity: Only a finding of severity error decides.
        status: violated; undetermined, where a needed fact is missing; waived, where a waiver covers a violation.
        message: The reason, in Chinese, with the values found.
        fix: What to do about it; may be empty.
        evidence: The tests that did not hold, at least one for a violation.
        missing: Paths, or `table:<name>`, that were needed and absent; only for undetermined.
        source: Where the rule comes from, such as R10.
        preempts: Error codes of the channel that this rule spares the merchant.
        span: Where the rule stands; no part of the decision's bytes.
        waiver: Owner, reason and last day of the waiver; empty where none applied.
    """

    rule: str
    title: str
    severity: Severity
    status: Status
    message: str
    fix: str
    evidence: tuple[Evidence, ...]
    missing: tuple[str, ...]
    source: str
    preempts: tuple[str, ...]
    span: Span | None
    waiver: str = ""

    def as_data(self) -> dict[str, Any]:
        """Give the finding as plain JSON data, without the span."""
        return {
            "rule": self.rule,
            "title": self.title,
            "severity": self.severity,
            "status": self.status,
            "message": self.message,
            "fix": self.fix,
            "evidence": [
                {"path": item.path, "found": plain(item.found), "wanted": item.wanted}
                for item in self.evidence
            ],
            "missing": list(self.missing),
            "source": self.source,
            "preempts": list(self.preempts),
            "waiver": self.waiver,
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """Hold the answer of one ruleset about one fact.

    Attributes:
        ruleset: Channel and ruleset, such as `huiju/eligibility`.
        version: Hash of the ruleset's normalised content, `sha256:` and 64 hex digits.
        as_of: The moment the question was asked for; aware.
        outcome: accepted; rejected, where an error-severity rule is violated; undetermined, where none is violated but
            one could not be decided.
        findings: In the order of the rules in the file.
    """

    ruleset: str
    version: str
    as_of: datetime
    outcome: Outcome
    findings: tuple[Finding, ...]

    def as_data(self) -> dict[str, Any]:
        """Give the decision as plain JSON data."""
        return {
            "ruleset": self.ruleset,
            "version": self.version,
            "as_of": plain(self.as_of),
            "outcome": self.outcome,
            "findings": [finding.as_data() for finding in self.findings],
        }

    def to_bytes(self) -> bytes:
        """Give the decision's canonical bytes: JSON in UTF-8, keys sorted, no white space."""
        return canonical(self.as_data())


def worst(outcomes: list[Outcome]) -> Outcome:
    """Join outcomes: rejected before undetermined before accepted.

    Examples:
        >>> worst(["accepted", "undetermined"])
        'undetermined'
    """
    order: tuple[Outcome, ...] = ("rejected", "undetermined")
    return next((outcome for outcome in order if outcome in outcomes), "accepted")


def canonical(data: Any) -> bytes:
    """Write plain data as canonical JSON bytes."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def plain(value: Any) -> Any:
    """Turn a fact's value into JSON data: times in UTC as text, lists and records member by member."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
