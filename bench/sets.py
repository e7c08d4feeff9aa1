"""The sets of rules that are measured: the one that is shipped, and made-up ones, each read from YAML by the reader that reads all rules."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

import yaml

from bench.compare import ByHand, Rules, in_force
from bench.data import World
from bench.floor import by_hand
from bench.made_up import made_up
from engine.evaluators import record
from engine.rulebook import MANIFEST, Rulebook, load
from engine.rules import Ruleset

SHIPPED = Path(__file__).parent.parent / MANIFEST
SHIPPED_RULESET = "huiju/eligibility"


@dataclass(frozen=True, slots=True)
class Set:
    """Hold one set of rules.

    Attributes:
        title: What it is, in words.
        rulebook: The rulebook that it is part of.
        ruleset: The ruleset.
        rules: Its rules in force, with the sample.
        by_hand: The same rules as Python by hand.
        reading: Seconds a rule to read, check and plan it.
        compiling: Seconds a rule to generate its source and compile it.
    """

    title: str
    rulebook: Rulebook
    ruleset: Ruleset
    rules: Rules
    by_hand: ByHand
    reading: float
    compiling: float


def shipped(world: World, facts: list[dict[str, Any]], manifest: Path = SHIPPED) -> Set:
    """Read the rules that are shipped."""
    found = _set("shipped", manifest, SHIPPED_RULESET, world, facts)
    return Set(*found, by_hand(found[3].world), *_compiling(found[1], found[2], manifest))


def generated(count: int, world: World, facts: list[dict[str, Any]]) -> Set:
    """Make rules up, write them to a file, and read them."""
    made = made_up(count, world)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rules.yaml").write_text(made.yaml, encoding="utf-8")
        rulesets = {"rulesets": {"eligibility": "rules.yaml"}}
        content = {
            "facts": str(SHIPPED.parent / "rules/facts"),
            "channels": {"made-up": {"title": "基准", **rulesets}},
        }
        manifest = folder / MANIFEST
        manifest.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        found = _set(f"{count:,} generated", manifest, "made-up/eligibility", world, facts)
        return Set(*found, made.by_hand(), *_compiling(found[1], found[2], manifest))


def _set(
    title: str, manifest: Path, name: str, world: World, facts: list[dict[str, Any]]
) -> tuple[str, Rulebook, Ruleset, Rules]:
    rulebook = load(manifest)
    ruleset = rulebook.ruleset(name)
    plan = in_force(ruleset.plan(), world)
    return title, rulebook, ruleset, Rules(plan, world.noting(plan, facts), facts)


def _compiling(rulebook: Rulebook, ruleset: Ruleset, manifest: Path) -> tuple[float, float]:
    """Time reading and compiling, a rule; of a manifest with several files, a rule of any of them."""
    start = process_time()
    load(manifest)
    read = process_time()
    plan = ruleset.plan()
    planned = process_time()
    record.compile_plan(plan)
    compiled = process_time()
    every = sum(len(found.rules) + len(found.flows) for found in rulebook.rulesets())
    return (read - start) / every, (compiled - planned) / len(plan.rules)
