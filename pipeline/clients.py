"""Make the clients of the outside systems: addresses and Youzan's application from the environment, Huiju's identity from the binding."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

from channels.errors import ChannelError, CredentialsRefused
from channels.huiju import HuijuClient, HuijuCredentials
from channels.huiju.profile import load_profile
from channels.youzan import BASE_URL, YouzanClient, YouzanCredentials
from engine.errors import ShelfgateError
from pipeline.binding import open_credentials
from pipeline.credentials import ProbeAnswer
from pipeline.measures import count_channel_error
from pipeline.secrets import Vault
from pipeline.store import Store, book, database_now

HUIJU = "huiju"
YOUZAN = "youzan"

HUIJU_URL = "SHELFGATE_HUIJU_URL"
YOUZAN_URL = "SHELFGATE_YOUZAN_URL"
YOUZAN_CLIENT_ID = "SHELFGATE_YOUZAN_CLIENT_ID"
YOUZAN_CLIENT_SECRET = "SHELFGATE_YOUZAN_CLIENT_SECRET"  # the name of the variable

YOUZAN_RATE = "SHELFGATE_YOUZAN_PER_SECOND"
YOUZAN_PER_SECOND = 20.0
"""Calls per second and shop where the environment names no other number; what Youzan publishes for writing items, while the limit
of reads is not known."""


Youzan = Callable[[Store, str], AbstractContextManager[YouzanClient | None]]
"""Makes the client of a shop at Youzan; one that gives None has products taken as they are kept."""


class ChannelFailed(ShelfgateError):
    """Report that another system could not be reached, or did not do what was asked.

    Attributes:
        channel: Name of the system.
        retryable: The same may succeed later without anyone changing anything.
    """

    def __init__(self, message: str, channel: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.channel = channel
        self.retryable = retryable


class SettingsUnusable(ShelfgateError):
    """Report that the environment lacks what a client needs, or that it can't be read.

    Attributes:
        names: Names of the variables at fault.
    """

    def __init__(self, message: str, names: tuple[str, ...]) -> None:
        super().__init__(message)
        self.names = names


@contextmanager
def spoken(doing: str) -> Iterator[None]:
    """Say a channel's error in words, without the error itself: what it holds stays behind.

    Args:
        doing: What is being done, such as 下载惠聚数据.

    Raises:
        ChannelFailed: The channel's error.
    """
    try:
        yield
    except ChannelError as error:
        failure = error
    else:
        return
    count_channel_error(failure)
    advice = "请稍后重试" if failure.retryable else "请核对后重试"
    if isinstance(failure, CredentialsRefused):
        advice = "请核对身份信息：惠聚的重新绑定，有赞的在环境变量里改"
    raise ChannelFailed(
        f"{doing}没有成功：{failure}；{advice}", failure.channel, retryable=failure.retryable
    ) from None


class HuijuProbe:
    """Try a set of credentials on Huiju itself (R4)."""

    fields = ("app_id", "app_secret", "data_key")

    def __init__(self, base_url: str | None = None) -> None:
        """Take the address.

        Args:
            base_url: Address of Huiju; its production address where None.
        """
        self._base_url = base_url

    def __call__(self, credentials: Mapping[str, str]) -> ProbeAnswer:
        """Make harmless calls with them: the time, and the newest orders, which the data key has to open."""
        identity = HuijuCredentials(**{name: credentials[name] for name in self.fields})
        with HuijuClient(identity, base_url=self._base_url) as client:
            try:
                client.probe()
            except ChannelError as error:
                return ProbeAnswer(accepted=False, reason=str(error), retryable=error.retryable)
        return ProbeAnswer(accepted=True)


def huiju_address(environment: Mapping[str, str] | None = None) -> str | None:
    """Give the address of Huiju that is set; None for its production address."""
    return (os.environ if environment is None else environment).get(HUIJU_URL) or None


def huiju_client(
    store: Store,
    vault: Vault,
    shop_id: str,
    base_url: str | None = None,
    per_second: float | None = None,
) -> HuijuClient:
    """Make the client of a bound shop.

    Args:
        store: Where the binding is kept.
        vault: What opens its credentials.
        shop_id: The shop.
        base_url: Address of Huiju; what is set in the environment where None.
        per_second: Huiju's limit; its profile's where None. The same in every process.

    Raises:
        BindingStateError: The shop isn't bound.
        ShelfgateError: As `Vault.open` says.
    """
    known = open_credentials(store, vault, shop_id, HUIJU)
    profile = load_profile()
    return HuijuClient(
        HuijuCredentials(known["app_id"], known["app_secret"], known["data_key"]),
        base_url=base_url or huiju_address(),
        profile=profile,
        throttle=paced(store, HUIJU, shop_id, per_second or float(profile.limit("requests_per_second"))),
    )


def youzan_client(store: Store, shop_id: str, environment: Mapping[str, str] | None = None) -> YouzanClient:
    """Make the client of a shop at Youzan.

    Args:
        store: Where the rate of calls is kept.
        shop_id: The shop (kdt_id).
        environment: Holds address, client id and secret; the process's own if None.

    Raises:
        SettingsUnusable: Client id or secret is not set.
    """
    environment = os.environ if environment is None else environment
    missing = tuple(name for name in (YOUZAN_CLIENT_ID, YOUZAN_CLIENT_SECRET) if not environment.get(name))
    if missing:
        raise SettingsUnusable(
            f"没有设置环境变量 {'、'.join(missing)}；请从有赞云控制台复制应用的 client_id 与 client_secret",
            missing,
        )
    return YouzanClient(
        YouzanCredentials(environment[YOUZAN_CLIENT_ID], environment[YOUZAN_CLIENT_SECRET], shop_id),
        base_url=environment.get(YOUZAN_URL) or BASE_URL,
        throttle=paced(store, YOUZAN, shop_id, _rate(environment.get(YOUZAN_RATE))),
    )


def _rate(text: str | None) -> float:
    """Read the number of calls per second that the environment names."""
    if not text:
        return YOUZAN_PER_SECOND
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise SettingsUnusable(f"环境变量 {YOUZAN_RATE} 应是大于 0 的数，现在是 {text!r}", (YOUZAN_RATE,))
    return rate


def paced(store: Store, channel: str, shop_id: str, per_second: float) -> Callable[[], None]:
    """Make a function that waits for its turn, shared with every other process that calls for the same shop."""

    def wait() -> None:
        with store.write() as session:
            now: datetime = database_now(session)
            start = book(session, channel, shop_id, now=now, per_second=per_second)
        time.sleep(max(0.0, (start - now).total_seconds()))

    return wait
