"""The shop's binding to the channel: who may bind is said by the rules, credentials come in and are never seen again (R1–R5)."""

from __future__ import annotations

from typing import Any

from api.channel_page import access_of
from api.problems import Problem
from api.routes import Answer, Ask, Reply, Resource
from api.schemas import array, boolean, component, moment, or_null, record, text
from api.services import default_channel
from pipeline.binding import bind, find_binding, replace_credentials, unbind
from pipeline.clients import HuijuProbe, huiju_address
from pipeline.credentials import Credentials, CredentialsRejected
from pipeline.people import list_users

LONGEST = 1000
"""Characters of one value of the identity at the most."""

BINDING = record(
    "绑定",
    {
        "channel": text("渠道"),
        "bound": boolean("已绑定"),
        "bound_by": or_null(text("填写身份信息的人，或令牌的编号")),
        "bound_by_name": or_null(text("他的名字；令牌，或已不在的人，为空")),
        "bound_at": or_null(moment("填写的时间")),
        "tried_at": or_null(moment("惠聚最近一次接受它的时间")),
        "actions": array(component("action"), "调用者能做什么，不能做的写明原因"),
    },
)
IDENTITY = record(
    "惠聚的 API 身份信息",
    {
        name: text(title, minLength=1, maxLength=LONGEST, writeOnly=True)
        for name, title in (("app_id", "appId"), ("app_secret", "appSecret"), ("data_key", "dataKey"))
    },
) | {"writeOnly": True}

RESOURCE = Resource("bindings", "绑定", {"binding": BINDING})
route = RESOURCE.route


@route(
    "GET",
    "/v1/binding",
    "是否已绑定、谁在什么时候绑定、调用者能做什么",
    scope="bindings:read",
    answers={200: Answer("绑定；没有身份信息", component("binding"))},
)
def show_binding(ask: Ask) -> Any:
    """Tell of the binding, without its credentials."""
    return _data(ask)


@route(
    "PUT",
    "/v1/binding",
    "绑定，或更换身份信息；先向惠聚验证，通过后加密保存",
    scope="bindings:write",
    body=IDENTITY,
    answers={200: Answer("绑定", component("binding"))},
)
def put_binding(ask: Ask) -> Any:
    """Bind the shop, or replace the credentials of one that is bound."""
    services, channel = ask.services, default_channel(ask.rulebook)
    bound = find_binding(services.store, ask.shop_id, channel.name) is not None
    enter = replace_credentials if bound else bind
    may, probe = access_of(ask, channel), HuijuProbe(huiju_address())
    credentials = Credentials(ask.body)
    try:
        enter(
            services.store, services.vault, may, probe, ask.who.actor, ask.shop_id, channel.name, credentials
        )
    except CredentialsRejected as error:
        if not error.retryable:
            raise
        raise Problem("channel-failed", error.message) from None
    return _data(ask)


@route(
    "DELETE",
    "/v1/binding",
    "解除绑定；已上架的商品和订单不受影响",
    scope="bindings:write",
    answers={204: Answer("已解除", media="")},
)
def delete_binding(ask: Ask) -> Reply:
    """Unbind the shop."""
    channel = default_channel(ask.rulebook)
    unbind(ask.services.store, access_of(ask, channel), ask.who.actor, ask.shop_id, channel.name)
    return Reply(status=204)


def _data(ask: Ask) -> dict[str, Any]:
    store, channel = ask.services.store, default_channel(ask.rulebook)
    found = find_binding(store, ask.shop_id, channel.name)
    verdict = access_of(ask, channel).verdict(ask.who.actor)
    data: dict[str, Any] = {
        "channel": channel.name,
        "bound": found is not None,
        "bound_by": None,
        "bound_by_name": None,
        "bound_at": None,
        "tried_at": None,
        "actions": [state.as_data() for state in verdict.actions],
    }
    if found is not None:
        names = {person.id: person.name for person in list_users(store, ask.shop_id)}
        data |= {
            "bound_by": found.bound_by,
            "bound_by_name": names.get(found.bound_by),
            "bound_at": found.bound_at,
            "tried_at": found.tried_at,
        }
    return data
