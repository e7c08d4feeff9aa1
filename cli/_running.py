"""What `serve` and `worker` share, which run until they are told to stop."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any, TypeVar

import click

from pipeline.crew import SYNC_EVERY
from pipeline.sending.outbox import LEASE
from pipeline.uploads.runner import HOLD

SHORTEST_HOLD, LONGEST_HOLD = 2, 3600
"""Seconds that an item or an upload may be held for."""

Command = TypeVar("Command", bound=Callable[..., Any])


def sync_option(command: Command) -> Command:
    """Add `--sync-every`."""
    text = "每隔多少秒收取各店铺的订单和售后单；0 为不收取。同一家店铺同时只有一个进程收取"
    kind = click.IntRange(0, 86400)
    return click.option("--sync-every", type=kind, default=SYNC_EVERY, show_default=True, help=text)(command)


def hold_options(command: Command) -> Command:
    """Add `--lease` and `--check-hold`: for how long what a process had in hand stays its own when it dies."""
    kind = click.IntRange(SHORTEST_HOLD, LONGEST_HOLD)
    text = "检查导入的进程多少秒没有进展，就由其他进程接手；进程被杀掉后也要过这么久"
    default = round(HOLD.total_seconds())
    command = click.option("--check-hold", type=kind, default=default, show_default=True, help=text)(command)
    text = "一件发件最多占用多少秒；进程被杀掉后，要过这么久才由其他进程接手"
    default = round(LEASE.total_seconds())
    return click.option("--lease", type=kind, default=default, show_default=True, help=text)(command)


def on_signal(end: Callable[[], None]) -> None:
    """Call a function on Ctrl-C and on SIGTERM; it runs between two steps of the main thread, and may take no lock that that holds."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: end())
