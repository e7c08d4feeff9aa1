"""The rule language once more, as plainly as it can be said: what docs say, line by line, with no thought of speed.

It reads the plan and shares nothing else with the engine: no operator, no index, no look-up of paths. Where it and an evaluator
disagree, one of them is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from engine.plan import (
    And,
    Condition,
    Const,
    InTable,
    Not,
    Once,
    Operand,
    Or,
    Plan,
    PlannedRule,
    Ref,
    Some,
    Test,
)

Truth = bool | None
Tables = Mapping[str, Sequence[Mapping[str, Any]]]


def same(one: Any, other: Any) -> bool:
    """Say whether two values are the same: 5 is not "5", true is not 1."""
    return type(one) is type(other) and bool(one == other)


def opposite(truth: Truth) -> Truth:
    """Turn a truth round."""
    if truth is True:
        return False
    if truth is False:
        return True
    return None


def all_true(truths: list[Truth]) -> Truth:
    """Give strong Kleene and: one false is enough, else one unknown; of none at all, true."""
    if False in [truth for truth in truths if truth is not None]:
        return False
    return None if None in truths else True


def any_true(truths: list[Truth]) -> Truth:
    """Give strong Kleene or: one true is enough, else one unknown; of none at all, false."""
    if True in [truth for truth in truths if truth is not None]:
        return True
    return None if None in truths else False


def follow(value: Any, steps: tuple[str, ...]) -> Any:
    """Follow a path; nothing is below what is absent."""
    for step in steps:
        if value is None:
            return None
        value = value.get(step)
    return value


class Interpreter:
    """Decide conditions, knowing tables and a batch."""

    def __init__(self, tables: Tables, batch: Sequence[Mapping[str, Any]] | None = None) -> None:
        """Keep what is known.

        Args:
            tables: Rows by table; a table that is not there is not among the keys.
            batch: The facts of all rows of the batch, the one asked about included; None where there is no batch.
        """
        self.tables = tables
        self.batch = batch

    def value(self, ref: Ref, scopes: Mapping[int, Any]) -> Any:
        """Give the value at a reference, None where it is absent; a path through a list gives a list."""
        here = scopes[ref.scope]
        if ref.through is None:
            value = follow(here, ref.steps)
        else:
            elements = follow(here, ref.steps[: ref.through])
            value = None
            if elements is not None:
                value = [follow(element, ref.steps[ref.through :]) for element in elements]
        if ref.measure == "":
            return value
        return None if value is None else len(value)

    def truth(self, condition: Condition, scopes: Mapping[int, Any]) -> Truth:
        """Decide a condition: true, false, or None where it cannot be known."""
        if isinstance(condition, And):
            return all_true([self.truth(item, scopes) for item in condition.items])
        if isinstance(condition, Or):
            return any_true([self.truth(item, scopes) for item in condition.items])
        if isinstance(condition, Not):
            return opposite(self.truth(condition.item, scopes))
        if isinstance(condition, Some):
            elements = self.value(condition.subject, scopes)
            if elements is None:
                return None
            return any_true(
                [self.truth(condition.body, {**scopes, condition.scope: item}) for item in elements]
            )
        value = self.value(condition.subject, scopes)
        if isinstance(condition, Once):
            if value is None or self.batch is None:
                return None
            return sum(same(self.value(condition.subject, {0: fact}), value) for fact in self.batch) <= 1
        if isinstance(condition, InTable):
            return self.in_table(condition, value, scopes)
        return self.test(condition, value, scopes)

    def in_table(self, condition: InTable, value: Any, scopes: Mapping[int, Any]) -> Truth:
        """Look for a row whose column has the value and which meets the condition on rows."""
        if value is None or condition.table not in self.tables:
            return None
        rows = [row for row in self.tables[condition.table] if same(row.get(condition.column), value)]
        if condition.where is None:
            return len(rows) > 0
        return any_true([self.truth(condition.where, {**scopes, condition.scope: row}) for row in rows])

    def test(self, condition: Test, value: Any, scopes: Mapping[int, Any]) -> Truth:
        """Apply a test; on anything absent it is unknown, but `present` is always known."""
        if condition.operator == "present":
            return value is not None
        operands = [self.operand(operand, scopes) for operand in condition.operands]
        if value is None or any(operand is None for operand in operands):
            return None
        return apply(condition.operator, value, operands)

    def operand(self, operand: Operand, scopes: Mapping[int, Any]) -> Any:
        """Give the value of an operand."""
        return operand.value if isinstance(operand, Const) else self.value(operand, scopes)


def apply(operator: str, value: Any, operands: list[Any]) -> Truth:
    """Apply an operator to values that are all there; elements of lists may still be absent."""
    if operator == "unique":
        pairs = [(one, other) for at, one in enumerate(value) for other in value[:at]]
        return all_true(
            [None if one is None or other is None else not same(one, other) for one, other in pairs]
        )
    first = operands[0]
    if operator == "equals":
        return same(value, first)
    if operator == "in":
        return any_true([None if choice is None else same(value, choice) for choice in first])
    if operator == "contains" and isinstance(value, list):
        return any_true([None if element is None else same(element, first) for element in value])
    if operator == "contains":
        return any(value[at : at + len(first)] == first for at in range(len(value) + 1))
    if operator == "starts_with":
        return bool(value[: len(first)] == first)
    if operator == "ends_with":
        return len(first) <= len(value) and bool(value[len(value) - len(first) :] == first)
    if operator == "matches":
        return re.fullmatch(first, value) is not None
    if operator == "between":
        return bool(first <= value <= operands[1])
    comparisons = {
        "at_least": value >= first,
        "at_most": value <= first,
        "more_than": value > first,
        "less_than": value < first,
    }
    return bool(comparisons[operator])


def status(rule: PlannedRule, fact: Any, known: Interpreter, day: date) -> str:
    """Say how a rule stands: passed, violated or undetermined.

    A rule without `require` (actions) is violated as soon as it applies.
    """
    early = rule.first_day is not None and day < rule.first_day
    late = rule.last_day is not None and day > rule.last_day
    applies = True if rule.when is None else known.truth(rule.when, {0: fact})
    if early or late or applies is False:
        return "passed"
    holds = False if rule.require is None else known.truth(rule.require, {0: fact})
    if applies is True and holds is True:
        return "passed"
    return "violated" if applies is True and holds is False else "undetermined"


def failing(plan: Plan, fact: Any, known: Interpreter, day: date) -> list[int]:
    """List the positions of the rules that a fact does not surely pass."""
    return [n for n, rule in enumerate(plan.rules) if status(rule, fact, known, day) != "passed"]
