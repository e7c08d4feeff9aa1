"""Wrap a request in Huiju's envelope and take a reply out of it."""

from __future__ import annotations

import random
import string
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as member
from typing import Any

from channels.errors import (
    AlreadyListed,
    BusinessRefusal,
    ChannelError,
    ClockRefused,
    CredentialsRefused,
    EffectUnknown,
    Missing,
    RateLimited,
    StateChanged,
    UnreadableReply,
)
from channels.huiju.profile import Fields, Profile
from channels.huiju.signing import sign
from channels.redact import Redactor
from channels.wire import Reply

CHANNEL = "huiju"
_NONCE_LETTERS = string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True)
class HuijuCredentials:
    """Hold the API identity (API 身份信息) that a merchant copies from Huiju's back office.

    Attributes:
        app_id: The shop's application id; not secret.
        app_secret: Signs requests.
        data_key: Opens encrypted fields.
    """

    app_id: str
    app_secret: str = member(repr=False)
    data_key: str = member(repr=False)


def wrap(
    params: Mapping[str, str],
    credentials: HuijuCredentials,
    profile: Profile,
    *,
    now_ms: int,
    rng: random.Random,
) -> dict[str, str]:
    """Return the whole request body, signed.

    Args:
        params: Business parameters under their wire names, every value as text.
        credentials: Who asks.
        profile: What the wire looks like.
        now_ms: The time in milliseconds since the epoch.
        rng: Source of the nonce.
    """
    names = profile.envelope
    body = dict(params)
    body[names["request_id"]] = uuid.UUID(int=rng.getrandbits(128), version=4).hex
    body[names["app_id"]] = credentials.app_id
    body[names["timestamp"]] = str(now_ms)
    body[names["nonce"]] = "".join(rng.choices(_NONCE_LETTERS, k=profile.lengths["nonce"]))
    body[names["sign"]] = signature(body, credentials.app_secret, profile)
    return body


def signature(body: Mapping[str, str], app_secret: str, profile: Profile) -> str:
    """Return the signature that the profile's recipe gives for a body."""
    return sign(
        body,
        app_secret,
        sign_parameter=profile.envelope["sign"],
        secret_parameter=str(profile.signing["secret_parameter"].value),
        upper_case=profile.signing["upper_case"].value is True,
        skip_empty=profile.signing["empty_values"].value == "skip",
    )


def unwrap(reply: Reply, profile: Profile, fields: Fields, *, trace: str, redact: Redactor) -> dict[str, Any]:
    """Return the payload of a reply.

    Args:
        reply: What came back.
        profile: What the wire looks like.
        fields: What the payload holds; where all of it is optional, a reply may have none.
        trace: Our request id.
        redact: Blanks out secrets in the channel's words.

    Raises:
        ChannelError: The channel refused, or the reply is not one.
    """
    names = profile.reply
    body = reply.body if isinstance(reply.body, dict) else {}
    if names["code"] not in body:
        if reply.http == 429:
            raise RateLimited(CHANNEL, "请求过于频繁", http=429, trace=trace, retry_after=reply.retry_after)
        raise UnreadableReply(
            CHANNEL,
            "回复不是约定的 JSON 结构",
            http=reply.http,
            code="unreadable",
            trace=trace,
            retryable=True,
        )
    _, kind = profile.code(body[names["code"]])
    data = body.get(names["data"])
    if kind == "ok":
        if data is None and all(field.optional for field in fields.values()):
            return {}
        if not isinstance(data, dict):
            raise UnreadableReply(
                CHANNEL, "回复成功但没有数据", http=reply.http, code="unreadable", trace=trace
            )
        return data
    said = redact(str(body.get(names["message"]) or ""))
    product_id = profile.endpoints["product_add"].reply["productId"].wire
    listed = str(data.get(product_id) or "") if isinstance(data, dict) else ""
    raise _refusal(kind, reply, str(body[names["code"]]), said, listed, trace)


def check_data(data: Mapping[str, Any], fields: Fields, *, http: int, trace: str) -> None:
    """Refuse a reply that lacks a field which the profile promises, or holds another type of value there.

    Raises:
        UnreadableReply: Named is the field.
    """
    for field in fields.values():
        value = data.get(field.name)
        if value is None and field.optional:
            continue
        fits = {"records": isinstance(value, list), "record": isinstance(value, dict)}.get(field.type, True)
        if field.type in ("integer", "seconds", "milliseconds"):
            fits = str(value).isdecimal()
        if value is None or not fits:
            raise UnreadableReply(
                CHANNEL, f"回复中的 {field.wire} 缺失或类型不符", http=http, code="unreadable", trace=trace
            )


def _refusal(kind: str, reply: Reply, code: str, said: str, listed: str, trace: str) -> ChannelError:
    """Return the error that a refusing code stands for."""
    message = said or "对方没有说明原因"
    http = reply.http
    if kind == "rate" or http == 429:
        return RateLimited(CHANNEL, message, http=http, code=code, trace=trace, retry_after=reply.retry_after)
    if kind == "listed":
        return AlreadyListed(CHANNEL, message, http=http, code=code, trace=trace, product_id=listed)
    if kind == "replayed":
        # Our nonces are new for every try, so a replay means that this very request has arrived before.
        return EffectUnknown(
            CHANNEL,
            f"请求被重复投递，第一次的结果未知：{message}",
            http=http,
            code=code,
            trace=trace,
            retryable=True,
        )
    if kind == "busy":
        return EffectUnknown(CHANNEL, message, http=http, code=code, trace=trace, retryable=True)
    kinds = {
        "credentials": CredentialsRefused,
        "clock": ClockRefused,
        "missing": Missing,
        "stale": StateChanged,
    }
    return kinds.get(kind, BusinessRefusal)(CHANNEL, message, http=http, code=code, trace=trace)
