"""Check uploads and catalogues: rows and products in, checked rows with decisions out (R16, R19).

A row is decided once its product has been read; products stream by, so that neither the catalogue nor its facts are held. What is held is
the rows of the upload, and the outcome of those that did not simply pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from engine.decision import Decision, worst
from engine.diagnostics import Cell, Diagnostic
from engine.evaluators.record import compile_plan
from engine.mapping import MappingSession
from engine.plan import PlannedRule, batch_refs, parts, refs_of
from engine.rulebook import Channel, Rulebook
from engine.rules import Ruleset
from engine.session import Session
from engine.source import Span
from engine.tables import Batch, Tables
from mappings.report import CheckedRow
from mappings.sheet import SheetRow, UploadSheet
from pipeline.catalogue import Line
from pipeline.suggestions import suggestions_for

FACT = "listing"
Fact = dict[str, Any]
_SLICE = 1000

MOST_SUGGESTED = 5000
"""Rows of an upload for which the nearest names are looked up: with more there is something else amiss than a slip."""


@dataclass(slots=True)
class Checker:
    """Check listings by every ruleset of a channel that is about them.

    Attributes:
        rulebook: The rules.
        channel: The channel.
        as_of: The moment asked for; aware.
        tables: The channel's reference data.
        shop: The shop's fact; empty where nothing is known of it.
        on_progress: Called with how many rows are decided and how many there are; 0 where that is not known.
        on_notice: Called with what is worth knowing of the input and is about no row.
    """

    rulebook: Rulebook
    channel: Channel
    as_of: datetime
    tables: Tables
    shop: Fact
    on_progress: Callable[[int, int], None] = lambda _done, _total: None
    on_notice: Callable[[Diagnostic], None] = lambda _notice: None

    def rulesets(self) -> list[Ruleset]:
        """Give the rulesets that decide: those of kind eligibility and mapping about listings."""
        about = [ruleset for ruleset in self.channel.rulesets.values() if ruleset.fact.name == FACT]
        return [ruleset for ruleset in about if ruleset.kind in {"eligibility", "mapping"}]

    def versions(self) -> tuple[tuple[str, str], ...]:
        """Give name and version of each ruleset that decides."""
        return tuple((ruleset.name, ruleset.version) for ruleset in self.rulesets())

    def upload(self, sheet: UploadSheet, catalogue: Iterable[Line]) -> Iterator[CheckedRow]:
        """Check the rows of an upload against the products of the shop.

        Args:
            sheet: The upload, opened.
            catalogue: The products, in any order; of two with the same id the first counts, and a notice says so where a row needs it.

        Yields:
            Every row in the order of the sheet. Nothing is yielded before all rows are decided: whether a value is unique is known
            only then.
        """
        rows = list(sheet.rows)
        decide = self.decider(rows)
        waiting: dict[str, list[SheetRow]] = {}
        for row in rows:
            waiting.setdefault(row.row.get("product_id", ""), []).append(row)
        notable: dict[int, CheckedRow] = {}
        unreadable: list[CheckedRow] = []

        def settle(row: SheetRow, line: Line | None) -> None:
            fact: Fact = {"shop": self.shop, "row": row.row}
            if line is not None:
                fact["product"] = line.fact
                if line.problems:
                    row = row._replace(problems=(*row.problems, *line.problems))
            decisions = decide(fact)
            if row.problems or any(decision.findings for decision in decisions):
                checked = self.checked(sheet, row, decisions)
                if len(notable) < MOST_SUGGESTED and (said := suggestions_for(checked, fact, self.tables)):
                    checked = replace(checked, suggestions=said)
                notable[row.number] = checked

        done = 0
        first: dict[str, int] = {}
        for line in catalogue:
            if line.fact is None:
                unreadable.append(_unreadable(line))
                continue
            product = line.fact.get("id", "")
            if product in first:
                self.on_notice(_again(product, line, first[product]))
            elif product in waiting:
                first[product] = line.number
            for row in waiting.pop(product, ()):
                settle(row, line)
                done += 1
                if done % _SLICE == 0:
                    self.on_progress(done, len(rows))
        for left in waiting.values():
            for row in left:
                settle(row, None)
        self.on_progress(len(rows), len(rows))
        yield from unreadable
        accepted = tuple(
            Decision(name, version, self.as_of, "accepted", ()) for name, version in self.versions()
        )
        for row in rows:
            yield notable.get(row.number) or self.checked(sheet, row, accepted)

    def checked(self, sheet: UploadSheet, row: SheetRow, decisions: tuple[Decision, ...]) -> CheckedRow:
        """Put one row and its decisions together; a row with a cell that can't be read is rejected."""
        outcomes = [decision.outcome for decision in decisions]
        if any(problem.severity == "error" for problem in row.problems):
            outcomes.append("rejected")
        key = row.row.get("product_id", "")
        return CheckedRow(
            sheet.file, sheet.sheet, row.number, key, row.cells, row.problems, decisions, worst(outcomes)
        )

    def catalogue(self, file: str, lines: Iterable[Line]) -> Iterator[CheckedRow]:
        """Check products, or whole listings, that come line by line.

        Args:
            file: The file as the user named it.
            lines: The lines. Where a line is a product without an upload row, only the rules that say nothing of the row are put to it.

        Yields:
            Every line in order; one with a value that can't be read is rejected, as a row is.
        """
        whole, products = self.decider(()), self.decider((), without="row")
        for line in lines:
            if line.fact is None:
                yield _unreadable(line)
                continue
            if line.is_listing:
                decisions = whole({"shop": self.shop, **line.fact})
                key = line.fact.get("row", {}).get("product_id", "") or line.fact.get("product", {}).get(
                    "id", ""
                )
            else:
                decisions = products({"shop": self.shop, "product": line.fact})
                key = line.fact.get("id", "")
            if line.number % _SLICE == 0:
                self.on_progress(line.number, 0)
            broken = any(problem.severity == "error" for problem in line.problems)
            outcome = "rejected" if broken else worst([decision.outcome for decision in decisions])
            cells: Mapping[str, Cell] = {}
            yield CheckedRow(file, "", line.number, key, cells, line.problems, decisions, outcome)

    def decider(
        self, rows: Iterable[SheetRow], without: str = "", but: frozenset[tuple[str, ...]] = frozenset()
    ) -> Callable[[Fact], tuple[Decision, ...]]:
        """Make the function that decides a listing.

        Args:
            rows: The rows of the upload, which know each other's values; gone through once.
            without: Leave out the rules that speak of this part of the listing; empty to leave out none.
            but: Fields of that part that a rule may speak of nevertheless, as their steps.

        Returns:
            A function from a fact to a decision of each ruleset.
        """
        rulesets = [_without(ruleset, without, but) if without else ruleset for ruleset in self.rulesets()]
        batches: dict[str, Batch] = {
            ruleset.name: Batch(ref for ref in batch_refs(ruleset.plan()) if ref.steps[0] == "row")
            for ruleset in rulesets
            if ruleset.kind != "mapping"
        }
        for row in rows:
            fact, label = {"row": row.row}, str(row.number)
            for batch in batches.values():
                batch.add(fact, label)
        sessions: list[Callable[[Fact], Decision]] = []
        for ruleset in rulesets:
            if ruleset.kind == "mapping":
                sessions.append(_deciding(MappingSession(ruleset, self.tables, self.as_of)))
                continue
            evaluator = compile_plan(ruleset.plan()) if without else self.rulebook.evaluator(ruleset)
            session = Session(ruleset, evaluator, self.tables, self.as_of, batches[ruleset.name])
            sessions.append(session.decide)
        return lambda fact: tuple([decide(fact) for decide in sessions])


