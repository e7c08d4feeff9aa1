"""What every client shares: one HTTP POST of JSON, its faults told apart, tried again where that is safe."""

from __future__ import annotations

import json
import logging
import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import httpx

from channels.closing import Closing
from channels.errors import ChannelError, EffectUnknown, NotSent, RateLimited
from channels.redact import Redactor

log = logging.getLogger("channels.wire")
T = TypeVar("T")
SECRET_QUERY = "shelfgate_secret_query"


@dataclass(frozen=True, slots=True)
class Retry:
    """Say how often and how patiently a call is tried.

    Attributes:
        attempts: Tries in all, ≥ 1.
        first: Seconds before the second try, before jitter.
        factor: By how much each wait grows.
        longest: Longest single wait in seconds. A channel that asks for more gets its refusal handed to the caller.
        jitter: Share of a wait that is random, 0..1.
    """

    attempts: int = 5
    first: float = 0.25
    factor: float = 2.0
    longest: float = 30.0
    jitter: float = 0.5

    def wait(self, attempt: int, rng: random.Random) -> float:
        """Return the seconds to wait after the given failed try (1 is the first)."""
        full = min(self.first * self.factor ** (attempt - 1), self.longest)
        return full * (1 - self.jitter * rng.random())


@dataclass(frozen=True, slots=True)
class Reply:
    """Hold what came back.

    Attributes:
        http: HTTP status.
        body: The JSON value, or None where the body was not JSON.
        retry_after: Seconds from the Retry-After header, or None.
    """

    http: int
    body: Any
    retry_after: float | None


class _SecretQuery(httpx.BaseTransport):
    """Add secret query parameters below httpx, so that neither its log lines nor its exceptions ever hold them."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        secret: Mapping[str, str] = request.extensions.get(SECRET_QUERY, {})
        if not secret:
            return self._inner.handle_request(request)
        hidden = httpx.Request(
            request.method,
            request.url.copy_merge_params(dict(secret)),
            headers=request.headers,
            stream=request.stream,
            extensions={name: value for name, value in request.extensions.items() if name != SECRET_QUERY},
        )
        return self._inner.handle_request(hidden)

    def close(self) -> None:
        self._inner.close()


class Wire(Closing):
    """Post JSON to one system and tell its faults apart.

    Args:
        channel: Name put into errors and log lines.
        base_url: Address of the system; a path is appended to it.
        redact: Blanks out secrets in messages.
        timeout: Seconds to wait for a connection, and for a reply.
        retry: How often to try.
        throttle: Called before every try, so that a caller's rate limit counts retries too.
        clock: Seconds since the epoch.
        sleep: Waits the given seconds.
        rng: Source of jitter.
        connections: Most connections kept open at a time, ≥ 1.
    """

    def __init__(
        self,
        channel: str,
        base_url: str,
        *,
        redact: Redactor,
        timeout: float = 10.0,
        retry: Retry | None = None,
        throttle: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
        connections: int = 16,
    ) -> None:
        self.channel = channel
        self.clock = clock
        self.redact = redact
        self._base = base_url.rstrip("/")
        self._retry = retry or Retry()
        self._throttle = throttle
        self._sleep = sleep
        self._rng = rng or random.Random()
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._http = httpx.Client(
            timeout=timeout,
            transport=_SecretQuery(httpx.HTTPTransport(verify=_tls(), limits=limits)),
            follow_redirects=False,
        )

    def post(
        self,
        path: str,
        build: Callable[[], Mapping[str, Any]],
        read: Callable[[Reply], T],
        *,
        repeatable: bool,
        secret_query: Callable[[], Mapping[str, str]] | None = None,
    ) -> T:
        """Post until there is a clear answer, the tries are used up, or another try would be unsafe.

        Args:
            path: Path below the base address, starting with a slash.
            build: Makes the JSON body; called anew for each try, so that times and nonces are fresh.
            read: Turns a reply into a payload or raises a ChannelError.
            repeatable: Whether sending it twice does no more than sending it once. Only then is a request
                sent again whose effect is unknown.
            secret_query: Makes query parameters that must not be logged.

        Returns:
            What ``read`` made of the reply.

        Raises:
            ChannelError: The last fault, normalised.
        """
        attempt = 0
        while True:
            attempt += 1
            if self._throttle is not None:
                self._throttle()
            try:
                return read(self._send(path, build(), secret_query() if secret_query else {}))
            except ChannelError as error:
                pause = self._pause(error, attempt, repeatable)
                log.debug(
                    "%s %s 第 %d 次失败：%s（%s）",
                    self.channel,
                    path,
                    attempt,
                    self.redact(str(error)),
                    "不再重试" if pause is None else f"{pause:.2f} 秒后重试",
                )
                if pause is None:
                    raise
            self._sleep(pause)

    def _pause(self, error: ChannelError, attempt: int, repeatable: bool) -> float | None:
        """Return the seconds to wait before the next try, or None where there must be no next try."""
        if (
            attempt >= self._retry.attempts
            or not error.retryable
            or (error.effect == "unknown" and not repeatable)
        ):
            return None
        pause = self._retry.wait(attempt, self._rng)
        if isinstance(error, RateLimited) and error.retry_after is not None:
            if error.retry_after > self._retry.longest:
                return None
            pause = max(pause, error.retry_after)
        return pause

    def _send(self, path: str, body: Mapping[str, Any], secret_query: Mapping[str, str]) -> Reply:
        """Send once and return the reply, or say whether the request can have had an effect."""
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        try:
            response = self._http.post(
                self._base + path,
                content=content,
                headers={"content-type": "application/json"},
                extensions={SECRET_QUERY: secret_query},
            )
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise NotSent(
                self.channel, f"地址无效，请求未发出：{self._name(error)}", code="bad_address"
            ) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotSent(
                self.channel, f"连接失败，请求未发出：{self._name(error)}", code="not_sent", retryable=True
            ) from None
        except httpx.HTTPError as error:
            raise EffectUnknown(
                self.channel,
                f"请求已发出但没有收到完整的回复：{self._name(error)}",
                code="no_reply",
                retryable=True,
            ) from None
        if response.status_code >= 500:
            raise EffectUnknown(
                self.channel,
                "对方服务异常，无法确定请求是否生效",
                http=response.status_code,
                code="server_error",
                retryable=True,
            )
        try:
            parsed = response.json()
        except ValueError:
            parsed = None
        return Reply(response.status_code, parsed, _seconds(response.headers.get("retry-after")))

    def _name(self, error: Exception) -> str:
        return self.redact(f"{type(error).__name__} {error}".strip())

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __repr__(self) -> str:
        return f"Wire({self.channel!r})"


@cache
def _tls() -> ssl.SSLContext:
    """Return the one TLS context of this process; reading the certificates takes longer than most calls."""
    return httpx.create_ssl_context()


def _seconds(text: str | None) -> float | None:
    """Return a Retry-After header in seconds, or None where it is absent or not a plain number."""
    try:
        return max(0.0, float(text)) if text is not None else None
    except ValueError:
        return None
