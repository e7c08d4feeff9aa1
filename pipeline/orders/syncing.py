"""Take in again and again, for every bound shop, beside the sending: one process at a time for each shop and channel."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

from sqlalchemy import select

from channels.huiju import HuijuClient
from engine.errors import ShelfgateError
from engine.rulebook import Rulebook
from pipeline.clients import HUIJU
from pipeline.orders.intake import LOOK_BACK, begin_alone, end_alone, sync
from pipeline.secrets import Vault
from pipeline.store import BindingRow, Store

log = logging.getLogger("pipeline.orders.intake")

MOST_WAIT = 5.0
"""Longest time between two looks whether an intake is due, s: another process may have died in the middle of one."""

Connect = Callable[[str], HuijuClient]


class Syncing:
    """Keep the orders of all bound shops up to date.

    Args:
        store: Where everything is kept.
        vault: What seals what is private.
        rulebook: The rules.
        every: Seconds from the end of one intake of a shop to the beginning of the next, > 0.
        connect: Makes the client of a shop.
        look_back: How far the first intake of a shop looks back.
    """

    def __init__(
        self,
        store: Store,
        vault: Vault,
        rulebook: Rulebook,
        every: float,
        connect: Connect,
        look_back: timedelta = LOOK_BACK,
    ) -> None:
        self._store = store
        self._vault = vault
        self._rulebook = rulebook
        self._every = every
        self._connect = connect
        self._look_back = look_back

    def run(self, stop: threading.Event) -> None:
        """Take in until told to stop; what is under way is brought to its end, window by window."""
        while not stop.is_set():
            began = time.monotonic()
            try:
                self.step(stop)
            except ShelfgateError as error:
                log.warning("%s", error.message)
            except Exception:
                log.exception("收取订单时出错")
            stop.wait(max(0.0, min(self._every, MOST_WAIT) - (time.monotonic() - began)))

    def step(self, stop: threading.Event) -> int:
        """Take in for each shop for which it is due and which no other process has.

        Args:
            stop: Ends the work between two windows when set.

        Returns:
            For how many shops it was done to the end.
        """
        with self._store.read() as session:
            shops = list(session.scalars(select(BindingRow.shop_id).where(BindingRow.channel == HUIJU)))
        done = 0
        for shop_id in sorted(shops):
            if stop.is_set() or not begin_alone(self._store, shop_id, HUIJU, timedelta(seconds=self._every)):
                continue
            try:
                done += self._one(shop_id, stop)
            except ShelfgateError as error:
                log.warning("店铺 %s 的订单这次没有收完：%s", shop_id, error.message)
            finally:
                end_alone(self._store, shop_id, HUIJU)
        return done

    def _one(self, shop_id: str, stop: threading.Event) -> bool:
        def check(_done: int, _total: int) -> None:
            if stop.is_set():
                raise _Stopped

        with closing(self._connect(shop_id)) as client:
            try:
                found = sync(
                    self._store,
                    client,
                    self._rulebook,
                    self._vault,
                    shop_id,
                    HUIJU,
                    look_back=self._look_back,
                    on_progress=check,
                )
            except _Stopped:
                return False
        log.info("店铺 %s 收取 %d 段：%s", shop_id, found.windows, found)
        return True


class _Stopped(Exception):
    """End an intake between two windows: the rest is for the next one."""
