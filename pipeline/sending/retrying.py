"""What becomes of an item after its call: done, refused, tried again later, or left for a person to look at."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from channels.errors import (
    BusinessRefusal,
    ChannelError,
    ClockRefused,
    CredentialsRefused,
    NotSent,
    RateLimited,
)
from engine.errors import ShelfgateError
from pipeline.sending.outbox import Hold
from pipeline.store.claims import Settled


@dataclass(frozen=True, slots=True)
class Patience:
    """Say how often and how patiently an item is tried.

    Attributes:
        same: Failures of the same kind in a row after which it waits for a person, ≥ 1.
        most: Failures of any kind after which it does, ≥ 1.
        unanswered: Leases in a row that ended without an outcome, as when each worker that takes it dies, after which it does, ≥ 1.
        first: Seconds before the second try.
        factor: By how much each wait grows.
        longest: Longest wait, s.
    """

    same: int = 3
    most: int = 10
    unanswered: int = 20
    first: float = 5.0
    factor: float = 6.0
    longest: float = 900.0

    def wait(self, failures: int, rng: random.Random) -> float:
        """Give the seconds to wait after so many failures, up to a fifth of them at random."""
        full = min(self.first * self.factor ** (failures - 1), self.longest)
        return float(full * (1 - 0.2 * rng.random()))


@dataclass(frozen=True, slots=True)
class Ending:
    """Say how a claim of an item ends.

    Attributes:
        state: Of the item: queued to be tried again; held where it waits for a person.
        reason: Why, for people; empty for what is done.
        answer: The channel's answer, where it is done.
        error: What is kept of the error; None where there is none.
        wait: Seconds until the next try.
        pause: Seconds for which the channel is left alone for this shop; None where it needs no pause.
        counts: Whether the failure is the item's own, not the channel's or the shop's.
        seen: What was read of the channel on the way, for the job's record; not kept with the item.
    """

    state: Settled
    reason: str = ""
    answer: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    wait: float = 0.0
    pause: float | None = None
    counts: bool = True
    seen: tuple[Any, ...] = field(default=(), repr=False)


OTHERS = (NotSent, CredentialsRefused, ClockRefused, ShelfgateError)
"""Failures that are not about what was sent, such as a shop that isn't bound: the next item would meet them too."""

RATE_PAUSE = 1.0
"""Seconds of pause where the channel asks for one and does not say how long."""


def after_error(hold: Hold, error: Exception, patience: Patience, rng: random.Random) -> Ending:
    """Decide what becomes of an item whose call failed.

    Args:
        hold: The item held.
        error: What its call raised.
        patience: How often it is tried.
        rng: Source of jitter.
    """
    kept = noted(hold, error)
    if isinstance(error, RateLimited):
        pause = RATE_PAUSE if error.retry_after is None else error.retry_after
        return Ending("queued", said(error), error=kept, pause=pause, counts=False)
    if isinstance(error, OTHERS):
        return Ending("queued", said(error), error=kept, pause=0.0, counts=False)
    if isinstance(error, BusinessRefusal) and error.effect == "none":
        return Ending("refused", said(error), error=kept)
    if (
        isinstance(error, ChannelError)
        and error.effect == "none"
        and not error.retryable
        and not kept["doubtful"]
    ):
        return Ending("failed", said(error), error=kept)
    kept["failures"] += 1
    last = hold.item.last_error or {}
    kept["times"] = last.get("times", 0) + 1 if _way(last) == _way(kept) else 1
    if kept["times"] >= patience.same or kept["failures"] >= patience.most:
        how = (
            f"连续 {kept['times']} 次同样没有成功"
            if kept["times"] >= patience.same
            else f"{kept['failures']} 次没有成功"
        )
        return Ending("held", f"{how}，已暂停，等人处理：{said(error)}", error=kept)
    return Ending("queued", said(error), error=kept, wait=patience.wait(kept["failures"], rng))


def put_back(hold: Hold) -> Ending:
    """Put an item back that was not sent this time; that counts for nothing."""
    last = hold.item.last_error or {}
    kept = {**last, "fencing": hold.item.fencing, "attempts": hold.item.attempts, "doubtful": hold.doubtful}
    return Ending("queued", str(last.get("message", "")), error=kept, counts=False)


def worn_out(hold: Hold, patience: Patience) -> Ending | None:
    """Leave an item to a person whose claims keep ending without an outcome; None for any other."""
    last = hold.item.last_error or {}
    unanswered = hold.item.attempts - last.get("attempts", 0) - 1
    if unanswered < patience.unanswered:
        return None
    message = f"连续 {unanswered} 次处理都中途中断，没有得到结果，已暂停，等人处理"
    return Ending("held", message, error={**noted(hold, ShelfgateError(message)), "code": "interrupted"})


def noted(hold: Hold, error: Exception) -> dict[str, Any]:
    """Write an error down: what happened, whether it may have had an effect, and how often the like has been."""
    last = hold.item.last_error or {}
    known: dict[str, Any] = {"kind": type(error).__name__, "channel": hold.item.channel}
    if isinstance(error, ChannelError):
        known |= {"http": error.http, "code": error.code, "trace": error.trace, "retryable": error.retryable}
        known |= {"message": error.message, "effect": error.effect}
    else:
        effect = "none" if isinstance(error, ShelfgateError) else "unknown"
        known |= {"http": None, "code": "", "trace": "", "retryable": True, "effect": effect}
        known["message"] = (
            error.message if isinstance(error, ShelfgateError) else f"程序错误 {type(error).__name__}"
        )
    return known | {
        "doubtful": hold.doubtful or known["effect"] == "unknown",
        "fencing": hold.item.fencing,
        "attempts": hold.item.attempts,
        "times": last.get("times", 0),
        "failures": last.get("failures", 0),
    }


def _way(noted_error: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(noted_error.get(key) for key in ("kind", "http", "code"))


def said(error: Exception) -> str:
    """Say an error in one line; what is not ours is named only, it may hold anything."""
    if isinstance(error, ChannelError):
        return f"{error.message}（错误码 {error.code}）" if error.code else error.message
    return error.message if isinstance(error, ShelfgateError) else f"程序错误 {type(error).__name__}"
