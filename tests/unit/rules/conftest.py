"""The rulebook as it stands in the checkout; the tests of one ruleset name theirs `ruleset`.

A test whose only argument is `ruleset` is also put to every mutant of that ruleset (tools/mutate_rules.py).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.rulebook import Rulebook, load

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def rulebook() -> Rulebook:
    """Load the rules that the checkout holds."""
    return load(ROOT / "rulesets.yaml")
