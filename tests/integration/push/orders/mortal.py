"""Workers that stop where they are told to, and may wake up again: nothing of theirs is made up but the moment of their end."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from channels.huiju import HuijuClient
from pipeline.sending.lanes import Lane, Lanes
from pipeline.sending.outbox import Hold
from pipeline.sending.retrying import Ending, Patience
from pipeline.sending.worker import Worker
from tests.integration.push.orders.conftest import Office


class Dead(BaseException):
    """A process that stopped here: nothing catches it."""


class Mortal(Worker):
    """A worker that stops where it is told to.

    Attributes:
        seam: `claimed`, `sent`, `recorded` (within the transaction), `paused` (before the record; it wakes up later), or empty.
        calls: Calls that it still makes before it stops; None for all.
    """

    def __init__(self, office: Office) -> None:
        lanes = _MortalLanes(
            office.store,
            office.vault,
            base_url=office.sandbox.huiju.base_url,
            per_second=5000,
            timeout=5.0,
        )
        lanes.before = self._before_call
        patience = Patience(first=0.0, longest=0.0)
        super().__init__(lanes, office.rulebook, patience=patience, rng=random.Random(1))
        self.lanes = lanes
        self.seam = ""
        self.calls: int | None = None
        self.paused: tuple[Lane, Hold, Ending] | None = None
        for job in self._jobs.values():
            job.record = self._dying(job.record)  # type: ignore[method-assign]

    def wake(self) -> None:
        """Go on where it paused, as a process that was frozen: what it knows may be long out of date."""
        assert self.paused is not None
        paused, self.paused, self.seam = self.paused, None, ""
        self._settle(*paused)

    def _ending(self, lane: Lane, hold: Hold) -> Ending:
        self._stop_at("claimed")
        found = super()._ending(lane, hold)
        self._stop_at("sent")
        return found

    def _settle(self, lane: Lane, hold: Hold, ending: Ending) -> None:
        if self.seam == "paused":
            self.paused = (lane, hold, ending)
            raise Dead
        super()._settle(lane, hold, ending)

    def _dying(self, record: Callable[..., None]) -> Callable[..., None]:
        def recorded(*arguments: Any) -> None:
            record(*arguments)
            self._stop_at("recorded")

        return recorded

    def _before_call(self) -> None:
        if self.calls == 0:
            raise Dead
        if self.calls is not None:
            self.calls -= 1

    def _stop_at(self, seam: str) -> None:
        if self.seam == seam:
            raise Dead


class _MortalLanes(Lanes):
    """Lanes whose calls may be the last."""

    before: Callable[[], None]

    def _connect(self, shop_id: str, before_call: Callable[[], None]) -> HuijuClient:
        def both() -> None:
            self.before()
            before_call()

        return super()._connect(shop_id, both)
