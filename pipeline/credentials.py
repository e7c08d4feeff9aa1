"""Credentials: the values by which a channel knows a shop, held so that nothing but a call to the channel shows them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import quote, quote_plus

from engine.errors import ShelfgateError

SHORTEST_HIDDEN = 4
"""Values shorter than this, in characters, are not looked for in the channel's answers: they would blot out half of
the text."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """Say what the channel made of a set of credentials.

    Attributes:
        accepted: The channel let them in.
        reason: Why not, in the channel's words or ours; empty where accepted.
        retryable: The channel could not be reached or was busy: the credentials may yet be right.
    """

    accepted: bool
    reason: str = ""
    retryable: bool = False


class Probe(Protocol):
    """Try credentials against the channel itself."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the credentials that the channel needs, such as app_id, app_secret, data_key."""

    def __call__(self, credentials: Mapping[str, str]) -> ProbeAnswer:
        """Make one harmless call with them."""


class Credentials(Mapping[str, str]):
    """Hold the values by which a channel knows a shop, and show only their names."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __getitem__(self, field: str) -> str:
        return self._values[field]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Credentials({', '.join(self._values)})"

    def hidden_in(self, text: str) -> str:
        """Give a text in which every value is blotted out, also where it stands escaped for a URL or for JSON."""
        forms = {
            form
            for value in self._values.values()
            if len(value) >= SHORTEST_HIDDEN
            for form in (
                value,
                quote(value, safe=""),
                quote(value),
                quote_plus(value),
                json.dumps(value)[1:-1],
            )
        }
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, "***")
        return text


class CredentialsIncomplete(ShelfgateError):
    """Refuse credentials that can't be tried as they stand.

    Attributes:
        fields: Names of the fields at fault.
    """

    def __init__(self, message: str, fields: tuple[str, ...]) -> None:
        super().__init__(message)
        self.fields = fields


class CredentialsRejected(ShelfgateError):
    """Report that the channel did not accept the credentials; nothing was kept or changed.

    Attributes:
        retryable: The channel could not be reached: the same credentials may be tried again.
    """

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable


def check_complete(credentials: Credentials, fields: tuple[str, ...]) -> None:
    """Make sure that every field the channel needs is there as it was copied, and no other.

    Raises:
        CredentialsIncomplete: Where that isn't so; the message names fields, never values.
    """
    missing = tuple(field for field in fields if not credentials.get(field))
    if missing:
        raise CredentialsIncomplete(f"缺少 {'、'.join(missing)}；请从渠道后台复制后填写", missing)
    unknown = tuple(field for field in credentials if field not in fields)
    if unknown:
        raise CredentialsIncomplete(
            f"不认识的字段 {'、'.join(unknown)}；需要的是 {'、'.join(fields)}", unknown
        )
    padded = tuple(field for field in fields if credentials[field] != credentials[field].strip())
    if padded:
        raise CredentialsIncomplete(f"{'、'.join(padded)} 前后有空白字符；请去掉后重新填写", padded)


def try_on_channel(credentials: Credentials, probe: Probe) -> None:
    """Ask the channel; whatever it says, and however the call breaks, the values stay out of what is passed on.

    Raises:
        CredentialsRejected: Where the channel doesn't let them in.
    """
    answer = _ask(credentials, probe)
    if answer.accepted is True:
        return
    _log.warning("a channel did not accept credentials: %s", answer.reason)
    if answer.retryable:
        raise CredentialsRejected(
            f"暂时无法向渠道验证凭据：{answer.reason}；凭据未保存，请稍后重试", retryable=True
        )
    raise CredentialsRejected(
        f"渠道不接受这组凭据：{answer.reason}；凭据未保存，请核对后重新填写", retryable=False
    )


def _ask(credentials: Credentials, probe: Probe) -> ProbeAnswer:
    """Give the answer without the values; no variable that still holds them is left to a traceback."""
    try:
        answer = probe(credentials)
    except Exception as error:
        answer = ProbeAnswer(accepted=False, reason=f"{type(error).__name__}：{error}", retryable=True)
    return replace(answer, reason=credentials.hidden_in(answer.reason))
