"""Orders and after-sales are taken in whole, once, and sealed, whatever happens on the way (R20, R25, R26, R29, R31, R35)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import MetaData, select

from channels.sandbox.faults import Fault, FaultPlan
from pipeline.clients import ChannelFailed
from pipeline.orders import intake
from pipeline.orders.intake import begin_alone, end_alone, sync
from pipeline.orders.settlement import Settlement, settlement
from pipeline.orders.syncing import Syncing
from pipeline.orders.taking_in import Taken
from pipeline.store import Cursor, Event, Order, Shipment, Store

SHOP = "38405005"


def everything(store: Store) -> str:
    """Read every column of every table, as the database holds it, as one text."""
    with store.engine.connect() as connection:
        found = MetaData()
        found.reflect(connection)
        rows = [row for table in found.sorted_tables for row in connection.execute(select(table)).all()]
    return "\n".join(str(tuple(row)) for row in rows)


def rows(office: Any, model: Any) -> list[Any]:
    with office.store.read() as session:
        return list(session.scalars(select(model)))


def test_what_is_there_is_taken_in_once(office: Any) -> None:
    """R20, R35: the second time nothing is new."""
    first, second = office.place(1), office.place(2, status="shipped", shipped_at=datetime.now(UTC))
    request = office.ask(first)
    found = office.sync()
    assert Taken(orders_new=2, after_sales_new=1, events_new=2) == found.taken
    assert office.there() == office.states()
    assert {first: "to_ship", second: "shipped", request: ("requested", None)} == office.states()
    assert {"marked"} == {row.payment_kind for row in rows(office, Order)}
    assert [("L20", "L21")] == [tuple(row.line_ids) for row in rows(office, Shipment)]
    again = office.sync()
    assert Taken() == again.taken
    assert again.windows <= found.windows
    assert 2 == len(rows(office, Event))


def test_nothing_of_buyer_or_consignee_lies_in_the_open(
    office: Any, secrets: tuple[str, ...], tmp_path: Any
) -> None:
    """R25, R26, R29, R31: neither in any row, nor in the files of the database, nor in anything logged."""
    order_id = office.place(1)
    office.ask(order_id, reason=secrets[5])
    office.sync()
    office.work(office.ship(order_id, "SF100"))
    written = everything(office.store)
    for path in tmp_path.glob("store.db*"):
        written += path.read_bytes().decode("utf-8", "replace")
    assert order_id in written
    assert [] == [secret for secret in secrets if secret in written]
    assert secrets[0] in str(office.order(order_id).fact)


def test_the_intake_goes_on_from_where_it_was(office: Any) -> None:
    office.place(1)
    first = office.sync(look_back=timedelta(hours=5))
    assert 2 * 11 == first.windows
    (cursor,) = (row for row in rows(office, Cursor) if row.kind == "orders")
    assert abs(cursor.until - datetime.now(UTC)) < timedelta(seconds=30)
    assert 2 == office.sync().windows


def test_a_first_intake_looks_back_no_further_than_the_channel_allows(office: Any) -> None:
    days, step = 1, 1800
    with closing(office.client()) as client:
        limits = {
            **client.profile.limits,
            "lookback_days": replace(client.profile.limits["lookback_days"], value=days),
        }
        client.profile = replace(client.profile, limits=limits)
        seen: list[int] = []
        client.orders.updated = client.after_sales.updated = lambda start, end: seen.append(start) or iter([])
        sync(
            office.store, client, office.rulebook, office.vault, SHOP, "huiju", look_back=timedelta(days=4000)
        )
    assert days * 86400 // step <= len(seen) // 2 <= days * 86400 // step + 1
    assert datetime.now(UTC).timestamp() - min(seen) <= days * 86400 + 60


def test_the_span_is_measured_by_the_channels_clock(office: Any, sandbox: Any) -> None:
    """A machine whose clock is slow asks for everything up to what the channel calls now."""
    real = sandbox.huiju.state.clock
    sandbox.huiju.state.clock = lambda: real() + 250
    order_id = office.place(1)
    with sandbox.huiju.state.lock:
        sandbox.huiju.state.touch(sandbox.huiju.state.orders[order_id])
    assert 1 == office.sync().taken.orders_new


def test_pages_that_shift_while_they_are_read_lose_nothing(office: Any, sandbox: Any) -> None:
    placed = {office.place(number) for number in range(1, 131)}
    sandbox.huiju.faults.set(
        FaultPlan({Fault.PAGE_SHIFTED: 0.3, Fault.PAGE_REPEATED: 0.2, Fault.PAGE_SHUFFLED: 0.2}, seed=7)
    )
    found = office.sync()
    assert 130 == found.taken.orders_new
    assert placed == set(office.states())


def test_a_record_that_changes_between_two_pages_is_not_lost(office: Any, sandbox: Any) -> None:
    """It leaves its page, and pulls another one over the border."""
    placed = [office.place(number) for number in range(1, 121)]
    draw, times = sandbox.huiju.faults.draw, iter(range(1000))

    def moving(path: str) -> Any:
        if "increment" in path and (turn := next(times)) in (3, 5):
            with sandbox.huiju.state.lock:
                sandbox.huiju.state.touch(sandbox.huiju.state.orders[placed[turn]])
        return draw(path)

    sandbox.huiju.faults.draw = moving
    office.sync()
    office.sync()
    assert set(placed) == set(office.states())


def test_a_crash_costs_at_most_one_window(office: Any, sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was kept before stays; what was being kept is read again, and nothing is there twice."""
    now = datetime.now(UTC)
    for number in range(1, 7):
        office.place(number, updated_at=now - timedelta(minutes=30 * (6 - number)))
    whole, kept = intake.take_in, []

    def crashing(*given: Any) -> Any:
        if len(kept) == 4:
            raise RuntimeError("crash")
        kept.append(1)
        return whole(*given)

    monkeypatch.setattr(intake, "take_in", crashing)
    with pytest.raises(RuntimeError):
        office.sync(look_back=timedelta(hours=4))
    before = len(rows(office, Order))
    monkeypatch.setattr(intake, "take_in", whole)
    found = office.sync(look_back=timedelta(hours=4))
    assert 0 < before < 6
    assert (6 - before, 0) == (found.taken.orders_new, found.taken.orders_changed)
    assert 6 == len(office.states())


