"""The promise of docs/requirements.md: what a rule can express is expressed by a rule and proved by a test."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
# The demands that rules can express; the others are about screens, transport and storage.
EXPRESSIBLE = [1, 2, 3, 5, 9, 10, 11, 12, 13, 14, 15, 21, 22, 23, 24, 25, 26, 28, 29, 30, 31]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """Load tools/requirements.py, which is a script and in no package."""
    spec = importlib.util.spec_from_file_location("requirements", ROOT / "tools" / "requirements.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_demand_that_a_rule_can_express_is_named_by_a_rule(tool: ModuleType) -> None:
    named = tool.rules_by_demand(ROOT / "rules")
    assert [number for number in EXPRESSIBLE if not named[number]] == []


def test_every_demand_that_a_rule_can_express_is_named_by_a_test(tool: ModuleType) -> None:
    named = tool.tests_by_demand(ROOT / "tests")
    assert [number for number in EXPRESSIBLE if not named[number]] == []


def test_every_demand_that_is_named_anywhere_is_one_there_is(tool: ModuleType) -> None:
    named = {*tool.rules_by_demand(ROOT / "rules"), *tool.tests_by_demand(ROOT / "tests")}
    assert named - {number for part in tool.DEMANDS.values() for number in part} == set()


def test_a_rule_is_found_by_its_source_and_a_test_by_its_text(tool: ModuleType, tmp_path: Path) -> None:
    rules, tests = tmp_path / "rules" / "huiju", tmp_path / "tests"
    rules.mkdir(parents=True)
    tests.mkdir()
    (rules / "eligibility.yaml").write_text(
        "rules: [{id: one, source: 'R10, R11'}, {id: two, source: docs}]", "utf-8"
    )
    (tests / "test_it.py").write_text(
        "def test_a_thing_holds():\n    '''R10.'''\n\n\ndef test_other(): ...\n", "utf-8"
    )
    assert dict(tool.rules_by_demand(rules.parent)) == {
        10: ["`huiju/eligibility/one`"],
        11: ["`huiju/eligibility/one`"],
    }
    assert dict(tool.tests_by_demand(tests)) == {10: ["`test_it.py` a thing holds"]}
