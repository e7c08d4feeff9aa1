"""The OpenAPI document says what the service does: no more, no less, and nothing that a generated caller finds to be otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from openapi_spec_validator import validate
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from api.access import COOKIE
from api.app import IDEMPOTENCY_KEY
from api.openapi import document
from api.resources import resources
from engine.rulebook import find_manifest, load
from pipeline.live_rules import LiveRules
from pipeline.store import new_id
from tests.integration.api.calls import ROUTES, named
from tests.integration.api.front import Front
from tests.integration.demo_shop import ROOT

on_one_database = pytest.mark.parametrize("database", ["sqlite"])
ACCEPTED = ("2xx", "3xx", "401", "403", "404", "409", "429", "5xx")
REFUSED_LATER = {"/v1/binding": ("422",)}
"""Where what fits the schema may be refused all the same: no schema says which identity the channel knows."""

METHODS = ("get", "post", "put", "delete")


@cache
def described() -> dict[str, Any]:
    return document(load(find_manifest(ROOT)), resources())


@pytest.fixture
def spec() -> dict[str, Any]:
    return described()


def operations(spec: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in spec["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


CALLED = [(method, path) for method, path, _ in operations(described())]


def credentials(front: Front, method: str, path: str) -> dict[str, str]:
    """Give the headers of who may make a call: a token, or a person with a session for what only people may."""
    security = described()["paths"][path][method.lower()]["security"]
    if security != [{"session": []}]:
        return {"Authorization": f"Bearer {front.token('senior_admin')}"} if security else {}
    browser = front.browser("senior_admin")
    cookies = (browser.get_cookie(name) for name in (COOKIE, front.app.config["SESSION_COOKIE_NAME"]))
    return {
        "Cookie": "; ".join(f"{cookie.key}={cookie.value}" for cookie in cookies if cookie is not None),
        "X-CSRF-Token": browser.environ_base["HTTP_X_CSRF_TOKEN"],
    }


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_the_document_is_valid(spec: dict[str, Any]) -> None:
    validate(spec)


def test_every_route_is_described_and_nothing_else(spec: dict[str, Any], rules: LiveRules) -> None:
    expected = set()
    for route in ROUTES:
        if route.variants is None:
            expected.add(named(route))
            continue
        for variant in route.variants(rules.current()):
            values = {name: f"{{{name}}}" for name in route.parameters} | dict(variant.values)
            expected.add(f"{route.method} {route.path.format(**values)}")
    assert expected == {f"{method} {path}" for method, path, _ in operations(spec)}


def test_every_operation_is_named_once_and_says_what_it_does(spec: dict[str, Any]) -> None:
    found = list(operations(spec))
    assert len(found) == len({operation["operationId"] for _, _, operation in found})
    tags = {tag["name"] for tag in spec["tags"]}
    for method, path, operation in found:
        assert operation["summary"], (method, path)
        assert set(operation["tags"]) <= tags
        declared = {item["name"] for item in operation.get("parameters", ()) if item["in"] == "path"}
        assert {part[1:-1] for part in path.split("/") if part.startswith("{")} == declared, path


def test_every_reference_leads_somewhere_and_every_component_is_a_schema(spec: dict[str, Any]) -> None:
    components = spec["components"]["schemas"]
    assert {reference.removeprefix("#/components/schemas/") for reference in references(spec)} <= set(
        components
    )
    for schema in components.values():
        jsonschema_rs.Draft202012Validator({**schema, "components": spec["components"]}, offline=True)


def test_what_is_closed_says_so_and_what_is_open_too(spec: dict[str, Any]) -> None:
    closed = {route.name for route in ROUTES if route.scope is not None or route.signed_in}
    for route in ROUTES:
        for _, _, operation in operations(spec):
            if operation["operationId"].startswith(route.name) and operation["tags"]:
                break
        if route.variants is None:
            (operation,) = [item for _, _, item in operations(spec) if item["operationId"] == route.name]
            assert (route.name in closed) is bool(operation["security"])
            assert ({"401", "403"} <= set(operation["responses"])) is (
                route.name in closed or route.method != "GET"
            )


# Calls that a machine makes up from the document, good ones and bad ones, and what must hold of every answer.


def map_body(_context: Any, body: Any) -> Any:
    """Write whole numbers without a fraction: what JSON Schema takes for an integer, 5.0, is none here, as the document says."""
    if isinstance(body, dict):
        return {name: map_body(_context, value) for name, value in body.items()}
    if isinstance(body, list):
        return [map_body(_context, value) for value in body]
    return int(body) if isinstance(body, float) and body.is_integer() else body


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Give each call a key of its own: a good key that was used for another request is refused, as the document says."""
    key = (case.headers or {}).get(IDEMPOTENCY_KEY, "")
    if isinstance(key, str) and re.fullmatch("[!-~]{1,200}", key):
        case.headers[IDEMPOTENCY_KEY] = new_id()


def findings(front: Front, method: str, path: str, examples: int, *, boundaries: bool) -> list[str]:
    """Have schemathesis call one operation, and give what it finds wrong with the answers.

    Args:
        front: The service.
        method, path: The operation.
        examples: Calls made up at random, good ones and bad ones.
        boundaries: Whether to try the boundaries of every field too, one by one.
    """
    config = SchemathesisConfig.from_dict(
        {
            "headers": credentials(front, method, path),
            "seed": 1,
            "generation": {
                "max-examples": examples,
                "deterministic": True,
                "database": "none",
                "allow-x00": False,
            },
            "phases": {"stateful": {"enabled": False}, "coverage": {"enabled": boundaries}},
            # It can't call a WSGI app without its credentials; test_table.py does, for every route.
            "checks": {
                "ignored_auth": {"enabled": False},
                "positive_data_acceptance": {"expected-statuses": [*ACCEPTED, *REFUSED_LATER.get(path, ())]},
            },
        }
    )
    schema = schemathesis.openapi.from_wsgi("/v1/openapi.json", front.app, config=config)
    schema.hook(map_body)
    found = []
    calls = 0
    for event in from_schema(schema.include(method=method, path=path)).execute():
        if isinstance(event, events.ScenarioFinished):
            calls += len(event.recorder.interactions)
            for case_id, checks in event.recorder.checks.items():
                for check in checks:
                    if check.failure_info is not None:
                        said = check.failure_info
                        sent = event.recorder.cases[case_id].value.as_curl_command()
                        found.append(f"{said.failure.title}: {said.failure.message}\n{sent}")
        if isinstance(event, events.NonFatalError | events.FatalError):
            found.append(str(event))
    assert calls > 0, "nothing was called"
    return found


@on_one_database
@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(("method", "path"), CALLED)
def test_calls_that_a_machine_makes_up_find_nothing(front: Front, method: str, path: str) -> None:
    """The boundaries of all the fields of all the facts take a minute: of the facts, only the smallest stands for them here."""
    boundaries = not path.startswith("/v1/validate/") or path.endswith("/access")
    found = findings(front, method, path, 6, boundaries=boundaries)
    assert [] == found, "\n\n".join(found[:3])


@pytest.mark.soak
@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(("method", "path"), CALLED)
def test_many_calls_that_a_machine_makes_up_find_nothing(front: Front, method: str, path: str) -> None:
    found = findings(front, method, path, 200, boundaries=True)
    assert [] == found, "\n\n".join(found[:3])
