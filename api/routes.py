"""Routes: each declared once, with what it takes, what it gives and who may ask; from that come its checks and its page in the document.

A file of `api/resources/` holds one `RESOURCE`; the folder is scanned. A handler gets an `Ask` and gives data, or a `Reply`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from flask import Response
from werkzeug.datastructures import MultiDict

from api.languages import Language, language
from api.problems import Mistake, Problem
from api.schemas import Checker, Schema
from api.services import Services, services
from engine.decision import plain
from engine.facts import shown
from engine.rulebook import Rulebook
from pipeline.callers import Caller
from pipeline.keyed_requests import Hold

Method = Literal["GET", "POST", "PUT", "DELETE"]
JSON = "application/json"
MULTIPART = "multipart/form-data"
MOST_JSON = 8_000_000
"""Bytes of a JSON body at the most: a thousand facts of 8 KB each."""

_PARAMETER = re.compile(r"{(\w+)}")


@dataclass(frozen=True, slots=True)
class Reply:
    """Hold what a handler gives.

    Attributes:
        data: JSON data, or bytes of the route's media type.
        status: HTTP status.
        headers: Further headers.
        media: Media type of bytes.
    """

    data: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media: str = JSON


@dataclass(frozen=True, slots=True)
class Answer:
    """Describe a reply of a route.

    Attributes:
        title: What it says.
        schema: Its schema; None for one without a body, or of another media type.
        media: Its media type; empty for one without a body.
        headers: Headers that it carries, and what they say.
    """

    title: str
    schema: Schema | None = None
    media: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Variant:
    """Document one of several addresses of a route, such as one for each ruleset.

    Attributes:
        values: The path parameters.
        summary: What it does there.
        body: What it takes there.
        answer: What it gives there.
    """

    values: Mapping[str, str]
    summary: str
    body: Schema | None
    answer: Schema | None


@dataclass(slots=True)
class Ask:
    """Hold one request, checked.

    Attributes:
        caller: Who asks.
        query: The query parameters by name, each of its declared type; those not given and without a default are absent.
        body: The JSON body; None where the route takes none.
        hold: The request's hold on its idempotency key; None where it has none.
    """

    caller: Caller | None
    query: dict[str, Any]
    body: Any = None
    hold: Hold | None = None
    services: Services = field(default_factory=services)
    _rulebook: Rulebook | None = None

    @property
    def who(self) -> Caller:
        """Give who asks, on a route that is not open to all."""
        assert self.caller is not None, "the route is open to all"
        return self.caller

    @property
    def shop_id(self) -> str:
        """Give the shop of who asks; nothing of another shop is ever shown or touched."""
        return self.who.actor.shop_id

    @property
    def rulebook(self) -> Rulebook:
        """Give the rules in force; one request sees one version."""
        if self._rulebook is None:
            self._rulebook = self.services.rules.current()
        return self._rulebook

    @property
    def language(self) -> Language:
        """Give the language that the request asks for."""
        return language()


@dataclass(frozen=True)
class Route:
    """Declare one route.

    Attributes:
        method: HTTP method.
        path: Path with parameters in braces, such as `/v1/uploads/{upload_id}`.
        handle: Answers an `Ask` and the path's parameters.
        summary: What it does, in a line.
        scope: What the caller must be allowed to ask for; None for routes open to all.
        answers: What it gives, by status.
        query: Schemas of the query parameters; an array is a parameter that may be given several times.
        path_schemas: Schemas of the path's parameters; a text where not given.
        body: Schema of the body; None where it takes none.
        media: Media type of the body.
        most: Bytes of the body at the most.
        acts: Whether it does something that must not be done twice: it then takes an `Idempotency-Key`.
        signed_in: Whether it is for people with a session only.
        variants: The addresses to document, of the rules in force; None for the path itself.
        reads: Whether the handler reads the body itself, which is documented all the same.
    """

    method: Method
    path: str
    handle: Callable[..., Any]
    summary: str
    scope: str | None
    answers: Mapping[int, Answer]
    query: Mapping[str, Schema] = field(default_factory=dict)
    path_schemas: Mapping[str, Schema] = field(default_factory=dict)
    body: Schema | None = None
    media: str = JSON
    most: int = MOST_JSON
    acts: bool = False
    signed_in: bool = False
    variants: Callable[[Rulebook], Iterable[Variant]] | None = None
    reads: bool = False

    @property
    def name(self) -> str:
        """Name the route after its handler, as the document's operation id."""
        return self.handle.__name__

    @property
    def rule(self) -> str:
        """Give the path as the web framework writes it."""
        return _PARAMETER.sub(r"<\1>", self.path)

    @property
    def parameters(self) -> list[str]:
        """Name the path's parameters."""
        return _PARAMETER.findall(self.path)

    @cached_property
    def _query_checker(self) -> Checker:
        required = [name for name, schema in self.query.items() if schema.get("x-required")]
        schema = {
            "type": "object",
            "properties": dict(self.query),
            "additionalProperties": False,
            "required": required,
        }
        return Checker(schema, {})

    def read_query(self, given: MultiDict[str, str]) -> dict[str, Any]:
        """Read the query parameters.

        Raises:
            Problem: A parameter is unknown, missing, or not what it should be; all of them are named.
        """
        found = {name: schema["default"] for name, schema in self.query.items() if "default" in schema}
        if not given and not self.query:
            return found
        told = []
        for name, values in given.lists():
            schema = self.query.get(name, {})
            if schema.get("type") == "array":
                found[name] = [_typed(value, schema.get("items", {})) for value in values]
            else:
                found[name] = _typed(values[0], schema)
                if len(values) > 1 and name in self.query:
                    told.append(Mistake(f"query:{name}", f"只能写一次，这里写了 {len(values)} 次"))
            if any("\0" in value for value in values):
                told.append(Mistake(f"query:{shown(name)}", "含有无法保存的字符（U+0000）", "请删除该字符"))
        told += [
            Mistake(f"query:{item.pointer.lstrip('/')}", item.message, item.hint)
            for item in self._query_checker.mistakes(found)
        ]
        if told:
            raise Problem("invalid", f"查询参数有 {len(told)} 处不对", told)
        return found


