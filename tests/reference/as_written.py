"""Conditions decided from what stands in the file, without the reader and the plan, by the table of the rule language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from tests.reference.interpreter import Interpreter, Truth, all_true, any_true, apply, opposite, same

KEYS = {"depots": "id", "serials": "serial", "listings": "product_id"}
OPERATORS = {
    "equals",
    "at_least",
    "at_most",
    "more_than",
    "less_than",
    "between",
    "in",
    "matches",
    "starts_with",
    "ends_with",
    "contains",
}


class AsWritten:
    """Decide conditions as they are written; `known` holds the tables and the batch."""

    def __init__(self, known: Interpreter, definitions: Mapping[str, Any]) -> None:
        self.known = known
        self.definitions = definitions

    def truth(self, condition: Mapping[str, Any], fact: Any, here: Any) -> Truth:
        """Decide a condition about what is `here`: the fact itself, an element or a row."""
        truths: list[Truth] = []
        for key, value in condition.items():
            if key in {"all", "any", "none"}:
                items = [self.truth(item, fact, here) for item in value]
                truths.append(all_true(items) if key == "all" else any_true(items))
                if key == "none":
                    truths[-1] = opposite(truths[-1])
            elif key == "not":
                truths.append(opposite(self.truth(value, fact, here)))
            elif key == "use":
                truths.append(self.truth(self.definitions[value], fact, fact))
            else:
                truths.append(self.tests(value, at(here, key), fact, here, key))
        return all_true(truths)

    def tests(self, tests: Any, value: Any, fact: Any, here: Any, path: str) -> Truth:
        """Decide one test or several on a value."""
        if not isinstance(tests, dict):
            tests = {"equals": tests}
        return all_true([self.test(name, wanted, value, fact, here, path) for name, wanted in tests.items()])

    def test(self, name: str, wanted: Any, value: Any, fact: Any, here: Any, path: str) -> Truth:
        """Decide one test."""
        if name == "not":
            return opposite(self.tests(wanted, value, fact, here, path))
        if name == "present":
            return (value is not None) is wanted
        if name in {"count", "length"}:
            return self.tests(wanted, None if value is None else len(value), fact, here, path)
        if value is None:
            return None
        if name in {"some", "every", "none"}:
            return self.quantified(name, wanted, value, fact)
        if name == "unique":
            return apply("unique", value if wanted is True else [at(item, wanted) for item in value], [])
        if name == "unique_in":
            batch = self.known.batch
            return None if batch is None else sum(same(at(row, path), value) for row in batch) <= 1
        if name == "in_table":
            return self.in_table(wanted if isinstance(wanted, dict) else {"name": wanted}, value, fact)
        assert name in OPERATORS
        operands = [
            self.operand(item, value, fact, here) for item in (wanted if name == "between" else [wanted])
        ]
        return None if any(operand is None for operand in operands) else apply(name, value, operands)

    def quantified(self, name: str, body: Any, elements: Any, fact: Any) -> Truth:
        """Decide some, every or none of a list's elements."""
        truths = [self.element(body, element, fact) for element in elements]
        if name == "every":
            return all_true(truths)
        return any_true(truths) if name == "some" else opposite(any_true(truths))

    def element(self, body: Any, element: Any, fact: Any) -> Truth:
        """Decide the body of a quantifier on an element; one that is absent has no fields."""
        if tests_only(body):
            return self.tests(body, element, fact, element, "")
        return self.truth(body, fact, element)

    def in_table(self, options: Mapping[str, Any], value: Any, fact: Any) -> Truth:
        """Look for a row."""
        rows = self.known.tables.get(options["name"])
        if rows is None:
            return None
        column = options.get("column", KEYS.get(options["name"], "id"))
        fitting = [row for row in rows if same(row.get(column), value)]
        if "where" not in options:
            return bool(fitting)
        return any_true([self.truth(options["where"], fact, row) for row in fitting])

    def operand(self, written: Any, value: Any, fact: Any, here: Any) -> Any:
        """Read an operand as the value it is compared with demands."""
        if isinstance(written, dict):
            return at(fact, written["field"]) if "field" in written else at(here, written["item"])
        kind = (
            next((type(item) for item in value if item is not None), str)
            if isinstance(value, list)
            else type(value)
        )
        if isinstance(written, list):
            return [read(item, kind) for item in written]
        return read(written, kind)


def tests_only(body: Any) -> bool:
    """Say whether the body of a quantifier is tests on a plain element rather than a condition on a record."""
    if not isinstance(body, dict):
        return True
    words = OPERATORS | {"length", "present", "in_table"}
    return all(tests_only(inner) if word == "not" else word in words for word, inner in body.items())


def read(written: Any, kind: type) -> Any:
    """Read a constant."""
    if kind is datetime:
        return datetime.fromisoformat(written)
    if kind is date:
        return date.fromisoformat(written)
    return float(written) if kind is float else written


def at(value: Any, path: str) -> Any:
    """Follow a path; through a list it gives the list of values."""
    for position, step in enumerate(path.split(".")):
        if isinstance(value, list):
            rest = ".".join(path.split(".")[position:])
            return [at(item, rest) for item in value]
        value = value.get(step) if value is not None else None
    return value
