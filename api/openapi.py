"""The OpenAPI 3.1 document: put together from the routes and the fact schemas, so that it can say nothing else than they do."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping
from typing import Any

from api.access import COOKIE
from api.problems import KINDS, MEDIA_TYPE
from api.routes import JSON, Answer, Resource, Route, Variant
from api.schemas import Schema, array, component, fact_components, integer, record, text
from engine.rulebook import Rulebook

PROBLEM = "problem"
_ALWAYS = (400, 422, 429, 500, 503)
_ABOUT = """按 YAML 规则判断商品能否上架、订单与售后能做什么，并说明每一处原因。

- 错误一律是 application/problem+json（RFC 9457）。
- 标题随 Accept-Language 为中文或英文；detail 与逐处的说明只有中文。
- 比 JSON Schema 严格之处：整数不写小数点（5.0 不行）；文字里不能有 U+0000 和不完整的代理对；同一个对象里同一个名字只写一次；时间不在公元 1 年和 9999 年的头尾一天。
- 可以没有的字段写成 null，与不写一样。"""
_SIGNED_IN = "浏览器登录后的 Cookie；改动时要带 X-CSRF-Token"


def document(rulebook: Rulebook, resources: tuple[Resource, ...]) -> dict[str, Any]:
    """Put the document together.

    Args:
        rulebook: The rules in force: facts and rulesets.
        resources: The resources there are.

    Returns:
        The document as plain JSON data.
    """
    schemas: dict[str, Any] = {**fact_components(rulebook.vocabulary), PROBLEM: _problem_schema()}
    paths: dict[str, dict[str, Any]] = {}
    for resource in resources:
        schemas |= resource.schemas
        for route in resource.routes:
            for path, operation in _operations(route, resource, rulebook):
                paths.setdefault(path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Shelfgate",
            "version": importlib.metadata.version("shelfgate"),
            "description": _ABOUT,
        },
        "tags": [{"name": resource.name, "description": resource.title} for resource in resources],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "shelfgate tokens new 生成的令牌",
                },
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": _SIGNED_IN},
            },
        },
    }


def _operations(route: Route, resource: Resource, rulebook: Rulebook) -> Iterator[tuple[str, dict[str, Any]]]:
    """Describe a route, once for each of its variants."""
    if route.variants is None:
        yield route.path, _operation(route, resource, None)
        return
    for variant in route.variants(rulebook):
        yield route.path.format_map(_Kept(variant.values)), _operation(route, resource, variant)


class _Kept(dict[str, str]):
    """Leave a parameter that has no value as it stands."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


def _operation(route: Route, resource: Resource, variant: Variant | None) -> dict[str, Any]:
    values = variant.values if variant is not None else {}
    suffix = "".join(f"_{value.replace('-', '_')}" for value in values.values())
    found: dict[str, Any] = {
        "operationId": route.name + suffix,
        "tags": [resource.name],
        "summary": variant.summary if variant is not None else route.summary,
        "security": _security(route),
        "responses": _responses(route, variant),
    }
    parameters = [*_path_parameters(route, values), *_query_parameters(route), *_header_parameters(route)]
    if parameters:
        found["parameters"] = parameters
    body = variant.body if variant is not None and variant.body is not None else route.body
    if body is not None:
        found["requestBody"] = {"required": True, "content": {route.media: {"schema": body}}}
    return found


def _security(route: Route) -> list[dict[str, list[str]]]:
    if route.scope is None and not route.signed_in:
        return []
    session: dict[str, list[str]] = {"session": []}
    return [session] if route.signed_in else [{"token": []}, session]


def _path_parameters(route: Route, values: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for name in route.parameters:
        if name not in values:
            schema = route.path_schemas.get(name, {"type": "string", "minLength": 1})
            yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name, schema in route.query.items():
        required = bool(schema.get("x-required"))
        plain = {key: value for key, value in schema.items() if key != "x-required"}
        yield {
            "name": name,
            "in": "query",
            "required": required,
            "description": schema.get("title", ""),
            "schema": plain,
            **({"style": "form", "explode": True} if schema.get("type") == "array" else {}),
        }


def _header_parameters(route: Route) -> Iterator[dict[str, Any]]:
    if route.acts:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "重复的请求用同一个键，只做一次，得到同样的答复",
            "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
        }


def _responses(route: Route, variant: Variant | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status, answer in sorted(route.answers.items()):
        schema = (
            variant.answer
            if variant is not None and variant.answer is not None and status < 300
            else answer.schema
        )
        found[str(status)] = _response(answer, schema)
    statuses = {
        *_ALWAYS,
        *((401, 403) if route.scope is not None or route.signed_in else ()),
        *((404,) if route.parameters else ()),
        *((413, 415) if route.body is not None else ()),
        *((401, 403, 409, 502) if route.method != "GET" else ()),
    }
    titles: dict[int, str] = {}
    for kind in KINDS.values():
        titles.setdefault(kind.status, kind.title)
    problem = {MEDIA_TYPE: {"schema": component(PROBLEM)}}
    for status in sorted(statuses):
        found.setdefault(str(status), {"description": titles[status], "content": problem})
    return found


def _response(answer: Answer, schema: Schema | None) -> dict[str, Any]:
    found: dict[str, Any] = {"description": answer.title}
    if schema is not None:
        found["content"] = {answer.media: {"schema": schema}}
    elif answer.media and answer.media != JSON:
        found["content"] = {answer.media: {"schema": {"type": "string"}}}
    if answer.headers:
        found["headers"] = {
            name: {"description": said, "schema": {"type": "string"}} for name, said in answer.headers.items()
        }
    return found


def _problem_schema() -> dict[str, Any]:
    """Describe a problem document; a kind may add members of its own."""
    place = record(
        "一处问题",
        {
            "code": text("诊断代码"),
            "severity": {"enum": ["error", "warning", "notice"]},
            "message": text("有什么不对"),
            "hint": text("应当怎么写"),
        },
    )
    members = {
        "type": text("种类"),
        "title": text("标题"),
        "status": integer("HTTP 状态"),
        "detail": text("这一次是怎么回事"),
        "instance": text("地址"),
        "request_id": text("请求的编号"),
        "diagnostics": array({**place, "additionalProperties": True}, "每一处问题"),
    }
    return {**record("问题", members), "additionalProperties": True}
