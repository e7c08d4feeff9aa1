"""Talk to one shop's Huiju back office."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from channels.closing import Closing
from channels.errors import ChannelError
from channels.huiju.after_sales import AfterSales
from channels.huiju.codec import Codec, flatten
from channels.huiju.crypto import decrypt, encrypt
from channels.huiju.envelope import CHANNEL, HuijuCredentials, check_data, unwrap, wrap
from channels.huiju.orders import Orders
from channels.huiju.products import Products, Stock
from channels.huiju.profile import Profile, load_profile
from channels.huiju.reference import Reference
from channels.redact import Redactor
from channels.wire import Reply, Retry, Wire


class HuijuClient(Closing):
    """Speak for one shop. Safe to share between threads.

    Payloads carry the keys of the profile (``orderId``, ``outProductId`` …), enum members by name (``to_ship``)
    and personal fields in plain text; the profile's names and values on the wire stay in here.

    Args:
        credentials: The shop's API identity.
        base_url: Address of the channel; the profile's where None.
        profile: What the wire looks like; the one that comes with the project where None.
        timeout: Seconds to wait for a reply.
        retry: How often to try.
        throttle: Called before every try.
        clock: Seconds since the epoch.
        sleep: Waits the given seconds.
        rng: Source of nonces and jitter; the system's own where None.

    Attributes:
        orders, after_sales, products, stock, reference: The interfaces by subject.
    """

    def __init__(
        self,
        credentials: HuijuCredentials,
        *,
        base_url: str | None = None,
        profile: Profile | None = None,
        timeout: float = 10.0,
        retry: Retry | None = None,
        throttle: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self.profile = profile or load_profile()
        self._credentials = credentials
        self._rng = rng or random.SystemRandom()
        self._clock = clock
        self._wire = Wire(
            CHANNEL,
            base_url or self.profile.base_url,
            redact=Redactor([credentials.app_secret, credentials.data_key]),
            timeout=timeout,
            retry=retry,
            throttle=throttle,
            clock=clock,
            sleep=sleep,
            rng=self._rng,
        )
        self._codec = Codec(
            self.profile,
            encrypt=lambda text: encrypt(text, credentials.data_key),
            decrypt=lambda cipher: decrypt(cipher, credentials.data_key),
        )
        self.orders = Orders(self.call, self.profile)
        self.after_sales = AfterSales(self.call, self.profile)
        self.products = Products(self.call)
        self.stock = Stock(self.call)
        self.reference = Reference(self.call, self.profile)

    def call(self, endpoint: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Call one interface of the profile.

        Args:
            endpoint: Its name in the profile.
            payload: Business parameters; None values are left out.

        Returns:
            The reply's data.

        Raises:
            ChannelError: What went wrong; its ``effect`` says whether the request may have been carried out.
        """
        spec = self.profile.endpoints[endpoint]
        trace = ""

        def build() -> dict[str, str]:
            nonlocal trace
            body = wrap(
                flatten(self._codec.to_wire(payload, spec.request)),
                self._credentials,
                self.profile,
                now_ms=int(self._clock() * 1000),
                rng=self._rng,
            )
            trace = body[self.profile.envelope["request_id"]]
            return body

        def read(reply: Reply) -> dict[str, Any]:
            data = unwrap(reply, self.profile, spec.reply, trace=trace, redact=self._wire.redact)
            payload = self._codec.from_wire(data, spec.reply)
            check_data(payload, spec.reply, http=reply.http, trace=trace)
            return payload

        try:
            return self._wire.post(spec.path, build, read, repeatable=spec.repeatable)
        except ChannelError as error:
            error.trace = error.trace or trace
            raise

    def system_time(self) -> int:
        """Return the channel's time in milliseconds since the epoch."""
        return int(self.call("system_time", {})["timestamp"])

    def probe(self, windows: int = 48) -> bool:
        """Try the credentials before they are kept (R4).

        The channel itself checks app id and secret. The data key shows only on an encrypted field, so the newest
        orders are looked for, window by window back from now.

        Args:
            windows: How many windows of the increments to look back, ≥ 0.

        Returns:
            Whether the data key was tried too; False where there was no order to try it on.

        Raises:
            CredentialsRefused: App id or secret are wrong.
            ClockRefused: This machine's clock is wrong.
            CannotDecrypt: The data key is wrong.
            ChannelError: The channel can't be reached or refuses for another reason.
        """
        now = self.system_time() // 1000
        step = self.profile.limit("window_seconds_max")
        for back in range(windows):
            end = now - back * step
            window = {"startUpdateTime": end - step + 1, "endUpdateTime": end, "pageNum": 1, "pageSize": 1}
            if self.call("order_increment", window)["orderList"]:
                return True
        return False

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def __repr__(self) -> str:
        return f"HuijuClient(app_id={self._credentials.app_id!r})"
