"""Who may ask for what: role × route, scope × route, shop × route, and requests that a browser was tricked into.

The table is written by hand, and says nothing but what was meant. A route that is not in it fails the tests: so nobody opens one by oversight.
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from api.app import UNSAFE
from api.routes import Route
from pipeline.callers import scopes_of
from pipeline.store import AuditEntry, Base, Store, Token
from tests.integration.api.calls import BODIES, RECORDS, ROUTES, WORDS, call, named, unknown_values, values_of
from tests.integration.api.front import OTHER, ROLES, Front
from tests.integration.demo_shop import SHOP

OPEN = "open to all"
PEOPLE = "everyone who has signed in"
EVERYONE = ("senior_admin", "admin", "operator", "viewer")
STAFF = ("senior_admin", "admin", "operator")
ADMINS = ("senior_admin", "admin")

TABLE: dict[str, str | tuple[str, ...]] = {
    "GET /healthz": OPEN,
    "GET /readyz": OPEN,
    "GET /metrics": ADMINS,
    "GET /v1/openapi.json": OPEN,
    "GET /v1/docs": OPEN,
    "GET /v1/problems/{name}": OPEN,
    "POST /v1/session": OPEN,
    "GET /v1/session": PEOPLE,
    "DELETE /v1/session": PEOPLE,
    "GET /v1/tokens": ADMINS,
    "POST /v1/tokens": ADMINS,
    "DELETE /v1/tokens/{token_id}": ADMINS,
    "GET /v1/rulesets": EVERYONE,
    "GET /v1/rulesets/{channel}/{family}": EVERYONE,
    "GET /v1/rulesets/{channel}/{family}/schema": EVERYONE,
    "GET /v1/facts": EVERYONE,
    "POST /v1/rulesets/lint": EVERYONE,
    "POST /v1/validate/{channel}/{family}": EVERYONE,
    "GET /v1/binding": EVERYONE,
    "PUT /v1/binding": EVERYONE,  # the rules refuse who is no administrator, with the reason (R5)
    "DELETE /v1/binding": EVERYONE,
    "GET /v1/reference": EVERYONE,
    "GET /v1/reference/workbook": EVERYONE,
    "POST /v1/reference/refresh": STAFF,
    "GET /v1/template": EVERYONE,
    "POST /v1/template": STAFF,
    "POST /v1/template/products": STAFF,
    "POST /v1/uploads": STAFF,
    "GET /v1/uploads": EVERYONE,
    "GET /v1/uploads/{upload_id}": EVERYONE,
    "GET /v1/uploads/{upload_id}/rows": EVERYONE,
    "GET /v1/uploads/{upload_id}/rows/{number}": EVERYONE,
    "POST /v1/uploads/{upload_id}/rows/{number}/release": STAFF,
    "GET /v1/uploads/{upload_id}/report": EVERYONE,
    "GET /v1/uploads/{upload_id}/file": EVERYONE,
    "GET /v1/uploads/{upload_id}/events": EVERYONE,
    "GET /v1/drift": EVERYONE,
    "GET /v1/stock": EVERYONE,
    "POST /v1/listings/refresh": STAFF,
    "GET /v1/orders": EVERYONE,
    "GET /v1/orders/{order_id}": EVERYONE,
    "POST /v1/orders/{order_id}/actions/{action}": STAFF,
    "GET /v1/after-sales": EVERYONE,
    "GET /v1/after-sales/{after_sale_id}": EVERYONE,
    "POST /v1/after-sales/{after_sale_id}/actions/{action}": STAFF,
    "GET /v1/outbox": EVERYONE,
    "GET /v1/outbox/{item_id}": EVERYONE,
    "POST /v1/outbox/{item_id}/release": STAFF,
    "POST /v1/sync": STAFF,
    "GET /v1/settlement": EVERYONE,
}
FOR_PEOPLE = {"POST /v1/tokens"}
"""Routes that take no token, whatever its scopes."""

CLOSED = [route for route in ROUTES if TABLE.get(named(route)) != OPEN]
SCOPED = [route for route in CLOSED if TABLE.get(named(route)) != PEOPLE]
CHANGING = [route for route in CLOSED if route.method in UNSAFE]
# Who may is decided before anything of a shop is looked up: it is the same on every database.
on_one_database = pytest.mark.parametrize("database", ["sqlite"])
OF_ONE_SHOP = [route for route in ROUTES if set(route.parameters) & set(RECORDS)]


def each(routes: list[Route]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("route", routes, ids=named)


def refused(answer: Any) -> bool:
    """Whether the gate itself refused: what the rules or a handler refuse later is another matter."""
    return bool(answer.status_code == 403 and answer.json["detail"].startswith("没有权限"))


def everything(store: Store) -> dict[str, Any]:
    """Give every row of every table, but for what is written whenever somebody asks."""
    found = {}
    with store.read() as session:
        for mapper in Base.registry.mappers:
            table = mapper.local_table
            left_out = {Token.used_at.key} if mapper.class_ is Token else set()
            columns = [column for column in table.columns if column.key not in left_out]  # type: ignore[attr-defined]
            if mapper.class_ is not AuditEntry:
                found[str(table)] = sorted(map(repr, session.execute(select(*columns))))
    return found


def test_the_table_has_every_route_and_no_other() -> None:
    registered = [named(route) for route in ROUTES]
    assert sorted(TABLE) == sorted(registered)
    assert len(registered) == len(set(registered))


def test_the_tests_know_what_every_parameter_stands_for_and_a_body_for_every_route() -> None:
    parameters = {name for route in ROUTES for name in route.parameters}
    assert parameters == set(WORDS) | set(RECORDS)
    assert not set(WORDS) & set(RECORDS)
    assert {(route.method, route.path) for route in ROUTES if route.body is not None} == set(BODIES)


@on_one_database
def test_the_app_has_no_other_addresses_under_v1(front: Front) -> None:
    rules = {rule.rule for rule in front.app.url_map.iter_rules() if rule.rule.startswith("/v1")}
    assert {route.rule for route in ROUTES if route.path.startswith("/v1")} == rules


@on_one_database
@each(SCOPED)
def test_each_role_may_what_the_table_says(front: Front, route: Route) -> None:
    let_in = [role for role in ROLES if not refused(call(front.browser(role), route, unknown_values(route)))]
    assert list(TABLE[named(route)]) == let_in


@on_one_database
@each([route for route in SCOPED if named(route) not in FOR_PEOPLE])
def test_a_token_needs_the_scope_of_the_route_and_no_other(front: Front, route: Route) -> None:
    others = scopes_of("senior_admin") - {route.scope}
    assert refused(call(front.service("senior_admin", scopes=others), route, unknown_values(route)))
    only = front.service("senior_admin", scopes=[route.scope])  # type: ignore[list-item]
    assert not refused(call(only, route, unknown_values(route)))


@on_one_database
@each([route for route in CLOSED if route.signed_in])
def test_what_is_for_people_takes_no_token(front: Front, route: Route) -> None:
    before = everything(front.store)
    answer = call(front.service("senior_admin"), route, unknown_values(route))
    assert (403, "/v1/problems/forbidden") == (answer.status_code, answer.json["type"])
    after = everything(front.store)
    assert {"tokens"} >= {name for name in after if after[name] != before[name]}


@on_one_database
@each(CLOSED)
def test_nobody_and_a_token_that_opens_nothing_are_turned_away(front: Front, route: Route) -> None:
    before = everything(front.store)
    for headers in (
        {},
        {"Authorization": "Bearer sg_nothing"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {front.token('viewer')}"},
    ):
        answer = call(front.anyone(), route, unknown_values(route), headers=headers)
        assert (401, "/v1/problems/not-signed-in") == (answer.status_code, answer.json["type"]), headers
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    after = everything(front.store)
    assert {"tokens"} >= {name for name in after if after[name] != before[name]}


@each(CHANGING)
def test_a_browser_without_the_csrf_token_changes_nothing(front: Front, route: Route) -> None:
    browser, other = front.browser("senior_admin"), front.browser("admin")
    values = values_of(front, route, SHOP)
    before = everything(front.store)
    mine = browser.environ_base.pop("HTTP_X_CSRF_TOKEN")
    theirs = other.environ_base["HTTP_X_CSRF_TOKEN"]
    for headers in (
        {},
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": theirs},
        {"X-CSRF-Token": f"{mine}x"},
        {"X-CSRF-Token": mine, "Sec-Fetch-Site": "cross-site"},
        {"X-CSRF-Token": mine, "Sec-Fetch-Site": "same-site"},
    ):
        answer = call(browser, route, values, headers=headers)
        assert (403, "/v1/problems/csrf") == (answer.status_code, answer.json["type"]), headers
    assert before == everything(front.store)
    answer = call(browser, route, values, headers={"X-CSRF-Token": mine, "Sec-Fetch-Site": "same-origin"})
    assert "/v1/problems/csrf" != (answer.json or {}).get("type")


@each(OF_ONE_SHOP)
def test_a_record_of_another_shop_is_as_one_that_is_not_there(front: Front, route: Route) -> None:
    client = front.browser("senior_admin", SHOP) if route.signed_in else front.service("senior_admin", SHOP)
    of_others = values_of(front, route, OTHER)
    before = everything(front.store)
    told = []
    for values in (of_others, unknown_values(route)):
        answer = call(client, route, values)
        assert 404 == answer.status_code, answer.text
        text = answer.text.replace(answer.json["request_id"], "")
        for name, value in values.items():
            text = text.replace(value, name)
        told.append((text, dict(answer.headers) | {"X-Request-Id": "", "Content-Length": ""}))
    assert told[0] == told[1]
    assert before == everything(front.store)


@on_one_database
def test_a_browser_of_one_site_can_not_sign_another_in(front: Front) -> None:
    body = BODIES["POST", "/v1/session"]
    answer = front.anyone().post("/v1/session", json=body, headers={"Sec-Fetch-Site": "cross-site"})
    assert (403, "/v1/problems/csrf") == (answer.status_code, answer.json["type"])
