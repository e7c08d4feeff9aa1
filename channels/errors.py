"""Every way in which a call to another system can fail, one class per thing a caller can do about it."""

from __future__ import annotations

from typing import Literal

Effect = Literal["none", "unknown"]


class ChannelError(Exception):
    """Say how a call to a channel failed, the same for every channel.

    Attributes:
        channel: Name of the system, such as ``huiju`` or ``youzan``.
        message: What happened, fit to be shown to a person; never holds a secret.
        http: HTTP status, or None where no reply was read.
        code: The channel's own error code as text, or a word of ours such as ``not_sent``; "" where there is none.
        trace: The channel's trace id or our request id, "" where there is none.
        retryable: Whether the same request may succeed later without anyone changing it.
        effect: What the request may have done: ``none`` it certainly did nothing, ``unknown`` it may have taken effect.
    """

    effect: Effect = "none"

    def __init__(
        self,
        channel: str,
        message: str,
        *,
        http: int | None = None,
        code: str = "",
        trace: str = "",
        retryable: bool = False,
    ) -> None:
        super().__init__(channel, message)
        self.channel = channel
        self.message = message
        self.http = http
        self.code = code
        self.trace = trace
        self.retryable = retryable

    def __str__(self) -> str:
        marks = [self.channel, f"HTTP {self.http}" if self.http is not None else "", self.code, self.trace]
        return f"[{' '.join(mark for mark in marks if mark)}] {self.message}"


class NotSent(ChannelError):
    """Say that the request never left: nothing has happened, sending again is safe."""


class EffectUnknown(ChannelError):
    """Say that the request left and no clear answer came: look up what happened before sending again."""

    effect: Effect = "unknown"


class UnreadableReply(EffectUnknown):
    """Say that a reply came but is not what the interface promises: the effect is unknown and a person should look."""


class RateLimited(ChannelError):
    """Say that the channel refused for sheer number of calls: wait, then send again.

    Attributes:
        retry_after: Seconds to wait as the channel asks, ≥ 0, or None where it doesn't say.
    """

    def __init__(
        self,
        channel: str,
        message: str,
        *,
        http: int | None = None,
        code: str = "",
        trace: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(channel, message, http=http, code=code, trace=trace, retryable=True)
        self.retry_after = retry_after


class CredentialsRefused(ChannelError):
    """Say that the channel does not accept who we are: someone must correct the binding."""


class ClockRefused(ChannelError):
    """Say that the channel does not accept our time: set the clock of this machine."""


class BusinessRefusal(ChannelError):
    """Say that the channel understood the request and declined it: correct the data, sending it again is no use."""


class Missing(BusinessRefusal):
    """Say that the thing asked for does not exist at the channel."""


class AlreadyListed(BusinessRefusal):
    """Say that the product is already listed: take over the listing that exists instead of sending it again.

    Attributes:
        product_id: The channel's id of the existing product, "" where the channel doesn't say.
    """

    effect: Effect = "unknown"  # it may have been this very request, delivered twice or answered too late

    def __init__(
        self,
        channel: str,
        message: str,
        *,
        http: int | None = None,
        code: str = "",
        trace: str = "",
        product_id: str = "",
    ) -> None:
        super().__init__(channel, message, http=http, code=code, trace=trace)
        self.product_id = product_id


class StateChanged(BusinessRefusal):
    """Say that the order or after-sale is not as we thought: read it again and decide anew."""

    effect: Effect = "unknown"  # it may have been this very request that moved it, delivered twice


class LimitExceeded(ChannelError):
    """Say that a request lies outside the documented limits; it was not sent."""


class IncompleteListing(ChannelError):
    """Say that a paged listing kept shifting while it was read, so that some of it may be missing: read it again."""


class CannotDecrypt(ChannelError):
    """Say that a ciphertext does not fit the data key: the data key of the binding is wrong, or the field is damaged."""


class ProfileError(ChannelError):
    """Say what is wrong in a channel's profile file, and where."""