def test_a_channel_that_fails_leaves_what_was_kept(office: Any, sandbox: Any) -> None:
    office.place(1)
    sandbox.huiju.faults.set(FaultPlan({Fault.DROPPED: 1.0}, paths=("/aftersale",)))
    with pytest.raises(ChannelFailed, match="读取售后单没有成功") as caught:
        office.sync()
    assert caught.value.retryable
    assert 1 == len(office.states())
    sandbox.huiju.faults.clear()
    assert 0 == office.sync().taken.orders_new


def test_several_at_once_take_each_record_in_once(
    office: Any, in_threads: Callable[[int, Callable[[int], None]], None]
) -> None:
    orders = [office.place(number) for number in range(1, 41)]
    for order_id in orders[::2]:
        office.ask(order_id)
    taken: list[Taken] = []
    in_threads(4, lambda _number: taken.append(office.sync().taken))
    assert (40, 20) == (sum(item.orders_new for item in taken), sum(item.after_sales_new for item in taken))
    assert 20 == sum(item.events_new for item in taken) == len(rows(office, Event))
    assert office.there() == office.states()


def test_an_after_sale_whose_order_is_not_known_brings_its_order(office: Any, sandbox: Any) -> None:
    """The order is older than the first intake looks back; its after-sale is not."""
    order_id = office.place(1, updated_at=datetime.now(UTC) - timedelta(days=3))
    request = office.ask(order_id)
    with sandbox.huiju.state.lock:
        sandbox.huiju.state.orders[order_id]["updateTime"] -= 3 * 86400
    found = office.sync()
    assert Taken(orders_new=1, after_sales_new=1, events_new=1) == found.taken
    assert ("requested", None) == office.state(request)


def test_an_after_sale_whose_order_the_channel_does_not_have_is_named(office: Any, sandbox: Any) -> None:
    request = office.ask(office.place(1))
    with sandbox.huiju.state.lock:
        sandbox.huiju.state.orders.clear()
    found = office.sync()
    assert {request: "渠道没有它的订单 HJ000001"} == found.left_out
    assert {} == office.states()