class Resource:
    """Collect the routes of one resource.

    Args:
        name: Its name, the tag in the document.
        title: Its title in Chinese.
        schemas: Its components, by name.
    """

    def __init__(self, name: str, title: str, schemas: Mapping[str, Schema] | None = None) -> None:
        self.name = name
        self.title = title
        self.schemas = dict(schemas or {})
        self.routes: list[Route] = []

    def route(
        self,
        method: Method,
        path: str,
        summary: str,
        *,
        scope: str | None,
        answers: Mapping[int, Answer],
        **more: Any,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare the handler that follows; see `Route`."""

        def declared(handle: Callable[..., Any]) -> Callable[..., Any]:
            self.routes.append(Route(method, path, handle, summary, scope, answers, **more))
            return handle

        return declared


def written(reply: Reply) -> Response:
    """Write a reply as a response; half a character, which UTF-8 can't hold, becomes a question mark."""
    if reply.status == 204:
        return Response(status=204, headers=reply.headers)
    if isinstance(reply.data, bytes):
        response = Response(reply.data, reply.status, content_type=reply.media)
    else:
        text = _ENCODER.encode(reply.data)
        response = Response(text.encode("utf-8", "replace"), reply.status, content_type=JSON)
    if reply.headers:
        response.headers.extend(reply.headers)
    return response


def _typed(value: str, schema: Schema) -> Any:
    """Read a parameter by its type; what can't be read stays text, and is refused with the rest."""
    kind = schema.get("type")
    if kind == "integer" and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    return value


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=plain)
