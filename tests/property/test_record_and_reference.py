"""The record evaluator, its slow pass and the plain interpreter say the same of every fact."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.evaluators import record
from engine.plan import parts
from engine.truth import Judge
from tests.property import strategies
from tests.reference.as_written import AsWritten
from tests.reference.interpreter import failing, opposite, status


@given(st.data(), strategies.worlds())
def test_the_fast_pass_lets_through_exactly_what_surely_passes(
    data: st.DataObject, world: strategies.World
) -> None:
    plan = data.draw(strategies.plans(world))
    fact = data.draw(strategies.facts(world))
    known = data.draw(strategies.surroundings(world, plan, fact))
    decide = record.compile_plan(plan).bind(known.tables, known.batch, known.day)
    assert failing(plan, fact, known.reference, known.day) == decide(fact)


@given(st.data(), strategies.worlds())
def test_the_fast_pass_agrees_on_rules_read_from_yaml(data: st.DataObject, world: strategies.World) -> None:
    plan = data.draw(strategies.rule_files(world)).ruleset.plan()
    evaluator = record.compile_plan(plan)
    for _ in range(3):
        fact = data.draw(strategies.facts(world))
        known = data.draw(strategies.surroundings(world, plan, fact))
        decide = evaluator.bind(known.tables, known.batch, known.day)
        assert failing(plan, fact, known.reference, known.day) == decide(fact)


@given(st.data(), strategies.worlds())
def test_the_slow_pass_knows_what_is_true_false_and_unknown(
    data: st.DataObject, world: strategies.World
) -> None:
    plan = data.draw(strategies.plans(world))
    fact = data.draw(strategies.facts(world))
    known = data.draw(strategies.surroundings(world, plan, fact))
    judge = Judge(known.tables, known.batch)
    for rule in plan.rules:
        for condition in (rule.when, rule.require):
            if condition is not None:
                assert known.reference.truth(condition, {0: fact}) is judge.truth(condition, (fact,))


@given(st.data(), strategies.worlds())
def test_the_plan_means_what_the_file_says(data: st.DataObject, world: strategies.World) -> None:
    """The other laws begin at the plan; this one holds the reader to the text."""
    file = data.draw(strategies.rule_files(world))
    plan = file.ruleset.plan()
    fact = data.draw(strategies.facts(world))
    known = data.draw(strategies.surroundings(world, plan, fact))
    reading = AsWritten(known.reference, file.data["definitions"])
    for rule, planned in zip(file.data["rules"], plan.rules, strict=True):
        if "when" in rule:
            assert planned.when is not None
            assert reading.truth(rule["when"], fact, fact) is known.reference.truth(planned.when, {0: fact})
        assert planned.require is not None
        truth = reading.truth(rule.get("require", rule.get("forbid")), fact, fact)
        truth = opposite(truth) if "forbid" in rule else truth
        assert truth is known.reference.truth(planned.require, {0: fact})


def test_the_generated_rules_reach_every_form_of_a_condition() -> None:
    """A law that holds for want of examples is no law: each node, operator and outcome must turn up."""
    seen: set[str] = set()

    @given(st.data(), strategies.worlds())
    def collect(data: st.DataObject, world: strategies.World) -> None:
        plan = data.draw(strategies.rule_files(world)).ruleset.plan()
        fact = data.draw(strategies.facts(world))
        known = data.draw(strategies.surroundings(world, plan, fact))
        for rule in plan.rules:
            seen.add(status(rule, fact, known.reference, known.day))
            for top in (rule.when, rule.require):
                for part in parts(top) if top is not None else ():
                    seen.add(getattr(part, "operator", type(part).__name__))

    collect()
    operators = "at_least at_most between contains ends_with equals in less_than matches more_than present starts_with unique"
    nodes = "And Or Not Some InTable Once"
    assert set() == {*operators.split(), *nodes.split(), "passed", "violated", "undetermined"} - seen
