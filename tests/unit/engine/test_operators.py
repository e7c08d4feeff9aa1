"""Each operator's own examples, through YAML, the reader and both passes of the evaluator; and what is subtle in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.evaluators import record
from engine.operators import operators
from engine.operators._operator import Operator
from engine.rules import EligibilityRule, Ruleset
from engine.tables import Tables
from engine.truth import Judge
from tests.property.strategies import DAYS, dumped
from tests.reference.loading import ruleset
from tests.reference.vocabularies import SYNTHETIC

FOLDER = Path(record.__file__).parents[1] / "operators"


def rules(condition: Any) -> Ruleset:
    rule = {"id": "a", "title": "标题", "source": "R1", "require": condition, "otherwise": "原因"}
    return ruleset(dumped({"kind": "eligibility", "fact": "goods", "rules": [rule]}), SYNTHETIC)


def truth(condition: Any, fact: Any, tables: Tables | None = None) -> bool | None:
    """Decide a condition by the slow pass, and see that the fast pass agrees."""
    found = rules(condition)
    (rule,) = found.rules
    assert isinstance(rule, EligibilityRule)
    slow = Judge(tables or Tables()).truth(rule.require, (fact,))
    fast = record.compile_plan(found.plan()).bind(tables or Tables(), None, DAYS[0])(fact)
    assert (slow is not True) is bool(fast)
    return slow


def field_for(operator: Operator, value: Any) -> str:
    """Find a field of the small vocabulary that can hold an example's value."""
    if isinstance(value, list):
        return "parts" if value and isinstance(value[0], dict) else "tags"
    return (
        "price"
        if isinstance(value, int)
        else "name"
        if value is not None or operator.id == "present"
        else "id"
    )


def asked(operator: Operator, example: tuple[Any, ...]) -> tuple[Any, Any]:
    """Turn an example into the operator's argument, as it stands in YAML, and the fact."""
    value, *operands = example
    path = field_for(operator, value)
    argument = operands[0] if len(operands) == 1 else operands or True
    if operator.id in {"some", "every", "none", "unique"}:
        path = "parts"
    return {path: {operator.id: list(argument) if isinstance(argument, tuple) else argument}}, {path: value}


PLAIN = sorted(set(operators()) - {"in_table", "unique_in"})


@pytest.mark.parametrize("name", PLAIN)
def test_an_operators_examples_are_true_and_false_as_it_says(name: str) -> None:
    operator = operators()[name]
    condition, fact = asked(operator, operator.passes)
    assert truth(condition, fact) is True
    condition, fact = asked(operator, operator.fails)
    assert truth(condition, fact) is False


@pytest.mark.parametrize("name", PLAIN)
def test_an_operator_knows_nothing_of_a_field_that_is_absent_but_whether_it_is_there(name: str) -> None:
    operator = operators()[name]
    condition, _ = asked(operator, operator.passes)
    expected = False if name == "present" else None
    assert expected is truth(condition, {})
    assert expected is truth(condition, dict.fromkeys(condition))


def test_the_examples_of_in_table_speak_of_rows() -> None:
    operator = operators()["in_table"]
    for expected, example in ((True, operator.passes), (False, operator.fails)):
        value, _, rows = example
        assert expected is truth(
            {"depot.id": {"in_table": "depots"}}, {"depot": {"id": value}}, Tables({"depots": rows})
        )


@pytest.mark.parametrize("file", sorted(FOLDER.glob("[!_]*.py")), ids=lambda file: file.stem)
def test_a_file_is_named_after_its_operator_and_holds_all_of_it(file: Path) -> None:
    operator = operators()[file.stem.rstrip("_")]
    assert operator.id == file.stem.rstrip("_")
    assert all((operator.title, operator.summary, operator.subjects, operator.passes, operator.fails))
    assert operator.example.startswith(f"{operator.id}:")


@pytest.mark.parametrize("name", sorted(operators()))
def test_the_example_in_an_operators_hint_can_be_typed_as_it_stands(name: str) -> None:
    """Hints are copied; one that is itself refused would send people in circles."""
    operator = operators()[name]
    fields = {"text": "name", "integer": "price", "list": "parts"}
    example = operator.example.replace("categories, where: {level: 3}", "depots, where: {floor: 3}")
    kind = next(kind for kind in ("text", "integer", "list") if kind in operator.subjects)
    text = (
        "kind: eligibility\nfact: goods\nrules:\n"
        f"  - {{id: a, title: 标题, source: R1, require: {{{fields[kind]}: {{{example}}}}}, otherwise: 原因}}\n"
    )
    assert 1 == len(ruleset(text, SYNTHETIC).rules)


def test_unique_counts_the_elements_that_a_path_leads_to_through_a_list() -> None:
    """The path goes through `parts`; its last name must not be taken for the list."""
    parts = [{"maker": {"id": "1"}}, {"maker": {"id": "2"}}]
    assert truth({"parts.maker": {"unique": "id"}}, {"parts": parts}) is True
    assert truth({"parts.maker": {"unique": "id"}}, {"parts": [*parts, parts[0]]}) is False
    assert truth({"parts.maker": {"unique": "id"}}, {"parts": [*parts, {}]}) is None


@pytest.mark.parametrize(
    ("condition", "fact", "expected"),
    [
        ({"name": {"length": 1}}, {"name": "𠮷"}, True),
        ({"name": {"length": 2}}, {"name": "e\u0301"}, True),
        ({"name": "é"}, {"name": "e\u0301"}, False),
        ({"serial": 2**53}, {"serial": 2**53 + 1}, False),
        ({"id": {"in": ["9007199254740993"]}}, {"id": "9007199254740992"}, False),
        ({"name": {"contains": "红"}}, {"name": ""}, False),
        ({"name": {"matches": "红"}}, {"name": "红\n"}, False),
        ({"tags": {"contains": "红"}}, {"tags": ["蓝", None]}, None),
        ({"tags": {"contains": "红"}}, {"tags": ["红", None]}, True),
        ({"tags": {"unique": True}}, {"tags": ["红", None]}, None),
        ({"tags": {"unique": True}}, {"tags": ["红", None, "红"]}, False),
        ({"tags": {"unique": True}}, {"tags": []}, True),
        ({"tags": {"unique": True}}, {"tags": [None]}, True),
        ({"tags": {"unique": True}}, {"tags": [None, None]}, None),
        ({"id": {"in": {"field": "tags"}}}, {"id": "红", "tags": ["蓝", None]}, None),
        ({"id": {"in": {"field": "tags"}}}, {"id": "红", "tags": []}, False),
        ({"price": {"between": [1, {"field": "serial"}]}}, {"price": 0}, None),
        ({"parts": {"some": {"count": 1}}}, {"parts": []}, False),
        ({"parts": {"every": {"count": 1}}}, {"parts": []}, True),
        ({"parts": {"none": {"count": 1}}}, {"parts": []}, True),
        ({"parts": {"every": {"count": 1}}}, {"parts": [{"count": 1}, None]}, None),
        ({"parts": {"some": {"count": 1}}}, {"parts": [None, {"count": 1}]}, True),
        ({"parts": {"count": 2}}, {"parts": [None, None]}, True),
        ({"parts.name": {"contains": "釉"}}, {"parts": [{"name": "釉"}, {}]}, True),
        ({"depot": {"present": True}}, {"depot": {}}, True),
        ({"name": {"present": True}}, {"name": ""}, True),
        ({"tags": {"present": False}}, {"tags": []}, False),
    ],
)
def test_what_is_easily_got_wrong(condition: Any, fact: Any, expected: bool | None) -> None:
    assert expected is truth(condition, fact)
