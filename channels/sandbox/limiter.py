"""Count requests against a rate limit."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Limiter:
    """Allow so many requests per second, with a burst of one second's worth. Safe to share between threads.

    Args:
        per_second: Requests per second, > 0.
        clock: Seconds; only differences matter.
    """

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        self._gap = 1.0 / per_second
        self._burst = max(1.0, per_second) * self._gap
        self._clock = clock
        self._lock = threading.Lock()
        self._due = 0.0

    def wait(self) -> float:
        """Take one request; return 0 where it is allowed, else the seconds until one would be."""
        with self._lock:
            now = self._clock()
            due = max(self._due, now)
            early = due + self._gap - now - self._burst
            if early > 1e-6:  # what is lost in seconds since the epoch
                return early
            self._due = due + self._gap
            return 0.0
