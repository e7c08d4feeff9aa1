"""`shelfgate worker`: send what is waiting for the channels, until told to stop; any number of them may run."""

from __future__ import annotations

import signal
import threading
from datetime import timedelta

import click

from cli._store import find_vault, opened, store_option
from pipeline.lanes import Lanes
from pipeline.outbox import LEASE
from pipeline.retrying import Patience
from pipeline.worker import Worker

SHORTEST_LEASE, LONGEST_LEASE = 2, 3600
TIMEOUT = 10.0
"""Seconds to wait for a reply; never more than a third of the lease."""


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
@store_option
def COMMAND(threads: int, lease: int, per_second: float | None, retry_after: float, address: str) -> None:  # noqa: N802 - the name under which the command is found
    """把等待推送的商品发往渠道，按 Ctrl-C 或收到 SIGTERM 时做完手上的再退出。

    可以同时运行多个，在不同机器上也可以；它们共用同一个数据库，一起遵守渠道的频率限制。
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with opened(address) as store:
        lanes = Lanes(store, find_vault(), per_second=per_second, timeout=min(TIMEOUT, lease / 3))
        patience = Patience(first=retry_after)
        worker = Worker(lanes, threads=threads, lease=timedelta(seconds=lease), patience=patience)
        click.echo(f"开始推送：{worker.name}，{threads} 路；按 Ctrl-C 停止", err=True)
        worker.run(stop)
        click.echo(f"已停止：{worker.tally}", err=True)
