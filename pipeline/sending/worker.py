"""The worker: claims what is due, says it to the channels, keeps what came of it. Any number of them may run at once."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from structlog.contextvars import bound_contextvars

from channels.errors import ChannelError
from engine.errors import ShelfgateError
from engine.rulebook import Rulebook
from pipeline.sending.jobs import Tools, make_jobs
from pipeline.sending.lanes import Lane, Lanes
from pipeline.sending.outbox import LEASE, Hold, LeaseLost, Renewer, claim_next
from pipeline.sending.rate import HeldBack
from pipeline.sending.retrying import Ending, Patience, after_error, noted, put_back, worn_out
from pipeline.store import (
    Order,
    StoreConflict,
    StoreError,
    StoreRefused,
    Upload,
    database_now,
    new_holder,
    settle,
)

log = logging.getLogger("pipeline.sending.worker")

IDLE = 0.5
"""Seconds between two looks for work where there is none."""

CROWDED = 0.04
"""Seconds that a thread stays away longer than it must where all places that may be booked now are taken."""


@dataclass(slots=True)
class Tally:
    """Count how claims ended, for show.

    Attributes:
        done, refused, failed, held: Items by outcome.
        queued: Claims that ended without one: tried again later.
        lost: Claims that another worker took over.
    """

    done: int = 0
    refused: int = 0
    failed: int = 0
    held: int = 0
    queued: int = 0
    lost: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, ending: str) -> None:
        """Count one."""
        with self._lock:
            setattr(self, ending, getattr(self, ending) + 1)

    def __str__(self) -> str:
        """Say the counts in one line."""
        return (
            f"完成 {self.done}，被拒绝 {self.refused}，失败 {self.failed}，等人处理 {self.held}，"
            f"待重试 {self.queued} 次，转给其他进程 {self.lost}"
        )


class Worker:
    """Work the outbox off with a few threads.

    Args:
        lanes: The channels and shops to call.
        rulebook: The rules, which say what comes of what the channel answers about orders.
        threads: Calls under way at a time, ≥ 1.
        lease: How long an item may be held without being renewed.
        patience: How often an item is tried.
        rng: Source of jitter.

    Attributes:
        name: Unique among the workers alive.
        tally: What has been done so far.
    """

    def __init__(
        self,
        lanes: Lanes,
        rulebook: Rulebook,
        *,
        threads: int = 4,
        lease: timedelta = LEASE,
        patience: Patience | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.name = new_holder()
        self.tally = Tally()
        self._lanes = lanes
        self._store = lanes.store
        self._jobs = make_jobs(Tools(lanes.store, rulebook, lanes.vault))
        self._threads = threads
        self._lease = lease
        self._patience = patience or Patience()
        self._rng = rng or random.Random()
        self._renewer = Renewer(self._store, lease)

    def run(self, stop: threading.Event, finished: Callable[[], bool] = lambda: False) -> None:
        """Work until told to stop; what is under way is brought to its end first.

        Args:
            stop: Ends the work when set; set at the end.
            finished: Asked now and then whether there is nothing more to wait for.
        """
        ended = threading.Event()
        threads = [
            threading.Thread(target=self._work, args=(stop,), name=f"send-{n}") for n in range(self._threads)
        ]
        renewing = threading.Thread(target=self._keep_renewing, args=(ended,), name="renew")
        log.info("开始推送：%s，%d 路", self.name, self._threads)
        for thread in (*threads, renewing):
            thread.start()
        try:
            while not stop.wait(IDLE / 2):
                with self._undaunted(stop):
                    if finished():
                        break
        finally:
            stop.set()
            for thread in threads:
                thread.join()
            ended.set()
            renewing.join()
            self._lanes.close()
            log.info("已停止推送：%s", self.tally)

    def step(self) -> bool:
        """Take one item that is due and bring its claim to an end.

        Returns:
            Whether there was one.

        Raises:
            StoreError: The store can't be reached.
        """
        for lane in self._lanes.due():
            lane.prepare()
            try:
                hold = claim_next(self._store, lane.pace, self.name, lane.channel, lane.shop_id, self._lease)
            except HeldBack as held:
                lane.rest(held.wait + CROWDED)
                continue
            if hold is None:
                lane.rest()
                continue
            self._handle(lane, hold)
            return True
        return False

    def _handle(self, lane: Lane, hold: Hold) -> None:
        self._renewer.add(hold)
        item = hold.item
        about = {"shop_id": lane.shop_id, "item_id": item.id}
        about |= {"upload_id": item.upload_id} if item.upload_id else {}
        with bound_contextvars(**about):
            try:
                ending = self._ending(lane, hold)
                if ending is not None:
                    self._settle(lane, hold, ending)
            except LeaseLost as lost:
                log.warning("%s", lost.message)
                self.tally.add("lost")
            finally:
                self._renewer.remove(hold)

    def _ending(self, lane: Lane, hold: Hold) -> Ending:
        """Make the call and decide what comes of it."""
        job = self._jobs.get(hold.item.kind)
        if job is None:
            return Ending("held", f"这个版本不认识发件类型 {hold.item.kind}；请升级后再放行")
        tired = worn_out(hold, self._patience)
        if tired is not None:
            return tired
        try:
            with lane.calling(hold) as client:
                ending = job.perform(client, hold)
        except LeaseLost:
            raise
        except (HeldBack, StoreError) as error:  # both come up before a call is made, never after
            log.debug("发件 %s 这次没有发出：%s", hold.item.id, error.message)
            return put_back(hold)
        except Exception as error:
            if not isinstance(error, (ChannelError, ShelfgateError)):
                log.exception("发件 %s 处理出错", hold.item.id)
            ending = after_error(hold, error, self._patience, self._rng)
            lane.went_wrong(error, ending)
            return ending
        lane.went_well()
        return ending

    def _settle(self, lane: Lane, hold: Hold, ending: Ending) -> None:
        """Keep an outcome, in a short transaction of its own; as often as it takes while the lease runs."""
        while True:
            try:
                kept = self._keep(hold, ending)
            except (StoreConflict, StoreRefused) as error:  # the channel's answer can't be kept as it is
                if ending.state == "held":
                    raise
                ending = Ending(
                    "held", f"渠道的答复无法保存，等人处理：{error.message}", error=noted(hold, error)
                )
                continue
            except StoreError as error:
                log.warning("发件 %s 的结果暂时无法保存：%s", hold.item.id, error.message)
                hold.check(IDLE)
                time.sleep(IDLE)
                continue
            self.tally.add(ending.state if kept else "lost")
            log.debug("%s %s %s %s", lane.shop_id, hold.item.id, ending.state, ending.reason)
            return

    def _keep(self, hold: Hold, ending: Ending) -> bool:
        item = hold.item
        with self._store.write() as session:
            # Held first, as whoever checks the upload or acts on the order does: no two wait for each other.
            if item.upload_id is not None:
                session.get(Upload, item.upload_id, with_for_update=True)
            if item.order_id is not None:
                session.get(Order, item.order_id, with_for_update=True)
            now = database_now(session)
            due = now + timedelta(seconds=ending.wait)
            if not settle(
                session, item, ending.state, now=now, due=due, answer=ending.answer, error=ending.error
            ):
                return False
            if (job := self._jobs.get(item.kind)) is not None:
                job.record(session, item, ending, now)
        return True

    def _work(self, stop: threading.Event) -> None:
        while not stop.is_set():
            with self._undaunted(stop):
                if not self.step():
                    stop.wait(min(IDLE, self._lanes.soonest()) * self._rng.uniform(1.0, 1.3))

    def _keep_renewing(self, ended: threading.Event) -> None:
        while not ended.wait(self._lease.total_seconds() / 10):
            with self._undaunted(ended):
                self._renewer.renew()

    @contextmanager
    def _undaunted(self, stop: threading.Event) -> Iterator[None]:
        """Go on after a fault, a little later: a worker outlives its database's restart."""
        try:
            yield
        except StoreError as error:
            log.warning("%s", error.message)
        except Exception:
            log.exception("处理发件时出错")
        else:
            return
        stop.wait(IDLE)