def _deciding(mapping: MappingSession) -> Callable[[Fact], Decision]:
    return lambda fact: mapping.map(fact).decision


def _without(ruleset: Ruleset, part: str, but: frozenset[tuple[str, ...]]) -> Ruleset:
    """Leave out the rules that speak of a part of the fact, as they could only be undetermined."""
    kept = tuple(
        rule
        for rule, planned in zip(ruleset.rules, ruleset.plan().rules, strict=True)
        if ruleset.kind != "mapping" and not _speaks_of(planned, part, but)
    )
    return replace(ruleset, rules=kept)


def _speaks_of(rule: PlannedRule, part: str, but: frozenset[tuple[str, ...]]) -> bool:
    tops = [top for top in (rule.when, rule.require) if top is not None]
    refs = [ref for top in tops for inner in parts(top) for ref in refs_of(inner)]
    return any(ref.scope == 0 and ref.steps[:1] == (part,) and ref.steps not in but for ref in refs)


def _again(product: str, line: Line, first: int) -> Diagnostic:
    """Say that a product is there twice, and which one counts."""
    message = f"商品 {product} 重复：以第 {first} 行的为准，这一行没有用"
    return Diagnostic(
        "SG0805", "notice", message, Span(line.file, line.number, 1, line.number, 1), "删去其中一行"
    )


def _unreadable(line: Line) -> CheckedRow:
    """Reject a line that can't be read, as a row with an unreadable cell is."""
    return CheckedRow(line.file, "", line.number, "", {}, line.problems, (), "rejected")
