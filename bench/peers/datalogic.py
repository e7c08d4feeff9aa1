"""JsonLogic through `datalogic-py`, which is written in Rust: the same expressions, all in one, compiled."""

from __future__ import annotations

from datalogic_py import Engine

from bench.data import World
from bench.formula import translated
from bench.peers import Failing, jsonlogic
from engine.plan import Plan

NAME = "JsonLogic (datalogic, Rust)"
FOREIGN = True

unsupported = jsonlogic.unsupported


def prepare(plan: Plan, world: World) -> Failing:
    """Compile one array of expressions."""
    found = translated(plan, world, jsonlogic.write)
    ids = tuple(found)
    evaluate = Engine().compile(list(found.values())).evaluate
    return lambda fact: frozenset(id_ for id_, held in zip(ids, evaluate(fact), strict=True) if not held)
