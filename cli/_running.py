"""What `serve` and `worker` share, which run until they are told to stop."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any, TypeVar

import click

from pipeline.crew import SYNC_EVERY

Command = TypeVar("Command", bound=Callable[..., Any])


def sync_option(command: Command) -> Command:
    """Add `--sync-every`."""
    text = "每隔多少秒收取各店铺的订单和售后单；0 为不收取。同一家店铺同时只有一个进程收取"
    kind = click.IntRange(0, 86400)
    return click.option("--sync-every", type=kind, default=SYNC_EVERY, show_default=True, help=text)(command)


def on_signal(end: Callable[[], None]) -> None:
    """Call a function on Ctrl-C and on SIGTERM; it runs between two steps of the main thread, and may take no lock that that holds."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: end())
