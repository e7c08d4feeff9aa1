"""Conditions obey the laws of strong Kleene logic, in the fast pass and in the slow one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluators import record
from engine.plan import And, Condition, Not, Or, Plan, PlannedRule
from engine.truth import Judge, all_hold, invert
from tests.property import strategies

LAWS: dict[str, Any] = {
    "double negation": lambda a, b, c: (Not(Not(a)), a),
    "de morgan for all": lambda a, b, c: (Not(And((a, b))), Or((Not(a), Not(b)))),
    "de morgan for any": lambda a, b, c: (Not(Or((a, b))), And((Not(a), Not(b)))),
    "all and nothing else": lambda a, b, c: (And((a, And(()))), a),
    "any or never": lambda a, b, c: (Or((a, Or(()))), a),
    "all with what never holds": lambda a, b, c: (And((a, Or(()))), Or(())),
    "any with what always holds": lambda a, b, c: (Or((a, And(()))), And(())),
    "absorption by all": lambda a, b, c: (And((a, Or((a, b)))), a),
    "absorption by any": lambda a, b, c: (Or((a, And((a, b)))), a),
    "all of the same": lambda a, b, c: (And((a, a)), a),
    "any of the same": lambda a, b, c: (Or((a, a)), a),
    "all in another order": lambda a, b, c: (And((a, b)), And((b, a))),
    "any in another order": lambda a, b, c: (Or((a, b)), Or((b, a))),
    "all of all": lambda a, b, c: (And((a, And((b, c)))), And((And((a, b)), c))),
    "any of any": lambda a, b, c: (Or((a, Or((b, c)))), Or((Or((a, b)), c))),
    "all over any": lambda a, b, c: (And((a, Or((b, c)))), Or((And((a, b)), And((a, c))))),
    "any over all": lambda a, b, c: (Or((a, And((b, c)))), And((Or((a, b)), Or((a, c))))),
}


@given(st.data(), strategies.worlds())
def test_both_sides_of_every_law_come_to_the_same(data: st.DataObject, world: strategies.World) -> None:
    """The fast pass is asked for both outcomes: a rule that requires a side, and one that requires its opposite."""
    found = [rule.require for rule in data.draw(strategies.rule_files(world)).ruleset.plan().rules]
    a, b, c = (data.draw(st.sampled_from([item for item in found if item is not None])) for _ in range(3))
    sides = [law(a, b, c) for law in LAWS.values()]
    flat = [side for pair in sides for side in pair]
    required: list[Condition] = [*flat, *(Not(side) for side in flat)]
    plan = Plan("test/laws", tuple(PlannedRule(f"r{n}", None, side) for n, side in enumerate(required)))
    fact = data.draw(strategies.facts(world))
    known = data.draw(strategies.surroundings(world, plan, fact))
    judge = Judge(known.tables, known.batch)
    failing = set(record.compile_plan(plan).bind(known.tables, known.batch, known.day)(fact))
    for number, (name, (left, right)) in enumerate(zip(LAWS, sides, strict=True)):
        assert judge.truth(left, (fact,)) is judge.truth(right, (fact,)), name
        for offset in (0, len(flat)):
            one, other = offset + 2 * number, offset + 2 * number + 1
            assert (one in failing) is (other in failing), name


def test_there_is_no_excluded_middle() -> None:
    assert None is all_hold([None, True])
    assert False is all_hold([None, False])
    assert True is all_hold([])
    assert [False, True, None] == [invert(truth) for truth in (True, False, None)]


@pytest.mark.parametrize("truths", [(True, None), (None, None), (True, True), (False, None)])
def test_more_knowledge_never_turns_an_answer_round(truths: tuple[bool | None, ...]) -> None:
    """What was known stays so when an unknown part becomes known; only unknown may change."""
    before = all_hold(truths)
    for known in (True, False):
        after = all_hold(known if truth is None else truth for truth in truths)
        assert before is None or before is after
