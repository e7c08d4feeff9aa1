"""What a decision says: always why, always where, and the same bytes when it is asked again."""

from __future__ import annotations

import copy
import json
import pickle
import re
from datetime import datetime, time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.evaluators import record
from engine.rules import EligibilityRule
from engine.session import Session
from engine.tables import Batch, Tables
from engine.truth import Judge
from engine.wording import SHANGHAI
from tests.property import strategies

STEP = re.compile(r"([^.\[\]]+)|\[([0-9]+)\]")


def reached(fact: Any, path: str) -> Any:
    """Follow a path with positions, as findings show it; through a list it reaches the list of values."""
    value = fact
    for number, (name, position) in enumerate(STEP.findall(path)):
        if isinstance(value, list) and name:
            rest = ".".join(step for step, _ in STEP.findall(path)[number:])
            return [reached(item, rest) for item in value]
        value = value[int(position)] if position else value.get(name) if isinstance(value, dict) else None
    return value


def session(file: strategies.Written, known: strategies.Known, plan: Any = None) -> Session:
    evaluator = record.compile_plan(plan or file.ruleset.plan())
    as_of = datetime.combine(known.day, time(23, 59), SHANGHAI)
    return Session(file.ruleset, evaluator, known.tables, as_of, known.batch)


@given(st.data(), strategies.worlds())
def test_a_decision_says_why_and_where(data: st.DataObject, world: strategies.World) -> None:
    file = data.draw(strategies.rule_files(world))
    fact = data.draw(strategies.facts(world))
    known = data.draw(strategies.surroundings(world, file.ruleset.plan(), fact))
    decision = session(file, known).decide(fact)
    json.loads(decision.to_bytes())
    rules = {f"{file.ruleset.name}/{rule.common.id}": rule for rule in file.ruleset.rules}
    for finding in decision.findings:
        rule = rules[finding.rule]
        assert isinstance(rule, EligibilityRule)
        assert finding.message
        if finding.status == "violated":
            assert finding.evidence
            assert () == finding.missing
        else:
            assert finding.missing
            assert () == finding.evidence
        for evidence in finding.evidence:
            measured = evidence.found if isinstance(evidence.found, int) else None
            there = reached(fact, evidence.path)
            assert evidence.wanted
            assert evidence.found == there or measured == len(there)


@given(st.data(), strategies.worlds())
def test_a_missing_path_is_absent_or_a_list_with_a_gap(data: st.DataObject, world: strategies.World) -> None:
    file = data.draw(strategies.rule_files(world))
    fact = data.draw(strategies.facts(world))
    known = data.draw(strategies.surroundings(world, file.ruleset.plan(), fact))
    for finding in session(file, known).decide(fact).findings:
        for path in finding.missing:
            kind, _, name = path.partition(":")
            if kind == "batch":
                assert known.batch is None
            elif kind == "table":
                assert known.tables.rows(name.partition(".")[0]) is None or "." in name
            else:
                there = reached(fact, path)
                assert there is None or (isinstance(there, list) and None in there), path


@given(st.data(), strategies.worlds())
def test_a_decision_is_replayed_to_the_same_bytes(data: st.DataObject, world: strategies.World) -> None:
    """Also by another process: from a plan that was pickled, copies of everything, and fields in another order."""
    file = data.draw(strategies.rule_files(world))
    fact = data.draw(strategies.facts(world))
    known = data.draw(strategies.surroundings(world, file.ruleset.plan(), fact))
    first = session(file, known)
    bytes_ = first.decide(fact).to_bytes()
    assert bytes_ == first.decide(fact).to_bytes()
    plan = pickle.loads(pickle.dumps(file.ruleset.plan()))
    assert file.ruleset.plan() == plan
    assert record.compile_plan(plan).source == record.compile_plan(file.ruleset.plan()).source
    other = copy.deepcopy(dict(reversed(fact.items())))
    assert bytes_ == session(file, known, plan).decide(other).to_bytes()


@given(st.data(), strategies.worlds())
def test_a_decision_leaves_the_fact_and_the_tables_alone(
    data: st.DataObject, world: strategies.World
) -> None:
    file = data.draw(strategies.rule_files(world))
    fact = data.draw(strategies.facts(world))
    rows = data.draw(strategies.tables(world))
    before = copy.deepcopy((fact, rows))
    as_of = datetime.combine(strategies.DAYS[1], time(), SHANGHAI)
    Session(file.ruleset, record.compile_plan(file.ruleset.plan()), Tables(rows), as_of, Batch(())).decide(
        fact
    )
    assert before == (fact, rows)


@given(st.data(), strategies.worlds())
def test_absent_and_null_are_the_same(data: st.DataObject, world: strategies.World) -> None:
    file = data.draw(strategies.rule_files(world))
    fact = data.draw(strategies.facts(world))
    judge = Judge(Tables())
    nulled = {**dict.fromkeys(world.type.names()), **fact}
    for rule in file.ruleset.rules:
        assert isinstance(rule, EligibilityRule)
        assert judge.truth(rule.require, (fact,)) is judge.truth(rule.require, (nulled,))
