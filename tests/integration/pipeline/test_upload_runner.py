"""Uploads are checked in the background: by one process at a time, by another where that one dies, and never given up for a passing fault (R16)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from channels.youzan import YouzanClient
from engine.rulebook import find_manifest
from pipeline.clients import ChannelFailed, SettingsUnusable
from pipeline.live_rules import LiveRules
from pipeline.sending.queue import queue_by_channel
from pipeline.store import (
    DecisionRow,
    Listing,
    OutboxItem,
    Store,
    StoreError,
    Upload,
    UploadRow,
    database_now,
)
from pipeline.uploads import check as uploads_check
from pipeline.uploads import runner as upload_runner
from pipeline.uploads.runner import AGAIN, HOLD, MOST_TRIES, UploadRunner
from tests.integration.demo_shop import ROOT

PROGRAM = """
import sys, time
from contextlib import nullcontext
from pathlib import Path
from pipeline.uploads import runner as upload_runner
from pipeline.uploads import check as uploads_check
from pipeline.live_rules import LiveRules
from pipeline.store import open_store

uploads_check.CHUNK = 10
further = upload_runner._Holding.further

def slowly(self, done, total):
    further(self, done, total)
    print(done, flush=True)
    if done >= 30:
        time.sleep(600)

upload_runner._Holding.further = slowly
store = open_store(sys.argv[1])
runner = upload_runner.UploadRunner(store, LiveRules(Path(sys.argv[2])), lambda _store, _shop: nullcontext())
print("busy" if runner.step() else "idle", flush=True)
"""


@pytest.fixture(scope="session")
def live() -> LiveRules:
    return LiveRules(find_manifest(ROOT), look=3600)


@contextmanager
def no_youzan(store: Store, shop_id: str) -> Iterator[YouzanClient | None]:
    yield None


@pytest.fixture
def runner(desk: Any, live: LiveRules) -> UploadRunner:
    return UploadRunner(desk.store, live, no_youzan)


def upload(desk: Any, upload_id: str) -> Upload:
    with desk.store.read() as session:
        found: Upload = session.get_one(Upload, upload_id)
    return found


def let_wait_end(desk: Any) -> None:
    """Let the time pass for which uploads are held or put off."""
    with desk.store.write() as session:
        session.execute(update(Upload).values(check_due=database_now(session)))


def counts(desk: Any, upload_id: str) -> dict[str, int]:
    with desk.store.read() as session:
        return {
            "rows": session.scalar(select(func.count()).where(UploadRow.upload_id == upload_id)) or 0,
            "items": session.scalar(select(func.count()).where(OutboxItem.upload_id == upload_id)) or 0,
            "reserved": session.scalar(select(func.count()).where(Listing.upload_id == upload_id)) or 0,
        }


WHOLE = {"rows": 89, "items": 53, "reserved": 53}
"""What the example comes to: 54 of its rows pass the rules, and one of those lacks what Huiju must be told."""


def test_an_upload_is_checked_and_let_go(desk: Any, runner: UploadRunner, example: bytes) -> None:
    upload_id = desk.receive(example).upload_id
    assert [True, False] == [runner.step(), runner.step()]
    found = upload(desk, upload_id)
    assert ("pushing", None, 0) == (found.state, found.checker, found.check_tries)
    assert WHOLE == counts(desk, upload_id)


def test_the_one_that_has_waited_longest_comes_first(
    desk: Any, runner: UploadRunner, sheet: Any, good_rows: Any
) -> None:
    ids = [desk.receive(sheet([row]), f"{number}.xlsx").upload_id for number, row in enumerate(good_rows[:3])]
    for number in range(3):
        assert runner.step()
        states = [upload(desk, upload_id).state for upload_id in ids]
        assert ["pushing"] * (number + 1) + ["received"] * (2 - number) == states


def test_a_process_that_is_killed_is_followed_by_another_where_it_stopped(
    desk: Any, runner: UploadRunner, address: str, example: bytes
) -> None:
    upload_id = desk.receive(example).upload_id
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, address, str(find_manifest(ROOT))], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while (said := process.stdout.readline().strip()) != "30":
        assert said.isdigit(), said
    assert not runner.step(), "it is held by the process that is alive"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not runner.step(), "it is held for a while after the process has died"
    with desk.store.read() as session:
        before = set(session.scalars(select(DecisionRow.id)))
    assert ("checking", 30) == (upload(desk, upload_id).state, counts(desk, upload_id)["rows"])
    let_wait_end(desk)
    assert runner.step()
    assert ("pushing", WHOLE) == (upload(desk, upload_id).state, counts(desk, upload_id))
    with desk.store.read() as session:
        assert before <= set(session.scalars(select(DecisionRow.id))), "what was decided stays decided"


def test_runners_at_once_check_each_upload_once(
    desk: Any,
    live: LiveRules,
    sheet: Any,
    good_rows: Any,
    in_threads: Callable[[int, Callable[[int], None]], None],
) -> None:
    ids = {desk.receive(sheet([row]), f"{number}.xlsx").upload_id for number, row in enumerate(good_rows[:8])}
    done = []

    def work(_: int) -> None:
        mine = UploadRunner(desk.store, live, no_youzan)
        while mine.step():
            done.append(mine.name)

    in_threads(4, work)
    assert len(ids) == len(done)
    assert {"pushing"} == {upload(desk, upload_id).state for upload_id in ids}
    assert {(1, 1, 1)} == {tuple(counts(desk, upload_id).values()) for upload_id in ids}


def failing(error: Exception) -> Any:
    @contextmanager
    def youzan(store: Store, shop_id: str) -> Iterator[YouzanClient | None]:
        raise error
        yield None

    return youzan


def test_an_upload_waits_while_youzan_is_down(
    desk: Any, live: LiveRules, runner: UploadRunner, example: bytes
) -> None:
    upload_id = desk.receive(example).upload_id
    down = UploadRunner(desk.store, live, failing(ChannelFailed("有赞没有回应", "youzan", retryable=True)))
    assert down.step()
    found = upload(desk, upload_id)
    assert ("received", None) == (found.state, found.checker)
    with desk.store.read() as session:
        wait = found.check_due - database_now(session)
    assert timedelta(0) < wait <= AGAIN
    assert not down.step()
    let_wait_end(desk)
    assert runner.step()
    assert "pushing" == upload(desk, upload_id).state


@pytest.mark.parametrize(
    "error",
    [
        ChannelFailed("有赞拒绝了应用的身份", "youzan", retryable=False),
        SettingsUnusable("没有设置环境变量 A", ("A",)),
    ],
)
def test_an_upload_fails_at_once_where_waiting_is_no_use(
    desk: Any, live: LiveRules, example: bytes, error: Any
) -> None:
    upload_id = desk.receive(example).upload_id
    runner = UploadRunner(desk.store, live, failing(error))
    assert [True, False] == [runner.step(), runner.step()]
    assert ("failed", error.message) == (upload(desk, upload_id).state, upload(desk, upload_id).failure)


def test_a_fault_of_the_program_is_tried_again_so_often_and_not_told(
    desk: Any, live: LiveRules, example: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    upload_id = desk.receive(example).upload_id
    runner = UploadRunner(desk.store, live, failing(ZeroDivisionError("what nobody should read")))
    for number in range(MOST_TRIES):
        assert "received" == upload(desk, upload_id).state, number
        assert runner.step()
        let_wait_end(desk)
    found = upload(desk, upload_id)
    assert ("failed", "程序错误，已记入日志") == (found.state, found.failure)
    assert "what nobody should read" in caplog.text
    assert not runner.step()


def test_an_upload_whose_checkers_die_is_given_up_in_the_end(
    desk: Any, runner: UploadRunner, example: bytes
) -> None:
    """As when it takes more memory than there is: nobody is left to count the tries but the claim."""
    upload_id = desk.receive(example).upload_id
    for _ in range(MOST_TRIES):
        assert runner._claim() is not None
        let_wait_end(desk)
    assert runner.step()
    found = upload(desk, upload_id)
    assert "failed" == found.state
    assert "一再中断" in (found.failure or "")


def test_tries_count_from_where_the_check_last_got_further(
    desk: Any, live: LiveRules, example: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = desk.receive(example).upload_id
    with desk.store.write() as session:
        session.execute(update(Upload).values(check_tries=MOST_TRIES - 1))
    monkeypatch.setattr(uploads_check, "CHUNK", 10)
    runner = UploadRunner(desk.store, live, no_youzan)
    decide, calls = uploads_check._Decider.__call__, []

    def breaks(self: Any, rows: Any) -> Any:
        calls.append(rows)
        if len(calls) == 3:
            raise ZeroDivisionError
        return decide(self, rows)

    monkeypatch.setattr(uploads_check._Decider, "__call__", breaks)
    assert runner.step()
    found = upload(desk, upload_id)
    assert ("checking", 0) == (found.state, found.check_tries)
    let_wait_end(desk)
    assert runner.step()
    assert WHOLE == counts(desk, upload_id)


def test_told_to_stop_it_ends_with_the_chunk_in_hand_and_others_go_on(
    desk: Any, runner: UploadRunner, example: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_check, "CHUNK", 20)
    stop = threading.Event()
    stop.set()
    upload_id = desk.receive(example).upload_id
    assert runner.step(stop)
    found = upload(desk, upload_id)
    assert ("checking", None, 20) == (found.state, found.checker, counts(desk, upload_id)["rows"])
    assert runner.step()
    assert WHOLE == counts(desk, upload_id)


def test_an_upload_is_kept_while_its_check_gets_further(
    desk: Any, live: LiveRules, example: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_check, "CHUNK", 20)
    runner = UploadRunner(desk.store, live, no_youzan, timedelta(seconds=0.0001))
    desk.receive(example)
    dues = []
    further = upload_runner._Holding.further

    def noted(self: Any, done: int, total: int) -> None:
        further(self, done, total)
        with desk.store.read() as session:
            dues.append(session.scalar(select(Upload.check_due)))

    monkeypatch.setattr(upload_runner._Holding, "further", noted)
    assert runner.step()
    assert sorted(set(dues)) == dues
    assert len(dues) == 5


def test_it_works_until_told_to_stop_and_outlives_a_store_that_fails(
    desk: Any,
    live: LiveRules,
    example: bytes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    upload_id = desk.receive(example).upload_id
    runner = UploadRunner(desk.store, live, no_youzan)
    claim, calls = runner._claim, []

    def fails_first() -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise StoreError("数据库无法使用")
        return claim()

    monkeypatch.setattr(runner, "_claim", fails_first)
    stop = threading.Event()
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()
    for _ in range(600):
        if upload(desk, upload_id).state == "pushing":
            break
        stop.wait(0.05)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    assert "pushing" == upload(desk, upload_id).state
    assert "数据库无法使用" in caplog.text


def test_an_upload_whose_store_went_away_is_taken_up_again_by_the_same_process_before_others_may(
    desk: Any, live: LiveRules, runner: UploadRunner, example: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that is started anew costs a quarter of a minute, not the whole time that an upload is held."""
    upload_id = desk.receive(example).upload_id

    def gone(*_: Any) -> None:
        raise StoreError("数据库无法使用")

    with monkeypatch.context() as patch:
        patch.setattr(upload_runner, "check_upload", gone)
        with pytest.raises(StoreError):
            runner.step()
    assert not runner.step(), "not at once"
    with desk.store.write() as session:
        session.execute(update(Upload).values(check_due=database_now(session) + HOLD - AGAIN))
    assert not UploadRunner(desk.store, live, no_youzan).step(), "others wait"
    assert runner.step()
    assert "pushing" == upload(desk, upload_id).state


def test_a_file_that_is_no_sheet_fails_with_its_reason(desk: Any, runner: UploadRunner) -> None:
    upload_id = desk.receive(b"PK\x03\x04 nothing", "坏的.xlsx").upload_id
    assert runner.step()
    found = upload(desk, upload_id)
    assert "failed" == found.state
    assert found.failure


def test_what_waits_is_counted_by_channel_and_state(desk: Any, runner: UploadRunner, example: bytes) -> None:
    assert [] == queue_by_channel(desk.store)
    desk.receive(example)
    runner.step()
    with desk.store.write() as session:
        session.execute(update(OutboxItem).values(created_at=database_now(session) - timedelta(seconds=90)))
        first = session.scalars(select(OutboxItem).limit(1)).one()
        first.state, first.answered_at = "held", None
    lines = queue_by_channel(desk.store)
    assert [("huiju", "held", 1), ("huiju", "queued", 52)] == [
        (line.channel, line.state, line.items) for line in lines
    ]
    assert all(90 <= line.oldest_seconds < 150 for line in lines)
