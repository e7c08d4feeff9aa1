"""The OpenAPI document says what the service does: no more, no less, and nothing that a generated caller finds to be otherwise."""

from __future__ import annotations

import json
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
from engine.decision import plain
from engine.examples import overlaid
from engine.rulebook import find_manifest, load
from pipeline.live_rules import LiveRules
from pipeline.store import new_id
from tests.integration.api.calls import BODIES, ROUTES, WORDS, named
from tests.integration.api.front import PASSWORD, Front
from tests.integration.demo_shop import ROOT, SHOP

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
    """Keep to where the service is stricter than JSON Schema can say, and says so in the document's own words.

    A whole number is written without a fraction, and a moment does not lie on the calendar's first or last day.
    """
    if isinstance(body, dict):
        return {name: map_body(_context, value) for name, value in body.items()}
    if isinstance(body, list):
        return [map_body(_context, value) for value in body]
    if isinstance(body, str) and body.startswith(("0001-01-01T", "9999-12-31T")):
        return f"2022{body[4:]}"
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


@on_one_database
@pytest.mark.soak
@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(("method", "path"), CALLED)
def test_many_calls_that_a_machine_makes_up_find_nothing(front: Front, method: str, path: str) -> None:
    found = findings(front, method, path, 60, boundaries=True)
    assert [] == found, "\n\n".join(found[:3])


def conforms(method: str, path: str, answer: Any) -> None:
    """See that an answer is what the document says of its status: media type, body and headers."""
    said = described()["paths"][path][method.lower()]["responses"][str(answer.status_code)]
    for header in said.get("headers", ()):
        assert header in answer.headers
    if "content" not in said:
        assert b"" == answer.data
        return
    schema = said["content"][answer.mimetype]["schema"]
    whole = {**schema, "components": described()["components"]}
    errors = jsonschema_rs.Draft202012Validator(whole, validate_formats=True, offline=True).iter_errors(
        answer.json
    )
    assert [] == [str(error)[:300] for error in errors]


@on_one_database
@pytest.mark.parametrize("explain", [False, True])
def test_what_is_said_of_real_facts_is_as_described(front: Front, rules: LiveRules, explain: bool) -> None:
    """Each ruleset's fact as it passes, as each of its rules' examples changes it, and without each member of its parts."""
    client = front.service("viewer")
    seen: set[str] = set()
    for ruleset in rules.current().rulesets():
        changes = [{}, *(example.overlay for rule in ruleset.rules for example in rule.common.examples)]
        for name, value in ruleset.fact.example.items():
            changes += (
                [{f"{name}.{inner}": None} for inner in value if inner != "id"]
                if isinstance(value, dict)
                else []
            )
        facts = [plain(overlaid(ruleset.fact.example, change)) for change in changes][-100:]
        path = f"/v1/validate/{ruleset.name}"
        for as_of in ({}, {"as_of": "2022-02-20T00:00:00+08:00"}):
            answer = client.post(path, json={"facts": facts, "explain": explain, **as_of})
            assert 200 == answer.status_code, answer.text[:500]
            assert len(facts) == len(answer.json["results"])
            conforms("POST", path, answer)
            seen |= {result.get("outcome", "judged") for result in answer.json["results"]}
        conforms("POST", path, client.post(path, json={"facts": [{"nothing": 1}, None, 5]}))
    assert {"accepted", "rejected", "undetermined", "judged"} == seen


def test_every_other_answer_is_as_described(front: Front) -> None:
    service, browser = front.service("admin"), front.browser("admin")
    made = browser.post("/v1/tokens", json=BODIES["POST", "/v1/tokens"])
    assert 201 == made.status_code
    ruleset = "/v1/rulesets/{channel}/{family}"
    for method, path, client, more in (
        ("GET", "/healthz", front.anyone(), {}),
        ("GET", "/readyz", front.anyone(), {}),
        ("GET", "/v1/openapi.json", front.anyone(), {}),
        ("GET", "/v1/problems/{name}", front.anyone(), {}),
        ("GET", "/v1/rulesets", service, {}),
        ("GET", "/v1/rulesets", service, {"headers": {"If-None-Match": "*"}}),
        ("GET", "/v1/rulesets", front.anyone(), {}),
        ("GET", ruleset, service, {}),
        ("GET", f"{ruleset}/schema", service, {}),
        ("GET", "/v1/facts", service, {}),
        ("POST", "/v1/rulesets/lint", service, {"json": BODIES["POST", "/v1/rulesets/lint"]}),
        ("POST", "/v1/rulesets/lint", service, {"json": {"files": {"rules/x.yaml": "#"}}}),
        ("POST", "/v1/rulesets/lint", service, {"json": {}}),
        ("POST", "/v1/session", front.anyone(), {"json": {"login": f"viewer-{SHOP}", "password": PASSWORD}}),
        ("POST", "/v1/session", front.anyone(), {"json": {"login": "nobody", "password": "x"}}),
        ("GET", "/v1/session", browser, {}),
        ("GET", "/v1/tokens", service, {}),
        ("POST", "/v1/tokens", browser, {"json": BODIES["POST", "/v1/tokens"]}),
        ("POST", "/v1/tokens", browser, {"json": BODIES["POST", "/v1/tokens"] | {"role": "admin"}}),
        ("DELETE", "/v1/tokens/{token_id}", service, {}),
        ("DELETE", "/v1/session", browser, {}),
    ):
        values = dict(WORDS) | {"token_id": made.json["id"]}
        answer = client.open(path.format(**values), method=method, **more)  # type: ignore[arg-type]
        conforms(method, path, answer)


def test_the_page_about_problems_shows_a_true_one(front: Front) -> None:
    page = (ROOT / "docs" / "reference" / "problems.md").read_text(encoding="utf-8")
    shown = json.loads(page.partition("```json\n")[2].partition("```")[0])
    body = BODIES["POST", "/v1/tokens"] | {"days": "很久"}
    answer = front.browser("admin").post("/v1/tokens", json=body)
    assert shown == answer.json | {"request_id": shown["request_id"]}
    assert len(shown["request_id"]) == len(answer.json["request_id"])
