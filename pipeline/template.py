"""Fill a template in as far as the rules can: a row for each product that may be listed, proposals, and what can't be listed and why (R8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from engine.decision import Decision, worst
from engine.mapping import Mapped, MappingResult, MappingSession
from engine.tables import Tables
from mappings.nearest import names_in
from mappings.sheet_columns import UPLOAD_COLUMNS
from mappings.template import Barred, Proposal, Template, TemplateRow
from mappings.template_choices import TABLES_OF_COLUMNS
from pipeline.checking import Checker

PRODUCT_ID = ("row", "product_id")
COLUMNS = frozenset(column.path for column in UPLOAD_COLUMNS)
OUTCOMES = {"rejected": "不通过", "undetermined": "无法判断"}
Fact = dict[str, Any]


def build_template(
    checker: Checker,
    reference_note: str,
    products: Iterable[tuple[str, Fact | None]] = (),
    on_progress: Callable[[int], None] = lambda _done: None,
) -> Template:
    """Fill a template in.

    A row's own rules are left out, save those that need no more of it than the product's id: whether it is the shop's, and whether
    it is listed already. A product that is rejected, or can't be decided on, is barred: a row of it would not pass.

    Args:
        checker: Rules, reference data, shop and moment.
        reference_note: Where the reference data is from and how old it is.
        products: Ids and facts; None where the shop has no such product, or its data can't be read. None of them for a blank
            template.
        on_progress: Called with how many products are done.
    """
    decide = checker.decider((), without="row", but=frozenset({PRODUCT_ID}))
    sessions = [
        MappingSession(ruleset, checker.tables, checker.as_of)
        for ruleset in checker.rulesets()
        if ruleset.kind == "mapping"
    ]
    rows: list[TemplateRow] = []
    barred: list[Barred] = []
    for done, (product_id, product) in enumerate(products, 1):
        fact: Fact = {"shop": checker.shop, "row": {"product_id": product_id}}
        if product is not None:
            fact["product"] = product
        decisions = decide(fact)
        outcome = worst([decision.outcome for decision in decisions])
        if product is None or outcome != "accepted":
            barred.append(_barred(product_id, product or {}, outcome, decisions))
        else:
            rows.append(_row(checker.tables, sessions, fact, decisions))
        on_progress(done)
    return Template(checker.tables, reference_note, tuple(rows), tuple(barred))


def _barred(product_id: str, product: Fact, outcome: str, decisions: tuple[Decision, ...]) -> Barred:
    """Name a product with the reasons that decide; those that only warn are left out."""
    reasons = tuple(
        (finding.message, finding.fix)
        for decision in decisions
        for finding in decision.findings
        if finding.severity == "error" and finding.status != "waived"
    )
    told = reasons or (("商品信息无法读取", "在有赞后台核对商品后重新读取"),)
    return Barred(product_id, product.get("title", ""), OUTCOMES.get(outcome, OUTCOMES["undetermined"]), told)


def _row(
    tables: Tables, sessions: list[MappingSession], fact: Fact, decisions: tuple[Decision, ...]
) -> TemplateRow:
    """Fill in a product's row with what the mapping rules propose."""
    product = fact["product"]
    specs = tuple(str(spec.get("name") or "") for spec in product.get("specs") or ())
    row = {**fact["row"], "specs": [{"name": name} for name in specs]}
    proposals: dict[str, Proposal] = {}
    gaps: dict[str, str] = {}
    for session in sessions:
        result = session.map({**fact, "row": row})
        said = _said(result)
        for mapped in result.mapped:
            if mapped.target not in COLUMNS:
                continue
            why = said.get(mapped.source) or said.get(mapped.target, "")
            if mapped.value is None or why:
                gaps[mapped.target] = why + _nearest(tables, mapped, product)
            else:
                proposals[mapped.target] = Proposal(str(mapped.value), mapped.confidence)
    remarks = tuple(finding.message for decision in decisions for finding in decision.findings)
    return TemplateRow(product["id"], product.get("title", ""), specs, proposals, gaps, remarks)


def _said(result: MappingResult) -> dict[str, str]:
    """Give what the mapping rules object to, by the path that it is about."""
    return {
        evidence.path: finding.message
        for finding in result.decision.findings
        if finding.status == "violated"
        for evidence in finding.evidence
    }


def _nearest(tables: Tables, mapped: Mapped, product: Fact) -> str:
    """Name the choices that are most like what the product says; a person takes one, or none."""
    table = TABLES_OF_COLUMNS.get(mapped.target, "")
    words = [mapped.key] if mapped.source else list(product.get("category_names") or ())[-1:]
    found = names_in(tables, table).nearest(str(words[0]), limit=2) if table and words else []
    return f"（名称最接近的是 {'、'.join(map(str, found))}）" if found else ""
