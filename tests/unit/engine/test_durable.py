"""The guard rails around durable-rules: what is refused, what fails loudly, and that nothing stays behind."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from typing import Any

import pytest

from engine.evaluators import durable
from engine.evaluators._alternatives import MOST_RULES
from engine.evaluators.durable import DurableError, check_names, compile_plan, unsupported
from engine.plan import Plan
from engine.tables import Tables
from tests.property.strategies import DAYS, dumped
from tests.reference.durable_rules import needed
from tests.reference.loading import ruleset
from tests.reference.vocabularies import SYNTHETIC

ROWS = {"depots": [{"id": "1", "floor": 1}, {"id": "1", "floor": 1}, {"id": "2"}]}


def plan(*required: Any) -> Plan:
    rules = [
        {"id": f"r{n}", "title": "标题", "source": "R15", "require": item, "otherwise": "原因"}
        for n, item in enumerate(required)
    ]
    return ruleset(dumped({"kind": "eligibility", "fact": "goods", "rules": rules}), SYNTHETIC).plan()


def failing(found: Plan, fact: Any, rows: Any = None) -> list[int]:
    return compile_plan(found).bind(Tables(rows or {}), None, DAYS[0])(fact)


JOIN = {"depot.id": {"in_table": "depots"}}
ABSENT = {"depot.id": {"not": {"in_table": "depots"}}}


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"id": {"unique_in": "upload"}}, "unique_in"),
        ({"parts": {"some": {"maker.id": {"in_table": "depots"}}}}, "列表元素"),
        (
            {
                "depot.id": {
                    "in_table": {"name": "depots", "where": {"floor": {"at_most": {"field": "depot.floor"}}}}
                }
            },
            "where",
        ),
        ({"made_on": {"in_table": {"name": "depots", "column": "since"}}}, "文字或整数"),
        ({"parts.name": {"some": {"in_table": "depots"}}}, "列表元素"),
        (
            {
                "serial": {
                    "not": {
                        "in_table": {
                            "name": "serials",
                            "where": {
                                "depot_id": {"equals": {"field": "id"}},
                                "name": {"equals": {"field": "name"}},
                            },
                        }
                    }
                }
            },
            "最多再关联一个",
        ),
        ({"all": [{"price": {"in": [n, n + 1, n + 2, n + 3]}} for n in range(0, 40, 4)]}, "情形太多"),
        ({"name": "长" * 9000}, "文字太长"),
    ],
)
def test_what_does_not_fit_is_refused_and_says_why(condition: Any, said: str) -> None:
    found = plan(condition)
    (reason,) = unsupported(found)
    assert reason.startswith("规则 r0：")
    assert said in reason
    with pytest.raises(DurableError, match="不支持 test/eligibility"):
        compile_plan(found)


def test_a_plan_with_too_many_alternatives_is_refused_as_a_whole() -> None:
    assert () == unsupported(plan(*({"price": n} for n in range(MOST_RULES - 1))))
    (reason,) = unsupported(plan(*({"price": n} for n in range(MOST_RULES))))
    assert f"最多 {MOST_RULES} 条" in reason


@needed
def test_as_many_rules_as_are_allowed_are_all_answered() -> None:
    found = plan(*({"price": n} for n in range(MOST_RULES - 1)))
    for price in (0, 7, MOST_RULES - 2):
        assert [n for n in range(MOST_RULES - 1) if n != price] == failing(found, {"price": price})


@needed
@pytest.mark.parametrize(
    "fact",
    [{"name": "长" * 9000}, {"serial": 2**63}, {"name": 5.0}, {"name": "\ud800"}],
    ids=["long", "large", "type", "surrogate"],
)
def test_a_value_that_would_not_be_compared_rightly_fails_loudly(fact: Any) -> None:
    with pytest.raises(DurableError):
        failing(plan({"name": "杯", "serial": 1}), fact)


@needed
def test_equal_rows_and_equal_facts_are_no_trouble() -> None:
    decide = compile_plan(plan(JOIN, ABSENT)).bind(Tables(ROWS), None, DAYS[0])
    for _ in range(3):
        assert [1] == decide({"depot": {"id": "1"}})
        assert [0] == decide({"depot": {"id": "9"}})
        assert [0, 1] == decide({})


@needed
def test_a_large_table_is_joined_by_the_rows_that_can_join() -> None:
    rows = {"depots": [{"id": str(n)} for n in range(5000)]}
    assert [1] == failing(plan(JOIN, ABSENT), {"depot": {"id": "4999"}}, rows)
    assert [0] == failing(plan(JOIN, ABSENT), {"depot": {"id": "5000"}}, rows)


@needed
def test_more_evaluations_than_it_has_states_leave_none_behind() -> None:
    """1,024 live states are its limit; the 1,025th would end the process."""
    decide = compile_plan(plan(JOIN)).bind(Tables(ROWS), None, DAYS[0])
    for n in range(1500):
        assert [0] * (n % 3 == 0) == decide({"depot": {"id": str(n % 3)}})


@needed
def test_no_thread_is_started_and_unused_rules_are_given_back() -> None:
    gc.collect()
    before, kept = threading.active_count(), len(durable._host()._ruleset_list)
    for n in range(20):
        failing(plan({"price": n}), {"price": 1})
    gc.collect()
    assert before == threading.active_count()
    assert len(durable._host()._ruleset_list) < kept + 10


@needed
def test_threads_get_their_own_answers() -> None:
    decide = compile_plan(plan(JOIN, ABSENT)).bind(Tables(ROWS), None, DAYS[0])
    wrong: list[Any] = []

    def ask(id_: str, expected: list[int]) -> None:
        wrong.extend(answer for _ in range(200) if (answer := decide({"depot": {"id": id_}})) != expected)

    threads = [
        threading.Thread(target=ask, args=pair) for pair in [("1", [1]), ("9", [0]), ("2", [1]), ("8", [0])]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == wrong


@needed
def test_what_it_complains_about_is_an_error_of_ours_and_the_next_question_is_answered() -> None:
    evaluator = compile_plan(plan({"price": 1}))
    same = {"kind": "fact", "id": "same", "f0": 1}
    with pytest.raises(DurableError, match="MessageObserved") as caught:
        evaluator.rules.fired([same], same)
    assert caught.value.__cause__ is None
    assert [] == evaluator.bind(Tables(), None, DAYS[0])({"price": 1})


def test_two_names_of_one_hash_are_refused() -> None:
    check_names(f"f{n}" for n in range(5000))
    with pytest.raises(DurableError, match="costarring"):
        check_names(["costarring", "liquid"])


def test_the_engine_works_without_durable_rules() -> None:
    """The extra is optional: only compiling for it needs it, and then says what to install."""
    code = (
        "import sys; sys.modules['durable'] = None\n"
        "from engine.evaluators import durable, record\n"
        "from engine.plan import ALWAYS, Plan, PlannedRule\n"
        "plan = Plan('p', (PlannedRule('a', None, ALWAYS),))\n"
        "assert durable.unsupported(plan) == () and record.compile_plan(plan)\n"
        "try: durable.compile_plan(plan)\n"
        "except durable.DurableError as error: print('shelfgate[durable]' in str(error))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "True\n" == done.stdout
