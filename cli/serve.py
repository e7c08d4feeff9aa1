"""`shelfgate serve`: the JSON API and the pages, with the background work in the same process."""

from __future__ import annotations

import sys
import threading
from datetime import timedelta
from pathlib import Path

import click

from api.app import create_app
from api.services import Services, Settings
from api.serving import THREADS, Server, serve
from api.streams import streams_of
from cli._options import rules_option
from cli._running import hold_options, on_signal, sync_option
from cli._store import find_vault, opened, store_option
from engine.rulebook import find_manifest
from pipeline.crew import GRACE, Backstage, Crew, Part
from pipeline.live_rules import LiveRules
from pipeline.logs import configure_logs

DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="监听的地址；0.0.0.0 为本机所有地址")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="端口；0 为任一空闲端口"
)
@click.option(
    "--threads", type=click.IntRange(1, 500), default=THREADS, show_default=True, help="同时处理的请求数"
)
@click.option(
    "--worker/--no-worker", default=True, show_default=True, help="在同一进程里检查导入、推送商品、收取订单"
)
@click.option(
    "--worker-threads", type=click.IntRange(1, 16), default=4, show_default=True, help="同时进行的推送调用数"
)
@hold_options
@sync_option
@click.option("--secure-cookies", is_flag=True, help="只通过 https 访问时写上：Cookie 不走别的途径")
@click.option(
    "--trusted-proxies",
    type=click.IntRange(0, 10),
    default=0,
    show_default=True,
    help="前面有几层反向代理；访问者的地址从 X-Forwarded-For 取",
)
@click.option(
    "--grace",
    type=click.FloatRange(0, 600),
    default=GRACE,
    show_default=True,
    help="停止时，正在处理的请求和后台工作最多再做多少秒",
)
@store_option
@rules_option
def COMMAND(  # noqa: N802 - the name under which the command is found
    host: str,
    port: int,
    threads: int,
    worker: bool,
    worker_threads: int,
    lease: int,
    check_hold: int,
    sync_every: int,
    secure_cookies: bool,
    trusted_proxies: int,
    grace: float,
    address: str,
    rules: Path | None,
) -> None:
    """运行服务：接口与页面，同一进程里检查导入、推送商品、收取订单。按 Ctrl-C 或收到 SIGTERM 时，做完手上的再退出。

    日志写到错误输出，每行一个 JSON 对象；在终端上为便于阅读的格式。
    """
    configure_logs()
    live = LiveRules(find_manifest(rules))
    stop = threading.Event()
    with opened(address) as store:
        vault = find_vault(make=True)
        settings = Settings(
            secure_cookies=secure_cookies,
            most_streams=min(Settings().most_streams, threads * 3 // 4),
            trusted_proxies=trusted_proxies,
        )
        services = Services(store, vault, live, settings=settings)
        app = create_app(services)
        try:
            server = Server(app, host=host, port=port, threads=threads, proxied=trusted_proxies > 0)
        except OSError as error:
            raise click.UsageError(
                f"{host} 的端口 {port} 无法使用：{error.strerror}；请用 --port 换一个，0 为任一空闲端口"
            ) from error
        parts: dict[str, Part] = {}
        if worker:
            backstage = Backstage(store, vault, live, services.youzan)
            parts = {
                "sending": backstage.sending(threads=worker_threads, lease=timedelta(seconds=lease)),
                "checking": backstage.checking(timedelta(seconds=check_hold)),
            }
            if sync_every:
                parts["syncing"] = backstage.syncing(sync_every)

        def end() -> None:
            stop.set()
            server.wake()

        on_signal(end)
        versions = "，".join(f"{item.name} {item.version[7:15]}" for item in live.current().rulesets())
        click.echo(f"Shelfgate 运行在 {server.address}，按 Ctrl-C 停止")
        click.echo(f"数据库 {DATABASES[store.dialect]}；规则 {versions}")
        sys.stdout.flush()
        ended_well = serve(server, Crew(parts, stop), stop, grace, streams_of(app).close)
    sys.exit(0 if ended_well else 1)
