"""The two vocabularies of these tests: the shipped one, and a small one that has every kind of field."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from engine.diagnostics import Diagnostics, render
from engine.schemas import read_vocabulary
from engine.vocabulary import Vocabulary

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "rules" / "facts"
SYNTHETIC = ROOT / "tests" / "cases" / "facts"


@cache
def vocabulary(folder: Path) -> Vocabulary:
    """Read a vocabulary, once."""
    diagnostics = Diagnostics()
    found, sources = read_vocabulary(folder, folder.name, diagnostics)
    assert not diagnostics.failed, render(diagnostics.in_order(), sources)
    return found
