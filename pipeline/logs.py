"""Log lines of the processes that run for long: one JSON object a line for machines, a readable form on a terminal.

All loggers are the standard library's. A line tells what it is given, what its logger was given as `extra={"fields": …}`, and what the work at
hand has bound: `request_id`, `upload_id`, `item_id`, `shop_id`. None holds a secret or anything of a buyer: what is logged is ids, counts
and messages of our own.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, TextIO

import structlog
from structlog.contextvars import get_contextvars

QUIET = ("httpx", "httpcore", "alembic", "asyncio")
"""Libraries whose every step is of no interest: they speak up from warnings on."""

PAUSE = 0.1
"""Longest time for which a line that is no warning waits to be written, s."""


def configure_logs(stream: TextIO | None = None) -> None:
    """Send all log lines to one stream, in the form that fits it. A level that is set lower than info already stays.

    Args:
        stream: Where to; standard error where None.
    """
    stream = stream or sys.stderr
    handler = Unhurried(stream)
    handler.setFormatter(ForPeople() if stream.isatty() else ForMachines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(min(root.level or logging.INFO, logging.INFO))
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # No line tells them, and they take a third of what it costs to make one.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


class ForMachines(logging.Formatter):
    """Write a line as a JSON object: `at`, `level`, `logger`, `message`, then what is known beside; `exception` with its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        event = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_beside(record),
        }
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return _ENCODER.encode(event)


class ForPeople(logging.Formatter):
    """Write a line for a terminal, in colours. Of an exception the values of variables are not shown, which may be secrets."""

    def __init__(self) -> None:
        super().__init__()
        plain = structlog.dev.plain_traceback
        self._render = structlog.dev.ConsoleRenderer(exception_formatter=plain, timestamp_key="at")

    def format(self, record: logging.LogRecord) -> str:
        """Write one line, or several where there is a traceback."""
        event = {
            "at": datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_beside(record),
        }
        if record.exc_info:
            event["exc_info"] = record.exc_info
        return str(self._render(None, record.levelname.lower(), event))


class Unhurried(logging.StreamHandler[TextIO]):
    """Write lines from a thread of its own, many at once, as waiting for each line's writing would cost whoever logs more than all the rest.

    Warnings and what is worse are written at once, with all that waits before them.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._waiting: deque[logging.LogRecord] = deque()
        self._writing = threading.RLock()
        self._writer: threading.Thread | None = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Take a record, with what is bound where it comes from."""
        record.bound = get_contextvars()
        self._waiting.append(record)
        if record.levelno >= logging.WARNING:
            self.flush()
        elif self._writer is None:
            self._begin()
        return True

    def flush(self) -> None:
        """Write all that waits."""
        with self._writing:
            lines = []
            while self._waiting:
                lines.append(self._line(self._waiting.popleft()))
            if lines:
                self.stream.write("".join(lines))
                self.stream.flush()

    def _line(self, record: logging.LogRecord) -> str:
        try:
            return self.format(record) + self.terminator
        except Exception:
            return f'{{"level": "error", "logger": "pipeline.logs", "message": "{record.name} 的一行无法写出"}}\n'

    def _begin(self) -> None:
        """Start the writer, with the first line."""
        with self._writing:
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, name="log", daemon=True)
                self._writer.start()

    def before_fork(self) -> None:
        """Leave nothing for a child to write again, and nothing half written."""
        self._writing.acquire()
        self.flush()

    def after_fork(self, *, child: bool) -> None:
        """Go on; a child has no writer yet, and the lock is its parent's."""
        if child:
            self._waiting.clear()
            self._writing, self._writer = threading.RLock(), None
        else:
            self._writing.release()

    def _write(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(PAUSE)
            if self._waiting:
                self.flush()


def _unhurried() -> list[Unhurried]:
    return [handler for handler in logging.getLogger().handlers if isinstance(handler, Unhurried)]


def _before_fork() -> None:
    for handler in _unhurried():
        handler.before_fork()


def _after_fork(*, child: bool) -> None:
    for handler in _unhurried():
        handler.after_fork(child=child)


os.register_at_fork(
    before=_before_fork,
    after_in_parent=partial(_after_fork, child=False),
    after_in_child=partial(_after_fork, child=True),
)


def _beside(record: logging.LogRecord) -> dict[str, Any]:
    """Give what a line tells beside its message."""
    fields: Mapping[str, Any] = getattr(record, "fields", {})
    bound: Mapping[str, Any] = getattr(record, "bound", {})
    return {**bound, **fields}


_ENCODER = json.JSONEncoder(ensure_ascii=False, default=str)
