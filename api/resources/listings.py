"""What is listed: what changed in Youzan since (R33), and both stocks side by side (R34)."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from itertools import islice
from typing import Any

from api.channel_page import open_channel_page
from api.lists import LIMIT, cursor, moment_in, page
from api.routes import Answer, Ask, Resource
from api.schemas import array, boolean, component, integer, moment, or_null, page_of, record, text
from api.services import default_channel
from pipeline.clients import huiju_client
from pipeline.drift import ListedProduct, listed_products, refresh_products
from pipeline.stock import refresh_stock

DRIFT, STOCK = "R33", "R34"
"""The requirements that the rules' findings are told apart by."""

FRESH = timedelta(minutes=1)
"""Age up to which a product is not read again: who asks again at once gets what was read just now."""

LISTED = record(
    "已上架商品",
    {
        "product_id": text("有赞商品 ID"),
        "channel_product_id": text("渠道商品 ID"),
        "title": text("名称"),
        "listed_at": moment("上架时间"),
        "days_changed": or_null(integer("有赞最近一次改动在几天前", minimum=0)),
        "changed": {"type": "object", "title": "上架以来的改动，见 listed_product 的 changed"},
        "stock": {"type": "object", "title": "两边的库存，见 listed_product 的 stock"},
        "skus": array({"type": "object"}, "各规格两边的库存"),
        "findings": array(component("finding"), "提醒"),
    },
)
REFRESHED = record(
    "读取的结果",
    {
        "products": integer("从有赞读取的商品数", minimum=0),
        "missing": array({"type": "string"}, "有赞里已没有的商品"),
        "unreadable": array({"type": "string"}, "有赞的信息无法读取的商品"),
        "stocks": integer("读到渠道库存的商品数", minimum=0),
        "gone": array({"type": "string"}, "渠道上已没有的商品"),
    },
)
QUERY = {
    "product": array(text("有赞商品 ID", minLength=1), "只看这些商品", maxItems=500),
    "all": boolean("没有提醒的也列出", default=False),
    "as_of": moment("以哪一刻的规则为准；不写时为现在"),
    "cursor": cursor("^[0-9]{1,20}$"),
    "limit": LIMIT,
}

RESOURCE = Resource("listings", "已上架商品", {"listed": LISTED})
route = RESOURCE.route
PAGE = Answer("一页，按商品 ID", page_of(component("listed"), "已上架商品"))


@route(
    "GET",
    "/v1/drift",
    "上架以来在有赞改动过、要搬到渠道后台的商品",
    scope="listings:read",
    query=QUERY,
    answers={200: PAGE},
)
def list_drift(ask: Ask) -> Any:
    """Give what has drifted, as it was read last."""
    return _page(ask, DRIFT)


@route(
    "GET",
    "/v1/stock",
    "两边的库存，超卖之前提醒",
    scope="listings:read",
    query=QUERY,
    answers={200: PAGE},
)
def list_stock(ask: Ask) -> Any:
    """Give both stocks, as they were read last."""
    return _page(ask, STOCK)


@route(
    "POST",
    "/v1/listings/refresh",
    "重新读取已上架商品在有赞的样子和渠道的库存",
    scope="listings:write",
    acts=True,
    answers={200: Answer("读到了什么", REFRESHED)},
)
def refresh_listings(ask: Ask) -> Any:
    """Read the listed products from Youzan, and their stock from the channel."""
    channel = open_channel_page(ask)
    services, shop_id = ask.services, ask.shop_id
    with services.youzan(services.store, shop_id) as youzan:
        pulled = None
        if youzan is not None:
            pulled = refresh_products(services.store, youzan, shop_id, channel.name, FRESH)
    with closing(huiju_client(services.store, services.vault, shop_id)) as client:
        read = refresh_stock(services.store, client.stock, shop_id, channel.name)
    return {
        "products": pulled.kept if pulled else 0,
        "missing": pulled.missing if pulled else [],
        "unreadable": list(pulled.unreadable) if pulled else [],
        "stocks": read.read,
        "gone": read.gone,
    }


def _page(ask: Ask, source: str) -> dict[str, Any]:
    """Give a page of listed products with the findings of one requirement."""
    query, services = ask.query, ask.services
    found = listed_products(
        services.store,
        ask.rulebook,
        default_channel(ask.rulebook).name,
        ask.shop_id,
        moment_in(query, "as_of") or services.now(),
        query.get("product"),
        query.get("cursor"),
    )
    wanted = (item for item in found if query["all"] or item.findings(source))
    chosen: list[ListedProduct] = list(islice(wanted, query["limit"]))
    return page(
        chosen, query["limit"], lambda item: item.fact["product_id"], lambda item: item.as_data(source)
    )
