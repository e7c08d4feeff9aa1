"""One product at a time, through the real client, against the sandbox on a socket."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from channels.sandbox import Sandbox
from channels.sandbox.faults import Fault, FaultPlan
from pipeline.sending.outbox import claim_next
from pipeline.sending.push import give_way, release
from pipeline.sending.retrying import Patience
from pipeline.sending.worker import Worker
from pipeline.store import BindingRow, Listing, OutboxItem, database_now

SHOP = "38405005"
ADD, GET = "/product/add", "/product/get"
SOON = Patience(first=0.0, longest=0.0)


def worker(depot: Any, sandbox: Sandbox, **more: Any) -> Worker:
    lanes = depot.lanes(sandbox.huiju.base_url)
    return Worker(lanes, depot.rulebook, rng=random.Random(1), **{"patience": SOON} | more)


def paths(sandbox: Sandbox) -> list[str]:
    """Note the requests from now on."""
    seen: list[str] = []
    draw = sandbox.huiju.faults.draw

    def noting(path: str) -> Fault | None:
        seen.append(path.removeprefix("/openapi/v1"))
        return draw(path)

    sandbox.huiju.faults.draw = noting  # type: ignore[method-assign]
    return seen


def effects(sandbox: Sandbox) -> list[str]:
    return [
        what for _, endpoint, what in sandbox.huiju.state.snapshot()["effects"] if endpoint == "product_add"
    ]


def work(worker: Worker, depot: Any, steps: int) -> None:
    """Take so many steps, whatever is resting."""
    for _ in range(steps):
        for lane in worker._lanes._lanes.values():
            lane.resting = 0.0
        worker._lanes._looked = 0.0
        with depot.store.write() as session:
            for item in session.query(OutboxItem).filter(OutboxItem.state == "queued"):
                item.due = database_now(session)
        worker.step()


def test_a_row_that_passed_becomes_one_product_and_its_outcome_is_kept(depot: Any, sandbox: Sandbox) -> None:
    upload = depot.queue(2)
    assert "pushing" == depot.progress(upload).state
    work(worker(depot, sandbox), depot, 2)
    products = sandbox.huiju.state.snapshot()["listed"]
    assert {"403000001", "403000002"} == set(products)
    assert products == depot.listings()
    row = depot.row(upload)
    assert ("listed", products["403000001"], None) == (row.state, row.channel_product_id, row.reason)
    assert {"productId": products["403000001"], "repeated": False} == row.answer
    assert ("done", {"listed": 2}) == (depot.progress(upload).state, depot.states(upload))


def test_what_the_channel_refuses_is_told_by_the_row_and_frees_the_listing(
    depot: Any, sandbox: Sandbox
) -> None:
    upload = depot.queue(1, brand_id="9999")
    work(worker(depot, sandbox), depot, 1)
    row = depot.row(upload)
    assert ("refused_by_channel", "品牌不存在或未授权：9999（错误码 43012）") == (row.state, row.reason)
    assert "43012" == row.answer["code"]
    assert ({}, "done_with_failures") == (depot.listings(), depot.progress(upload).state)


def test_the_same_row_may_be_sent_again_after_a_refusal(depot: Any, sandbox: Sandbox) -> None:
    """The merchant gets the brand allowed and sends the very same row: same content, same key."""
    depot.queue(1, brand_id="9999")
    work(worker(depot, sandbox), depot, 1)
    sandbox.huiju.state.reference["brands"].append({"brandId": "9999", "name": "新品牌"})
    upload = depot.queue(1, brand_id="9999")
    work(worker(depot, sandbox), depot, 1)
    assert ({"listed": 1}, ["403000001"]) == (depot.states(upload), effects(sandbox))


def test_a_reply_that_was_lost_after_the_effect_is_looked_up_not_sent_again(
    depot: Any, sandbox: Sandbox
) -> None:
    upload, seen = depot.queue(1), paths(sandbox)
    sandbox.huiju.faults.next([Fault.REPLY_LOST], ADD)
    at_work = worker(depot, sandbox)
    work(at_work, depot, 1)
    row = depot.row(upload)
    assert ("queued", "no_reply", "unknown") == (row.state, row.answer["code"], row.answer["effect"])
    work(at_work, depot, 1)
    assert [ADD, GET] == seen
    assert ({"listed": 1}, ["403000001"]) == (depot.states(upload), effects(sandbox))


def test_a_request_that_was_lost_before_the_effect_is_sent_again(depot: Any, sandbox: Sandbox) -> None:
    upload, seen = depot.queue(1), paths(sandbox)
    sandbox.huiju.faults.next([Fault.DROPPED], ADD)
    at_work = worker(depot, sandbox)
    work(at_work, depot, 2)
    assert [ADD, GET, ADD] == seen
    assert ({"listed": 1}, ["403000001"]) == (depot.states(upload), effects(sandbox))


def test_a_request_delivered_twice_lists_once(depot: Any, sandbox: Sandbox) -> None:
    upload = depot.queue(1)
    sandbox.huiju.faults.next([Fault.DELIVERED_TWICE], ADD)
    at_work = worker(depot, sandbox)
    work(at_work, depot, 2)
    assert ({"listed": 1}, ["403000001"]) == (depot.states(upload), effects(sandbox))


def test_a_channel_that_forgets_keys_names_the_product_that_is_there(depot: Any, sandbox: Sandbox) -> None:
    """Its refusal is about our own request, delivered before: the product is what was sent."""
    first = depot.queue(1)
    work(worker(depot, sandbox), depot, 1)
    sandbox.huiju.state.added.clear()
    with (
        depot.store.write() as session
    ):  # as if the worker had died before it kept anything, and nothing were known of it
        item = session.query(OutboxItem).one()
        item.state, item.fencing = "queued", 0
        session.query(Listing).one().state = "reserved"
    work(worker(depot, sandbox), depot, 1)
    assert ({"listed": 1}, ["403000001"]) == (depot.states(first), effects(sandbox))


def test_a_product_that_someone_else_put_there_is_not_taken_for_ours(depot: Any, sandbox: Sandbox) -> None:
    upload = depot.queue(1)
    work(worker(depot, sandbox), depot, 1)
    with depot.store.write() as session:
        session.query(Listing).delete()
    again = depot.queue(1, category_id="6092")
    work(worker(depot, sandbox), depot, 1)
    row = depot.row(again)
    channel_id = sandbox.huiju.state.listed["403000001"]
    assert "refused_by_channel" == row.state
    assert f"该商品已在渠道上架（{channel_id}），类目 ID与这一行不同" in row.reason
    assert {"403000001": channel_id} == depot.listings()
    assert "listed" == depot.row(upload).state


def test_three_failures_of_one_kind_wait_for_a_person(depot: Any, sandbox: Sandbox) -> None:
    upload, seen = depot.queue(1), paths(sandbox)
    sandbox.huiju.faults.set(FaultPlan({Fault.SERVER_ERROR: 1.0}, paths=(ADD,)))
    at_work = worker(depot, sandbox)
    work(at_work, depot, 6)
    assert [ADD, GET, ADD, GET, ADD] == seen
    row = depot.row(upload)
    assert ("failed", "done_with_failures") == (row.state, depot.progress(upload).state)
    assert row.reason.startswith("连续 3 次同样没有成功，已暂停，等人处理：对方服务异常")
    assert {"403000001": None} == depot.listings()
    sandbox.huiju.faults.clear()
    with depot.store.write() as session:
        assert release(session, depot.item().id, database_now(session))
    assert ("pushing", {"queued": 1}) == (depot.progress(upload).state, depot.states(upload))
    work(at_work, depot, 1)
    assert ("done", {"listed": 1}) == (depot.progress(upload).state, depot.states(upload))


def test_failures_of_other_kinds_come_to_an_end_too(depot: Any, sandbox: Sandbox) -> None:
    upload = depot.queue(1)
    sandbox.huiju.faults.next([Fault.SERVER_ERROR, Fault.DROPPED] * 3, ADD)
    at_work = worker(depot, sandbox, patience=Patience(first=0.0, most=5))
    work(at_work, depot, 6)
    assert ({"failed": 1}, 5) == (depot.states(upload), depot.item().last_error["failures"])
    assert depot.row(upload).reason.startswith("5 次没有成功，已暂停，等人处理")


def test_a_row_that_waits_for_a_person_gives_way_to_one_sent_anew(depot: Any, sandbox: Sandbox) -> None:
    first = depot.queue(1)
    sandbox.huiju.faults.set(FaultPlan({Fault.REPLY_LOST: 1.0}))
    at_work = worker(depot, sandbox)
    work(at_work, depot, 3)
    assert ({"failed": 1}, "held") == (depot.states(first), depot.item().state)
    sandbox.huiju.faults.clear()
    with depot.store.write() as session:
        assert {"403000001"} == give_way(session, "huiju", SHOP, ["403000001", "403000002"])
    seen = paths(sandbox)
    second = depot.queue(1, corrects=first)
    work(at_work, depot, 1)
    assert ([GET], {"listed": 1}, ["403000001"]) == (seen, depot.states(second), effects(sandbox))


def test_a_rate_limit_counts_for_nothing_and_holds_everyone_back(depot: Any, sandbox: Sandbox) -> None:
    upload, seen = depot.queue(2), paths(sandbox)
    sandbox.huiju.faults.next([Fault.RATE_LIMITED], ADD)
    at_work = worker(depot, sandbox)
    work(at_work, depot, 3)
    assert ([ADD], {"queued": 2}) == (seen, depot.states(upload))
    error = depot.item().last_error
    assert ("42900", False, 0) == (error["code"], error["doubtful"], error["failures"])
    with depot.store.read() as session:
        held = [lane.pace._next(session) - database_now(session) for lane in at_work._lanes._lanes.values()]
    assert all(timedelta(seconds=0.5) < wait <= timedelta(seconds=1) for wait in held)


def test_a_channel_that_cannot_be_reached_costs_no_item_its_tries(depot: Any, sandbox: Sandbox) -> None:
    upload = depot.queue(1)
    at_work = Worker(depot.lanes("http://127.0.0.1:9/openapi/v1"), depot.rulebook, patience=SOON)
    for _ in range(4):
        with depot.store.write() as session:
            for lane in at_work._lanes._lanes.values():
                session.execute(lane_reset(lane))
        work(at_work, depot, 1)
    item = depot.item()
    assert ("queued", 0, "not_sent", False) == (
        item.state, item.last_error["failures"], item.last_error["code"], item.last_error["doubtful"],
    )  # fmt: skip
    assert 4 == item.attempts
    assert "连接失败" in depot.row(upload).reason


def test_a_shop_that_was_unbound_keeps_its_rows_and_says_why(depot: Any, sandbox: Sandbox) -> None:
    upload, seen = depot.queue(1), paths(sandbox)
    with depot.store.write() as session:
        session.query(BindingRow).delete()
    work(worker(depot, sandbox), depot, 1)
    assert ([], {"queued": 1}) == (seen, depot.states(upload))
    assert "尚未绑定" in depot.row(upload).reason


def test_credentials_that_were_replaced_are_used_from_then_on(depot: Any, sandbox: Sandbox) -> None:
    depot.queue(2)
    at_work = worker(depot, sandbox)
    work(at_work, depot, 1)
    (lane,) = at_work._lanes._lanes.values()
    before = lane._client
    with depot.store.write() as session:
        row = session.query(BindingRow).one()
        sealed = depot.vault.open(row.credentials, shop_id=SHOP, field="bindings.credentials.huiju")
        row.credentials = depot.vault.seal(sealed, shop_id=SHOP, field="bindings.credentials.huiju")
    lane._looked = 0.0
    work(at_work, depot, 1)
    assert before is not lane._client


def test_an_item_whose_workers_keep_dying_waits_for_a_person(depot: Any, sandbox: Sandbox) -> None:
    upload, seen = depot.queue(1), paths(sandbox)
    at_work = worker(depot, sandbox, patience=Patience(unanswered=3))
    (lane,) = at_work._lanes.due()
    for _ in range(3):
        assert claim_next(depot.store, lane.pace, "dead", "huiju", SHOP, timedelta(seconds=-1))
    work(at_work, depot, 1)
    assert ([], {"failed": 1}, "held") == (seen, depot.states(upload), depot.item().state)
    assert depot.row(upload).reason.startswith("连续 3 次处理都中途中断")


def test_an_answer_that_cannot_be_kept_waits_for_a_person(depot: Any, sandbox: Sandbox) -> None:
    """A channel's id that belongs to another product already: the store refuses it, and nothing is sent again for it."""
    depot.queue(1, first=50)
    with depot.store.write() as session:
        now = database_now(session)
        session.add(
            Listing(
                channel="huiju", shop_id=SHOP, product_id="1", state="listed", channel_product_id="900000001",
                created_at=now, listed_at=now,
            )
        )  # fmt: skip
    work(worker(depot, sandbox), depot, 2)
    assert ("held", ["403000050"]) == (depot.item().state, effects(sandbox))


def lane_reset(lane: Any) -> Any:
    """Forget that a channel is left alone."""
    from sqlalchemy import delete

    from pipeline.store import Rate

    return delete(Rate).where(Rate.shop_id == lane.shop_id)
