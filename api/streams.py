"""Progress told as it happens (Server-Sent Events), counted from the store, so that it goes on after a restart, in any process (R16)."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from flask import Flask, Response, current_app, request

from api.problems import Problem
from api.services import Settings
from pipeline.store import Store, StoreError
from pipeline.uploads.receiving import UploadUnknown
from pipeline.uploads.state import Progress, progress

EXTENSION = "shelfgate.streams"
MEDIA = "text/event-stream"

LOOK = 1.0
"""Seconds between two looks at the store for one upload, however many streams tell of it."""

HEARTBEAT = 10.0
"""Seconds of silence after which a sign of life is sent, by which a reader that has left is noticed too."""

RETRY = 2000
"""Milliseconds after which a reader comes again whose stream was closed."""

SPAN = 20.0
"""Seconds over which the rate is measured."""

MOST_WATCHED = 500
"""Uploads whose last look is kept."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Hold one look at an upload.

    Attributes:
        counts: Its counts.
        rate: Rows per second that came to their outcome lately; None where that is not known yet.
    """

    counts: Progress
    rate: float | None

    @property
    def remaining(self) -> float | None:
        """Seconds until all rows have their outcome at this rate; None where that can't be said."""
        if self.counts.is_finished:
            return 0.0
        left = self.counts.total - self.counts.settled
        return left / self.rate if self.rate and self.counts.total else None

    @property
    def mark(self) -> str:
        """Tell one state of affairs from another: the id of its event."""
        return f"{self.counts.state}-{self.counts.checked}-{self.counts.settled}"

    def as_data(self) -> dict[str, Any]:
        """Give counts, rate and remaining seconds as JSON data."""
        rate = None if self.rate is None else round(self.rate, 1)
        left = None if self.remaining is None else round(self.remaining)
        return self.counts.as_data() | {"rate": rate, "remaining_seconds": left}


@dataclass(slots=True)
class _Watch:
    lock: threading.Lock = field(default_factory=threading.Lock)
    at: float = float("-inf")
    seen: Seen | None = None
    before: deque[tuple[float, int]] = field(default_factory=deque)


class Looks:
    """Look at uploads, once a second for all who want to know. Safe to share between threads.

    Args:
        store: Where uploads are kept.
        clock: Seconds, for `LOOK` and the rate.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._watched: OrderedDict[str, _Watch] = OrderedDict()

    def look(self, upload_id: str) -> Seen:
        """Give how far an upload has come, as of a second ago at the most.

        Raises:
            UploadUnknown: There is no such upload.
            StoreError: The store can't be read.
        """
        with self._lock:
            watch = self._watched.setdefault(upload_id, _Watch())
            self._watched.move_to_end(upload_id)
            while len(self._watched) > MOST_WATCHED:
                self._watched.popitem(last=False)
        with watch.lock:
            now = self._clock()
            if watch.seen is None or now - watch.at >= LOOK:
                counts = progress(self._store, upload_id)
                watch.at, watch.seen = now, Seen(counts, _rate(watch.before, now, counts.settled))
            return watch.seen


class Streams:
    """Keep streams open, no more than there are threads for.

    Args:
        store: Where uploads are kept.
        settings: How many, and for how long each.
        clock: Seconds.
    """

    def __init__(self, store: Store, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._looks = Looks(store, clock)
        self._free = threading.BoundedSemaphore(settings.most_streams)
        self._seconds = settings.stream_seconds
        self._clock = clock
        self._stopping = threading.Event()

    def close(self) -> None:
        """End every stream within moments, as when the service stops; readers come again by themselves."""
        self._stopping.set()

    def respond(self, upload_id: str) -> Response:
        """Open a stream for the request at hand; where its reader has seen the end already, there is nothing more to tell.

        Raises:
            Problem: Too many are open.
            UploadUnknown: There is no such upload.
        """
        last = request.headers.get("Last-Event-ID", "")
        seen = self._looks.look(upload_id)
        if seen.counts.is_finished and seen.mark == last:
            return Response(status=204)
        if not self._free.acquire(blocking=False):
            raise Problem(
                "unavailable", f"打开的进度流太多；请过几秒再试，或改用 GET /v1/uploads/{upload_id}",
                headers={"Retry-After": "5"},
            )  # fmt: skip
        gone = cast("Callable[[], bool]", request.environ.get("waitress.client_disconnected", lambda: False))
        response = Response(self._tell(upload_id, last, gone), content_type=f"{MEDIA}; charset=utf-8")
        response.call_on_close(self._free.release)
        response.headers["X-Accel-Buffering"] = "no"
        return response

    def _tell(self, upload_id: str, last: str, gone: Callable[[], bool]) -> Iterator[bytes]:
        began = spoke = self._clock()
        yield f"retry: {RETRY}\n\n".encode()
        while True:
            seen = self._look(upload_id)
            now = self._clock()
            if seen is not None and seen.mark != last:
                last, spoke = seen.mark, now
                yield _event(seen)
            elif now - spoke >= HEARTBEAT:
                spoke = now
                yield b": \n\n"
            over = now - began >= self._seconds or gone()
            if (seen is not None and seen.counts.is_finished) or over or self._stopping.wait(LOOK):
                return

    def _look(self, upload_id: str) -> Seen | None:
        """Look; None where the store can't be read just now, or the upload is gone."""
        try:
            return self._looks.look(upload_id)
        except (StoreError, UploadUnknown):
            return None


def streams_of(app: Flask) -> Streams:
    """Give the streams of an app."""
    return cast("Streams", app.extensions[EXTENSION])


def streams() -> Streams:
    """Give the streams of the app of this request."""
    return streams_of(current_app)


def _rate(before: deque[tuple[float, int]], now: float, settled: int) -> float | None:
    """Measure rows per second since the oldest look within the span; the look at hand is kept for the next."""
    while len(before) > 1 and now - before[0][0] > SPAN:
        before.popleft()
    rate = None
    if before and now > before[0][0]:
        rate = max(0.0, (settled - before[0][1]) / (now - before[0][0]))
    before.append((now, settled))
    return rate


def _event(seen: Seen) -> bytes:
    """Write an event; the last one is named `done`, the others have no name."""
    named = "event: done\n" if seen.counts.is_finished else ""
    data = json.dumps(seen.as_data(), ensure_ascii=False)
    return f"{named}id: {seen.mark}\ndata: {data}\n\n".encode("utf-8", "replace")
