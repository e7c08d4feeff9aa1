"""Lanes: one for each channel and shop, with the client that speaks for the shop and the pace of its calls."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import exists, select, text

from channels.errors import ChannelError
from channels.huiju import HuijuClient, HuijuCredentials
from channels.huiju.profile import load_profile
from channels.wire import Retry
from engine.errors import ShelfgateError
from pipeline.binding import open_credentials
from pipeline.clients import HUIJU, huiju_address
from pipeline.measures import count_channel_error
from pipeline.secrets import Vault
from pipeline.sending.outbox import Hold
from pipeline.sending.rate import Pace
from pipeline.sending.retrying import Ending
from pipeline.store import BindingRow, OutboxItem, Shop, Store, StoreError, database_now
from pipeline.store.outbox import OPEN

log = logging.getLogger("pipeline.sending.worker")

LOOK = 0.5
"""Seconds for which it is remembered which shops have something due."""

BOUND = 1.0
"""Seconds for which a binding is taken to be as it was."""

ONCE = Retry(attempts=1)
"""The outbox itself tries again: later, looked up first, and within the channel's rate."""

DOUBTS = 5
"""Unclear answers in a row, to whichever items, after which a channel is left alone for a while."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds for which it is left alone; each pause doubles."""

Connect = Callable[[str, Callable[[], None]], HuijuClient]


