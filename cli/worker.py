"""`shelfgate worker`: send what is waiting for the channels and take in orders, until told to stop; any number of them may run."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import click

from channels.huiju import HuijuClient
from cli._options import load_rules, rules_option
from cli._store import find_vault, opened, store_option
from pipeline.clients import huiju_client
from pipeline.lanes import Lanes
from pipeline.outbox import LEASE
from pipeline.retrying import Patience
from pipeline.syncing import Syncing
from pipeline.worker import Worker

SHORTEST_LEASE, LONGEST_LEASE = 2, 3600
TIMEOUT = 10.0
"""Seconds to wait for a reply; never more than a third of the lease."""

SYNC_EVERY = 60
"""Seconds between two intakes of a shop's orders, where not told otherwise."""


@click.command("worker")
@click.option("--threads", type=click.IntRange(1, 16), default=4, show_default=True, help="同时进行的调用数")
@click.option(
    "--lease",
    type=click.IntRange(SHORTEST_LEASE, LONGEST_LEASE),
    default=round(LEASE.total_seconds()),
    show_default=True,
    help="一件发件最多占用多少秒；进程被杀掉后，要过这么久才由其他进程接手",
)
@click.option(
    "--per-second",
    type=click.FloatRange(min=0, min_open=True),
    default=None,
    help="每家店铺每秒调用惠聚的上限；不写时用接口描述里的。各进程要写同一个数",
)
@click.option(
    "--retry-after",
    type=click.FloatRange(min=0, min_open=True, max=900),
    default=Patience().first,
    show_default=True,
    help="没有成功的发件过多少秒再试；之后一次比一次久，同样的失败连续 3 次就等人处理",
)
@click.option(
    "--sync-every",
    type=click.IntRange(0, 86400),
    default=SYNC_EVERY,
    show_default=True,
    help="每隔多少秒收取各店铺的订单和售后单；0 为不收取。同一家店铺同时只有一个进程收取",
)
@store_option
@rules_option
def COMMAND(  # noqa: N802 - the name under which the command is found
    threads: int,
    lease: int,
    per_second: float | None,
    retry_after: float,
    sync_every: int,
    address: str,
    rules: Path | None,
) -> None:
    """把等待提交的商品和订单操作发往渠道，并定时收取订单，按 Ctrl-C 或收到 SIGTERM 时做完手上的再退出。

    可以同时运行多个，在不同机器上也可以；它们共用同一个数据库，一起遵守渠道的频率限制。
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    rulebook = load_rules(rules)
    with opened(address) as store:
        vault = find_vault()
        lanes = Lanes(store, vault, per_second=per_second, timeout=min(TIMEOUT, lease / 3))
        patience = Patience(first=retry_after)
        worker = Worker(lanes, rulebook, threads=threads, lease=timedelta(seconds=lease), patience=patience)
        click.echo(f"开始推送：{worker.name}，{threads} 路；按 Ctrl-C 停止", err=True)

        def connect(shop_id: str) -> HuijuClient:
            return huiju_client(store, vault, shop_id, per_second=per_second)

        syncing = Syncing(store, vault, rulebook, sync_every, connect)
        with _beside(syncing, stop, wanted=sync_every > 0):
            worker.run(stop)
        click.echo(f"已停止：{worker.tally}", err=True)


@contextmanager
def _beside(syncing: Syncing, stop: threading.Event, *, wanted: bool) -> Iterator[None]:
    """Take in on a thread of its own while something else is done."""
    thread = threading.Thread(target=syncing.run, args=(stop,), name="sync")
    if wanted:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        if wanted:
            thread.join()
