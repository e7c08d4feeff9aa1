"""Say which name may have been meant, where a row names something that isn't there (R11, R12).

A suggestion stands beside what the rules say: it changes no decision, and nothing is put in for the merchant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.decision import Evidence, Finding
from engine.tables import Tables
from mappings.ids import IdError, read_id
from mappings.nearest import Name, Suggestion, is_leaf, names_in, nearest
from mappings.reference import LEVELS
from mappings.report import CheckedRow
from mappings.template_choices import TABLES_OF_COLUMNS

MOST = 2
"""Names that are proposed for one cell."""

_SPEC_NAME = re.compile(r"row\.specs\[[0-9]+\]\.name")
_TEMPLATE = re.compile(r"row\.specs\[([0-9]+)\]\.template_id")
_NUMBER = re.compile(r"[0-9.,+Ee\s-]*")
_ID_PART = re.compile(r"\[[^\[\]]*\]\s*$")


def suggestions_for(row: CheckedRow, fact: Mapping[str, Any], tables: Tables) -> dict[str, str]:
    """Find what may have been meant in a row.

    Args:
        row: The row with its decisions.
        fact: The listing that was decided on.
        tables: The shop's reference data.

    Returns:
        A sentence without its full stop, by the name of the rule that objects, or by the name of the cell that could not be read.
    """
    found: dict[str, str] = {}
    for decision in row.decisions:
        for finding in decision.findings:
            # What a mapping rule remarks on, it has named its own value for.
            objects = finding.status == "violated" and finding.severity != "notice"
            if objects and (text := _say(_meant(finding, row, fact, tables))):
                found[finding.rule] = text
    paths = {cell.name: path for path, cell in row.cells.items()} if row.problems else {}
    for problem in row.problems:
        table = TABLES_OF_COLUMNS.get(paths.get(problem.cell.name, "") if problem.cell else "")
        if problem.cell is not None and table is not None:
            word = _ID_PART.sub("", problem.cell.value)
            if not _NUMBER.fullmatch(word) and (text := _say(names_in(tables, table).nearest(word, MOST))):
                found[problem.cell.name] = text
    return found


def _meant(
    finding: Finding, row: CheckedRow, fact: Mapping[str, Any], tables: Tables
) -> Iterator[Suggestion]:
    for evidence in finding.evidence:
        if not isinstance(evidence.found, str):
            continue
        if _SPEC_NAME.fullmatch(evidence.path):
            yield from _specs(evidence.found, fact)
        elif table := TABLES_OF_COLUMNS.get(evidence.path):
            word = _word_for(evidence, row, fact)
            yield from _rows(evidence.found, table, word, tables)


def _specs(word: str, fact: Mapping[str, Any]) -> list[Suggestion]:
    """Find the product's own spec that a name is nearest to, of those that the row has not named yet."""
    names = [spec.get("name") for spec in (fact.get("product") or {}).get("specs") or ()]
    taken = {spec.get("name") for spec in (fact.get("row") or {}).get("specs") or ()}
    if word in names:
        return []
    return nearest(word, [Name(name) for name in names if name and name not in taken], 1)


def _word_for(evidence: Evidence, row: CheckedRow, fact: Mapping[str, Any]) -> str:
    """Give the name that goes with an id: the one written beside it, else what the product itself is called by."""
    cell = row.cells.get(evidence.path)
    word = _ID_PART.sub("", cell.value).strip() if cell is not None else ""
    if word and not _is_id(word):
        return word
    if level := _TEMPLATE.fullmatch(evidence.path):
        specs = (fact.get("row") or {}).get("specs") or ()
        return str(specs[int(level[1])].get("name") or "") if int(level[1]) < len(specs) else ""
    names = (fact.get("product") or {}).get("category_names") or [""]
    return str(names[-1]) if evidence.path == "row.category_id" else ""


def _rows(identity: str, table: str, word: str, tables: Tables) -> list[Suggestion]:
    """Find the row of a table that an id may stand for."""
    known = tables.by(table, "id")
    if not known:
        return []
    if identity in known:
        branch = known[identity][0]
        return [] if table != "categories" or is_leaf(branch) else _leaves(tables, branch, word)
    names = names_in(tables, table)
    by_name = names.nearest(word, MOST) if word else []
    return by_name or names.by_id(identity, MOST)


def _leaves(tables: Tables, branch: Mapping[str, Any], word: str) -> list[Suggestion]:
    """Find the leaves below a branch of the categories that are like a word."""
    rows = tables.rows("categories") or []
    above = {branch["id"]}
    for _ in range(LEVELS - 1):
        above |= {item["id"] for item in rows if item.get("parent_id") in above}
    leaves = (item for item in rows if is_leaf(item) and item["id"] in above)
    names = [
        Name(str(item.get("path") or item.get("name")), item["id"], str(item.get("name") or ""))
        for item in leaves
    ]
    return nearest(word, names, MOST)


def _say(found: Iterator[Suggestion] | list[Suggestion]) -> str:
    names = list(dict.fromkeys(map(str, found)))
    return f"最接近的是 {'、'.join(names)}" if names else ""


def _is_id(word: str) -> bool:
    try:
        read_id(word)
    except IdError:
        return False
    return True
