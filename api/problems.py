"""Problem documents (RFC 9457): every error of the service, with what was wrong, where, and what to do instead.

One table says which error of ours is which problem. What is not ours is told as a fault of the service, and only logged.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, request

from api.around import request_id
from api.languages import language
from engine.diagnostics import Diagnostic
from engine.errors import ShelfgateError
from engine.rulebook import RulebookError
from mappings.sheet import SheetError
from pipeline.access import NoAccessRules
from pipeline.binding import BindingRefused, BindingStateError
from pipeline.callers import TokenRefused, TokenUnknown
from pipeline.catalogue import InputError
from pipeline.clients import ChannelFailed, SettingsUnusable
from pipeline.credentials import CredentialsIncomplete, CredentialsRejected
from pipeline.drift import NoListedProductRules
from pipeline.keyed_requests import KeyInUse, KeyMisused
from pipeline.orders.actions import ActionRefused, ActionUnknown, ActorRefused
from pipeline.orders.after_sales import AfterSaleUnknown
from pipeline.orders.orders import OrderUnknown
from pipeline.orders.requests import RequestInvalid
from pipeline.orders.rules import NoOrderRules
from pipeline.people import SignInRefused, UserRefused
from pipeline.products import WrongShop
from pipeline.reference import NoReference
from pipeline.secrets import KeyMissing, KeyUnusable, SealBroken
from pipeline.sending.releasing import NotHeld
from pipeline.sending.sendings import SendingUnknown
from pipeline.shops import ShopUnknown
from pipeline.store import StoreBusy, StoreError, StoreRefused
from pipeline.uploads.receiving import UploadRefused, UploadUnknown

log = logging.getLogger("api")

MEDIA_TYPE = "application/problem+json"
MOST_TOLD = 1000
"""Mistakes that are written out in one document at the most; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Describe one kind of problem.

    Attributes:
        name: Its name, the last part of its address.
        status: HTTP status.
        title: Its title in Chinese.
        title_en: Its title in English.
    """

    name: str
    status: int
    title: str
    title_en: str


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("bad-request", 400, "请求无法读取", "The request can't be read"),
        Kind("not-signed-in", 401, "需要登录或令牌", "Sign in or send a token"),
        Kind("sign-in-refused", 401, "登录没有成功", "Signing in failed"),
        Kind("forbidden", 403, "没有权限", "Not allowed"),
        Kind("csrf", 403, "缺少防跨站标记", "The CSRF token is missing or wrong"),
        Kind("not-found", 404, "没有找到", "Not found"),
        Kind("method-not-allowed", 405, "这个地址不支持这种方法", "This address does not take this method"),
        Kind("not-acceptable", 406, "没有所要的格式", "None of the wanted formats is there"),
        Kind("conflict", 409, "与现在的状态冲突", "In conflict with the state as it is"),
        Kind("action-refused", 409, "规则不允许这个操作", "The rules do not allow this action"),
        Kind("no-reference", 409, "还没有惠聚数据", "Reference data is missing"),
        Kind("in-progress", 409, "同一个请求正在处理", "The same request is under way"),
        Kind("too-large", 413, "请求太大", "The request is too large"),
        Kind("media-type", 415, "不支持这种内容类型", "This content type is not supported"),
        Kind("invalid", 422, "内容有误", "The content is wrong"),
        Kind("unusable-file", 422, "文件无法处理", "The file can't be used"),
        Kind("bad-rules", 422, "规则有误", "The rules have mistakes"),
        Kind("key-misused", 422, "幂等键已用于另一个请求", "The idempotency key belongs to another request"),
        Kind("too-many", 429, "太频繁，请稍后再试", "Too many requests"),
        Kind("fault", 500, "服务出错", "The service failed"),
        Kind("channel-failed", 502, "渠道没有回应或没有照办", "The channel did not answer or did not comply"),
        Kind("unavailable", 503, "暂时无法处理", "Not available right now"),
    )
}

OF_ERRORS: Sequence[tuple[type[ShelfgateError], str]] = (
    (SignInRefused, "sign-in-refused"),
    (UploadRefused, "forbidden"),
    (BindingRefused, "forbidden"),
    (TokenRefused, "forbidden"),
    (UserRefused, "forbidden"),
    (ActorRefused, "forbidden"),
    (UploadUnknown, "not-found"),
    (OrderUnknown, "not-found"),
    (AfterSaleUnknown, "not-found"),
    (ActionUnknown, "not-found"),
    (SendingUnknown, "not-found"),
    (TokenUnknown, "not-found"),
    (ShopUnknown, "not-found"),
    (BindingStateError, "conflict"),
    (NotHeld, "conflict"),
    (ActionRefused, "action-refused"),
    (NoReference, "no-reference"),
    (KeyInUse, "in-progress"),
    (KeyMisused, "key-misused"),
    (SheetError, "unusable-file"),
    (RulebookError, "bad-rules"),
    (RequestInvalid, "invalid"),
    (CredentialsIncomplete, "invalid"),
    (CredentialsRejected, "invalid"),
    (StoreRefused, "invalid"),
    (InputError, "invalid"),
    (ChannelFailed, "channel-failed"),
    (WrongShop, "channel-failed"),
    (SettingsUnusable, "unavailable"),
    (KeyMissing, "unavailable"),
    (KeyUnusable, "unavailable"),
    (SealBroken, "unavailable"),
    (NoAccessRules, "unavailable"),
    (NoOrderRules, "unavailable"),
    (NoListedProductRules, "unavailable"),
    (StoreBusy, "unavailable"),
    (StoreError, "unavailable"),
    (ShelfgateError, "fault"),
)
"""Which error is which problem; the first that fits counts, so subclasses stand before their base."""

_FOR_OPERATORS = (StoreError, KeyMissing, KeyUnusable, SealBroken)
_FOR_CALLERS = (StoreBusy, StoreRefused)
"""Of the store's errors, those whose message names no host, constraint or file."""

