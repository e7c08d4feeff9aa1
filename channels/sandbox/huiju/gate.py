"""Let in only requests that are well-formed, timely, signed, new and not too many."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from channels.huiju.envelope import HuijuCredentials, signature
from channels.huiju.profile import Profile
from channels.huiju.signing import same
from channels.sandbox.huiju.state import Refused
from channels.sandbox.limiter import Limiter


class Gate:
    """Check the envelope of every request.

    Args:
        credentials: The one shop that is known here.
        profile: Names, tolerance, memory for nonces, rate.
        clock: Seconds since the epoch.
        per_second: Rate limit; the profile's where None.
    """

    def __init__(
        self,
        credentials: HuijuCredentials,
        profile: Profile,
        clock: Callable[[], float],
        per_second: float | None = None,
    ) -> None:
        self._credentials = credentials
        self._profile = profile
        self._clock = clock
        self._limiter = Limiter(per_second or profile.limit("requests_per_second"), clock)
        self._lock = threading.Lock()
        self._seen: set[tuple[str, str]] = set()
        self._forget: deque[tuple[float, tuple[str, str]]] = deque()  # oldest first

    def open(self, body: Any) -> tuple[dict[str, str], str]:
        """Return the business parameters and the request id.

        Raises:
            Refused: Which check failed. ``data`` of a rate limit holds ``wait`` in seconds.
        """
        names = self._profile.envelope
        if not isinstance(body, dict) or not all(isinstance(value, str) for value in body.values()):
            raise Refused("bad_request", "请求体应为扁平的 JSON 对象，且每个值都是字符串")
        missing = [wire for wire in names.values() if not body.get(wire)]
        if missing:
            raise Refused("bad_request", f"缺少 {'、'.join(missing)}")
        if body[names["app_id"]] != self._credentials.app_id:
            raise Refused("unknown_app", body[names["app_id"]])
        self._check_time(body[names["timestamp"]])
        if not same(signature(body, self._credentials.app_secret, self._profile), body[names["sign"]]):
            raise Refused("bad_sign")
        self._check_new(body)
        wait = self._limiter.wait()
        if wait > 0:
            raise Refused("rate_limited", data={"wait": wait})
        envelope = set(names.values())
        return {key: value for key, value in body.items() if key not in envelope}, body[names["request_id"]]

    def _check_time(self, stamp: str) -> None:
        if not stamp.isdecimal():
            raise Refused("bad_timestamp", "timestamp 应为毫秒整数")
        off = int(stamp) / 1000 - self._clock()
        tolerance = self._profile.limit("timestamp_tolerance_seconds")
        if abs(off) > tolerance:
            raise Refused("bad_timestamp", f"与服务器时间相差 {off:.0f} 秒，最多 {tolerance} 秒")

    def _check_new(self, body: Mapping[str, str]) -> None:
        names = self._profile.envelope
        key = (body[names["request_id"]], body[names["nonce"]])
        for length, value in zip(("request_id", "nonce"), key, strict=True):
            if len(value) != self._profile.lengths[length]:
                raise Refused("bad_request", f"{names[length]} 应为 {self._profile.lengths[length]} 位")
        now = self._clock()
        with self._lock:
            while self._forget and self._forget[0][0] <= now:
                self._seen.discard(self._forget.popleft()[1])
            if key in self._seen:
                raise Refused("replayed_nonce", key[0])
            self._seen.add(key)
            self._forget.append((now + self._profile.limit("nonce_memory_seconds"), key))
