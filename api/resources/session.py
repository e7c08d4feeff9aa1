"""Signing in and out, for people in a browser."""

from __future__ import annotations

from typing import Any

from flask_wtf.csrf import generate_csrf

from api.routes import Answer, Ask, Reply, Resource
from api.schemas import array, component, moment, record, text
from api.signing_in import let_person_in, let_person_out
from pipeline.callers import Caller

ROLE = {"enum": ["senior_admin", "admin", "operator", "viewer"], "title": "角色"}
WHO = record(
    "谁在访问",
    {
        "id": text("编号"),
        "name": text("名字"),
        "role": ROLE,
        "shop_id": text("店铺"),
        "scopes": array({"type": "string"}, "权限"),
        "expires_at": moment("到什么时候"),
        "csrf_token": text("改动时放在 X-CSRF-Token 里"),
    },
)
SIGN_IN = record(
    "登录",
    {
        "login": text("登录名", minLength=1, maxLength=200),
        "password": text("密码", minLength=1, maxLength=1000, writeOnly=True),
    },
) | {"writeOnly": True}

RESOURCE = Resource("session", "登录", {"who": WHO})
route = RESOURCE.route


@route(
    "POST",
    "/v1/session",
    "登录，得到 Cookie",
    scope=None,
    body=SIGN_IN,
    answers={200: Answer("已登录", component("who"), headers={"Set-Cookie": "登录的 Cookie"})},
)
def start_session(ask: Ask) -> Reply:
    """Sign a person in."""
    caller, cookie = let_person_in(ask.services, ask.body["login"], ask.body["password"])
    return Reply(_who(caller), headers={"Set-Cookie": cookie})


@route(
    "GET",
    "/v1/session",
    "谁在访问",
    scope=None,
    signed_in=True,
    answers={200: Answer("登录的人", component("who"))},
)
def show_session(ask: Ask) -> Any:
    """Tell who is signed in."""
    return _who(ask.who)


@route(
    "DELETE",
    "/v1/session",
    "退出",
    scope=None,
    signed_in=True,
    answers={204: Answer("已退出", media="", headers={"Set-Cookie": "去掉 Cookie"})},
)
def end_session(ask: Ask) -> Reply:
    """Sign the person out."""
    return Reply(status=204, headers={"Set-Cookie": let_person_out(ask.services)})


def _who(caller: Caller) -> dict[str, Any]:
    actor = caller.actor
    return {
        "id": actor.id,
        "name": actor.name,
        "role": actor.role,
        "shop_id": actor.shop_id,
        "scopes": sorted(caller.scopes),
        "expires_at": caller.expires_at,
        "csrf_token": generate_csrf(),
    }
