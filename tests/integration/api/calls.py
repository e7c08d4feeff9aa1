"""Calls of every route: what to write for the parameters of its path, and a body that it takes.

A route that is added is called by the tests of all routes as soon as it is registered. Where its path has a new parameter, say here what it
stands for; where it takes a body, give one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient

from api.resources import resources
from api.routes import JSON, Route
from pipeline.callers import list_tokens, make_token
from tests.integration.api.front import Front

UNKNOWN = "0" * 32
"""An id that no record has."""

WORDS: Mapping[str, str] = {"channel": "huiju", "family": "eligibility", "name": "not-found"}
"""Parameters that choose among what everyone knows."""


def token_of(front: Front, shop_id: str) -> str:
    """Give a token that nobody calls with."""
    for line in list_tokens(front.store, shop_id):
        if line.name == "别动":
            return line.id
    maker, life = front.person("senior_admin", shop_id), timedelta(days=1)
    return make_token(front.store, maker, "别动", "viewer", ["validate"], life)[0].id


RECORDS: Mapping[str, Callable[[Front, str], str]] = {"token_id": token_of}
"""Parameters that name a record of one shop, and what gives one of a shop."""

BODIES: Mapping[tuple[str, str], Any] = {
    ("POST", "/v1/rulesets/lint"): {"files": {"rules/huiju/eligibility.yaml": "kind: eligibility\n"}},
    ("POST", "/v1/session"): {"login": "nobody", "password": "wrong"},
    ("POST", "/v1/tokens"): {"name": "夜间任务", "role": "viewer", "scopes": ["validate"], "days": 1},
    ("POST", "/v1/validate/{channel}/{family}"): {"fact": {}},
}
"""A good body for each route that takes one."""

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
        more |= {"json": body} if route.media == JSON else {"data": body, "content_type": route.media}
    return client.open(path, method=route.method, **more)
