"""Measure what stands around the evaluation: facts from payloads, and the way from a payload's bytes to a decision."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.clock import Spread, interleaved
from bench.compare import Fact, Pace, Rules, jsonable, passing
from bench.data import AS_OF, Item, World
from bench.peers import Peer
from engine.rulebook import Rulebook
from engine.rules import Ruleset
from engine.session import Session
from mappings.youzan import product_from_item


@dataclass(frozen=True, slots=True)
class Step:
    """Hold what one step costs.

    Attributes:
        name: The step.
        spread: Seconds a product.
    """

    name: str
    spread: Spread


def steps(world: World, items: Sequence[Item], decide: Callable[[Fact], Any], pace: Pace) -> list[Step]:
    """Time the steps from bytes to a decision, each alone."""
    payloads = [json.loads(item.payload) for item in items]
    facts = [
        world.fact(item, product_from_item(payload)) for item, payload in zip(items, payloads, strict=True)
    ]
    runs: dict[str, Callable[[], object]] = {
        "JSON to payload (json.loads)": lambda: [json.loads(item.payload) for item in items],
        "payload to product fact (product_from_item)": lambda: [
            product_from_item(payload) for payload in payloads
        ],
        "fact to failing rules (record)": lambda: passing(decide, facts),
    }
    found = interleaved(runs, pace.rounds, pace.passing)
    return [Step(name, spread.scaled(1 / len(items))) for name, spread in found.items()]


def explained(rulebook: Rulebook, ruleset: Ruleset, world: World) -> Callable[[Fact], Any]:
    """Give the whole decision, with an explanation of everything that fails."""
    return Session(ruleset, rulebook.evaluator(ruleset), world.tables, AS_OF, world.batch).decide


def against_peer(
    rules: Rules, items: Sequence[Item], peer: Peer, timed: int, pace: Pace
) -> tuple[Spread, Spread]:
    """Measure a peer end to end, on the rules that it has words for.

    Args:
        rules: The rules.
        items: The products.
        peer: The peer.
        timed: Products of one pass.
        pace: How long to measure.

    Returns:
        Seconds a product of the record evaluator, and of the peer.
    """
    shared = rules.without(peer.unsupported(rules.plan, rules.world))
    failing = peer.prepare(shared.plan, rules.world)
    decide: Callable[[Fact], Any] = (lambda fact: failing(jsonable(fact))) if peer.FOREIGN else failing
    return against_record(shared, items, decide, timed, pace)


def against_record(
    rules: Rules, items: Sequence[Item], decide: Callable[[Fact], Any], timed: int, pace: Pace
) -> tuple[Spread, Spread]:
    """Measure any function of a fact end to end, against the record evaluator."""
    world, ours = rules.world, rules.decide()

    def run(decide: Callable[[Fact], Any]) -> None:
        for item in items[:timed]:
            decide(world.fact(item, product_from_item(json.loads(item.payload))))

    found = interleaved({"ours": lambda: run(ours), "theirs": lambda: run(decide)}, pace.rounds, pace.passing)
    return found["ours"].scaled(1 / timed), found["theirs"].scaled(1 / timed)
