"""`shelfgate worker`: check uploads, send what waits for the channels, take in orders, until told to stop; any number of them may run."""

from __future__ import annotations

import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import click
from prometheus_client import start_http_server

from cli._options import rules_option
from cli._running import hold_options, on_signal, sync_option
from cli._store import find_vault, opened, store_option
from engine.rulebook import find_manifest
from pipeline.crew import GRACE, Backstage, Crew
from pipeline.live_rules import LiveRules
from pipeline.logs import configure_logs
from pipeline.measures import registry_of
from pipeline.sending.retrying import Patience

LOOK = 0.1
"""Seconds between two looks whether to stop; not a wait on the event, whose lock the signal's handler could meet half taken."""


@click.command("worker")
@click.option("--threads", type=click.IntRange(1, 16), default=4, show_default=True, help="同时进行的调用数")
@hold_options
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
@sync_option
@click.option("--checks/--no-checks", default=True, show_default=True, help="检查收到的导入")
@click.option(
    "--metrics-port", type=click.IntRange(1, 65535), default=None, help="在这个端口上给出 Prometheus 指标"
)
@click.option(
    "--metrics-host", default="127.0.0.1", show_default=True, help="指标监听的地址；不查验来访者，只给内部用"
)
@store_option
@rules_option
def COMMAND(  # noqa: N802 - the name under which the command is found
    threads: int,
    lease: int,
    check_hold: int,
    per_second: float | None,
    retry_after: float,
    sync_every: int,
    checks: bool,
    metrics_port: int | None,
    metrics_host: str,
    address: str,
    rules: Path | None,
) -> None:
    """检查收到的导入，把等待提交的商品和订单操作发往渠道，并定时收取订单；按 Ctrl-C 或收到 SIGTERM 时做完手上的再退出。

    可以同时运行多个，在不同机器上也可以；它们共用同一个数据库，一起遵守渠道的频率限制。
    日志写到错误输出，每行一个 JSON 对象；在终端上为便于阅读的格式。
    """
    configure_logs()
    live = LiveRules(find_manifest(rules))
    stop = threading.Event()
    on_signal(stop.set)
    with opened(address) as store:
        backstage = Backstage(store, find_vault(), live)
        patience, held = Patience(first=retry_after), timedelta(seconds=lease)
        parts = {
            "sending": backstage.sending(
                threads=threads, lease=held, per_second=per_second, patience=patience
            )
        }
        if checks:
            parts["checking"] = backstage.checking(timedelta(seconds=check_hold))
        if sync_every:
            parts["syncing"] = backstage.syncing(sync_every, per_second)
        if metrics_port is not None:
            start_http_server(metrics_port, metrics_host, registry_of(store, live))
        crew = Crew(parts, stop)
        crew.start()
        while not stop.is_set():
            time.sleep(LOOK)
        crew.end(GRACE)
    sys.exit(1 if crew.failed else 0)
