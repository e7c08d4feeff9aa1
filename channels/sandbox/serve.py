"""Run a sandbox until it is told to stop."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from channels.huiju.profile import load_profile
from channels.sandbox.faults import FaultPlan
from channels.sandbox.sandbox import Sandbox, SandboxConfig
from channels.sandbox.seed import Seed
from channels.sandbox.server import ADMIN


def serve(
    seed: Seed | None = None,
    *,
    config: SandboxConfig | None = None,
    profile_file: Path | None = None,
    plan: FaultPlan | None = None,
    times_now: bool = True,
    show: Callable[[str], None] = print,
    until: threading.Event | None = None,
) -> None:
    """Run both systems in the foreground until Ctrl-C, SIGTERM or the given event.

    Args:
        seed: The first state, see ``read_seed``; empty systems where None.
        config: Ports, credentials, limits.
        profile_file: A corrected profile of Huiju's wire.
        plan: Faults from the start.
        times_now: Whether the seed's times are shifted so that its newest order is of a minute ago, within what
            the increments look back to.
        show: Prints one line.
        until: Stops the sandbox when set.
    """
    stop = until or threading.Event()
    if seed is not None and times_now:
        seed = seed.moved_to(time.time() - 60)
    profile = load_profile(profile_file) if profile_file is not None else None
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
    with Sandbox(seed, config=config, profile=profile) as sandbox:
        if plan is not None:
            sandbox.set_faults(plan)
        for line in introduction(sandbox):
            show(line)
        stop.wait()


def introduction(sandbox: Sandbox) -> list[str]:
    """Return the lines that say how to reach a sandbox; its credentials open nothing but itself, so they are shown."""
    huiju, youzan = sandbox.huiju, sandbox.youzan
    return [
        f"惠聚沙箱   {huiju.base_url}",
        f"  appId      {huiju.credentials.app_id}",
        f"  appSecret  {huiju.credentials.app_secret}",
        f"  dataKey    {huiju.credentials.data_key}",
        f"有赞沙箱   {youzan.base_url}",
        f"  client_id      {youzan.credentials.client_id}",
        f"  client_secret  {youzan.credentials.client_secret}",
        f"  kdt_id         {youzan.credentials.kdt_id}",
        f"故障注入与买家操作见 {huiju.server.address}{ADMIN}/state、{youzan.server.address}{ADMIN}/state",
        "按 Ctrl-C 停止",
    ]
