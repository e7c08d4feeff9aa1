"""What goes on in the background, each part in a thread of its own: beside the server in one process, or in processes that do nothing else."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta

from pipeline.clients import youzan_client
from pipeline.lanes import Lanes
from pipeline.live_rules import LiveRules
from pipeline.outbox import LEASE
from pipeline.retrying import Patience
from pipeline.secrets import Vault
from pipeline.store import Store
from pipeline.upload_runner import UploadRunner, Youzan
from pipeline.worker import Worker

log = logging.getLogger("pipeline.crew")

TIMEOUT = 10.0
"""Seconds to wait for a channel's reply; never more than a third of the lease."""

GRACE = 25.0
"""Seconds for which work that is under way may go on after a signal to stop."""

Part = Callable[[threading.Event], None]
"""Works until the event is set, brings what it has in hand to an end, and returns."""


def sending(
    store: Store,
    vault: Vault,
    *,
    threads: int = 4,
    lease: timedelta = LEASE,
    per_second: float | None = None,
    patience: Patience | None = None,
) -> dict[str, Part]:
    """Give the part that sends what waits for the channels.

    Args:
        store: Where it waits.
        vault: What opens credentials.
        threads: Calls under way at a time, ≥ 1.
        lease: How long an item may be held without being renewed.
        per_second: The channel's limit; its profile's where None.
        patience: How often an item is tried.
    """
    timeout = min(TIMEOUT, lease.total_seconds() / 3)
    lanes = Lanes(store, vault, per_second=per_second, timeout=timeout)
    return {"sending": Worker(lanes, threads=threads, lease=lease, patience=patience).run}


def checking(store: Store, rules: LiveRules, youzan: Youzan = youzan_client) -> dict[str, Part]:
    """Give the part that checks uploads as they come in."""
    return {"checking": UploadRunner(store, rules, youzan).run}


class Crew:
    """Run parts side by side until told to stop. One that ends by itself stops them all: work that is silently left undone is worse.

    Args:
        parts: What runs, by name.
        stop: Ends all of them when set.

    Attributes:
        failed: Names of the parts that ended by themselves.
    """

    def __init__(self, parts: Mapping[str, Part], stop: threading.Event) -> None:
        self.failed: list[str] = []
        self._stop = stop
        self._threads = [
            threading.Thread(target=self._run, args=(name, part), name=name, daemon=True)
            for name, part in parts.items()
        ]

    def start(self) -> None:
        """Start all parts."""
        for thread in self._threads:
            thread.start()

    def end(self, seconds: float) -> None:
        """Wait for the parts to end, once they were told to; what one holds that does not is taken up again later, as after a crash.

        Args:
            seconds: How long at the most.
        """
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        if left := [thread.name for thread in self._threads if thread.is_alive()]:
            log.warning("后台工作没有来得及结束，下次启动后接着做：%s", "、".join(left))

    def _run(self, name: str, part: Part) -> None:
        try:
            part(self._stop)
        except Exception:
            log.exception("%s 出错", name)
            self.failed.append(name)
        else:
            if not self._stop.is_set():
                log.error("%s 自行结束了", name)
                self.failed.append(name)
        finally:
            self._stop.set()
