"""Orders: looked for by source and state, and one order with every action as a button (R20–R27, R35)."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from api.console import Pages, go, inside, render
from api.labels import Fact, field_of, groups, in_words, options, sheet
from api.order_data import ORDER_ID
from api.pages._actions import SCOPE, attempt, buttons, is_waiting, lines_to_ship, sendings
from api.pages._lists import BEFORE, SHOWN, SPAN, TEXT, one_of, pager, span
from api.resources import orders
from api.routes import Ask
from engine.vocabulary import FieldType
from pipeline.clients import ChannelFailed
from pipeline.orders.actions import act_on_order
from pipeline.orders.orders import Wanted, count_orders, list_orders, show_order
from pipeline.sending.releasing import release_sending
from pipeline.sending.sendings import STATE_TITLES
from pipeline.uploads.receiving import moment

PAGES = Pages("orders", "订单")
page = PAGES.page

ON_TOP = ("id", "channel", "channel_order_id", "status", "payment_kind", "total")
"""Fields that stand at the top of an order's page."""

LINE_COLUMNS = ("title", "specs", "count", "price", "shipped", "product_id")
PARCEL_COLUMNS = ("carrier_name", "waybill", "shipped_at")

TONES = {
    "wait_pay": "calm",
    "to_ship": "warn",
    "partly_shipped": "warn",
    "shipped": "good",
    "done": "good",
    "closed": "calm",
}


@page(
    "GET",
    "/orders",
    "订单",
    scope="orders:read",
    query={**dict.fromkeys(("source", "status", "product", "text"), TEXT), **SPAN, **BEFORE},
)
def show_orders(ask: Ask) -> Response:
    """List orders by source, state, product and time (R20)."""
    query, services, type_ = ask.query, ask.services, _type(ask)
    wanted = Wanted(
        ask.shop_id,
        channel=query.get("source"),
        statuses=one_of(query, "status"),
        **span(query),
        product_id=query.get("product"),
        text=query.get("text"),
        before=query.get("before"),
    )
    found = list_orders(services.store, ask.rulebook, services.vault, wanted, SHOWN + 1)
    return render(
        "orders.html",
        ask,
        query=query,
        sources=options(field_of(type_, "channel").choices, query.get("source")),
        statuses=options(field_of(type_, "status").choices, query.get("status")),
        total=count_orders(services.store, wanted),
        orders=[_line(type_, item.fact) for item in found[:SHOWN]],
        may_sync=SCOPE in ask.who.scopes,
        **pager("/orders", query, [item.id for item in found]),
    )


@page("POST", "/orders/sync", "收取订单", scope=SCOPE)
def take_in(ask: Ask) -> Response:
    """Take in now what has changed on the channel, and say how much that is."""
    try:
        found = orders.take_in(ask)
    except ChannelFailed as error:
        return go("/orders", error.message, "bad")
    told = f"订单新增 {found['orders_new']}、更新 {found['orders_changed']}"
    return go("/orders", f"{told}，售后新增 {found['after_sales_new']}、更新 {found['after_sales_changed']}")


@page("POST", "/outbox/{item_id}/release", "放行", scope=SCOPE)
def release(ask: Ask, item_id: str) -> Response:
    """Let go of what waits for a person, and lead back to where that was asked."""
    released = release_sending(ask.services.store, ask.who.actor, item_id)
    return go(inside(request.form.get("back", "")), f"已放行：{STATE_TITLES[released.state]}")


@page("GET", "/orders/{order_id}", "订单", scope="orders:read", path_schemas={"order_id": ORDER_ID})
def show_one_order(ask: Ask, order_id: str) -> Response:
    """Show an order, with every action enabled or greyed with its reason."""
    return _shown(ask, order_id)


@page(
    "POST",
    "/orders/{order_id}/actions/{action}",
    "处理订单",
    scope=SCOPE,
    path_schemas={"order_id": ORDER_ID},
)
def act(ask: Ask, order_id: str, action: str) -> Response:
    """Do what a button asks for."""
    return attempt(ask, "/orders", order_id, action, act_on_order, _shown)


def _shown(ask: Ask, order_id: str, status: int = 200, *, refusal: str = "", tried: str = "") -> Response:
    services, facts = ask.services, ask.rulebook.vocabulary.facts
    found = show_order(services.store, ask.rulebook, services.vault, ask.shop_id, order_id)
    fact, type_, home = found.fact, _type(ask), f"/orders/{found.id}"
    lines = field_of(type_, "lines").element
    assert lines is not None
    return render(
        "order.html",
        ask,
        status,
        order=_line(type_, fact),
        buttons=buttons(ask, found, home, _elsewhere(ask, fact), tried),
        home=home,
        refusal=refusal,
        typed=request.form,
        to_ship=lines_to_ship(fact),
        parcels=[(item["id"], item.get("waybill", item["id"])) for item in found.shipments],
        groups=groups(type_, fact, leave_out=ON_TOP),
        lines=sheet(lines, fact.get("lines") or (), LINE_COLUMNS, field_of(type_, "lines").title),
        shipments=sheet(facts["shipment"].type, found.shipments, PARCEL_COLUMNS),
        after_sales=[_after_sale(type_, item) for item in fact.get("after_sales") or ()],
        sendings=sendings(ask, found),
        events=[(moment(item.at), item.title) for item in found.events],
        waiting=is_waiting(found),
    )


def _type(ask: Ask) -> FieldType:
    return ask.rulebook.vocabulary.facts["order"].type


def _line(type_: FieldType, fact: Fact) -> dict[str, Any]:
    """Prepare what names an order."""
    told = {
        name: in_words(field_of(type_, name), fact[name]) if name in fact else ""
        for name in ("channel", "status", "payment_kind", "total", "created_at")
    }
    lines = fact.get("lines") or ()
    return told | {
        "id": fact["id"],
        "number": fact.get("channel_order_id", fact["id"]),
        "tone": TONES.get(fact.get("status", ""), "calm"),
        "goods": "；".join(str(line.get("title", line["id"])) for line in lines),
        "buyer": fact.get("buyer", {}).get("name", ""),
        "after_sales": [_after_sale(type_, item) for item in fact.get("after_sales") or ()],
    }


def _after_sale(type_: FieldType, item: Fact) -> dict[str, str]:
    element = field_of(type_, "after_sales").element
    assert element is not None
    told = [in_words(field_of(element, name), item[name]) for name in ("kind", "status") if name in item]
    return {"id": item["id"], "title": " · ".join(told)}


def _elsewhere(ask: Ask, fact: Fact) -> dict[str, str]:
    """Say where the actions of after-sales are taken: on the page of the order's latest one."""
    after_sales = fact.get("after_sales") or ()
    names = ask.rulebook.vocabulary.facts["after_sale"].action_names()
    return dict.fromkeys(names, f"/after-sales/{after_sales[-1]['id']}") if after_sales else {}
