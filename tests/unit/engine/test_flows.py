"""Flows: the state is what has happened, not what has arrived; commands are judged now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from engine.evaluators import EVALUATORS
from engine.flows import Observation, fold, matcher
from tests.reference.durable_rules import THERE
from tests.reference.loading import ruleset
from tests.reference.vocabularies import SYNTHETIC

START = datetime(2022, 3, 8, 1, tzinfo=UTC)
FOLDER = SYNTHETIC.parent / "a-flow-from-claim-to-payment"
RULES = ruleset((FOLDER / "rules.yaml").read_text(encoding="utf-8"), SYNTHETIC)
NAMES = [evaluator.NAME for evaluator in EVALUATORS if evaluator.NAME != "durable" or THERE]


def seen(id_: str, event: str, second: int, about: str = "c1", **data: Any) -> Observation:
    return Observation(id_, event, START + timedelta(seconds=second), about, data or None)


@pytest.fixture(params=NAMES)
def folded(request: pytest.FixtureRequest) -> Callable[..., Any]:
    flows = matcher(RULES, START, request.param)
    return lambda *observations, **order: fold(RULES, flows, order, observations)


def test_every_order_of_arrival_comes_to_the_same_state(folded: Callable[..., Any]) -> None:
    story = [
        seen("1", "filed", 1, amount=5),
        seen("2", "parcel_lost", 2, ""),
        seen("3", "withdrawn", 3),
        seen("4", "filed", 4),
        seen("5", "paid", 5),
    ]
    expected = folded(*story)
    assert {"c1": {"id": "c1", "amount": 5, "status": "open", "note": "再次提出"}} == expected.after_sales
    assert ("5",) == expected.ignored
    for arrived in permutations(story):
        assert expected == folded(*arrived, arrived[2], arrived[0])


def test_an_observation_counts_once_however_often_it_arrives(folded: Callable[..., Any]) -> None:
    once = seen("1", "filed", 1)
    assert folded(once) == folded(once, once, once)
    assert 1 == len(folded(once, once).effects)


def test_of_events_at_one_moment_the_one_declared_first_comes_first(folded: Callable[..., Any]) -> None:
    """`filed` is declared before `withdrawn`, whatever their ids say."""
    state = folded(seen("z", "filed", 1), seen("a", "withdrawn", 1), status="sent")
    assert "closed" == state.after_sales["c1"]["status"]
    assert ["opens", "withdraws"] == [effect.flow for effect in state.effects]


def test_equal_events_at_one_moment_are_taken_by_their_ids(folded: Callable[..., Any]) -> None:
    one, other = seen("a", "filed", 1, amount=1), seen("b", "filed", 1, amount=2)
    assert folded(one, other) == folded(other, one)
    assert ("b",) == folded(other, one).ignored


def test_an_event_before_its_time_is_ignored_and_does_nothing_later(folded: Callable[..., Any]) -> None:
    state = folded(seen("1", "paid", 1), seen("2", "filed", 2, amount=5))
    assert ("1",) == state.ignored
    assert "open" == state.after_sales["c1"]["status"]


def test_an_event_about_the_parcel_changes_the_parcel_once_and_every_open_claim(
    folded: Callable[..., Any],
) -> None:
    state = folded(
        seen("1", "filed", 1, "c1"), seen("2", "filed", 1, "c2"), seen("3", "parcel_lost", 2, ""), id="p1"
    )
    assert {"id": "p1", "status": "lost"} == state.order
    assert ["accepted", "accepted"] == [claim["status"] for claim in state.after_sales.values()]
    assert ["lost-accepts", "lost-accepts", "lost-marks"] == [
        effect.flow for effect in state.effects if effect.observation == "3"
    ]


def test_what_is_not_known_sets_nothing_off(folded: Callable[..., Any]) -> None:
    """`settles` asks for the amount, which nobody has told."""
    state = folded(seen("1", "filed", 1), seen("2", "parcel_lost", 2, ""), seen("3", "paid", 3))
    assert ("3",) == state.ignored
    assert "accepted" == state.after_sales["c1"]["status"]


def test_the_order_given_is_not_touched(folded: Callable[..., Any]) -> None:
    order = {"id": "p1"}
    folded(seen("1", "parcel_lost", 1, ""), **order)
    assert {"id": "p1"} == order


def test_a_flow_is_in_force_by_the_day_in_shanghai() -> None:
    moments = [datetime(2098, 12, 31, 15, 59, 59, tzinfo=UTC), datetime(2098, 12, 31, 16, tzinfo=UTC)]
    fact = {"status": "accepted", "amount": 5}
    assert [("settles",), ("settles", "late")] == [
        matcher(RULES, moment).matches("paid", fact) for moment in moments
    ]
