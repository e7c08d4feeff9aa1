"""Talk to one Youzan shop through Youzan Cloud (有赞云)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from channels.closing import Closing
from channels.errors import UnreadableReply
from channels.redact import Redactor
from channels.wire import Reply, Retry, Wire
from channels.youzan.envelope import CHANNEL, TokenRefused, unwrap
from channels.youzan.items import Items
from channels.youzan.logistics import Logistics
from channels.youzan.refunds import Refunds
from channels.youzan.token import TokenSource, YouzanCredentials
from channels.youzan.trades import Trades

BASE_URL = "https://open.youzanyun.com"


class YouzanClient(Closing):
    """Speak for one shop. Safe to share between threads.

    Payloads are Youzan's own, as published; the envelopes are taken off.

    Args:
        credentials: The application and the shop.
        base_url: Address of the system.
        timeout: Seconds to wait for a reply.
        retry: How often to try; Youzan asks for up to six tries after 4101.
        throttle: Called before every try, grants of tokens included.
        clock: Seconds since the epoch.
        sleep: Waits the given seconds.
        rng: Source of jitter.

    Attributes:
        items, trades, refunds, logistics: The interfaces by subject.
    """

    def __init__(
        self,
        credentials: YouzanCredentials,
        *,
        base_url: str = BASE_URL,
        timeout: float = 10.0,
        retry: Retry | None = None,
        throttle: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self._credentials = credentials
        redact = Redactor([credentials.client_secret])
        self._wire = Wire(
            CHANNEL,
            base_url,
            redact=redact,
            timeout=timeout,
            retry=retry or Retry(attempts=6),
            throttle=throttle,
            clock=clock,
            sleep=sleep,
            rng=rng,
        )
        self._tokens = TokenSource(credentials, self._wire, redact, clock)
        self.items = Items(self.call)
        self.trades = Trades(self.call)
        self.refunds = Refunds(self.call)
        self.logistics = Logistics(self.call)

    def call(
        self, api: str, version: str, params: Mapping[str, Any], *, writes: bool = False
    ) -> dict[str, Any]:
        """Call one interface.

        A token that is refused is replaced once and the call made again: a refused token means that nothing happened.

        Args:
            api: Name, such as ``youzan.trade.get``.
            version: Version, such as ``4.0.2``.
            params: Business parameters; None values are left out.
            writes: Whether it changes anything, so that it must not be sent again when its effect is unknown.

        Raises:
            ChannelError: What went wrong; its ``effect`` says whether the request may have been carried out.
        """
        token = self._tokens.get()
        try:
            return self._once(api, version, params, writes, token)
        except TokenRefused:
            self._tokens.refused(token)
        return self._once(api, version, params, writes, self._tokens.get())

    def _once(
        self, api: str, version: str, params: Mapping[str, Any], writes: bool, token: str
    ) -> dict[str, Any]:
        body = {key: value for key, value in params.items() if value is not None}

        def read(reply: Reply) -> dict[str, Any]:
            payload = unwrap(reply, self._wire.redact)
            if not isinstance(payload, dict):
                raise UnreadableReply(CHANNEL, f"{api} 的回复结构不符", http=reply.http, code="unreadable")
            return payload

        return self._wire.post(
            f"/api/{api}/{version}",
            lambda: body,
            read,
            repeatable=not writes,
            secret_query=lambda: {"access_token": token},
        )

    def probe(self) -> None:
        """Try the credentials before they are kept.

        Raises:
            CredentialsRefused: They are wrong.
            ChannelError: Youzan can't be reached or refuses for another reason.
        """
        self._tokens.get()

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def __repr__(self) -> str:
        return f"YouzanClient(client_id={self._credentials.client_id!r}, kdt_id={self._credentials.kdt_id!r})"
