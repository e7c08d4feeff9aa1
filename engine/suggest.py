"""The nearest valid name, for "did you mean"."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, names: Iterable[str]) -> str:
    """Give the name most like a word; empty where none is like it.

    Examples:
        >>> nearest("at_lest", ["at_least", "at_most"])
        'at_least'
    """
    known = list(names)
    folded = {name.casefold().replace("-", "_"): name for name in reversed(known)}
    match = get_close_matches(word.casefold().replace("-", "_"), folded, n=1, cutoff=0.6)
    return folded[match[0]] if match else ""


def did_you_mean(word: str, names: Iterable[str], *, listed: str = "可用") -> str:
    """Write a hint for a misspelt name: the nearest one, or the ones there are.

    Examples:
        >>> did_you_mean("tilte", ["title", "fix"])
        '是不是 title？'
    """
    known = list(names)
    found = nearest(word, known)
    if found:
        return f"是不是 {found}？"
    shown = "、".join(known[:12])
    return f"{listed}：{shown}{' …' if len(known) > 12 else ''}" if known else ""
