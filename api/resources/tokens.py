"""Tokens for services."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from flask import current_app

from api.resources.session import ROLE
from api.routes import Answer, Ask, Reply, Resource
from api.schemas import array, component, integer, moment, or_null, record, text
from pipeline.callers import LONGEST_LIFE, SCOPES, TokenLine, list_tokens, make_token, revoke_token

TOKEN = {
    "id": text("编号"),
    "shop_id": text("店铺"),
    "name": text("给哪个服务用"),
    "role": ROLE,
    "scopes": array({"enum": sorted(SCOPES)}, "权限"),
    "created_at": moment("生成时间"),
    "expires_at": moment("到什么时候"),
    "used_at": or_null(moment("最近一次使用，精确到一分钟")),
    "revoked_at": or_null(moment("作废时间")),
}
MAKE = record(
    "生成令牌",
    {
        "name": text("给哪个服务用", minLength=1, maxLength=200),
        "role": ROLE,
        "scopes": array({"enum": sorted(SCOPES)}, "权限", minItems=1, uniqueItems=True),
        "days": integer("有效几天", minimum=1, maximum=LONGEST_LIFE.days),
    },
)

RESOURCE = Resource(
    "tokens",
    "令牌",
    {
        "token": record("令牌", TOKEN),
        "new_token": record("新令牌", {**TOKEN, "value": text("令牌的值，只显示这一次")}),
    },
)
route = RESOURCE.route


@route(
    "GET",
    "/v1/tokens",
    "列出本店的令牌",
    scope="tokens:write",
    answers={200: Answer("令牌", record("令牌", {"items": array(component("token"))}))},
)
def show_tokens(ask: Ask) -> Any:
    """List the shop's tokens."""
    return {"items": [_data(line) for line in list_tokens(ask.services.store, ask.shop_id)]}


@route(
    "POST",
    "/v1/tokens",
    "生成令牌",
    scope="tokens:write",
    signed_in=True,
    body=MAKE,
    answers={201: Answer("令牌的值只在这里显示一次", component("new_token"))},
)
def make(ask: Ask) -> Reply:
    """Make a token; only a person may, so that a token that was stolen makes no others."""
    life = timedelta(days=ask.body["days"])
    line, value = make_token(
        ask.services.store, ask.who.actor, ask.body["name"], ask.body["role"], ask.body["scopes"], life
    )
    return Reply({**_data(line), "value": value}, status=201)


@route(
    "DELETE",
    "/v1/tokens/{token_id}",
    "作废令牌",
    scope="tokens:write",
    answers={204: Answer("已作废", media="")},
)
def revoke(ask: Ask, token_id: str) -> Reply:
    """Let a token open nothing any more."""
    revoke_token(ask.services.store, ask.who.actor, token_id)
    current_app.extensions["shelfgate.tokens"].forget()
    return Reply(status=204)


def _data(line: TokenLine) -> dict[str, Any]:
    return asdict(line)
