"""Calls of every route: what to write for the parameters of its path, and a body that it takes.

A route that is added is called by the tests of all routes as soon as it is registered. Where its path has a new parameter, say here what it
stands for; where it takes a body, give one.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from api.resources import resources
from api.routes import JSON, Route
from pipeline.callers import list_tokens, make_token
from pipeline.store import AfterSale, Order, OutboxItem, database_now, new_id
from pipeline.uploads.receiving import receive
from tests.integration.api.front import Front

UNKNOWN = "0" * 32
"""An id that no record has."""

WORDS: Mapping[str, str] = {
    "channel": "huiju",
    "family": "eligibility",
    "name": "not-found",
    "number": "2",
    "action": "ship",
}
"""Parameters that choose among what everyone knows."""


def token_of(front: Front, shop_id: str) -> str:
    """Give a token that nobody calls with."""
    for line in list_tokens(front.store, shop_id):
        if line.name == "别动":
            return line.id
    maker, life = front.person("senior_admin", shop_id), timedelta(days=1)
    return make_token(front.store, maker, "别动", "viewer", ["validate"], life)[0].id


def upload_of(front: Front, shop_id: str) -> str:
    """Give an upload that is not checked yet."""
    content = f"not a sheet, of {shop_id}".encode()
    actor = front.person("operator", shop_id)
    return receive(front.store, actor, shop_id, "huiju", "三月.csv", content).upload_id


def order_of(front: Front, shop_id: str) -> str:
    """Give an order to be shipped; its number at the channel is `HJ` and the shop's id."""
    number = f"HJ{shop_id}"
    with front.store.write() as session:
        known = session.scalars(select(Order.id).where(Order.channel_order_id == number)).first()
        if known is not None:
            return known
        now = database_now(session)
        order = Order(
            id=new_id(), channel="huiju", shop_id=shop_id, channel_order_id=number, status="to_ship",
            payment_kind="marked", lines=[], payload={"orderId": number, "updateTime": 1646900000000}, created_at=now, updated_at=now, fetched_at=now,
        )  # fmt: skip
        session.add(order)
        return order.id


def after_sale_of(front: Front, shop_id: str) -> str:
    """Give a refund request of that order."""
    order_id, number = order_of(front, shop_id), f"AS{shop_id}"
    with front.store.write() as session:
        wanted = select(AfterSale.id).where(AfterSale.channel_after_sale_id == number)
        known = session.scalars(wanted).first()
        if known is not None:
            return known
        now = database_now(session)
        after_sale = AfterSale(
            id=new_id(), channel="huiju", shop_id=shop_id, order_id=order_id, channel_after_sale_id=number,
            kind="refund_only", status="requested", payload={"afterSaleOrderId": number, "orderId": f"HJ{shop_id}", "updateTime": 1646900000000},
            created_at=now, updated_at=now, fetched_at=now,
        )  # fmt: skip
        session.add(after_sale)
        return after_sale.id


def item_of(front: Front, shop_id: str) -> str:
    """Give an item of the outbox that waits for a person."""
    key = f"huiju:{shop_id}:test"
    with front.store.write() as session:
        wanted = select(OutboxItem.id).where(OutboxItem.idempotency_key == key)
        known = session.scalars(wanted).first()
        if known is not None:
            return known
        now = database_now(session)
        item = OutboxItem(
            id=new_id(), kind="order.ship", channel="huiju", shop_id=shop_id, idempotency_key=key, payload={},
            state="held", due=now, fencing=1, attempts=1, created_at=now, updated_at=now,
        )  # fmt: skip
        session.add(item)
        return item.id


RECORDS: Mapping[str, Callable[[Front, str], str]] = {
    "token_id": token_of,
    "upload_id": upload_of,
    "order_id": order_of,
    "after_sale_id": after_sale_of,
    "item_id": item_of,
}
"""Parameters that name a record of one shop, and what gives one of a shop."""

BODIES: Mapping[tuple[str, str], Any] = {
    ("POST", "/v1/rulesets/lint"): {"files": {"rules/huiju/eligibility.yaml": "kind: eligibility\n"}},
    ("POST", "/v1/session"): {"login": "nobody", "password": "wrong"},
    ("POST", "/v1/tokens"): {"name": "夜间任务", "role": "viewer", "scopes": ["validate"], "days": 1},
    ("POST", "/v1/validate/{channel}/{family}"): {"fact": {}},
    ("PUT", "/v1/binding"): {"app_id": "hj00000009", "app_secret": "a-secret", "data_key": "a-key"},
    ("POST", "/v1/template"): {"product_ids": ["403680077"]},
    ("POST", "/v1/template/products"): {"product_ids": ["403680077"]},
    ("POST", "/v1/uploads"): lambda: {"file": (io.BytesIO(b"not a sheet"), "三月.csv")},
    ("POST", "/v1/orders/{order_id}/actions/{action}"): {
        "parcels": [{"carrier": "顺丰速运", "waybill": "SF100"}]
    },
    ("POST", "/v1/after-sales/{after_sale_id}/actions/{action}"): {},
}
"""A good body for each route that takes one; a file is made anew for each call."""

ROUTES: tuple[Route, ...] = tuple(route for resource in resources() for route in resource.routes)


def named(route: Route) -> str:
    """Name a route as tests and tables do."""
    return f"{route.method} {route.path}"


def unknown_values(route: Route) -> dict[str, str]:
    """Give values for the path: ids that no record has."""
    return {name: WORDS.get(name, UNKNOWN) for name in route.parameters}


def values_of(front: Front, route: Route, shop_id: str) -> dict[str, str]:
    """Give values for the path: ids of records of a shop."""
    return {
        name: WORDS[name] if name in WORDS else RECORDS[name](front, shop_id) for name in route.parameters
    }


def call(client: FlaskClient, route: Route, values: Mapping[str, str], **more: Any) -> Any:
    """Call a route with a body that it takes."""
    path = route.path.format(**values)
    if route.body is not None:
        body = BODIES[route.method, route.path]
        body = body() if callable(body) else body
        more |= {"json": body} if route.media == JSON else {"data": body, "content_type": route.media}
    return client.open(path, method=route.method, **more)
