"""What a report is made of: checked rows as a stream, and the counts that build up while it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.decision import Decision, Outcome
from engine.diagnostics import Cell, Diagnostic


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """Hold one row or line of input and what was decided about it.

    Attributes:
        place: The file as the user named it.
        sheet: The sheet; empty for files without sheets.
        number: Row or line, 1-based; None where the whole file is meant.
        key: Id of the product; empty where it is not known.
        cells: The cell of each field by path; empty where there are none.
        problems: What could not be read.
        decisions: One for each ruleset.
        outcome: The worst of the decisions.
        suggestions: Which names may have been meant, by the rule that objects or the cell that could not be read.
    """

    place: str
    sheet: str
    number: int | None
    key: str
    cells: Mapping[str, Cell]
    problems: tuple[Diagnostic, ...]
    decisions: tuple[Decision, ...]
    outcome: Outcome
    suggestions: Mapping[str, str] = field(default_factory=dict)

    @property
    def notable(self) -> bool:
        """Whether there is anything to say about the row."""
        return (
            self.outcome != "accepted" or bool(self.problems) or any(item.findings for item in self.decisions)
        )


@dataclass(slots=True)
class RuleCount:
    """Count what one rule found.

    Attributes:
        title: The rule's title.
        violations: Violations that reject a row.
        undetermined: Rows for which a fact was missing.
        waived: Violations that a waiver covers.
        warnings: Violations of a rule that only warns or notes.
    """

    title: str
    violations: int = 0
    undetermined: int = 0
    waived: int = 0
    warnings: int = 0

    def as_data(self) -> dict[str, Any]:
        """Give the counts as plain JSON data."""
        return {
            "title": self.title,
            "violations": self.violations,
            "undetermined": self.undetermined,
            "waived": self.waived,
            "warnings": self.warnings,
        }


@dataclass(slots=True)
class Summary:
    """Count rows and findings as they go by; complete once all rows were read.

    Attributes:
        total: Rows; accepted + rejected + undetermined.
        accepted: Rows that passed.
        rejected: Rows that did not.
        undetermined: Rows that could not be decided.
        unreadable: Whole files that could not be read; no rows.
        problems: Cells and files that could not be read.
        rules: Counts of each rule that found anything, by rule, in the order of first appearance.
    """

    total: int = 0
    accepted: int = 0
    rejected: int = 0
    undetermined: int = 0
    unreadable: int = 0
    problems: int = 0
    rules: dict[str, RuleCount] = field(default_factory=dict)

    def counting(self, rows: Iterable[CheckedRow]) -> Iterator[CheckedRow]:
        """Pass rows on and count them."""
        for row in rows:
            self.add(row)
            yield row

    def add(self, row: CheckedRow) -> None:
        """Count one row."""
        self.problems += len(row.problems)
        if row.number is None and not row.decisions:
            self.unreadable += 1
            return
        self.total += 1
        setattr(self, row.outcome, getattr(self, row.outcome) + 1)
        for decision in row.decisions:
            for finding in decision.findings:
                count = self.rules.setdefault(finding.rule, RuleCount(finding.title))
                if finding.status == "waived":
                    count.waived += 1
                elif finding.status == "undetermined":
                    count.undetermined += 1
                elif finding.severity == "error":
                    count.violations += 1
                else:
                    count.warnings += 1

    def as_data(self) -> dict[str, Any]:
        """Give the counts as plain JSON data."""
        return {
            "total": self.total,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "undetermined": self.undetermined,
            "unreadable": self.unreadable,
            "problems": self.problems,
            "rules": {rule: count.as_data() for rule, count in self.rules.items()},
        }

    def __str__(self) -> str:
        """Say the counts of rows in one line."""
        text = (
            f"共 {self.total} 行：通过 {self.accepted}，不通过 {self.rejected}，无法判断 {self.undetermined}"
        )
        if self.problems:
            text += f"；读取问题 {self.problems} 处"
        return text + (f"；{self.unreadable} 个文件无法读取" if self.unreadable else "")


@dataclass(frozen=True, slots=True)
class Report:
    """Hold everything that a format writes.

    Attributes:
        title: Headline, in Chinese.
        rulesets: Name and version of each ruleset that decided.
        as_of: The moment the question was asked for; aware.
        source_name: The input as the user named it.
        rows: Every checked row, once; accepted ones too. Reading them counts them in `summary`.
        summary: The counts; complete once `rows` is used up.
        colour: Whether a terminal shows colours.
    """

    title: str
    rulesets: tuple[tuple[str, str], ...]
    as_of: datetime
    source_name: str
    rows: Iterator[CheckedRow]
    summary: Summary = field(default_factory=Summary)
    colour: bool = False

    def __post_init__(self) -> None:
        """Count the rows as they are read."""
        object.__setattr__(self, "rows", self.summary.counting(self.rows))


def unreadable(place: str, diagnostics: Iterable[Diagnostic]) -> CheckedRow:
    """Make the one row of a file that can't be read at all."""
    return CheckedRow(place, "", None, "", {}, tuple(diagnostics), (), "undetermined")
