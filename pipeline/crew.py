"""What goes on in the background, each part in a thread of its own: beside the server in one process, or in processes that do nothing else."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from channels.huiju import HuijuClient
from engine.rulebook import Rulebook
from pipeline.clients import Youzan, huiju_client, youzan_client
from pipeline.live_rules import LiveRules
from pipeline.orders.syncing import Syncing
from pipeline.secrets import Vault
from pipeline.sending.lanes import Lanes
from pipeline.sending.outbox import LEASE
from pipeline.sending.retrying import Patience
from pipeline.sending.worker import Worker
from pipeline.store import Store
from pipeline.uploads.runner import HOLD, UploadRunner

log = logging.getLogger("pipeline.crew")

TIMEOUT = 10.0
"""Seconds to wait for a channel's reply; never more than a third of the lease."""

GRACE = 25.0
"""Seconds for which work that is under way may go on after a signal to stop."""

SYNC_EVERY = 60
"""Seconds between two intakes of a shop's orders, where not told otherwise."""

LOOK = 0.25
"""Seconds between two looks whether other rules are in force."""

Part = Callable[[threading.Event], None]
"""Works until the event is set, brings what it has in hand to an end, and returns."""


@dataclass(frozen=True, slots=True)
class Backstage:
    """Hold what the background works with, and give its parts.

    Attributes:
        store: Where everything is kept.
        vault: What opens and seals what is private.
        rules: The rules in force.
        youzan: Makes the client of a shop at Youzan.
    """

    store: Store
    vault: Vault
    rules: LiveRules
    youzan: Youzan = youzan_client

    def sending(
        self,
        *,
        threads: int = 4,
        lease: timedelta = LEASE,
        per_second: float | None = None,
        patience: Patience | None = None,
    ) -> Part:
        """Give the part that sends what waits for the channels.

        Args:
            threads: Calls under way at a time, ≥ 1.
            lease: How long an item may be held without being renewed.
            per_second: The channel's limit; its profile's where None.
            patience: How often an item is tried.
        """
        timeout = min(TIMEOUT, lease.total_seconds() / 3)

        def make(rulebook: Rulebook) -> Part:
            lanes = Lanes(self.store, self.vault, per_second=per_second, timeout=timeout)
            return Worker(lanes, rulebook, threads=threads, lease=lease, patience=patience).run

        return self._anew(make)

    def checking(self, hold: timedelta = HOLD) -> Part:
        """Give the part that checks uploads as they come in.

        Args:
            hold: How long an upload may be held by a process that gets no further with it.
        """
        return UploadRunner(self.store, self.rules, self.youzan, hold).run

    def syncing(self, every: float, per_second: float | None = None) -> Part:
        """Give the part that takes in orders.

        Args:
            every: Seconds from the end of one intake of a shop to the beginning of the next, > 0.
            per_second: The channel's limit; its profile's where None. The same in every process.
        """

        def connect(shop_id: str) -> HuijuClient:
            return huiju_client(self.store, self.vault, shop_id, per_second=per_second)

        return self._anew(lambda rulebook: Syncing(self.store, self.vault, rulebook, every, connect).run)

    def _anew(self, make: Callable[[Rulebook], Part]) -> Part:
        """Begin a part anew whenever other rules come into force: what it has in hand ends by those that it began with."""

        def run(stop: threading.Event) -> None:
            while not stop.is_set():
                rulebook, ended = self.rules.current(), threading.Event()
                watch = threading.Thread(target=self._watch, args=(rulebook, stop, ended), daemon=True)
                watch.start()
                try:
                    make(rulebook)(ended)
                finally:
                    ended.set()
                    watch.join()

        return run

    def _watch(self, rulebook: Rulebook, stop: threading.Event, ended: threading.Event) -> None:
        while not ended.is_set():
            if stop.wait(LOOK) or self.rules.current() is not rulebook:
                ended.set()


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
