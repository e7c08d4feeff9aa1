"""Names nearest to a word, for Chinese names of specs, categories and brands; proposed to a person, never put in silently (R11, R12)."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from engine.tables import Row, Tables

LEAST = 0.5
"""Least likeness of a name that is proposed: two of four characters, or all of them in another order."""

REORDERED = 0.9
"""Worth of the same characters in another order: 色颜 for 颜色."""

CONTAINED = 0.85
"""Worth of a name that holds the whole word, or the other way round: 颜色 for 颜色分类."""

MOST_LOOKED_AT = 60
"""Names that are compared closely, of those which the quick comparison puts first."""

MOST_KNOWN = 10_000
"""Answers that are kept for the next row with the same word."""

LONGEST_WORD = 200
"""Characters of a word that are compared; no name of a spec, category or brand is as long."""

SEPARATORS = "/／>＞→›»|｜"
"""What people put between the steps of a category path."""

_BETWEEN = re.compile(rf"\s*[{re.escape(SEPARATORS)}]\s*")


@dataclass(frozen=True, slots=True)
class Name:
    """Hold one name that may be meant.

    Attributes:
        name: The name as it is shown, such as a category's path.
        id: Its id; empty for names that have none, such as a product's specs.
        short: Another form under which it may be asked for, such as a category's own name; may be empty.
    """

    name: str
    id: str = ""
    short: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Propose one name.

    Attributes:
        name: The name as it is shown.
        id: Its id; empty where it has none.
        score: Likeness, 0 to 1.
        certain: Whether it is the only name that equals the word but for width, case and blanks.
    """

    name: str
    id: str
    score: float
    certain: bool = False

    def __str__(self) -> str:
        return f"{self.name} [{self.id}]" if self.id else self.name


def plain_name(name: str) -> str:
    r"""Strip a name to what tells it from others: width, case, blanks, and how a path is divided.

    Examples:
        >>> plain_name(" Ｓ码\u3000(女) "), plain_name("服饰鞋包 ＞ 围巾")
        ('s码(女)', '服饰鞋包/围巾')
    """
    text = _BETWEEN.sub("/", unicodedata.normalize("NFKC", name).casefold())
    return "".join(char for char in text if not char.isspace() and unicodedata.category(char) != "Cf")


def likeness(one: str, other: str) -> float:
    """Say how like two names are, both as `plain_name` gives them.

    Returns:
        0 to 1; 1 only where they are equal.

    Examples:
        >>> likeness("色颜", "颜色"), likeness("颜色分类", "颜色"), likeness("颜色", "口味")
        (0.9, 0.85, 0.0)
    """
    if one == other:
        return 1.0
    shared = sum((Counter(one) & Counter(other)).values())
    score = REORDERED * 2 * shared / max(len(one) + len(other), 1)
    short, long = sorted((one, other), key=len)
    if len(short) > 1 and short in long:
        score = max(score, CONTAINED)
    return round(min(max(score, fuzz.ratio(one, other) / 100), 0.99), 3)


class Names:
    """Hold the names that may be meant, prepared for many questions."""

    def __init__(self, names: Iterable[Name]) -> None:
        """Prepare the names; of two alike in name and id the first counts."""
        self._names = list(dict.fromkeys(names))
        self._forms = [form for name in self._names for form in _forms(name)]
        self._owners = [name for name in self._names for _ in _forms(name)]
        self._by_characters: dict[str, list[int]] = {}
        for place, form in enumerate(self._forms):
            self._by_characters.setdefault("".join(sorted(form)), []).append(place)
        self._known: dict[tuple[str, int], list[Suggestion]] = {}

    def __len__(self) -> int:
        return len(self._names)

    def nearest(self, word: str, limit: int = 3) -> list[Suggestion]:
        """Give the names most like a word; see `nearest`."""
        key = (plain_name(word[:LONGEST_WORD]), limit)
        if key not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[key] = self._find(*key) if key[0] else []
        return self._known[key]

    def by_id(self, digits: str, limit: int = 3) -> list[Suggestion]:
        """Give the names whose ids are a slip away: one digit wrong, missing or too many, or two exchanged.

        Args:
            digits: The id that was written.
            limit: Most names to give.
        """
        found = [name for name in self._names if name.id and _is_slip(digits, name.id)]
        return [Suggestion(name.name, name.id, round(1 - 1 / len(digits), 3)) for name in found[:limit]]

    def _find(self, plain: str, limit: int) -> list[Suggestion]:
        equal = {self._owners[place] for place, form in enumerate(self._forms) if form == plain}
        quick = process.extract(plain, self._forms, scorer=fuzz.WRatio, limit=MOST_LOOKED_AT, score_cutoff=1)
        # The quick comparison passes over short names with the same characters in another order.
        places = [place for _, _, place in quick] + self._by_characters.get("".join(sorted(plain)), [])
        best: dict[Name, float] = dict.fromkeys(sorted(equal, key=self._names.index), 1.0)
        for place in places:
            owner, score = self._owners[place], likeness(plain, self._forms[place])
            if score >= LEAST:
                best[owner] = max(best.get(owner, 0.0), score)
        ranked = sorted(best.items(), key=lambda item: -item[1])
        return [
            Suggestion(name.name, name.id, score, certain=score == 1.0 and len(equal) == 1)
            for name, score in ranked[:limit]
        ]


def nearest(word: str, names: Iterable[Name], limit: int = 3) -> list[Suggestion]:
    """Give the names most like a word, the most likely first.

    Args:
        word: What was written.
        names: The names that may be meant.
        limit: Most names to give.

    Returns:
        At most `limit` suggestions, none less like than `LEAST`. The first is `certain` where it is the only name equal to
        the word but for width, case and blanks; even so it is for a person to take.

    Examples:
        >>> [str(found) for found in nearest("围 巾", [Name("服饰/围巾", "6091", "围巾"), Name("服饰/帽子", "6092", "帽子")])]
        ['服饰/围巾 [6091]']
    """
    return Names(names).nearest(word, limit)


def names_in(tables: Tables, table: str) -> Names:
    """Give the names of a table of reference data; made once for the same tables.

    Categories are named by their paths, and only leaves are proposed, where the table has any: nothing else can be listed
    under (R13).
    """

    def make() -> Names:
        rows = list(tables.rows(table) or ())
        if table == "categories":
            rows = [row for row in rows if is_leaf(row)] or rows
        return Names(_named(row) for row in rows if row.get("id"))

    made: Names = tables.view((__name__, table), make)
    return made


def is_leaf(category: Row) -> bool:
    """Tell whether goods may be listed under a category: third level, and no branch (R13)."""
    return category.get("level") == 3 and category.get("leaf") is not False


def _named(row: Mapping[str, object]) -> Name:
    name = str(row.get("name") or "")
    return Name(str(row.get("path") or name or row["id"]), str(row["id"]), name)


def _forms(name: Name) -> list[str]:
    return list(dict.fromkeys(form for form in (plain_name(name.name), plain_name(name.short)) if form))


def _is_slip(one: str, other: str) -> bool:
    """Tell whether two different ids are one slip of the hand apart."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
    a, b = one[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[:2][::-1] and a[2:] == b[2:])
