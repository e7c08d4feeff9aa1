"""Whatever happens, in whatever order it is heard of, wherever a process stops: shop, marketplace and model end up the same (R27, R30, R32).

Random histories of buyers, staff, the marketplace's back office, intakes and workers, against the model in `marketplace.py`. The suite
plays a few thousand steps on each database; `make soak` plays tens of thousands, others each time.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy import event

import pipeline.sending.rate
from pipeline.orders.actions import Accepted
from pipeline.orders.requests import Decide, EditLogistics, Parcel, Ship
from tests.integration.push.orders.agreement import (
    SecondOpinion,
    audited,
    expected,
    follow,
    heard,
    noted,
    there,
    up_to_date,
)
from tests.integration.push.orders.histories import LOST, SPOILT, Scene
from tests.integration.push.orders.mortal import Mortal

KINDS = ("refund_only", "refund_only", "return_refund", "exchange")
DECISIONS = ("agree", "reject", "agree_return", "confirm_return", "reject_return")
CLOSED = (
    "refund",
    "small_payout",
    "edit_consignee",
    "view_snapshot",
    "contact_buyer",
    "leave_message",
    "view_buyer",
)
SEEDS = st.integers(0, 2**32 - 1)
"""What is chosen among what can be: nothing that is drawn may hang on what threads did before."""
SECONDS = (0, 0, 1, 2, 50, 300)
SEAMS = ("claimed", "sent", "recorded", "paused")


HAPPENINGS = {
    "a_buyer_orders_pays_or_receives": 2,
    "a_buyer_asks_for_something": 3,
    "a_buyer_withdraws_or_returns": 2,
    "the_back_office_acts": 1,
    "an_intake": 3,
    "a_slow_reader": 3,
    "staff": 2,
    "staff_and_a_worker": 4,
    "a_worker": 2,
    "what_hangs_comes_loose": 1,
    "much_at_once": 2,
}
"""What may happen, and how often one against the others."""


class Histories(RuleBasedStateMachine):
    """One history; each rule is a step."""

    scene: Scene
    second_opinion: SecondOpinion

    def __init__(self) -> None:
        super().__init__()
        self.scene.begin()
        self.sound = True

    @contextmanager
    def step(self, name: str) -> Iterator[Scene]:
        """Count a step; after one that failed, the history is not brought to its end.

        What failed is noted: played again, a history with threads in it may fail elsewhere, of which hypothesis tells nothing then.
        """
        self.sound = False
        try:
            yield self.scene
        except BaseException:
            self.scene.failures.append(f"{name}:\n{traceback.format_exc()}")
            raise
        self.scene.steps[name] += 1
        self.sound = True

    @rule(seed=SEEDS)
    def something_happens(self, seed: int) -> None:
        """Let one of the things happen that `HAPPENINGS` names, each as often as it says there."""
        rng = Random(seed)
        name = rng.choices(list(HAPPENINGS), list(HAPPENINGS.values()))[0]
        note(name)
        getattr(self, name)(rng)

    def waiting(self, state: str) -> bool:
        """Say whether something that was asked for is in a state."""
        return any(sent.state == state for sent in self.scene.sent.values())

    # ── at the marketplace ───────────────────────────────────────────

    @initialize(lines=st.lists(st.integers(1, 2), min_size=1, max_size=3))
    def it_begins_with_orders(self, lines: list[int]) -> None:
        for count in lines:
            self.scene.place(count, paid=True)
        self.scene.intake()

    def a_buyer_orders_pays_or_receives(self, rng: Random) -> None:
        with self.step("a buyer orders, pays, cancels or receives") as scene:
            scene.model.now += rng.choice(SECONDS)
            acts = scene.model.order_acts()
            if acts and rng.random() < 0.7:
                scene.buyer(*rng.choice(acts))
            else:
                scene.place(rng.choice((1, 2)), paid=rng.random() < 0.7)
            follow(scene)

    def a_buyer_asks_for_something(self, rng: Random) -> None:
        if not (orders := self.scene.model.may_be_asked_about()):
            return
        with self.step("a buyer asks for something") as scene:
            scene.model.now += rng.choice(SECONDS)
            scene.ask(rng.choice(orders), rng.choice(KINDS))
            follow(scene)

    def a_buyer_withdraws_or_returns(self, rng: Random) -> None:
        if not (acts := self.scene.model.buyer_acts()):
            return
        with self.step("a buyer withdraws, returns, asks again or lets time run out") as scene:
            scene.model.now += rng.choice(SECONDS)
            scene.buyer(*rng.choice(acts))
            follow(scene)

    def the_back_office_acts(self, rng: Random) -> None:
        model = self.scene.model
        orders, decisions = [id_ for id_ in model.orders if model.shippable(id_)], model.decisions()
        if not orders and not decisions:
            return
        with self.step("the marketplace's back office ships or decides") as scene:
            model.now += rng.choice(SECONDS)
            if not decisions or (orders and rng.random() < 0.3):
                id_ = rng.choice(orders)
                scene.ship_there(id_, model.shippable(id_)[: rng.choice((1, 2))])
            else:
                scene.decide_there(*rng.choice(decisions))
            follow(scene)

    # ── arrivals ─────────────────────────────────────────────────────

    def an_intake(self, rng: Random) -> None:
        short, dies = rng.random() < 0.3, rng.choice(("", "", "", "between", "within"))
        fault = rng.choice((None, None, None, *LOST, *SPOILT))
        with self.step(f"an intake{' that stops' if dies else ''}") as scene:
            found = scene.intake(short=short, fault=None if dies else fault, dies=dies)
            assert not (found and found.windows and dies)
            if found is not None:
                assert found.left_out == {}
                up_to_date(scene)
            heard(scene)

    def a_slow_reader(self, rng: Random) -> None:
        if rng.random() < 0.4 or not self.scene.stash:
            with self.step("a record is read, to be kept later") as scene:
                scene.overhear(rng.choice(list(scene.model.orders)))
            return
        with self.step("what was read arrives, in any order, again and again") as scene:
            scene.hear(rng.choices(scene.stash, k=rng.randint(1, 6)))
            heard(scene)

    # ── staff ────────────────────────────────────────────────────────

    def request(self, id_: str, action: str, rng: Random) -> Any:
        """Fill in what an action needs, as staff would from what they see."""
        scene = self.scene
        if action == "ship":
            rest = [line["id"] for line in scene.office.order(id_).fact["lines"] if not line["shipped"]]
            how = rng.choice(("whole", "split", "part"))
            if how == "whole" or not rest:
                return Ship((Parcel("顺丰速运", scene.waybill()),))
            chosen = rest if how == "split" else rest[:1]
            return Ship(tuple(Parcel("顺丰速运", scene.waybill(), (line,)) for line in chosen))
        if action == "edit_logistics":
            parcels = [parcel["id"] for parcel in scene.office.order(id_).shipments]
            return EditLogistics("中通", scene.waybill(), rng.choice(parcels) if parcels else "")
        return Decide()

    def choice(self, states: dict[str, Any], rng: Random, *, eager: bool) -> tuple[str, str] | None:
        """Choose what staff ask for: where eager, something that may be done if there is anything."""
        orders = self.scene.model.orders
        own = ("ship", "edit_logistics")
        every = [(id_, action) for id_ in states for action in (own if id_ in orders else DECISIONS)]
        if eager:
            every = [asked for asked in every if expected(self.scene, states, *asked)] or every
        else:
            every += [(id_, action) for id_ in states if id_ in orders for action in CLOSED]
        return rng.choice(every) if every else None

    def staff(self, rng: Random) -> None:
        self.act(rng, eager=rng.random() < 0.5)

    def staff_and_a_worker(self, rng: Random) -> None:
        """Something is asked for; before the worker gets to it, the same order may have moved on; and the worker may stop."""
        seam = rng.choice(("", "", *SEAMS))
        about = self.act(rng, eager=True)
        if about is not None:
            for _ in range(rng.choice((0, 0, 1, 2))):
                self.it_moves_on(about, rng)
        if self.waiting("queued"):
            self.work(seam)
        if seam and self.waiting("sending"):
            with self.step("leases run out") as scene:
                scene.soon(leases=True)
            self.work()

    def it_moves_on(self, about: str, rng: Random) -> None:
        """Let a buyer or the back office do something with the order, or with what was asked about it."""
        model = self.scene.model
        order = about if about in model.orders else model.after_sales[about].order
        mine = {order} | {id_ for id_, row in model.after_sales.items() if row.order == order}
        acts = [act for act in (*model.order_acts(), *model.buyer_acts()) if act[1] in mine]
        decisions = [decision for decision in model.decisions() if decision[1] in mine]
        with self.step("an order moves on before the worker gets to it") as scene:
            model.now += rng.choice(SECONDS)
            if model.shippable(order) and rng.random() < 0.3:
                scene.ship_there(order, model.shippable(order)[: rng.choice((1, 2))])
            elif decisions and (not acts or rng.random() < 0.5):
                scene.decide_there(*rng.choice(decisions))
            elif acts:
                scene.buyer(*rng.choice(acts))
            elif order in model.may_be_asked_about():
                scene.ask(order, rng.choice(KINDS))
            follow(scene)

    def act(self, rng: Random, *, eager: bool) -> str | None:
        """See that the page shows what the rules say, and that the call does what the page shows; give what is on its way now."""
        with self.step("staff act") as scene:
            states = scene.office.states()
            asked = self.choice(states, rng, eager=eager)
            if asked is None:
                return None
            shown = scene.verdict(asked[0])[asked[1]]
            assert (shown.state == "enabled") == expected(scene, states, *asked), shown
            result = scene.act(*asked, self.request(*asked, rng))
            assert isinstance(result, Accepted) == (shown.state == "enabled")
            if not isinstance(result, Accepted):
                assert shown.as_data() == result.as_data()
            return asked[0] if noted(scene, [result]) else None

    # ── workers ──────────────────────────────────────────────────────

    def a_worker(self, rng: Random) -> None:
        if self.waiting("queued"):
            calls = rng.choice((None, None, 0, 1, 2, 3))
            self.work(rng.choice(("", "", *SEAMS)), calls, rng.choice((None, None, *LOST)))

    def work(self, seam: str = "", calls: int | None = None, fault: Any = None) -> None:
        with self.step("a worker that stops" if seam or calls is not None else "a worker") as scene:
            scene.work(seam, calls, fault)
            follow(scene)
            heard(scene)

    def what_hangs_comes_loose(self, rng: Random) -> None:
        """Leases run out; a worker that was frozen wakes up; what waits for a person is released."""
        if self.waiting("sending") and (rng.random() < 0.5 or not self.scene.frozen):
            with self.step("leases run out") as scene:
                scene.soon(leases=True)
        elif self.scene.frozen:
            with self.step("a frozen worker wakes up") as scene:
                scene.wake()
                follow(scene, late=True)
                heard(scene)
        elif self.waiting("held"):
            with self.step("what is held is released") as scene:
                scene.release()
                follow(scene)

    # ── all at once ──────────────────────────────────────────────────

    def much_at_once(self, rng: Random) -> None:
        workers, intakes, asks = rng.randint(0, 2), rng.randint(0, 1), rng.random() < 0.7
        with self.step("much at once") as scene:
            states = scene.office.states()
            asked = self.choice(states, rng, eager=True) if asks else None
            requests = [self.request(*asked, rng) for _ in range(1 if workers else 2)] if asked else []
            may = asked is not None and expected(scene, states, *asked)
            crew = [Mortal(scene.office) for _ in range(workers)]
            scene.soon()
            results = scene.at_once(
                *(lambda request=request: scene.act(*asked, request) for request in requests),
                *(lambda worker=worker: scene.step(worker) for worker in crew),
                *([scene.intake] * intakes),
            )
            for worker in crew:
                worker.lanes.close()
            accepted = noted(scene, results[: len(requests)])
            assert len(accepted) <= 1, "the same was accepted twice"
            if asked and not workers and not intakes:
                assert len(accepted) == may
            follow(scene)
            heard(scene, at_once=True)

    # ── the end ──────────────────────────────────────────────────────

    def settle(self) -> None:
        """Let everything be worked off and taken in: then all three say the same."""
        scene = self.scene
        while scene.frozen:
            scene.wake()
            follow(scene, late=True)
        for _ in range(200):
            scene.release()
            follow(scene)
            if all(sent.state in ("done", "refused") for sent in scene.sent.values()):
                break
            scene.soon(leases=True)
            scene.step(scene.worker)
            follow(scene)
        assert {sent.state for sent in scene.sent.values()} <= {"done", "refused"}
        assert scene.intake() is not None
        up_to_date(scene)
        assert scene.model.states() == there(scene) == scene.office.states()

    def teardown(self) -> None:
        if self.sound:
            with self.step("the end"):
                self.settle()
                audited(self.scene)
                self.second_opinion(self.scene)
        self.scene.worker.lanes.close()


def play(
    office: Any,
    monkeypatch: pytest.MonkeyPatch,
    database: str,
    capsys: pytest.CaptureFixture[str],
    chosen: settings,
) -> None:
    """Play histories, and tell how many steps they had."""
    monkeypatch.setattr(pipeline.sending.rate, "LEAD", timedelta(0))
    if database == "sqlite":  # no power is lost here, and a step need not wait for the disk
        event.listen(office.store.engine, "connect", _hurry)
        office.store.engine.dispose()
    scene = Scene(office)
    second_opinion = SecondOpinion(scene)
    Histories.scene, Histories.second_opinion = scene, second_opinion
    try:
        run_state_machine_as_test(Histories, settings=chosen)
    except BaseException as error:
        for failure in scene.failures:
            error.add_note(failure)
        raise
    finally:
        scene.close()
    with capsys.disabled():
        told = ", ".join(f"{count} × {name}" for name, count in sorted(scene.steps.items()))
        print(f"\n  {database}: {scene.steps.total():,} steps: {told}")
        compared = (
            f"{second_opinion.compared:,} orders" if second_opinion.matcher else "not installed, nothing"
        )
        print(f"  {database}: compared with durable-rules: {compared}")
    assert scene.steps.total() > 0


def _hurry(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


SHORT = settings(
    max_examples=20,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[
        Phase.generate
    ],  # a history with threads in it does not repeat itself exactly enough to be made shorter
    suppress_health_check=list(HealthCheck),
)


def test_random_histories_end_as_the_marketplace_has_it(
    office: Any, monkeypatch: pytest.MonkeyPatch, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """R27, R30, R32: some thousand steps, the same ones each time."""
    play(office, monkeypatch, database, capsys, SHORT)


@pytest.mark.soak
def test_ten_thousands_of_steps(
    office: Any, monkeypatch: pytest.MonkeyPatch, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """R27, R30, R32: others each time; a failure prints how to have it again."""
    long = settings(SHORT, max_examples=300, stateful_step_count=60, derandomize=False, print_blob=True)
    play(office, monkeypatch, database, capsys, long)
