"""Check uploads as they come in, in the background: any process may, one at a time does, and none is lost with its process (R16)."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

from sqlalchemy import and_, or_, select, update
from structlog.contextvars import bound_contextvars

from engine.errors import ShelfgateError
from pipeline.clients import ChannelFailed, Youzan
from pipeline.live_rules import LiveRules
from pipeline.store import Store, StoreError, Upload, database_now, new_holder
from pipeline.uploads.check import FRESH, Checking, check_upload
from pipeline.uploads.sending import listing_sending
from pipeline.uploads.state import fail

log = logging.getLogger("pipeline.uploads.runner")

HOLD = timedelta(seconds=60)
"""How long a process keeps an upload to itself without getting further, where not told otherwise; longer than one chunk takes with its
products fetched anew. Two at once would do no harm, only twice the work."""

AGAIN = timedelta(seconds=15)
"""How long an upload waits that could not be checked now, as where Youzan can't be reached."""

MOST_TRIES = 20
"""Tries without getting further after which an upload is given up; about five minutes."""

LOOK = 0.5
"""Seconds between two looks for work."""


class UploadRunner:
    """Check uploads until told to stop.

    Args:
        store: Where uploads are kept.
        rules: The rules in force; each upload is checked by one version.
        youzan: Makes the client of a shop; one that gives None has products taken as they are kept.
        hold: How long an upload is kept to this process without getting further; after a crash, how long it waits for another one.

    Attributes:
        name: Unique among the processes alive.
    """

    def __init__(self, store: Store, rules: LiveRules, youzan: Youzan, hold: timedelta = HOLD) -> None:
        self.name = new_holder()
        self._store = store
        self._rules = rules
        self._youzan = youzan
        self._hold = hold

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; a check under way ends with the chunk in hand, and is taken up later."""
        while not stop.is_set():
            try:
                busy = self.step(stop)
            except StoreError as error:
                log.warning("导入暂时无法处理：%s", error.message)
                busy = False
            if not busy:
                stop.wait(LOOK)

    def step(self, stop: threading.Event | None = None) -> bool:
        """Take one upload that waits to be checked and check it.

        Args:
            stop: Ends the check between two chunks when set.

        Returns:
            Whether there was one.

        Raises:
            StoreError: The store can't be reached.
        """
        taken = self._claim()
        if taken is None:
            return False
        upload_id, shop_id, _, _ = taken
        with bound_contextvars(upload_id=upload_id, shop_id=shop_id):
            self._check(*taken, stop)
        return True

    def _check(
        self, upload_id: str, shop_id: str, channel_name: str, tries: int, stop: threading.Event | None
    ) -> None:
        holding = _Holding(self._store, upload_id, self.name, self._hold, stop)
        if tries > MOST_TRIES:
            self._put_off(holding, upload_id, "检查它的进程一再中断", tries, final=True)
            return
        try:
            rulebook = self._rules.current()
            channel = rulebook.channels[channel_name]
            with self._youzan(self._store, shop_id) as client:
                sending = listing_sending(channel)
                checking = Checking(self._store, rulebook, channel, client, sending, FRESH, holding.further)
                check_upload(checking, upload_id)
        except _Stopped:
            holding.release(timedelta(0), tries)
        except StoreError:
            raise
        except ShelfgateError as error:
            self._put_off(holding, upload_id, error.message, tries, final=not _passes(error))
        except Exception:
            log.exception("导入 %s 检查时出错", upload_id)
            self._put_off(holding, upload_id, "程序错误，已记入日志", tries, final=False)
        else:
            log.info("导入 %s 检查完", upload_id)
            holding.release(timedelta(0), 0)

    def _claim(self) -> tuple[str, str, str, int] | None:
        """Take the upload that has waited longest."""
        with self._store.write() as session:
            now = database_now(session)
            # One that this process holds without being at it: its store went away in the middle of the check.
            mine = and_(Upload.checker == self.name, Upload.check_due <= now + self._hold - AGAIN)
            waiting = (
                select(Upload.id)
                .where(Upload.state.in_(("received", "checking")))
                .where(or_(Upload.check_due.is_(None), Upload.check_due <= now, mine))
                .order_by(Upload.received_at, Upload.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            upload_id = session.scalar(waiting)
            if upload_id is None:
                return None
            values = {
                "checker": self.name,
                "check_due": now + self._hold,
                "check_tries": Upload.check_tries + 1,
            }
            row = session.execute(
                update(Upload)
                .where(Upload.id == upload_id)
                .values(**values)
                .returning(Upload.shop_id, Upload.channel, Upload.check_tries)
            ).one()
        return upload_id, row.shop_id, row.channel, row.check_tries

    def _put_off(self, holding: _Holding, upload_id: str, why: str, tries: int, *, final: bool) -> None:
        """Leave an upload for later, or give it up where that is no use."""
        if final or holding.tries(tries) >= MOST_TRIES:
            fail(self._store, upload_id, why)
        log.warning("导入 %s 没有检查完：%s", upload_id, why)
        holding.release(AGAIN, holding.tries(tries))


class _Stopped(Exception):
    """Leave a check between two chunks."""


class _Holding:
    """Keep an upload to this process while its check gets further."""

    def __init__(
        self, store: Store, upload_id: str, name: str, hold: timedelta, stop: threading.Event | None
    ) -> None:
        self._store = store
        self._hold = hold
        self._mine = (Upload.id == upload_id, Upload.checker == name)
        self._stop = stop
        self._kept = time.monotonic()
        self._further = False

    def further(self, done: int, total: int) -> None:
        """Keep it for longer, now and then.

        Raises:
            _Stopped: This process is to stop.
        """
        self._further = True
        if self._stop is not None and self._stop.is_set() and done < total:
            raise _Stopped
        if time.monotonic() - self._kept > self._hold.total_seconds() / 4:
            self._kept = time.monotonic()
            with self._store.write() as session:
                due = database_now(session) + self._hold
                session.execute(update(Upload).where(*self._mine).values(check_due=due, check_tries=0))

    def tries(self, before: int) -> int:
        """Give the tries since it last got further."""
        return 0 if self._further else before

    def release(self, wait: timedelta, tries: int) -> None:
        """Let others have it, after a wait."""
        with self._store.write() as session:
            due = database_now(session) + wait
            session.execute(
                update(Upload).where(*self._mine).values(checker=None, check_due=due, check_tries=tries)
            )


def _passes(error: ShelfgateError) -> bool:
    """Whether what stands in the way may pass by itself."""
    return isinstance(error, ChannelFailed) and error.retryable
