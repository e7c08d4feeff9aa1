"""Measure the record evaluator against the floor and the peers on one set of rules, after seeing that all answer alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import process_time
from typing import Any

from bench.clock import Spread, interleaved
from bench.data import World
from bench.peers import Peer
from engine.evaluators import record
from engine.plan import Decide, Plan

Fact = Mapping[str, Any]
ByHand = Callable[[Fact], list[str]]
NOT_TIMED = Spread((0.0,))


@dataclass(frozen=True, slots=True)
class Pace:
    """Say how long to measure.

    Attributes:
        rounds: Timed rounds, each with one pass of everybody.
        budget: CPU seconds that a peer may use to answer the sample once; a slow peer answers part of it.
        passing: CPU seconds of one timed pass; a slow peer is timed on part of what it answered.
    """

    rounds: int
    budget: float
    passing: float


@dataclass(slots=True)
class Pair:
    """Hold what one pair gave.

    Attributes:
        name: The peer.
        compared: Rules that both answer.
        rules: Rules of the set.
        facts: Facts on which both answered the same.
        timed: Facts of one timed pass.
        record: Seconds a fact, a round.
        peer: Seconds a fact, a round.
        compiling: Seconds a rule to prepare.
        differing: Rules on which the answers differ.
    """

    name: str
    compared: int
    rules: int
    facts: int = 0
    timed: int = 0
    record: Spread = NOT_TIMED
    peer: Spread = NOT_TIMED
    compiling: float = 0.0
    differing: tuple[str, ...] = ()

    @property
    def ratio(self) -> Spread:
        """What the peer takes, in terms of the record evaluator."""
        return self.peer.over(self.record)


@dataclass(frozen=True, slots=True)
class Rules:
    """Hold the rules of one set, on their way through the peers.

    Attributes:
        plan: The rules that are in force.
        world: What is known beside the facts.
        facts: The sample.
    """

    plan: Plan
    world: World
    facts: Sequence[Fact]
    _plain: list[Any] = field(default_factory=list)

    def without(self, ids: frozenset[str]) -> Rules:
        """Leave some rules out."""
        if not ids:
            return self
        kept = tuple(rule for rule in self.plan.rules if rule.id not in ids)
        return Rules(Plan(self.plan.ruleset, kept), self.world, self.facts, self._plain)

    def decide(self) -> Decide:
        """Compile and bind the record evaluator."""
        return record.compile_plan(self.plan).bind(self.world.tables, self.world.batch, self.world.day)

    def plain(self) -> Sequence[Fact]:
        """Give the facts as JSON data, as engines of others want them: without times, of which no rule here speaks."""
        if not self._plain:
            self._plain.extend(jsonable(fact) for fact in self.facts)
        return self._plain


def in_force(plan: Plan, world: World) -> Plan:
    """Leave out the rules that are not in force."""
    return Plan(plan.ruleset, tuple(rule for rule in plan.rules if rule.in_force(world.day)))


def jsonable(fact: Fact) -> dict[str, Any]:
    """Take the times out of a fact."""
    product = {name: value for name, value in fact["product"].items() if not name.endswith("_at")}
    return {**fact, "product": product}


def against_hand(rules: Rules, by_hand: ByHand, pace: Pace) -> Pair:
    """Measure against code written by hand; rules on which it differs, or that it does not have, are left out and named."""
    ids = [rule.id for rule in rules.plan.rules]
    decide = rules.decide()
    known: set[str] = set()
    differing: set[str] = set()
    for fact in rules.facts:
        ours, theirs = {ids[n] for n in decide(fact)}, set(by_hand(fact))
        known |= theirs
        differing |= ours ^ theirs
    decide = rules.without(frozenset(differing)).decide()
    pair = Pair(
        "hand-written Python", len(ids) - len(differing), len(ids), len(rules.facts), len(rules.facts)
    )
    pair.differing = tuple(sorted(differing))
    _time(
        pair,
        {"record": lambda: passing(decide, rules.facts), "peer": lambda: passing(by_hand, rules.facts)},
        pace,
    )
    return pair


def against_peer(rules: Rules, peer: Peer, pace: Pace) -> Pair:
    """Measure against one peer, on the rules that it has words for."""
    without = peer.unsupported(rules.plan, rules.world)
    shared = rules.without(without)
    ids = [rule.id for rule in shared.plan.rules]
    pair = Pair(peer.NAME, len(ids), len(rules.plan.rules))
    if not ids:
        return pair
    start = process_time()
    failing = peer.prepare(shared.plan, rules.world)
    pair.compiling = (process_time() - start) / len(ids)
    decide = shared.decide()
    facts = rules.plain() if peer.FOREIGN else rules.facts
    start = process_time()
    differing: set[str] = set()
    for fact, plain in zip(rules.facts, facts, strict=True):
        differing |= {ids[n] for n in decide(fact)} ^ failing(plain)
        pair.facts += 1
        if process_time() - start > pace.budget:
            break
    pair.differing = tuple(sorted(differing))
    cost = (process_time() - start) / pair.facts
    pair.timed = max(1, min(pair.facts, int(pace.passing / cost)))
    ours, theirs = rules.facts[: pair.timed], facts[: pair.timed]
    _time(pair, {"record": lambda: passing(decide, ours), "peer": lambda: passing(failing, theirs)}, pace)
    return pair


def passing(decide: Callable[[Fact], Any], facts: Sequence[Fact]) -> None:
    """Decide all facts once."""
    for fact in facts:
        decide(fact)


def _time(pair: Pair, runs: dict[str, Callable[[], None]], pace: Pace) -> None:
    found = interleaved(runs, pace.rounds, min(pace.passing, 0.05))
    pair.record = found["record"].scaled(1 / pair.timed)
    pair.peer = found["peer"].scaled(1 / pair.timed)


def pairs(rules: Rules, peers: Sequence[Peer], pace: Pace) -> Iterator[Pair]:
    """Measure against each peer."""
    for peer in peers:
        yield against_peer(rules, peer, pace)
