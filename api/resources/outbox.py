"""What is on its way to the channels, or has come to nothing there; nothing fails in silence (R27, R32)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from api.lists import ID, LIMIT, cursor, page
from api.order_data import SENDING
from api.routes import Answer, Ask, Reply, Resource
from api.schemas import array, component, page_of, text
from pipeline.sending.releasing import release_sending
from pipeline.sending.sendings import find_sending, list_sendings

RESOURCE = Resource("outbox", "发往渠道的操作", {"sending": SENDING})
route = RESOURCE.route
ITEM_ID = {"item_id": text("编号", pattern=ID)}


@route(
    "GET",
    "/v1/outbox",
    "发往渠道的操作，最近的在前；不写状态时为没有完成的",
    scope="orders:read",
    query={
        "state": array(SENDING["properties"]["state"], "状态，可写多个"),
        "cursor": cursor(),
        "limit": LIMIT,
    },
    answers={200: Answer("一页", page_of(component("sending"), "操作"))},
)
def find_sendings(ask: Ask) -> Any:
    """Give the shop's items, page by page."""
    query = ask.query
    found = list_sendings(
        ask.services.store, ask.shop_id, query.get("state", ()), query["limit"], query.get("cursor")
    )
    return page(found, query["limit"], lambda item: item.item_id, asdict)


@route(
    "GET",
    "/v1/outbox/{item_id}",
    "一个操作的结果",
    scope="orders:read",
    path_schemas=ITEM_ID,
    answers={200: Answer("操作", component("sending"))},
)
def get_sending(ask: Ask, item_id: str) -> Any:
    """Give one item."""
    return asdict(find_sending(ask.services.store, ask.shop_id, item_id))


@route(
    "POST",
    "/v1/outbox/{item_id}/release",
    "放行等人处理的操作；先到渠道查它是否已经生效，没有才再发",
    scope="orders:write",
    path_schemas=ITEM_ID,
    acts=True,
    answers={202: Answer("已放行", component("sending"))},
)
def release_item(ask: Ask, item_id: str) -> Reply:
    """Let an item go on that waits for a person."""
    return Reply(asdict(release_sending(ask.services.store, ask.who.actor, item_id)), status=202)
