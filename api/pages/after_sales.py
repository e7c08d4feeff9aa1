"""After-sales: looked for by source and state, and one of them with every action as a button (R28–R32)."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from api.console import Pages, render
from api.labels import Fact, field_of, groups, in_words, options
from api.order_data import ORDER_ID
from api.pages._actions import SCOPE, attempt, buttons, is_waiting, sendings
from api.pages._lists import BEFORE, SHOWN, SPAN, TEXT, one_of, pager, span
from api.routes import Ask
from engine.vocabulary import FieldType
from pipeline.orders.actions import act_on_after_sale
from pipeline.orders.after_sales import Wanted, count_after_sales, list_after_sales, show_after_sale
from pipeline.uploads.receiving import moment

PAGES = Pages("after_sales", "售后")
page = PAGES.page

ON_TOP = (
    "id",
    "order_id",
    "channel",
    "channel_after_sale_id",
    "kind",
    "status",
    "amount",
    "version",
    "order",
)
"""Fields that stand at the top of an after-sale's page, and what says nothing to a person."""

TONES = {
    "requested": "warn",
    "waiting_return": "calm",
    "waiting_receipt": "warn",
    "rejected": "bad",
    "return_rejected": "bad",
    "closed": "calm",
    "succeeded": "good",
}


@page(
    "GET",
    "/after-sales",
    "售后",
    scope="orders:read",
    query={**dict.fromkeys(("source", "status", "kind", "text"), TEXT), **SPAN, **BEFORE},
)
def show_after_sales(ask: Ask) -> Response:
    """List after-sales by source, state, kind and time."""
    query, services, type_ = ask.query, ask.services, _type(ask)
    wanted = Wanted(
        ask.shop_id,
        channel=query.get("source"),
        statuses=one_of(query, "status"),
        kinds=one_of(query, "kind"),
        **span(query),
        text=query.get("text"),
        before=query.get("before"),
    )
    found = list_after_sales(services.store, ask.rulebook, services.vault, wanted, SHOWN + 1)
    return render(
        "after_sales.html",
        ask,
        query=query,
        sources=options(field_of(type_, "channel").choices, query.get("source")),
        statuses=options(field_of(type_, "status").choices, query.get("status")),
        kinds=options(field_of(type_, "kind").choices, query.get("kind")),
        total=count_after_sales(services.store, wanted),
        after_sales=[_line(type_, item.fact) for item in found[:SHOWN]],
        **pager("/after-sales", query, [item.id for item in found]),
    )


@page(
    "GET",
    "/after-sales/{after_sale_id}",
    "售后单",
    scope="orders:read",
    path_schemas={"after_sale_id": ORDER_ID},
)
def show_one_after_sale(ask: Ask, after_sale_id: str) -> Response:
    """Show an after-sale, with every action enabled or greyed with its reason."""
    return _shown(ask, after_sale_id)


@page(
    "POST",
    "/after-sales/{after_sale_id}/actions/{action}",
    "处理售后",
    scope=SCOPE,
    path_schemas={"after_sale_id": ORDER_ID},
)
def act(ask: Ask, after_sale_id: str, action: str) -> Response:
    """Do what a button asks for."""
    return attempt(ask, "/after-sales", after_sale_id, action, act_on_after_sale, _shown)


def _shown(
    ask: Ask, after_sale_id: str, status: int = 200, *, refusal: str = "", tried: str = ""
) -> Response:
    services, facts = ask.services, ask.rulebook.vocabulary.facts
    found = show_after_sale(services.store, ask.rulebook, services.vault, ask.shop_id, after_sale_id)
    fact, type_ = found.fact, _type(ask)
    order_home = f"/orders/{fact['order']['id']}"
    elsewhere = {name: f"{order_home}#{name}" for name in facts["order"].action_names()}
    home = f"/after-sales/{found.id}"
    return render(
        "after_sale.html",
        ask,
        status,
        after_sale=_line(type_, fact),
        order_home=order_home,
        buttons=buttons(ask, found, home, elsewhere, tried),
        home=home,
        refusal=refusal,
        typed=request.form,
        groups=groups(type_, fact, leave_out=ON_TOP),
        sendings=sendings(ask, found),
        events=[(moment(item.at), item.title) for item in found.events],
        waiting=is_waiting(found),
    )


def _type(ask: Ask) -> FieldType:
    return ask.rulebook.vocabulary.facts["after_sale"].type


def _line(type_: FieldType, fact: Fact) -> dict[str, Any]:
    """Prepare what names an after-sale."""
    told = {
        name: in_words(field_of(type_, name), fact[name]) if name in fact else ""
        for name in ("channel", "kind", "status", "amount", "reason", "created_at")
    }
    order = fact.get("order", {})
    return told | {
        "id": fact["id"],
        "number": fact.get("channel_after_sale_id", fact["id"]),
        "order_id": fact.get("order_id", ""),
        "order_number": order.get("channel_order_id", fact.get("order_id", "")),
        "tone": TONES.get(fact.get("status", ""), "calm"),
    }
