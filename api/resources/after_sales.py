"""After-sales (售后): looked for, shown without countdown and contact, acted on (R28–R32)."""

from __future__ import annotations

from typing import Any, get_args

from api.lists import page
from api.order_data import (
    LISTED_BY,
    ORDER_ID,
    action_variants,
    carry_out,
    shown_data,
    shown_schema,
    wanted_in,
)
from api.routes import Answer, Ask, Reply, Resource
from api.schemas import array, component, page_of
from pipeline.orders.actions import act_on_after_sale
from pipeline.orders.after_sales import Wanted, list_after_sales, show_after_sale
from pipeline.store import AfterSaleKind, AfterSaleStatus

AFTER_SALE_ID = ORDER_ID | {"title": "售后单号：自己的或渠道的"}

RESOURCE = Resource("after_sales", "售后", {"shown_after_sale": shown_schema("after_sale", "售后单")})
route = RESOURCE.route


@route(
    "GET",
    "/v1/after-sales",
    "售后单，最近的在前",
    scope="orders:read",
    query={
        **LISTED_BY,
        "status": array({"enum": list(get_args(AfterSaleStatus))}, "售后状态，可写多个"),
        "kind": array({"enum": list(get_args(AfterSaleKind))}, "售后类型，可写多个"),
        "order": ORDER_ID | {"title": "只看这个订单的"},
    },
    answers={200: Answer("一页", page_of(component("shown_after_sale"), "售后单"))},
)
def find_after_sales(ask: Ask) -> Any:
    """Give the shop's after-sales, page by page."""
    query, services = ask.query, ask.services
    wanted = Wanted(**wanted_in(ask), kinds=query.get("kind", ()), order_id=query.get("order"))
    found = list_after_sales(services.store, ask.rulebook, services.vault, wanted, query["limit"])
    return page(found, query["limit"], lambda item: item.id, lambda item: shown_data("after_sale", item))


@route(
    "GET",
    "/v1/after-sales/{after_sale_id}",
    "一张售后单：内容、经过，每个操作能不能做、为什么、改做什么",
    scope="orders:read",
    path_schemas={"after_sale_id": AFTER_SALE_ID},
    answers={200: Answer("售后单", component("shown_after_sale"))},
)
def get_after_sale(ask: Ask, after_sale_id: str) -> Any:
    """Give one after-sale."""
    services = ask.services
    found = show_after_sale(services.store, ask.rulebook, services.vault, ask.shop_id, after_sale_id)
    return shown_data("after_sale", found)


@route(
    "POST",
    "/v1/after-sales/{after_sale_id}/actions/{action}",
    "对售后单做一个操作；不允许时说明原因和改做什么",
    scope="orders:write",
    path_schemas={"after_sale_id": AFTER_SALE_ID},
    body={"type": "object"},
    acts=True,
    variants=action_variants("after_sale"),
    answers={202: Answer("已提交，随后发往渠道", component("sending"), headers={"Location": "结果的地址"})},
)
def decide(ask: Ask, after_sale_id: str, action: str) -> Reply:
    """Ask for an action on an after-sale."""
    return carry_out(ask, act_on_after_sale, "after_sale", after_sale_id, action)
