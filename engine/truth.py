"""The slow pass: decide a condition step by step, and show which tests are to blame.

This is the plain reading of the plan. Evaluators decide fast; what they could not let pass is put to this module, which says whether it
is violated or cannot be known, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from engine.decision import Evidence
from engine.operators import operators
from engine.plan import And, Condition, Const, InTable, Not, Once, Operand, Or, Ref, Some, Test
from engine.tables import Batch, Tables
from engine.wording import wanted

Scopes = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """Say why a condition is not what it was wanted to be.

    Attributes:
        evidence: The tests to blame, in the order of the rule.
        missing: Paths, or `table:<name>`, that were needed and absent.
    """

    evidence: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judge:
    """Decide conditions about facts, knowing the tables and the batch.

    Attributes:
        tables: The tables there are.
        batch: The values of the other rows, or None where there is no batch.
    """

    tables: Tables
    batch: Batch | None = None

    def truth(self, condition: Condition, scopes: Scopes) -> bool | None:
        """Decide a condition.

        Args:
            condition: The condition.
            scopes: The fact, then the elements of the enclosing quantifiers.

        Returns:
            True, False, or None where it cannot be known.
        """
        match condition:
            case And(items):
                return all_hold(self.truth(item, scopes) for item in items)
            case Or(items):
                return invert(all_hold(invert(self.truth(item, scopes)) for item in items))
            case Not(item):
                return invert(self.truth(item, scopes))
            case Test():
                return self.test(condition, scopes)
            case Some(subject, scope, body):
                elements = value_of(subject, scopes)
                return None if elements is None else self.any_of(elements, scope, body, scopes)
            case InTable():
                return self.in_table(condition, scopes)
            case Once(subject):
                value = value_of(subject, scopes)
                counts = None if self.batch is None else self.batch.counts.get(subject.path)
                return None if value is None or counts is None else counts.get(value, 0) <= 1

    def any_of(self, elements: Any, scope: int, body: Condition, scopes: Scopes) -> bool | None:
        """Decide whether any element meets a condition."""
        return invert(all_hold(invert(self.truth(body, within(scopes, scope, item))) for item in elements))

    def test(self, condition: Test, scopes: Scopes) -> bool | None:
        """Apply an operator's test."""
        operator = operators()[condition.operator]
        value = value_of(condition.subject, scopes)
        operands = [operand_of(operand, condition.operator, scopes) for operand in condition.operands]
        if not operator.known and (value is None or any(operand is None for operand in operands)):
            return None
        assert operator.test is not None
        return operator.test(value, *operands)

    def in_table(self, condition: InTable, scopes: Scopes) -> bool | None:
        """Decide whether a table has a row that fits."""
        value = value_of(condition.subject, scopes)
        index = self.tables.by(condition.table, condition.column)
        if value is None or index is None:
            return None
        rows = index.get(value, ())
        if condition.where is None:
            return bool(rows)
        return self.any_of(rows, condition.scope, condition.where, scopes)

    def reason(self, condition: Condition, scopes: Scopes, *, want: bool) -> Reason:
        """Say why a condition is not what it was wanted to be.

        Args:
            condition: A condition that is not `want`.
            scopes: The fact, then the elements of the enclosing quantifiers.
            want: What it was wanted to be.

        Returns:
            The tests to blame and the values missing.
        """
        return self.blame(condition, scopes, (), want=want)

    def blame(self, condition: Condition, scopes: Scopes, places: tuple[str, ...], *, want: bool) -> Reason:
        """Collect what is to blame; `places` are the shown paths of the enclosing elements."""
        return self.blame_known(condition, self.truth(condition, scopes), scopes, places, want=want)

    def blame_known(
        self, condition: Condition, truth: bool | None, scopes: Scopes, places: tuple[str, ...], *, want: bool
    ) -> Reason:
        """Collect what is to blame in a condition whose truth is known: of several parts those that settle it."""
        if truth is want:
            return Reason()
        match condition:
            case And(items) | Or(items):
                settling = [item for item in items if self.truth(item, scopes) is truth]
                return join(self.blame_known(item, truth, scopes, places, want=want) for item in settling)
            case Not(item):
                return self.blame_known(item, invert(truth), scopes, places, want=not want)
            case Some():
                return self.blame_some(condition, truth, scopes, places, want=want)
            case _:
                return self.blame_leaf(condition, truth, scopes, places)

    def blame_some(
        self, condition: Some, truth: bool | None, scopes: Scopes, places: tuple[str, ...], *, want: bool
    ) -> Reason:
        """Blame the elements where one of them is to blame, else the list as a whole."""
        elements = value_of(condition.subject, scopes)
        path = shown_path(condition.subject, places)
        if elements is None:
            return Reason((), (path,))
        if want:
            text = "至少一个元素满足条件" if elements else "至少一个元素"
            inner = [
                self.blame_element(condition, scopes, places, n, want=True) for n in range(len(elements))
            ]
            missing = join(inner).missing if truth is None else ()
            return Reason((Evidence(path, elements, text),), missing)
        return join(
            self.blame_element(condition, scopes, places, n, want=False) for n in range(len(elements))
        )

    def blame_element(
        self, condition: Some, scopes: Scopes, places: tuple[str, ...], n: int, *, want: bool
    ) -> Reason:
        """Blame one element of a list."""
        elements = value_of(condition.subject, scopes)
        shown = places_within(condition, places, n)
        return self.blame(condition.body, within(scopes, condition.scope, elements[n]), shown, want=want)

    def blame_leaf(
        self, condition: Condition, truth: bool | None, scopes: Scopes, places: tuple[str, ...]
    ) -> Reason:
        """Blame a single test."""
        assert isinstance(condition, Test | InTable | Once)
        path = shown_path(condition.subject, places)
        value = value_of(condition.subject, scopes)
        if truth is None:
            return Reason((), self.missing(condition, scopes, places, value, path))
        others: tuple[str, ...] = ()
        if isinstance(condition, Once) and self.batch is not None:
            others = tuple(self.batch.labels(condition.subject, value))
        text = wanted(condition, lambda ref: value_of(ref, scopes), want=not truth, rows=others)
        return Reason((Evidence(path, value, text),))

    def missing(
        self, condition: Test | InTable | Once, scopes: Scopes, places: tuple[str, ...], value: Any, path: str
    ) -> tuple[str, ...]:
        """Name what an unknown test lacks."""
        if value is None or (isinstance(value, list) and None in value):
            return (path,)
        if isinstance(condition, Once):
            return (f"batch:{condition.batch}",)
        if isinstance(condition, InTable):
            if self.tables.rows(condition.table) is None:
                return (f"table:{condition.table}",)
            return (f"table:{condition.table}.{condition.column}",)
        absent = [
            shown_path(operand, places)
            for operand in condition.operands
            if isinstance(operand, Ref) and _lacking(value_of(operand, scopes))
        ]
        return tuple(absent)


