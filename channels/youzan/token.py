"""Keep a Youzan access token fresh."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from channels.errors import UnreadableReply
from channels.redact import Redactor
from channels.wire import Reply, Wire
from channels.youzan.envelope import CHANNEL, unwrap

EARLY = 300.0
FALLBACK_LIFE = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class YouzanCredentials:
    """Hold a self-owned application and the shop that it was installed in.

    Attributes:
        client_id: The application's id; not secret.
        client_secret: The application's secret.
        kdt_id: The shop's id, as text of digits.
    """

    client_id: str
    client_secret: str = field(repr=False)
    kdt_id: str = ""


class TokenSource:
    """Grant silently, hand out the token, and grant again before it expires or when it is refused.

    Safe to share between threads: only one of them grants, the others wait for its token.

    Args:
        credentials: Who asks.
        wire: Posts to the token interface.
        redact: Learns every token, so that none shows up in a message.
        clock: Seconds since the epoch.
    """

    def __init__(
        self, credentials: YouzanCredentials, wire: Wire, redact: Redactor, clock: Callable[[], float]
    ) -> None:
        self._credentials = credentials
        self._wire = wire
        self._redact = redact
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._good_until = 0.0

    def get(self) -> str:
        """Return a token that is good for at least five minutes more.

        Raises:
            ChannelError: The grant failed.
        """
        with self._lock:
            if not self._token or self._clock() >= self._good_until - EARLY:
                self._grant()
            return self._token

    def refused(self, token: str) -> None:
        """Forget a token that the channel has refused, unless a newer one is there already."""
        with self._lock:
            if token == self._token:
                self._token = ""

    def _grant(self) -> None:
        grant = self._wire.post("/auth/token", self._body, self._read, repeatable=True)
        token = grant.get("access_token")
        if not isinstance(token, str) or not token:
            raise UnreadableReply(CHANNEL, "授权成功但没有返回令牌", code="unreadable")
        self._redact.add(token)
        self._redact.add(str(grant.get("refresh_token") or ""))
        now = self._clock()
        expires = grant.get("expires")
        # A lifetime shorter than the safety margin would make every call grant anew; half of it is kept then.
        until = (
            float(expires) / 1000
            if isinstance(expires, (int, float)) and expires > 0
            else now + FALLBACK_LIFE
        )
        self._good_until = max(until, now + (until - now) / 2 + EARLY)
        self._token = token

    def _body(self) -> dict[str, Any]:
        return {
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
            "authorize_type": "silent",
            "grant_id": self._credentials.kdt_id,
            "refresh": False,
        }

    def _read(self, reply: Reply) -> dict[str, Any]:
        data = unwrap(reply, self._redact)
        if not isinstance(data, dict):
            raise UnreadableReply(CHANNEL, "授权回复的结构不符", http=reply.http, code="unreadable")
        return data

    def __repr__(self) -> str:
        return f"TokenSource(client_id={self._credentials.client_id!r}, kdt_id={self._credentials.kdt_id!r})"
