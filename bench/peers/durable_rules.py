"""durable-rules, through the evaluator that is shipped for it: the rules that fit, in as many sets as it has room for."""

from __future__ import annotations

from typing import Any

import durable.engine  # noqa: F401 - an extra; where it is not installed, this peer is skipped

from bench.data import World
from bench.peers import Failing
from engine.evaluators import durable as evaluator
from engine.plan import Plan, PlannedRule

NAME = "durable-rules"
FOREIGN = True


def unsupported(plan: Plan, world: World) -> frozenset[str]:
    """Name the rules that can't be put to durable-rules."""
    return frozenset(rule.id for rule in plan.rules if not _fits(plan, [rule]))


def prepare(plan: Plan, world: World) -> Failing:
    """Compile sets of rules, each as large as it may be."""
    groups: list[list[PlannedRule]] = [[]]
    for rule in plan.rules:
        if _fits(plan, [rule]):
            if not _fits(plan, [*groups[-1], rule]):
                groups.append([])
            groups[-1].append(rule)
    sets = []
    for group in groups:
        compiled = evaluator.compile_plan(Plan(plan.ruleset, tuple(group)))
        sets.append((compiled.bind(world.tables, None, world.day), [rule.id for rule in group]))

    def failing(fact: Any) -> frozenset[str]:
        return frozenset([ids[n] for decide, ids in sets for n in decide(fact)])

    return failing


def _fits(plan: Plan, rules: list[PlannedRule]) -> bool:
    return not evaluator.unsupported(Plan(plan.ruleset, tuple(rules)))
