"""Bring situations together that are told apart by nothing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

from engine.matrix import Axis, Grid, Situation, Values

ANY = "任何"
_FEW = 3


def merged(grid: Grid, key: Callable[[Situation], Hashable]) -> list[tuple[tuple[str, ...], Situation]]:
    """Bring values together that make no difference to a key, axis by axis.

    Args:
        grid: Every situation.
        key: What must be the same.

    Returns:
        Rows in the order of the axes: each axis's values in words, and one of the situations. Every situation belongs to exactly one row,
        and has the key of that row's situation.
    """
    by_values = {situation.values: situation for situation in grid.situations}
    keys = {values: key(situation) for values, situation in by_values.items()}
    rows = _split(grid.axes, keys, ()) if keys else ()
    return [(labels, by_values[values]) for labels, values in rows]


def _split(
    axes: tuple[Axis, ...], keys: dict[Values, Hashable], values: Values
) -> Iterator[tuple[tuple[str, ...], Values]]:
    """Group the values of the next axis by what all that follows makes of them, given one value for each axis before it."""
    place = len(values)
    if place == len(axes):
        yield (), values
        return
    alike: dict[Hashable, list[Any]] = {}
    for value, _ in axes[place].values:
        begun = (*values, value)
        column = tuple(found for known, found in keys.items() if known[: place + 1] == begun)
        alike.setdefault(column, []).append(value)
    for chosen in alike.values():
        for labels, complete in _split(axes, keys, (*values, chosen[0])):
            yield (label(axes[place], chosen), *labels), complete


def label(axis: Axis, chosen: Sequence[Any]) -> str:
    """Name values of an axis: all of them, the few of them, or many by the few that are not among them.

    Examples:
        >>> axis = Axis("status", "状态", (("a", "甲"), ("b", "乙"), ("c", "丙"), ("d", "丁"), ("e", "戊")))
        >>> label(axis, "ab"), label(axis, "abce"), label(axis, "abcde")
        ('甲、乙', '除丁外', '任何')
    """
    rest = [title for value, title in axis.values if value not in chosen]
    if not rest and len(chosen) > 1:
        return ANY
    if len(chosen) > _FEW and len(rest) < len(chosen):
        return f"除{'、'.join(rest)}外"
    return "、".join(axis.word(value) for value in chosen)