BY_STATUS: Mapping[int, str] = {
    400: "bad-request",
    408: "bad-request",
    411: "bad-request",
    412: "bad-request",
    414: "bad-request",
    416: "bad-request",
    417: "bad-request",
    428: "bad-request",
    431: "bad-request",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "too-large",
    415: "media-type",
    429: "too-many",
}
"""Which problem an error of the web framework is."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """Name one thing that is wrong with a request.

    Attributes:
        pointer: Where: a JSON pointer into the body, or `query:` and a parameter's name; may be empty.
        message: What was found and what was wanted.
        hint: What to send instead; may be empty.
    """

    pointer: str
    message: str
    hint: str = ""

    def as_data(self) -> dict[str, str]:
        """Give it as plain JSON data, with the fields that a diagnostic has."""
        return {
            "code": "",
            "severity": "error",
            "pointer": self.pointer,
            "message": self.message,
            "hint": self.hint,
        }


class Problem(Exception):
    """End a request with a problem document.

    Attributes:
        kind: Its kind.
        detail: What is wrong this time, in words.
        mistakes: Each thing that is wrong.
        more: Further members of the document.
        headers: Headers to send along.
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        mistakes: Sequence[Mistake | Mapping[str, Any]] = (),
        *,
        more: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind, detail)
        self.kind = KINDS[kind]
        self.detail = detail
        self.mistakes = tuple(mistakes)
        self.more = dict(more or {})
        self.headers = dict(headers or {})


def respond(problem: Problem) -> Response:
    """Write a problem as a response."""
    kind = problem.kind
    told = [
        item.as_data() if isinstance(item, Mistake) else dict(item) for item in problem.mistakes[:MOST_TOLD]
    ]
    document: dict[str, Any] = {
        "type": f"/v1/problems/{kind.name}",
        "title": kind.title_en if language() == "en" else kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "instance": request.path,
        "request_id": request_id(),
        "diagnostics": told,
        **problem.more,
    }
    if len(problem.mistakes) > MOST_TOLD:
        document["left_out"] = len(problem.mistakes) - MOST_TOLD
    body = json.dumps(document, ensure_ascii=False)
    response = Response(body.encode("utf-8", "replace"), kind.status, content_type=MEDIA_TYPE)
    response.headers.extend(problem.headers)
    return response


def problem_of(error: ShelfgateError) -> Problem:
    """Give the problem that an error of ours is; what is for who runs the service is logged, and not told."""
    name = next(name for known, name in OF_ERRORS if isinstance(error, known))
    headers = {"Retry-After": "5"} if KINDS[name].status == 503 or name == "in-progress" else {}
    if name == "fault" or (isinstance(error, _FOR_OPERATORS) and not isinstance(error, _FOR_CALLERS)):
        log.error("请求没有完成：%s", error.message)
        detail = f"服务暂时无法处理，已记入日志；请把编号 {request_id()} 告诉管理员"
        return Problem(name, detail, headers=headers)
    told: list[Mistake | Mapping[str, Any]] = [
        diagnostic_data(item) for item in getattr(error, "diagnostics", ())
    ]
    if isinstance(error, RequestInvalid):
        told += [Mistake(pointer_of(item.field), item.message) for item in error.problems]
    more = {"action": error.state.as_data()} if isinstance(error, ActionRefused) else {}
    return Problem(name, error.message, told, more=more, headers=headers)


def pointer_of(path: str) -> str:
    """Write a path as a JSON pointer.

    Examples:
        >>> pointer_of("parcels[1].waybill"), pointer_of("")
        ('/parcels/1/waybill', '')
    """
    return "".join(f"/{step}" for step in re.split(r"[.\[\]]+", path) if step)


def diagnostic_data(item: Diagnostic) -> dict[str, Any]:
    """Give a diagnostic as plain JSON data: code, severity, message, hint, and its place in a file or a sheet."""
    data: dict[str, Any] = {
        "code": item.code,
        "severity": item.severity,
        "message": item.message,
        "hint": item.hint,
    }
    if item.span is not None:
        data["span"] = {
            "file": item.span.file,
            "start_line": item.span.start_line,
            "start_col": item.span.start_col,
            "end_line": item.span.end_line,
            "end_col": item.span.end_col,
        }
    if item.cell is not None:
        data["cell"] = {
            "sheet": item.cell.sheet,
            "cell": item.cell.name,
            "row": item.cell.row,
            "column": item.cell.column,
            "value": item.cell.value,
        }
    return data
