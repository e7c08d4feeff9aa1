"""Safe corrections of an upload's cells: proposed where only one value can be meant, for a person to take over (R11, R12, R17).

Proposed are a spec name that is one letter off one of the product's own, a name of the reference data that stands in the place of its id,
an id that is one slip away from a single one of the shop's, the only leaf below a category, and the spec template that the mapping
rules are sure of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rapidfuzz.distance import OSA

from engine.diagnostics import Cell
from engine.mapping import Mapped
from engine.tables import Tables
from mappings.ids import show_choice
from mappings.nearest import is_leaf, names_in, plain_name
from mappings.report import CheckedRow
from mappings.workbook import Correction

TABLES = {
    "category_id": "categories",
    "brand_id": "brands",
    "freight_template_id": "freight_templates",
    "template_id": "spec_templates",
}
"""The table that each column of ids picks from, by the last step of its path."""

SHORTEST = 2
"""Characters of the shortest name of which one may be wrong."""

MOST_DEEP = 10


def corrections(
    checked: CheckedRow,
    row: Mapping[str, Any],
    product: Mapping[str, Any] | None,
    tables: Tables,
    mapped: Sequence[Mapped] = (),
) -> tuple[Correction, ...]:
    """Propose corrections for the cells of one row that are at fault.

    Args:
        checked: The row, with what is wrong with it.
        row: The row as the rules see it.
        product: The product's fact; None where there is none.
        tables: The shop's reference data.
        mapped: What the mapping rules propose for the row.

    Returns:
        One proposal for a cell at the most, in the order of the cells.
    """
    proposed = {
        item.target: str(item.value) for item in mapped if item.confidence >= 1 and item.value is not None
    }
    found: list[Correction] = []
    for path in _at_fault(checked):
        cell = checked.cells.get(path)
        if cell is None:
            continue
        value = _propose(path, cell, row, product or {}, tables, proposed)
        if value and value != cell.value:
            found.append(Correction(cell.name, cell.column, cell.value, value))
    return tuple(found)


def _at_fault(checked: CheckedRow) -> list[str]:
    """Give the paths of the cells at fault, each once, in the order of the columns."""
    broken = {problem.cell.name for problem in checked.problems if problem.cell is not None}
    blamed = {
        path
        for decision in checked.decisions
        for finding in decision.findings
        if finding.severity == "error" and finding.status != "waived"
        for path in [item.path for item in finding.evidence] + list(finding.missing)
    }
    return [path for path, cell in checked.cells.items() if path in blamed or cell.name in broken]


def _propose(
    path: str,
    cell: Cell,
    row: Mapping[str, Any],
    product: Mapping[str, Any],
    tables: Tables,
    proposed: Mapping[str, str],
) -> str:
    """Give the only value that can be meant; empty where there is none, or several."""
    field = path.rpartition(".")[2]
    if field == "name":
        taken = {spec.get("name") for spec in row.get("specs", ())}
        names = [spec["name"] for spec in product.get("specs") or () if spec["name"] not in taken]
        return _only(names_one_off(cell.value, names))
    table = TABLES.get(field)
    if table is None:
        return ""
    if not cell.value:
        return _shown(tables, table, proposed.get(path, ""))
    return _only(_meant(cell.value, table, tables)) or _shown(tables, table, proposed.get(path, ""))


def names_one_off(word: str, names: Sequence[str]) -> list[str]:
    """Give the names that differ from a word by one character: wrong, missing, too many, or two exchanged.

    Examples:
        >>> names_one_off("色颜", ["颜色", "尺码"]), names_one_off("颜包", ["颜色", "尺码"]), names_one_off("款", ["色"])
        (['颜色'], ['颜色'], [])
    """
    plain = plain_name(word)
    return [
        name
        for name in names
        if plain_name(name) == plain
        or (min(len(plain), len(plain_name(name))) >= SHORTEST and OSA.distance(plain, plain_name(name)) <= 1)
    ]


def _meant(text: str, table: str, tables: Tables) -> Iterator[str]:
    """Give what may be meant by a cell that holds no id of the table."""
    names = names_in(tables, table)
    if not (text.isascii() and text.isdigit()):
        yield from (show_choice(item.name, item.id) for item in names.nearest(text, 2) if item.certain)
        return
    if table == "categories" and (below := _leaves_below(text, tables)):
        yield from (_shown(tables, table, leaf) for leaf in below)
        return
    yield from (show_choice(item.name, item.id) for item in names.by_id(text, 2))


def _leaves_below(category_id: str, tables: Tables) -> list[str]:
    """Give the leaves below a category that is none itself."""
    children = tables.by("categories", "parent_id") or {}
    level, leaves = [category_id], []
    for _ in range(MOST_DEEP):
        rows = [row for parent in level for row in children.get(parent, ())]
        leaves += [row["id"] for row in rows if is_leaf(row)]
        level = [row["id"] for row in rows if not is_leaf(row)]
    return leaves


def _shown(tables: Tables, table: str, identity: str) -> str:
    """Write an id the way a drop-down does, with its name; empty for no id."""
    if not identity:
        return ""
    rows = (tables.by(table, "id") or {}).get(identity, ())
    name = next((str(row.get("path") or row.get("name") or "") for row in rows), "")
    return show_choice(name, identity) if name else identity


def _only(values: Iterator[str] | list[str]) -> str:
    """Give the one value there is; empty where there is none, or several."""
    found = list(values)
    return found[0] if len(found) == 1 else ""
