"""Every small mistake in Huiju's rules is noticed, and the list of those tried is fresh."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.examples import run_examples
from engine.rulebook import Rulebook

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """Load tools/mutate_rules.py, which is a script and finds its neighbours beside it."""
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        return importlib.import_module("mutate_rules")
    finally:
        sys.path.remove(str(ROOT / "tools"))


def test_every_mutant_is_noticed_and_the_list_of_them_is_fresh() -> None:
    """Run as a command of its own, as measuring which branches 900 mutants take would take minutes.

    A failure names what nobody noticed; a list that is merely stale is written anew by the tool without `--check`.
    """
    command = [sys.executable, "tools/mutate_rules.py", "--check"]
    result = subprocess.run(
        command, cwd=ROOT, capture_output=True, encoding="utf-8", env=ENVIRONMENT, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    tried = int(result.stdout.partition(" ")[0])
    assert tried >= 900


def test_a_rule_that_is_not_mutated_is_let_pass(tool: ModuleType, rulebook: Rulebook) -> None:
    """Without this, whatever refuses everything would seem to notice every mutant."""
    channel = rulebook.channels["huiju"]
    for family, ruleset in channel.rulesets.items():
        data = tool.content(ruleset)
        for rule in data["rules"]:
            alone = tool._build({**data, "rules": [rule]}, rulebook, channel, family)
            assert alone is not None
            assert all(result.passed for result in run_examples(alone))
        assert tool.kill(tool.Mutant("definitions", "", "", "", data), rulebook, channel, family) == ""


def test_every_ruleset_has_mutants_of_every_rule(tool: ModuleType, rulebook: Rulebook) -> None:
    for ruleset in rulebook.rulesets():
        mutated = {
            mutant.name for mutant in tool.mutants(tool.content(ruleset)) if mutant.part != "definitions"
        }
        assert mutated == {part.common.id for part in (*ruleset.rules, *ruleset.flows)}


def edits(tool: ModuleType, rule: dict[str, Any]) -> set[tuple[str, str]]:
    """List place and change of each mutant of a rule, but for those that every rule has."""
    found = tool.mutants({"rules": [{"id": "one", **rule}]})
    return {(mutant.place, mutant.change) for mutant in found if mutant.place != "severity"}


def test_bounds_are_moved_and_tests_turned_round(tool: ModuleType) -> None:
    assert edits(tool, {"require": {"a": {"count": {"between": [1, 2]}}, "b": {"at_least": 5}}}) == {
        ("", "require → forbid"),
        ("require.a", "去掉"),
        ("require.b", "去掉"),
        ("require.a.count", "不 between"),
        ("require.a.count.between.0", "1 → 0"),
        ("require.a.count.between.0", "1 → 2"),
        ("require.a.count.between.1", "2 → 1"),
        ("require.a.count.between.1", "2 → 3"),
        ("require.b", "不 at_least"),
        ("require.b", "at_least → more_than"),
        ("require.b.at_least", "5 → 4"),
        ("require.b.at_least", "5 → 6"),
    }


def test_choices_conditions_and_days_are_left_out_or_moved(tool: ModuleType) -> None:
    rule = {
        "effective": {"from": "2022-03-01"},
        "forbid": {"any": [{"a": {"in": ["x", "y"]}}, {"b": True}]},
    }
    assert edits(tool, rule) == {
        ("", "forbid → require"),
        ("effective.from", "2022-03-01 → 2022-02-28"),
        ("effective.from", "2022-03-01 → 2022-03-02"),
        ("effective.from", "去掉"),
        ("forbid", "any → all"),
        ("forbid.any.0", "去掉"),
        ("forbid.any.1", "去掉"),
        ("forbid.any.0.a", "不 in"),
        ("forbid.any.0.a.in.0", "去掉 x"),
        ("forbid.any.0.a.in.1", "去掉 y"),
        ("forbid.any.1.b", "true → false"),
    }


def test_actions_masks_and_ways_out_are_left_out(tool: ModuleType) -> None:
    rule = {"restrict": ["a", "b"], "mask": {"p": "*"}, "hide": ["q"], "instead": [{"action": "c"}]}
    assert edits(tool, rule) == {
        ("restrict.0", "去掉 a"),
        ("restrict.1", "去掉 b"),
        ("effect", "disable → hide"),
        ("mask.p", "去掉"),
        ("hide", "去掉 q"),
        ("instead", "去掉 c"),
    }
