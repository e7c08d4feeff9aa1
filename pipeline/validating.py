"""Judge facts that a caller sends, by one ruleset: what `shelfgate check` says of a row, a service is told of a fact."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session as StoreSession

from engine.actions import ActionSession
from engine.decision import Decision, plain
from engine.examples import verdict_of
from engine.explanation import explain
from engine.mapping import Mapped, MappingSession
from engine.plan import Ref, batch_refs
from engine.rulebook import Rulebook
from engine.rules import Ruleset
from engine.session import Session
from engine.tables import Batch, Tables
from engine.truth import Judge
from engine.wording import day_of
from pipeline.reference import NoReference, load_reference
from pipeline.store import Listing, ReferenceSnapshot, Store

Fact = Mapping[str, Any]

LOOK = 1.0
"""Seconds for which a shop's tables are taken to be as they were."""

MOST_SHOPS = 50
"""Shops whose tables are held at a time."""

SPARING = 10
"""Times as long as a look took that the next one waits at least: tables of many listings that change all the time are not read all the time."""

Signature = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Held:
    """Hold a shop's tables.

    Attributes:
        due: When to look again, by the clock.
        signature: The state that they were read in.
        tables: The tables.
    """

    due: float
    signature: Signature
    tables: Tables


class ShopTables:
    """Give the tables that a shop's facts are judged by: its reference data and what it has listed. Safe to share between threads.

    Args:
        store: Where they are kept.
        clock: Seconds, for `LOOK`.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, str], _Held] = OrderedDict()
        self._looking: set[tuple[str, str]] = set()

    def of(self, shop_id: str, channel: str) -> Tables:
        """Give a shop's tables; none where its reference data was never pulled, so that tests on them are unknown.

        While one thread looks whether they have changed, the others go on with what is held.
        """
        key = (shop_id, channel)
        with self._lock:
            held = self._held.get(key)
            if held is not None and (self._clock() < held.due or key in self._looking):
                return held.tables
            self._looking.add(key)
        try:
            return self._look(key, held)
        finally:
            with self._lock:
                self._looking.discard(key)

    def _look(self, key: tuple[str, str], held: _Held | None) -> Tables:
        began = self._clock()
        with self._store.read() as session:
            signature = _signature(session, *key)
        tables = held.tables if held is not None and held.signature == signature else self._load(*key)
        now = self._clock()
        with self._lock:
            self._held[key] = _Held(now + max(LOOK, SPARING * (now - began)), signature, tables)
            self._held.move_to_end(key)
            while len(self._held) > MOST_SHOPS:
                self._held.popitem(last=False)
        return tables

    def _load(self, shop_id: str, channel: str) -> Tables:
        try:
            return Tables(load_reference(self._store, shop_id, channel).tables)
        except NoReference:
            return Tables()


def _signature(session: StoreSession, shop_id: str, channel: str) -> Signature:
    """Tell the state of a shop's tables without reading them."""
    reference = select(func.count(), func.max(ReferenceSnapshot.checked_at)).where(
        ReferenceSnapshot.shop_id == shop_id, ReferenceSnapshot.channel == channel
    )
    listed = select(func.count(), func.count(Listing.listed_at), func.max(Listing.created_at)).where(
        Listing.shop_id == shop_id, Listing.channel == channel
    )
    return (*session.execute(reference).one(), *session.execute(listed).one())


def validate(
    rulebook: Rulebook, ruleset: Ruleset, tables: Tables, as_of: datetime, facts: Sequence[Fact]
) -> list[dict[str, Any]]:
    """Judge facts as of one moment.

    Args:
        rulebook: The rules, for the compiled plan.
        ruleset: The ruleset; its kind says what an answer holds.
        tables: The tables there are.
        as_of: The moment asked for; aware.
        facts: The facts, as `engine.facts.admit` gives them; they are each other's batch, as the rows of one upload are.

    Returns:
        An answer for each, as JSON data: `outcome` and `findings` for eligibility and mapping, and what is `mapped` to; `actions`, `masks` and
        `hidden` for actions.
    """
    match ruleset.kind:
        case "eligibility":
            evaluator = rulebook.evaluator(ruleset)
            batch = _batch((once.subject for once in evaluator.batches), facts)
            session = Session(ruleset, evaluator, tables, as_of, batch)
            return [_decided(session.decide(fact)) for fact in facts]
        case "mapping":
            mapping = MappingSession(ruleset, tables, as_of)
            results = [mapping.map(fact) for fact in facts]
            return [
                _decided(result.decision) | {"mapped": [_mapped(item) for item in result.mapped]}
                for result in results
            ]
        case "actions":
            actions = ActionSession(ruleset, rulebook.evaluator(ruleset), as_of, tables)
            return [_bare(actions.judge(fact).as_data()) for fact in facts]


def explained(
    ruleset: Ruleset, tables: Tables, as_of: datetime, facts: Sequence[Fact]
) -> list[list[dict[str, Any]]]:
    """Explain how each rule comes to its answer about each fact.

    Args:
        ruleset: The ruleset.
        tables: The tables there are.
        as_of: The moment asked for; aware.
        facts: The facts.

    Returns:
        For each fact, each rule: `rule`, `verdict` (accept, reject or undetermined) and `lines` for a person.
    """
    judge = Judge(tables, _batch(batch_refs(ruleset.plan()), facts))
    verdicts = _mapping_verdicts if ruleset.kind == "mapping" else _verdicts
    return [
        [
            {
                "rule": f"{ruleset.name}/{rule.common.id}",
                "verdict": verdict,
                "lines": explain(rule, judge, (fact,)),
            }
            for rule, verdict in zip(ruleset.rules, given, strict=True)
        ]
        for fact, given in zip(facts, verdicts(ruleset, tables, as_of, facts), strict=True)
    ]


def _verdicts(
    ruleset: Ruleset, tables: Tables, as_of: datetime, facts: Sequence[Fact]
) -> Iterator[list[str]]:
    for place in range(len(facts)):
        first = [facts[place], *facts[:place], *facts[place + 1 :]]
        yield [
            verdict_of(ruleset, number, first, tables, day_of(as_of)) for number in range(len(ruleset.rules))
        ]


def _mapping_verdicts(
    ruleset: Ruleset, tables: Tables, as_of: datetime, facts: Sequence[Fact]
) -> Iterator[list[str]]:
    """Give a mapping's verdicts: where it applies is no fault, as with the rules that forbid; what it could not map is."""
    mapping = MappingSession(ruleset, tables, as_of)
    for fact in facts:
        said = {item.rule: item for item in mapping.map(fact).decision.findings if item.severity == "error"}
        found = (said.get(f"{ruleset.name}/{rule.common.id}") for rule in ruleset.rules)
        yield [
            "accept" if item is None else "undetermined" if item.status == "undetermined" else "reject"
            for item in found
        ]


def _batch(refs: Iterable[Ref], facts: Sequence[Fact]) -> Batch:
    batch = Batch(refs)
    for number, fact in enumerate(facts, start=1):
        batch.add(fact, str(number))
    return batch


def _decided(decision: Decision) -> dict[str, Any]:
    return {"outcome": decision.outcome, "findings": [finding.as_data() for finding in decision.findings]}


def _bare(data: dict[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in ("actions", "masks", "hidden")}


def _mapped(item: Mapped) -> dict[str, Any]:
    return {
        "rule": item.rule,
        "source": item.source,
        "key": plain(item.key),
        "target": item.target,
        "value": plain(item.value),
        "confidence": item.confidence,
        "filled": plain(item.filled),
    }
