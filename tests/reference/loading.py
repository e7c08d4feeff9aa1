"""Read a rule file that stands in a text, as the rulebook reads it from disk."""

from __future__ import annotations

import hashlib
from pathlib import Path

from engine.diagnostics import Diagnostics, render
from engine.read import decode, read
from engine.rulefile import read_rule_file
from engine.rules import Ruleset
from tests.reference.vocabularies import vocabulary


def ruleset(text: str, folder: Path, name: str = "test/eligibility") -> Ruleset:
    """Read a rule file that has no mistakes."""
    diagnostics = Diagnostics()
    source = decode(text.encode(), "rules.yaml", diagnostics)
    root = read(source, diagnostics) if source is not None else None
    found = read_rule_file(root, vocabulary(folder), diagnostics) if root is not None else None
    shown = render(diagnostics.in_order(), {"rules.yaml": source} if source is not None else {})
    assert not diagnostics.failed, f"{shown}\n{text}"
    assert found is not None
    version = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    return Ruleset(name, found.kind, found.fact, found.rules, found.flows, (), version, "rules.yaml")
