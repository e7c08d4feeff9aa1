"""Log lines: a JSON object each, with what is bound; none lost, none twice, no value of a variable in a traceback."""

from __future__ import annotations

import io
import json
import logging
import os
import time
from collections.abc import Iterator

import pytest
from structlog.contextvars import bound_contextvars, clear_contextvars

from pipeline.logs import PAUSE, configure_logs

log = logging.getLogger("tests.logs")


class Unsayable:
    def __str__(self) -> str:
        raise ValueError("nothing to say")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """Leave the loggers as they were."""
    found = logging.getLogger()
    before, level = found.handlers[:], found.level
    flags = (logging.logThreads, logging.logProcesses, logging.logMultiprocessing)
    yield found
    found.handlers[:] = before
    found.setLevel(level)
    logging.logThreads, logging.logProcesses, logging.logMultiprocessing = flags


@pytest.fixture
def stream(root: logging.Logger) -> io.StringIO:
    """Write to memory; what an earlier request has bound is forgotten."""
    clear_contextvars()
    out = io.StringIO()
    root.setLevel(logging.WARNING)
    configure_logs(out)
    return out


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    logging.getLogger().handlers[0].flush()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_tells_message_fields_and_what_was_bound_when_it_was_logged(stream: io.StringIO) -> None:
    with bound_contextvars(request_id="r1", shop_id="38405005"):
        log.info("请求 %s", "一", extra={"fields": {"status": 200}})
    (line,) = lines(stream)
    assert line.pop("at")
    assert {
        "level": "info", "logger": "tests.logs", "message": "请求 一", "request_id": "r1", "shop_id": "38405005", "status": 200,
    } == line  # fmt: skip
    assert "请求" in stream.getvalue()


def test_a_line_of_several_lines_stays_one(stream: io.StringIO) -> None:
    log.info('一\n{"level": "error"}')
    assert ['一\n{"level": "error"}'] == [line["message"] for line in lines(stream)]


def test_a_warning_is_written_at_once_with_all_before_it(stream: io.StringIO) -> None:
    log.info("一")
    log.warning("二")
    assert ["一", "二"] == [json.loads(line)["message"] for line in stream.getvalue().splitlines()]


def test_a_line_that_is_no_warning_is_written_soon_by_itself(stream: io.StringIO) -> None:
    log.info("一")
    end = time.monotonic() + 50 * PAUSE
    while not stream.getvalue():
        assert time.monotonic() < end
        time.sleep(PAUSE / 10)


def test_a_traceback_shows_no_values_of_variables(stream: io.StringIO, root: logging.Logger) -> None:
    terminal = Terminal()
    for out in (stream, terminal):
        configure_logs(out)
        try:
            token = "sg_" + "secret" * 2
            raise ValueError(len(token))
        except ValueError:
            log.exception("出错")
        assert "ValueError: 15" in out.getvalue()
        assert "secretsecret" not in out.getvalue()


def test_what_cannot_be_written_is_said_and_ends_nothing(stream: io.StringIO) -> None:
    log.info("一", extra={"fields": {"status": Unsayable()}})
    log.info("二")
    assert ["tests.logs 的一行无法写出", "二"] == [line["message"] for line in lines(stream)]


def test_a_level_that_is_lower_stays(root: logging.Logger) -> None:
    root.setLevel(logging.DEBUG)
    configure_logs(io.StringIO())
    assert logging.DEBUG == root.level
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)


def test_a_fork_writes_nothing_twice_and_goes_on_writing(root: logging.Logger, tmp_path: object) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as out:
        configure_logs(out)
        log.info("before")
        child = os.fork()
        if not child:
            log.info("child")
            time.sleep(3 * PAUSE)
            os._exit(0)
        log.info("parent")
        os.waitpid(child, 0)
        logging.getLogger().handlers[0].flush()
    with os.fdopen(reading) as found:
        told = [json.loads(line)["message"] for line in found]
    assert ["before", "child", "parent"] == sorted(told)
