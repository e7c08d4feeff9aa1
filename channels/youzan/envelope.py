"""Read the reply envelopes that live side by side at Youzan, and say what a refusing code means.

HTTP status is 200 in all of them: ``{"response": …}`` and ``{"error_response": …}`` (3.x), ``{"success", "code",
"data"}`` (1.x, 4.x), ``{"gw_err_resp": …}`` (the gateway), and a bare ``{"msg", "code"}`` (flow control notice).
"""

from __future__ import annotations

from typing import Any

from channels.errors import (
    BusinessRefusal,
    ChannelError,
    CredentialsRefused,
    EffectUnknown,
    Missing,
    RateLimited,
    StateChanged,
    UnreadableReply,
)
from channels.redact import Redactor
from channels.wire import Reply

CHANNEL = "youzan"

RATE = frozenset({"4101", "102010003"})  # 请求太频繁 · 操作太快
TOKEN = frozenset({"40010", "4201", "4203"})  # token 无效 · 非法的请求凭证 · Token 不存在
CLIENT = frozenset({"1103"})  # Client 不存在
BUSY = frozenset({"121000100"})  # internal error
MISSING = frozenset({"123005001", "123004002", "120009001", "105000016", "103011024"})
STATE = frozenset({"103010039", "102010002", "102570003", "102570019"})


class TokenRefused(CredentialsRefused):
    """Say that the access token was not accepted; a fresh one may be."""


def unwrap(reply: Reply, redact: Redactor) -> Any:
    """Return the payload of a reply, whichever envelope it comes in.

    Args:
        reply: What came back.
        redact: Blanks out secrets in the channel's words.

    Raises:
        ChannelError: The gateway or the interface refused, or the reply is none of the known envelopes.
    """
    body = reply.body
    if not isinstance(body, dict):
        if reply.http == 429:
            raise RateLimited(CHANNEL, "请求过于频繁", http=429, retry_after=reply.retry_after)
        raise _unreadable(reply, "回复不是约定的 JSON 结构")
    trace = str(body.get("trace_id") or "")
    gateway = body.get("gw_err_resp")
    if isinstance(gateway, dict):
        trace = str(gateway.get("trace_id") or trace)
        raise refusal(
            str(gateway.get("err_code", "")), redact(_words(gateway, "err_msg")), reply, trace, gateway=True
        )
    error = body.get("error_response")
    if isinstance(error, dict):
        raise refusal(
            str(error.get("code", "")), redact(_words(error, "sub_msg", "msg", "message")), reply, trace
        )
    if body.get("success") is False:
        raise refusal(str(body.get("code", "")), redact(_words(body, "message", "msg")), reply, trace)
    if body.get("response") is not None:
        return body["response"]
    if body.get("data") is not None:
        return body["data"]
    if "code" in body and str(body["code"]) not in ("200", "0"):
        raise refusal(str(body["code"]), redact(_words(body, "msg", "message")), reply, trace)
    raise _unreadable(reply, "回复成功但没有数据", trace)


def refusal(code: str, words: str, reply: Reply, trace: str, *, gateway: bool = False) -> ChannelError:
    """Return the error that a refusing code stands for."""
    http = reply.http
    if code in RATE or http == 429:
        return RateLimited(CHANNEL, words, http=http, code=code, trace=trace, retry_after=reply.retry_after)
    if code in BUSY:
        return EffectUnknown(CHANNEL, words, http=http, code=code, trace=trace, retryable=True)
    kind: type[ChannelError] = BusinessRefusal
    for codes, then in (
        (TOKEN, TokenRefused),
        (CLIENT, CredentialsRefused),
        (MISSING, Missing),
        (STATE, StateChanged),
    ):
        if code in codes:
            kind = then
    if gateway and kind is BusinessRefusal:
        words = f"网关拒绝：{words}"
    return kind(CHANNEL, words, http=http, code=code, trace=trace)


def _words(body: dict[str, Any], *keys: str) -> str:
    said = [str(body[key]) for key in keys if body.get(key)]
    return "：".join(reversed(said)) or "对方没有说明原因"


def _unreadable(reply: Reply, why: str, trace: str = "") -> UnreadableReply:
    return UnreadableReply(CHANNEL, why, http=reply.http, code="unreadable", trace=trace, retryable=True)