def _lacking(value: Any) -> bool:
    return value is None or (isinstance(value, list) and None in value)


def join(reasons: Any) -> Reason:
    """Put reasons together, each piece once, in order."""
    evidence: dict[tuple[str, str], Evidence] = {}
    missing: dict[str, None] = {}
    for reason in reasons:
        for item in reason.evidence:
            evidence.setdefault((item.path, item.wanted), item)
        missing.update(dict.fromkeys(reason.missing))
    return Reason(tuple(evidence.values()), tuple(missing))


def invert(truth: bool | None) -> bool | None:
    """Negate; unknown stays unknown."""
    return None if truth is None else not truth


def all_hold(truths: Any) -> bool | None:
    """Join by strong Kleene and: false before unknown before true."""
    result: bool | None = True
    for truth in truths:
        if truth is False:
            return False
        if truth is None:
            result = None
    return result


def value_of(ref: Ref, scopes: Scopes) -> Any:
    """Give the value that a reference points at; None where it is absent.

    A path through a list gives the list of values, with None where an element lacks one.
    """
    value: Any = scopes[ref.scope]
    steps = ref.steps
    if ref.through is not None:
        value = _follow(value, steps[: ref.through])
        value = None if value is None else [_follow(item, steps[ref.through :]) for item in value]
    else:
        value = _follow(value, steps)
    if ref.measure and value is not None:
        return len(value)
    return value


def _follow(value: Any, steps: tuple[str, ...]) -> Any:
    for step in steps:
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value


def operand_of(operand: Operand, operator: str, scopes: Scopes) -> Any:
    """Give an operand's value, prepared for the test."""
    if isinstance(operand, Ref):
        return value_of(operand, scopes)
    return prepared(operator, operand)


@lru_cache(maxsize=65536)
def prepared(operator: str, constant: Const) -> Any:
    """Turn a constant into what an operator's test takes; once for each constant."""
    prepare: Callable[[Any], Any] = operators()[operator].prepare
    return prepare(constant.value)


def within(scopes: Scopes, scope: int, element: Any) -> Scopes:
    """Give the scopes inside a quantifier, whose element has the number `scope`; what is not known in between is None."""
    return (*scopes[:scope], *(None,) * (scope - len(scopes)), element)


def places_within(condition: Some, places: tuple[str, ...], n: int) -> tuple[str, ...]:
    """Give the shown paths of the enclosing elements inside a quantifier, at its element n."""
    path = f"{shown_path(condition.subject, places)}[{n}]"
    return (*places, *("",) * (condition.scope - 1 - len(places)), path)


def shown_path(ref: Ref, places: tuple[str, ...]) -> str:
    """Write a reference's path with the positions of the enclosing elements."""
    base = places[ref.scope - 1] if ref.scope and ref.scope <= len(places) else ""
    return ".".join(part for part in (base, ref.path) if part)