class Lane:
    """Speak to one channel for one shop. Safe to share between threads.

    Args:
        store: Where the binding is kept.
        channel: The channel.
        shop_id: The shop.
        pace: The pace of its calls.
        connect: Makes the client of a shop, given what is to be called before each call.
        timeout: Longest time that one call takes, s.
    """

    def __init__(
        self, store: Store, channel: str, shop_id: str, pace: Pace, connect: Connect, timeout: float
    ) -> None:
        self.channel = channel
        self.shop_id = shop_id
        self.pace = pace
        self.resting = 0.0
        self._store = store
        self._connect = connect
        self._timeout = timeout
        self._lock = threading.Lock()
        self._mine = threading.local()
        self._client: HuijuClient | None = None
        self._bound_as = ""
        self._looked = 0.0
        self._doubts = 0
        self._faults = 0

    def prepare(self) -> None:
        """Make the client before the first place is booked: that takes longer than a call may be late.

        What stands in the way is told to the items, one by one.
        """
        if self._client is None:
            with suppress(ShelfgateError):
                self._current()

    @contextmanager
    def calling(self, hold: Hold) -> Iterator[HuijuClient]:
        """Give the client for the calls of one item, the first of which has its place already.

        Raises:
            BindingStateError: The shop isn't bound.
            ShelfgateError: Its credentials can't be opened.
        """
        self.pace.use(hold.start)
        self._mine.hold = hold
        try:
            yield self._current()
        finally:
            self.pace.use(None)
            self._mine.hold = None

    def rest(self, wait: float = LOOK) -> None:
        """Leave the lane out for some seconds, at most until it is looked at again."""
        self.resting = time.monotonic() + min(LOOK, max(0.0, wait))

    def went_well(self) -> None:
        """Note a clear answer."""
        self._doubts = self._faults = 0

    def went_wrong(self, error: Exception, ending: Ending) -> None:
        """Leave the channel alone where it asks for that, can't be reached, lets us in no more, or keeps giving no clear answer."""
        if isinstance(error, ChannelError):
            count_channel_error(error)
        pause = ending.pause or 0.0
        if not ending.counts and ending.pause == 0.0:
            self._faults += 1
            pause = self._longer(self._faults)
        elif isinstance(error, ChannelError) and error.effect == "unknown" and error.retryable:
            self._doubts += 1
            if self._doubts >= DOUBTS:
                pause = self._longer(self._doubts - DOUBTS + 1)
        else:
            self.went_well()
        if pause > 0:
            log.warning("%s 店铺 %s 暂停 %.0f 秒：%s", self.channel, self.shop_id, pause, error)
            with suppress(StoreError):  # the outcome of the item is still to be kept
                self.pace.hold(pause)

    def close(self) -> None:
        """Close the client."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None

    def _current(self) -> HuijuClient:
        """Give the client of the binding as it is now; one that was replaced speaks no more."""
        with self._lock:
            if self._client is not None and time.monotonic() - self._looked < BOUND:
                return self._client
        with self._store.read() as session:
            row = session.get(BindingRow, (self.shop_id, self.channel))
        sealed = row.credentials if row is not None else ""
        with self._lock:
            if self._client is None or sealed != self._bound_as:
                # The one before is left to the threads that are speaking with it.
                self._client, self._bound_as = None, ""
                self._client, self._bound_as = self._connect(self.shop_id, self._before_call), sealed
            self._looked = time.monotonic()
            return self._client

    def _before_call(self) -> None:
        hold: Hold | None = getattr(self._mine, "hold", None)
        self.pace()
        if hold is not None:
            hold.check(self._timeout)

    @staticmethod
    def _longer(times: int) -> float:
        return float(min(FIRST_PAUSE * 2 ** min(times - 1, 10), LONGEST_PAUSE))


class Lanes:
    """Know the lanes of all shops, and which of them have something due.

    Args:
        store: Where everything is kept.
        vault: What opens credentials.
        base_url: Address of Huiju; what is set in the environment where None.
        per_second: Huiju's limit; its profile's where None. The same in every process.
        timeout: Seconds to wait for a reply.
    """

    def __init__(
        self,
        store: Store,
        vault: Vault,
        *,
        base_url: str | None = None,
        per_second: float | None = None,
        timeout: float = 10.0,
    ) -> None:
        self.store = store
        self.vault = vault
        self._base_url = base_url or huiju_address()
        self._profile = load_profile()
        self._per_second = per_second or float(self._profile.limit("requests_per_second"))
        self._timeout = timeout
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._due: list[Lane] = []
        self._looked = 0.0
        self._turn = 0
        self._lock = threading.Lock()

    def due(self) -> list[Lane]:
        """Give the lanes that have something due and are not resting, each time beginning with another one.

        Raises:
            StoreError: The store can't be reached.
        """
        with self._lock:
            if time.monotonic() - self._looked >= LOOK:
                self._due = [self._lane(HUIJU, shop_id) for shop_id in self._shops(HUIJU)]
                self._looked = time.monotonic()
            self._turn += 1
            turned = self._turn % len(self._due) if self._due else 0
            lanes = [*self._due[turned:], *self._due[:turned]]
        return [lane for lane in lanes if lane.resting <= time.monotonic()]

    def soonest(self) -> float:
        """Give the seconds until the first of the lanes with something due has rested."""
        with self._lock:
            now = time.monotonic()
            return min((max(0.001, lane.resting - now) for lane in self._due), default=LOOK)

    def close(self) -> None:
        """Close all clients."""
        with self._lock:
            for lane in self._lanes.values():
                lane.close()

    def _shops(self, channel: str) -> list[str]:
        with self.store.read() as session:
            due = exists().where(
                text(OPEN),
                OutboxItem.channel == channel,
                OutboxItem.shop_id == Shop.id,
                OutboxItem.due <= database_now(session),
            )
            return list(session.scalars(select(Shop.id).where(due).order_by(Shop.id)))

    def _lane(self, channel: str, shop_id: str) -> Lane:
        key = (channel, shop_id)
        if key not in self._lanes:
            pace = Pace(self.store, channel, shop_id, self._per_second)
            self._lanes[key] = Lane(self.store, channel, shop_id, pace, self._connect, self._timeout)
        return self._lanes[key]

    def _connect(self, shop_id: str, before_call: Callable[[], None]) -> HuijuClient:
        known = open_credentials(self.store, self.vault, shop_id, HUIJU)
        return HuijuClient(
            HuijuCredentials(known["app_id"], known["app_secret"], known["data_key"]),
            base_url=self._base_url,
            profile=self._profile,
            timeout=self._timeout,
            retry=ONCE,
            throttle=before_call,
        )
