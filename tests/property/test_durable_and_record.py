"""On the rules that durable-rules can be asked, it says the same as the record evaluator and the plain interpreter."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluators import durable, record
from engine.evaluators.durable import compile_plan, unsupported
from engine.plan import And, InTable, Not, Or, Plan, PlannedRule, parts
from engine.tables import Tables
from tests.property import strategies
from tests.property.strategies import SYNTHETIC, Place, World
from tests.reference.durable_rules import needed
from tests.reference.interpreter import Interpreter, failing
from tests.reference.loading import ruleset

pytestmark = needed
GOODS = World(SYNTHETIC, "goods")
KINDS = ("text", "integer", "boolean")


@st.composite
def joins(draw: st.DrawFn) -> Any:
    """Draw a test on a table as rules have it: any row, rows of a fixed kind, rows that agree with the fact."""
    subject, table, column = draw(
        st.sampled_from(
            [
                ("id", "depots", "id"),
                ("depot.id", "serials", "depot_id"),
                ("serial", "serials", "serial"),
                ("name", "depots", "name"),
            ]
        )
    )
    agree = {
        "depots": [
            {"floor": {"equals": {"field": "depot.floor"}}},
            {"name": {"equals": {"field": "name"}}},
            {"open": True},
            {"since": {"present": True}},
        ],
        "serials": [
            {"name": {"equals": {"field": "name"}}},
            {"depot_id": {"equals": {"field": "depot.id"}}},
            {"name": {"in": ["红", "蓝"]}},
        ],
    }
    where = draw(st.lists(st.sampled_from(agree[table]), max_size=2, unique_by=str))
    options: dict[str, Any] = {"name": table, "column": column}
    if where:
        options["where"] = {"all": where}
    test: Any = {"in_table": options}
    return {subject: {"not": test} if draw(st.booleans()) else test}


@st.composite
def conditions(draw: st.DrawFn, depth: int = 2) -> Any:
    """Draw a condition of joins, of plain tests, and of tests that durable-rules is only told the outcome of."""
    word = (
        draw(st.sampled_from(["join", "join", "plain", "other", "all", "any", "none", "not"]))
        if depth
        else "plain"
    )
    if word == "join":
        return draw(joins())
    if word == "other":
        return strategies.written_conditions(draw, Place(GOODS, (GOODS.type,)), 1)
    if word == "plain":
        path, type_ = draw(
            st.sampled_from([item for item in strategies.paths(GOODS.type) if item[1].kind in KINDS])
        )
        return {path: strategies.written_tests(draw, Place(GOODS, (GOODS.type,)), type_, 0)}
    if word == "not":
        return {"not": draw(conditions(depth - 1))}
    return {word: draw(st.lists(conditions(depth - 1), min_size=1, max_size=2))}


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw a plan of such rules, without those that do not fit."""
    rules = []
    for number in range(draw(st.integers(1, 4))):
        rule = {"id": f"rule-{number}", "title": "标题", "source": "R15", "otherwise": "原因"}
        if draw(st.booleans()):
            rule["when"] = draw(conditions(1))
        rule["require"] = draw(conditions())
        rules.append(rule)
    text = strategies.dumped({"kind": "eligibility", "fact": "goods", "rules": rules})
    whole = ruleset(text, SYNTHETIC).plan()
    kept: tuple[PlannedRule, ...] = ()
    for planned in whole.rules:
        if not unsupported(Plan(whole.ruleset, (*kept, planned))):
            kept += (planned,)
    return Plan(whole.ruleset, kept)


@given(st.data(), plans())
def test_durable_rules_passes_exactly_what_the_record_evaluator_passes(
    data: st.DataObject, plan: Plan
) -> None:
    evaluators = [compile_plan(plan), record.compile_plan(plan)]
    for _ in range(4):
        fact = data.draw(strategies.facts(GOODS))
        rows = data.draw(strategies.tables(GOODS))
        known, day = Interpreter(rows), data.draw(st.sampled_from(strategies.DAYS))
        expected = failing(plan, fact, known, day)
        assert [expected] * 2 == [evaluator.bind(Tables(rows), None, day)(fact) for evaluator in evaluators]


@given(st.data(), strategies.worlds())
def test_any_plan_is_either_refused_or_answered_rightly(data: st.DataObject, world: World) -> None:
    plan = data.draw(strategies.plans(world))
    if unsupported(plan):
        with pytest.raises(durable.DurableError):
            compile_plan(plan)
        return
    fact = data.draw(strategies.facts(world))
    known = data.draw(strategies.surroundings(world, plan, fact))
    assert failing(plan, fact, known.reference, known.day) == compile_plan(plan).bind(
        known.tables, None, known.day
    )(fact)


def test_the_generated_plans_join_rows_and_their_absence() -> None:
    seen: set[str] = set()

    @given(plans())
    def collect(plan: Plan) -> None:
        for rule in plan.rules:
            for top in (rule.when, rule.require):
                for part in parts(top) if top is not None else ():
                    negated = isinstance(part, Not) and isinstance(part.item, InTable)
                    if isinstance(part, InTable) or negated:
                        seen.add(
                            f"{'absent' if negated else 'there'} {'where' if getattr(part, 'where', None) or (negated and part.item.where) else ''}"
                        )
                    elif isinstance(part, And | Or):
                        seen.add(type(part).__name__)

    collect()
    assert {"absent ", "absent where", "there ", "there where", "And", "Or"} == seen
