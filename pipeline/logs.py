"""Log lines of the processes that run for long: one JSON object a line for machines, a readable form on a terminal.

All loggers are the standard library's; structlog renders what they are given, with whatever the work at hand has bound: `request_id`,
`upload_id`, `item_id`, `shop_id`. No line holds a secret or anything of a buyer: what is logged is ids, counts and our own messages.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections import deque
from typing import Any, TextIO

import structlog
from structlog.contextvars import get_contextvars
from structlog.types import EventDict, Processor

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
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_form(stream)],
            foreign_pre_chain=_BEFORE,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(min(root.level or logging.INFO, logging.INFO))
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class Unhurried(logging.StreamHandler[TextIO]):
    """Write lines from a thread of its own, many at once: a thread that answers a request is not held up by the writing, which would cost it
    more than all the rest of its line. Warnings and what is worse are written at once, with all that waits before them.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._waiting: deque[logging.LogRecord] = deque()
        self._begun = threading.Lock()
        self._writer: threading.Thread | None = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Take a record, with what is bound in its context now."""
        record.context = get_contextvars()
        self._waiting.append(record)
        if record.levelno >= logging.WARNING:
            self.flush()
        elif self._writer is None or not self._writer.is_alive():
            self._begin()
        return True

    def flush(self) -> None:
        """Write all that waits."""
        with self.lock or self._begun:
            lines = []
            while self._waiting:
                lines.append(self.format(self._waiting.popleft()))
            if lines:
                self.stream.write("\n".join([*lines, ""]))
            super().flush()

    def _begin(self) -> None:
        """Start the writer: on the first line, and so in each process that was forked since."""
        with self._begun:
            if self._writer is None or not self._writer.is_alive():
                self._writer = threading.Thread(target=self._write, name="log", daemon=True)
                self._writer.start()

    def _write(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(PAUSE)
            if self._waiting:
                self.flush()


def _bound(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Add what was bound where the line comes from."""
    record = event["_record"]
    return {**record.context, **event}


_BEFORE: tuple[Processor, ...] = (
    structlog.stdlib.ExtraAdder(),
    _bound,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
)


def _form(stream: TextIO) -> tuple[Processor, ...]:
    if stream.isatty():
        # Its other ways to show an exception show the values of variables, which may be secrets.
        plain = structlog.dev.plain_traceback
        return (structlog.dev.ConsoleRenderer(exception_formatter=plain),)
    return (
        structlog.processors.format_exc_info,
        _named,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    )


def _named(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Put what every line has first, under plain names."""
    first = {"level": event.pop("level"), "logger": event.pop("logger")}
    return {**first, "message": event.pop("event"), **event}
