"""`shelfgate serve` as a process: it starts with what it has said, answers under load, and ends without dropping what is under way."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from mappings.youzan import product_from_item
from tests.acceptance.served import BIN, House, Served, furnish, rows_that_pass, send, sheet, wait_until
from tests.integration.demo_shop import payloads

VALIDATE = "/v1/validate/huiju/eligibility"
THREADS = 12


@pytest.fixture
def house(tmp_path: Path) -> House:
    return furnish(tmp_path)


def listings(count: int) -> dict[str, Any]:
    """Give a request for many listings, some of which fail; every one of them takes its time."""
    rows = [{"product_id": str(number)} for number in range(count)]
    products = [product_from_item(payloads()[number % 20]) for number in range(count)]
    shop = {"id": "38405005", "edition": "retail"}
    facts = [
        {"shop": shop, "product": product, "row": row} for product, row in zip(products, rows, strict=True)
    ]
    return {"facts": json.loads(json.dumps(facts, default=str))}


@contextmanager
def load(served: Served, body: dict[str, Any], threads: int = THREADS) -> Iterator[list[Any]]:
    """Ask on fresh connections all the time; give the answers, and what became of requests that got none."""
    answers: list[Any] = []
    enough = threading.Event()
    sent = json.dumps(body, ensure_ascii=False).encode()

    def ask() -> None:
        headers = {"Content-Type": "application/json", "Connection": "close"}
        while not enough.is_set():
            try:
                with served.client() as client:
                    answers.append(client.post(VALIDATE, content=sent, headers=headers))
            except httpx.ConnectError:
                return  # it takes no more connections
            except httpx.HTTPError as error:
                answers.append(error)

    with ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(ask) for _ in range(threads)]
        try:
            yield answers
        finally:
            enough.set()
        for done in running:
            done.result()


def test_it_says_where_it_runs_on_what_database_and_by_which_rules(house: House) -> None:
    with house.serve() as served:
        told = served.output.readline()
        assert re.fullmatch(r"数据库 SQLite；规则 (huiju/[a-z-]+ [0-9a-f]{8}，?)+\n", told)
        with served.client() as client:
            assert {"alive": True} == client.get("/healthz").json()
            assert client.get("/readyz").json()["ready"] is True
        assert 0 == served.end(signal.SIGINT)


def test_rules_with_mistakes_stop_it_before_it_starts(house: House) -> None:
    (house.folder / "rules" / "huiju" / "eligibility.yaml").write_text("kind: eligibility\nfact: nothing\n")
    words = [BIN / "shelfgate", "serve", "--port", "0"]
    run = subprocess.run(
        words, cwd=house.folder, env=house.environment(), capture_output=True, text=True, check=False
    )
    assert (2, "") == (run.returncode, run.stdout)
    assert "rules/huiju/eligibility.yaml:2:7" in run.stderr


def test_a_port_that_is_taken_is_said_so(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        run = subprocess.run(
            [BIN / "shelfgate", "serve", "--port", port], cwd=house.folder, env=house.environment(),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert 2 == run.returncode
    assert f"127.0.0.1 的端口 {port} 无法使用" in run.stderr


def test_every_request_under_way_is_answered_when_it_is_told_to_stop(house: House) -> None:
    with house.serve() as served, load(served, listings(60)) as answers:
        wait_until(lambda: len(answers) >= THREADS)
        assert 0 == served.end()
    told = Counter(str(getattr(answer, "status_code", repr(answer))) for answer in answers)
    assert {"200": len(answers)} == dict(told)
    assert len(answers) > THREADS


def test_half_a_request_is_waited_for_no_longer_than_the_grace(house: House) -> None:
    with house.serve("--grace", "1") as served:
        host, port = served.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as line:
            line.sendall(b"POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
            with served.client() as client:
                client.get("/healthz")
            began = time.monotonic()
            assert 0 == served.end()
            assert time.monotonic() - began < 30  # far from any timeout of the connection itself
    assert "1 个请求没有来得及答复" in served.log()


def test_open_streams_do_not_hold_it_up(house: House, tmp_path: Path) -> None:
    """A stream of an upload that waits for Youzan, which can't be reached, would go on for minutes."""
    with house.serve("--no-worker") as served, served.client() as client:
        upload = send(client, sheet(rows_that_pass()[:1]))
        with client.stream("GET", f"/v1/uploads/{upload}/events") as stream:
            lines = stream.iter_lines()
            assert "retry: 2000" == next(lines)
            assert 0 == served.end()
            assert not [line for line in lines if line.startswith("event: done")]


def test_an_edit_of_the_rules_under_load_shows_in_whole_answers_only(house: House) -> None:
    """Every answer is by one version, all of its facts alike, and both versions are seen."""
    file = house.folder / "rules" / "huiju" / "eligibility.yaml"
    before = file.read_text(encoding="utf-8")
    with house.serve("--no-worker") as served, load(served, listings(40), threads=4) as answers:
        wait_until(lambda: len(answers) >= 4)
        first = version(answers[0])
        file.write_text(before.replace("otherwise: ", "otherwise: 【新】", 1), encoding="utf-8")
        wait_until(lambda: len({version(answer) for answer in answers}) > 1)
        file.write_text(before.replace("fact: listing", "fact: listng"), encoding="utf-8")
        with served.client() as client:
            wait_until(lambda: client.get("/readyz").json()["rules"]["bad_edit"] is not None)
            bad = client.get("/readyz").json()
            after = version(client.post("/v1/validate/huiju/eligibility", json=listings(1)))
    assert bad["ready"] is True
    line = before.splitlines().index("fact: listing") + 1
    assert f"rules/huiju/eligibility.yaml:{line}:7" in json.dumps(bad["rules"]["bad_edit"])
    assert first != after
    assert {first, after} == {version(answer) for answer in answers}
    assert {200} == {answer.status_code for answer in answers}
    for answer in answers:
        new = {"【新】" in json.dumps(result, ensure_ascii=False) for result in answer.json()["results"]}
        assert {version(answer) == after} == new


def test_log_lines_are_json_and_tell_of_requests_and_uploads_by_their_ids(house: House) -> None:
    with house.serve() as served, served.client() as client:
        reply = client.get("/v1/uploads")
        upload = send(client, sheet(rows_that_pass()[:1]))
        wait_until(lambda: f'"upload_id": "{upload}"' in served.log())
        assert 0 == served.end()
    lines = [json.loads(line) for line in served.log().splitlines()]
    (line,) = [line for line in lines if line.get("request_id") == reply.headers["X-Request-Id"]]
    assert ("GET", "/v1/uploads", 200, "38405005") == (
        line["method"],
        line["route"],
        line["status"],
        line["shop_id"],
    )
    assert house.token not in served.log()


def version(answer: httpx.Response) -> str:
    return str(answer.json()["version"])
