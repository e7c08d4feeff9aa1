"""Log lines of the processes that run for long: one JSON object a line for machines, a readable form on a terminal.

All loggers are the standard library's; structlog renders what they are given, with whatever the work at hand has bound: `request_id`,
`upload_id`, `item_id`, `shop_id`. No line holds a secret or anything of a buyer: what is logged is ids, counts and our own messages.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import structlog
from structlog.types import EventDict, Processor

QUIET = ("httpx", "httpcore", "alembic", "asyncio")
"""Libraries whose every step is of no interest: they speak up from warnings on."""

_BEFORE: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
)


def configure_logs(stream: TextIO | None = None) -> None:
    """Send all log lines to one stream, in the form that fits it. A level that is set lower than info already stays.

    Args:
        stream: Where to; standard error where None.
    """
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
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
    first = {"at": event.pop("at"), "level": event.pop("level"), "logger": event.pop("logger")}
    return {**first, "message": event.pop("event"), **event}
