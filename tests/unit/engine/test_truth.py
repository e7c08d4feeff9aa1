"""The slow pass: what is blamed for a condition that is not as wanted, and what is named as missing."""

from __future__ import annotations

from typing import Any

import pytest

from engine.rules import EligibilityRule
from engine.tables import Batch, Tables
from engine.truth import Judge, Reason
from tests.property.strategies import dumped
from tests.reference.loading import ruleset
from tests.reference.vocabularies import SYNTHETIC


def reason(condition: Any, fact: Any, tables: Any = None, batch: Batch | None = None) -> Reason:
    rule = {"id": "a", "title": "标题", "source": "R1", "require": condition, "otherwise": "原因"}
    (found,) = ruleset(dumped({"kind": "eligibility", "fact": "goods", "rules": [rule]}), SYNTHETIC).rules
    assert isinstance(found, EligibilityRule)
    return Judge(Tables(tables), batch).reason(found.require, (fact,), want=True)


@pytest.mark.parametrize(
    ("condition", "fact", "expected"),
    [
        ({"price": 1, "sold": True}, {"price": 2, "sold": False}, [("price", 2), ("sold", False)]),
        ({"price": 1, "sold": True}, {"price": 2, "sold": True}, [("price", 2)]),
        ({"price": 1, "sold": True}, {"price": 2}, [("price", 2)]),
        (
            {"any": [{"price": 1}, {"sold": True}]},
            {"price": 2, "sold": False},
            [("price", 2), ("sold", False)],
        ),
        ({"not": {"price": 1}}, {"price": 1}, [("price", 1)]),
        (
            {"parts": {"every": {"count": 1}}},
            {"parts": [{"count": 1}, {"count": 2}]},
            [("parts[1].count", 2)],
        ),
        (
            {"parts": {"none": {"bits": {"some": {"name": "釉"}}}}},
            {"parts": [{"bits": [{}, {"name": "釉"}]}]},
            [("parts[0].bits[1].name", "釉")],
        ),
        ({"parts": {"some": {"count": 1}}}, {"parts": []}, [("parts", [])]),
        ({"tags": {"none": "a"}}, {"tags": ["b", "a"]}, [("tags[1]", "a")]),
        ({"name": {"length": 1}}, {"name": "𠮷祥"}, [("name", 2)]),
    ],
)
def test_only_what_is_to_blame_is_blamed_with_its_place(condition: Any, fact: Any, expected: Any) -> None:
    assert expected == [(item.path, item.found) for item in reason(condition, fact).evidence]


@pytest.mark.parametrize(
    ("condition", "fact", "tables", "expected"),
    [
        ({"price": 1, "sold": True}, {"price": 1}, {}, ("sold",)),
        ({"any": [{"price": 1}, {"sold": True}]}, {}, {}, ("price", "sold")),
        (
            {"parts": {"every": {"maker.id": "1"}}},
            {"parts": [{"maker": {"id": "1"}}, {}]},
            {},
            ("parts[1].maker.id",),
        ),
        ({"parts": {"some": {"count": 1}}}, {}, {}, ("parts",)),
        ({"parts": {"some": {"count": 1}}}, {"parts": [{"count": 2}, {}]}, {}, ("parts[1].count",)),
        ({"price": {"at_most": {"field": "serial"}}}, {"price": 1}, {}, ("serial",)),
        ({"tags": {"contains": "a"}}, {"tags": [None]}, {}, ("tags",)),
        ({"id": {"in_table": "depots"}}, {"id": "1"}, {}, ("table:depots",)),
        ({"id": {"in_table": "depots"}}, {}, {"depots": []}, ("id",)),
        (
            {"id": {"in_table": {"name": "depots", "where": {"open": True}}}},
            {"id": "1"},
            {"depots": [{"id": "1"}]},
            ("table:depots.id",),
        ),
        ({"id": {"unique_in": "upload"}}, {"id": "1"}, {}, ("batch:upload",)),
    ],
)
def test_what_is_missing_is_named(condition: Any, fact: Any, tables: Any, expected: Any) -> None:
    assert expected == reason(condition, fact, tables).missing
