"""Idempotency keys as callers use them: the work is done once, and told alike each time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import select

from api.app import IDEMPOTENCY_KEY, _Gate
from api.problems import Problem
from api.routes import MULTIPART, Answer, Ask, Reply, Resource
from api.schemas import record, text
from pipeline.keyed_requests import SILENCE
from pipeline.shops import ShopUnknown
from pipeline.store import KeyedRequest
from tests.integration.api.calls import BODIES, ROUTES, named
from tests.integration.api.front import OTHER, Front

ANSWERS = {202: Answer("收下了")}


class Work:
    """Something that must not be done twice, behind the same gate as every route.

    Attributes:
        done: The bodies that it was done for.
        ends: Called while it is done, so that a test can end it otherwise.
    """

    def __init__(self, front: Front) -> None:
        self.done: list[Any] = []
        self.ends: Callable[[], None] = lambda: None
        resource = Resource("work", "要做一次的事")

        @resource.route(
            "POST",
            "/work",
            "做",
            scope="validate",
            acts=True,
            body=record("做", {"what": text("什么")}),
            answers=ANSWERS,
        )
        def work(ask: Ask) -> Reply:
            self.ends()
            self.done.append(ask.body["what"])
            return Reply(
                {"number": len(self.done), "é": "类目"}, 202, {"Location": f"/work/{len(self.done)}"}
            )

        @resource.route(
            "POST",
            "/files",
            "收",
            scope="validate",
            acts=True,
            body={"type": "object"},
            media=MULTIPART,
            answers=ANSWERS,
        )
        def files(ask: Ask) -> Reply:
            from flask import request

            self.done.append(request.files["file"].stream.read())
            return Reply({"number": len(self.done)}, 202)

        gate = _Gate(CSRFProtect())
        for route in resource.routes:
            front.app.add_url_rule(route.rule, route.name, gate.view(route, resource), methods=[route.method])


@pytest.fixture
def work(front: Front) -> Work:
    return Work(front)


def post(client: Any, what: str = "a", key: str | None = "k1", **headers: str) -> Any:
    keyed = {} if key is None else {IDEMPOTENCY_KEY: key}
    return client.post("/work", json={"what": what}, headers=keyed | headers)


def test_the_work_is_done_once_and_told_byte_for_byte(front: Front, work: Work) -> None:
    client = front.service()
    first, second = post(client), post(client)
    assert ["a"] == work.done
    assert (202, first.data, first.content_type, "/work/1") == (
        second.status_code, second.data, second.content_type, second.headers["Location"],
    )  # fmt: skip
    assert (None, "true") == tuple(answer.headers.get("Idempotent-Replayed") for answer in (first, second))


def test_without_a_key_it_is_done_each_time(front: Front, work: Work) -> None:
    client = front.service()
    assert [1, 2] == [post(client, key=None).json["number"] for _ in range(2)]


def test_a_key_of_another_request_is_refused(front: Front, work: Work) -> None:
    client = front.service()
    post(client)
    for answer in (
        post(client, "b"),
        client.post("/work?x=1", json={"what": "a"}, headers={IDEMPOTENCY_KEY: "k1"}),
    ):
        assert 422 == answer.status_code
    assert "/v1/problems/key-misused" == post(client, "b").json["type"]
    assert ["a"] == work.done


def test_keys_of_other_callers_are_others(front: Front, work: Work) -> None:
    for client in (front.service(), front.service("viewer"), front.service(shop_id=OTHER), front.browser()):
        assert post(client).headers.get("Idempotent-Replayed") is None
    assert 4 == len(work.done)


def test_a_file_is_told_from_another_by_its_bytes_and_name(front: Front, work: Work) -> None:
    import io

    client = front.service()

    def send(content: bytes, name: str = "a.xlsx", **form: str) -> Any:
        data = {"file": (io.BytesIO(content), name), **form}
        return client.post("/files", data=data, content_type=MULTIPART, headers={IDEMPOTENCY_KEY: "k1"})

    assert [202, 202] == [send(b"one").status_code, send(b"one").status_code]
    assert [422, 422, 422] == [
        send(b"two").status_code, send(b"one", "b.xlsx").status_code, send(b"one", note="x").status_code,
    ]  # fmt: skip
    assert [b"one"] == work.done


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 201, "\t"])
def test_a_key_that_is_none_is_refused(front: Front, work: Work, key: str) -> None:
    answer = front.service().post(
        "/work", json={"what": "a"}, headers={IDEMPOTENCY_KEY: key.encode().decode("latin-1")}
    )
    assert (400, []) == (answer.status_code, work.done)
    assert IDEMPOTENCY_KEY in answer.json["detail"]


def fails(error: Exception) -> Callable[[], None]:
    def end() -> None:
        raise error

    return end


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ZeroDivisionError(), 500),
        (Problem("channel-failed", "没有回应"), 502),
        (Problem("unavailable", "稍后"), 503),
        (Problem("too-many", "慢一点"), 429),
    ],
)
def test_a_fault_is_not_kept_and_the_work_may_be_tried_again(
    front: Front, work: Work, error: Exception, status: int
) -> None:
    client = front.service()
    work.ends = fails(error)
    assert status == post(client).status_code
    work.ends = lambda: None
    assert [202, 202] == [post(client).status_code for _ in range(2)]
    assert ["a"] == work.done


@pytest.mark.parametrize("error", [Problem("conflict", "已有", headers={"X": "1"}), ShopUnknown("1")])
def test_a_refusal_is_kept(front: Front, work: Work, error: Exception) -> None:
    client = front.service()
    work.ends = fails(error)
    first = post(client)
    work.ends = lambda: None
    assert (first.status_code, first.data) == (post(client).status_code, post(client).data)
    assert [] == work.done


def test_a_request_whose_process_died_is_taken_over_after_a_while(front: Front, work: Work) -> None:
    client = front.service()
    started = threading.Event()
    died = threading.Event()

    def die() -> None:
        started.set()
        died.wait(30)

    work.ends = die
    dead = threading.Thread(target=post, args=(client,))
    dead.start()
    started.wait(30)
    other = front.service()
    under_way = post(other)
    assert (409, "/v1/problems/in-progress") == (under_way.status_code, under_way.json["type"])
    assert under_way.headers["Retry-After"]
    with front.store.write() as session:
        session.scalars(select(KeyedRequest)).one().alive_at -= SILENCE + timedelta(seconds=1)
    work.ends = lambda: None
    taken = post(other)
    assert (202, 1) == (taken.status_code, taken.json["number"])
    died.set()
    dead.join(30)
    assert taken.data == post(other).data, "what comes of the first later changes nothing"


def test_at_once_the_work_is_done_once(
    front: Front, work: Work, in_threads: Callable[[int, Callable[[int], None]], None]
) -> None:
    clients = [front.service() for _ in range(8)]
    statuses: Counter[int] = Counter()
    in_threads(8, lambda number: statuses.update([post(clients[number]).status_code]))
    assert ["a"] == work.done
    assert {202, 409} >= set(statuses)
    assert 202 == post(clients[0]).status_code


def test_an_answer_with_a_secret_in_it_is_kept_under_no_key(front: Front) -> None:
    """Who repeats the making of a token makes another; the first can be revoked, while a kept answer could be read."""
    (route,) = [route for route in ROUTES if named(route) == "POST /v1/tokens"]
    assert not route.acts
    browser = front.browser("admin")
    made = [
        browser.post("/v1/tokens", json=BODIES["POST", "/v1/tokens"], headers={IDEMPOTENCY_KEY: "k1"}).json[
            "value"
        ]
        for _ in range(2)
    ]
    assert made[0] != made[1]
    with front.store.read() as session:
        assert [] == list(session.scalars(select(KeyedRequest)))
