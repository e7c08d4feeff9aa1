"""Read Huiju's lists as tables of reference data (惠聚数据, R7).

Categories come with their parents' ids; paths are put together here. A parent that is not among them ends a path.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from mappings.values import flag, id_text, optional_id, put, text, whole

ID_KEYS: Final[Mapping[str, str]] = {
    "categories": "categoryId",
    "brands": "brandId",
    "freight_templates": "freightTemplateId",
    "spec_templates": "specTemplateId",
}
"""The tables that Huiju's lists fill, and the key of the id in each."""

BETWEEN = "/"
MOST_STEPS = 10


def rows_from_list(table: str, payloads: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Turn the entries of one list into the rows of a table.

    Args:
        table: Name of the table, one of `ID_KEYS`.
        payloads: The entries, as the client gives them.

    Returns:
        The rows, with fields as declared in `rules/facts/tables.yaml`, in the order of the channel.

    Raises:
        PayloadError: A value can't be read exactly.
    """
    key = ID_KEYS[table]
    rows: list[dict[str, Any]] = []
    for payload in payloads:
        row: dict[str, Any] = {"id": id_text(payload.get(key), key)}
        put(row, "name", text(payload.get("name"), "name"))
        if table == "categories":
            put(row, "parent_id", _parent(payload.get("parentId")))
            put(row, "level", whole(payload.get("level"), "level"))
            put(row, "leaf", flag(payload.get("leaf"), "leaf"))
        rows.append(row)
    if table == "categories":
        _add_paths(rows)
    return rows


def _parent(value: Any) -> str | None:
    """Give the parent's id; the channel may write none as nothing at all, as empty text or as 0."""
    return None if value in ("", "0", 0) else optional_id(value, "parentId")


def _add_paths(rows: list[dict[str, Any]]) -> None:
    by_id = {row["id"]: row for row in rows}
    for row in rows:
        steps: list[str] = []
        step: dict[str, Any] | None = row
        while step is not None and len(steps) < MOST_STEPS:
            steps.append(step.get("name") or step["id"])
            step = by_id.get(step.get("parent_id", ""))
        row["path"] = BETWEEN.join(reversed(steps))
