"""Orders (订单): looked for, shown as the rules allow, acted on; what the rules refuse is refused with the reason and what to do instead (R20–R27, R35)."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from datetime import timedelta
from typing import Any, get_args

from api.channel_page import open_channel_page
from api.lists import SPAN, moment_in, page
from api.order_data import (
    LISTED_BY,
    ORDER_ID,
    action_variants,
    carry_out,
    shown_data,
    shown_schema,
    wanted_in,
)
from api.problems import Problem
from api.routes import Answer, Ask, Reply, Resource
from api.schemas import array, component, integer, page_of, record
from pipeline.clients import huiju_client
from pipeline.orders.actions import act_on_order
from pipeline.orders.intake import LOOK_BACK, begin_alone, end_alone, sync
from pipeline.orders.orders import Wanted, list_orders, show_order
from pipeline.orders.settlement import settlement
from pipeline.store import OrderStatus

TAKEN = record(
    "收到了什么",
    {
        "windows": integer("读了几段", minimum=0),
        "orders_new": integer("新的订单", minimum=0),
        "orders_changed": integer("更新的订单", minimum=0),
        "after_sales_new": integer("新的售后单", minimum=0),
        "after_sales_changed": integer("更新的售后单", minimum=0),
        "events_new": integer("新的事件", minimum=0),
        "left_out": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "title": "没有收下的单号与原因",
        },
    },
)
SETTLEMENT = record(
    "结算数",
    {
        "orders": integer("计入有赞结算的订单数", minimum=0),
        "total": integer("它们的金额，分", minimum=0),
        "marked_orders": integer("标记支付的订单数；钱不经过有赞，不计入上面", minimum=0),
        "marked_total": integer("它们的金额，分", minimum=0),
        "unknown": integer("上面各数里，渠道没有给出金额的订单数", minimum=0),
    },
)

RESOURCE = Resource("orders", "订单", {"shown_order": shown_schema("order", "订单")})
route = RESOURCE.route


@route(
    "GET",
    "/v1/orders",
    "订单，最近的在前；没有收货信息",
    scope="orders:read",
    query={
        **LISTED_BY,
        "status": array({"enum": list(get_args(OrderStatus))}, "订单状态，可写多个"),
    },
    answers={200: Answer("一页", page_of(component("shown_order"), "订单"))},
)
def find_orders(ask: Ask) -> Any:
    """Give the shop's orders, page by page."""
    limit, services = ask.query["limit"], ask.services
    wanted = Wanted(**wanted_in(ask))
    found = list_orders(services.store, ask.rulebook, services.vault, wanted, limit)
    return page(found, limit, lambda item: item.id, lambda item: shown_data("order", item))


@route(
    "GET",
    "/v1/orders/{order_id}",
    "一个订单：收货信息、包裹、经过，每个操作能不能做、为什么、改做什么",
    scope="orders:read",
    path_schemas={"order_id": ORDER_ID},
    answers={200: Answer("订单", component("shown_order"))},
)
def get_order(ask: Ask, order_id: str) -> Any:
    """Give one order."""
    services = ask.services
    return shown_data(
        "order", show_order(services.store, ask.rulebook, services.vault, ask.shop_id, order_id)
    )


@route(
    "POST",
    "/v1/orders/{order_id}/actions/{action}",
    "对订单做一个操作；不允许时说明原因和改做什么",
    scope="orders:write",
    path_schemas={"order_id": ORDER_ID},
    body={"type": "object"},
    acts=True,
    variants=action_variants("order"),
    answers={202: Answer("已提交，随后发往渠道", component("sending"), headers={"Location": "结果的地址"})},
)
def act(ask: Ask, order_id: str, action: str) -> Reply:
    """Ask for an action on an order."""
    return carry_out(ask, act_on_order, "order", order_id, action)


@route(
    "POST",
    "/v1/sync",
    "现在就收取渠道的订单和售后单：从上次收到的地方接着收；服务自己也会定时收取",
    scope="orders:write",
    query={
        "days": integer(
            "第一次收取时往回看几天；超过渠道允许的按渠道的", minimum=0, maximum=365, default=LOOK_BACK.days
        )
    },
    acts=True,
    answers={200: Answer("收到了什么", TAKEN)},
)
def take_in(ask: Ask) -> Any:
    """Take in what has changed on the channel, unless another process is doing so."""
    channel = open_channel_page(ask)
    store, vault, shop_id = ask.services.store, ask.services.vault, ask.shop_id
    days = timedelta(days=ask.query["days"])
    if not begin_alone(store, shop_id, channel.name, timedelta(0)):
        detail = "正在收取本店的订单；请稍后再看"
        raise Problem("in-progress", detail, headers={"Retry-After": "5"})
    try:
        with closing(huiju_client(store, vault, shop_id)) as client:
            found = sync(store, client, ask.rulebook, vault, shop_id, channel.name, look_back=days)
    finally:
        end_alone(store, shop_id, channel.name)
    return {"windows": found.windows, **asdict(found.taken), "left_out": found.left_out}


@route(
    "GET",
    "/v1/settlement",
    "一段时间里付款的订单的结算数；标记支付的另计",
    scope="orders:read",
    query={name: schema | {"x-required": True} for name, schema in SPAN.items()},
    answers={200: Answer("结算数", SETTLEMENT)},
)
def settle(ask: Ask) -> Any:
    """Add up what orders count for Youzan's settlement."""
    since, until = moment_in(ask.query, "since"), moment_in(ask.query, "until")
    assert since is not None
    assert until is not None
    return asdict(settlement(ask.services.store, ask.shop_id, since, until))