def test_a_record_that_cannot_be_read_is_named_without_its_value_and_holds_nothing_up(
    office: Any, sandbox: Any, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = office.place(1), office.place(2)
    with sandbox.huiju.state.lock:
        sandbox.huiju.state.orders[bad]["telNumber"] = {"number": "13987654321"}
    with caplog.at_level(logging.DEBUG):
        found = office.sync()
    assert {bad: "telNumber 读不了，应为文字"} == found.left_out
    assert {good} == set(office.states())
    assert bad in caplog.text
    assert "13987654321" not in caplog.text + str(found.left_out)


def test_an_unknown_state_is_unknown_and_restricts_everything(office: Any, sandbox: Any) -> None:
    """R27: nothing is guessed; what may have shipped is not shipped again."""
    order_id = office.place(1)
    with sandbox.huiju.state.lock:
        sandbox.huiju.state.orders[order_id]["orderStatus"] = 777
    office.sync()
    assert {order_id: None} == office.states()
    shown = office.order(order_id)
    assert "status" not in shown.fact
    state = shown.verdict.action("ship")
    assert ("disabled", ("status",)) == (state.state, state.missing)


def test_one_process_at_a_time_takes_in_for_a_shop(office: Any) -> None:
    minute, never = timedelta(minutes=1), timedelta(0)
    assert begin_alone(office.store, SHOP, "huiju", minute)
    assert not begin_alone(office.store, SHOP, "huiju", never)
    end_alone(office.store, SHOP, "huiju")
    assert not begin_alone(office.store, SHOP, "huiju", minute)
    assert begin_alone(office.store, SHOP, "huiju", never)
    with office.store.write() as session:  # that process died, long ago
        session.get_one(Cursor, ("huiju", SHOP, "intake")).busy_until = datetime.now(UTC) - minute
    assert begin_alone(office.store, SHOP, "huiju", never)


def test_of_processes_that_want_to_take_in_one_does(
    office: Any, in_threads: Callable[[int, Callable[[int], None]], None]
) -> None:
    office.place(1)
    done: list[int] = []

    def run(_number: int) -> None:
        syncing = Syncing(
            office.store,
            office.vault,
            office.rulebook,
            600,
            lambda _shop: office.client(),
            timedelta(hours=1),
        )
        done.append(syncing.step(threading.Event()))

    in_threads(3, run)
    assert [0, 0, 1] == sorted(done)
    assert 1 == len(office.states())


def test_settlement_leaves_marked_payments_out(office: Any) -> None:
    """R35: they are counted apart; an order that is not paid, or was closed, counts for nothing."""
    now = datetime.now(UTC)
    office.place(1)
    office.place(2, status="done")
    office.place(3, status="wait_pay", paid_at=None)
    office.place(4, status="closed")
    office.place(5, paid_at=now - timedelta(days=40))
    office.sync()
    day = timedelta(days=1)
    assert Settlement(0, 0, 2, 119200, 0) == settlement(office.store, SHOP, now - day, now + day)
    with office.store.write() as session:
        session.query(Order).filter(Order.channel_order_id == "HJ000002").one().payment_kind = "normal"
        session.query(Order).filter(Order.channel_order_id == "HJ000001").one().total = None
    assert Settlement(1, 59600, 1, 0, 1) == settlement(office.store, SHOP, now - day, now + day)
    assert Settlement(0, 0, 0, 0, 0) == settlement(office.store, "1", now - day, now + day)


def test_a_change_within_the_second_that_was_read_last_is_not_missed(office: Any, sandbox: Any) -> None:
    """The cursor stands behind that second; its tail is read again."""
    now = int(sandbox.huiju.state.clock())
    sandbox.huiju.state.clock = lambda: float(now)
    order_id = office.place(1, updated_at=datetime.fromtimestamp(now, UTC))
    assert 1 == office.sync().taken.orders_new
    request = office.ask(order_id)
    assert 1 == office.sync().taken.after_sales_new
    assert ("requested", None) == office.state(request)
