"""The interface's own description: the OpenAPI document, the page that shows it, and the kinds of problems."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template

from api.conditional import with_etag
from api.openapi import document
from api.problems import KINDS
from api.routes import Answer, Ask, Resource
from api.schemas import integer, record, text

KIND = record(
    "问题的种类",
    {
        "name": text("名字"),
        "status": integer("HTTP 状态"),
        "title": text("标题"),
        "title_en": text("英文标题"),
    },
)

RESOURCE = Resource("document", "接口说明")
route = RESOURCE.route


@route(
    "GET",
    "/v1/openapi.json",
    "OpenAPI 3.1 文档",
    scope=None,
    answers={
        200: Answer("文档", {"type": "object"}, headers={"ETag": "版本"}),
        304: Answer("没有变化", media=""),
    },
)
def openapi(ask: Ask) -> Response:
    """Give the OpenAPI document of the rules in force."""
    from api.resources import resources

    return with_etag(document(ask.rulebook, resources()))


@route(
    "GET",
    "/v1/docs",
    "给人看的接口说明，可以在上面试",
    scope=None,
    answers={200: Answer("页面", media="text/html")},
)
def docs(ask: Ask) -> Response:
    """Show the document with Swagger UI, which is served from here and asks nothing of others."""
    return Response(render_template("docs.html"), content_type="text/html; charset=utf-8")


@route(
    "GET",
    "/v1/problems/{name}",
    "一种问题的说明",
    scope=None,
    path_schemas={"name": {"enum": sorted(KINDS)}},
    answers={200: Answer("说明", KIND)},
)
def problem_kind(ask: Ask, name: str) -> Any:
    """Describe a kind of problem."""
    kind = KINDS[name]
    return {"name": kind.name, "status": kind.status, "title": kind.title, "title_en": kind.title_en}
