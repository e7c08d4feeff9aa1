"""Hold every answer that a test gets against the OpenAPI document: what is given is what is documented."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from itertools import combinations
from typing import Any

import jsonschema_rs
from flask import Flask, Response, request

from api.openapi import document
from api.resources import resources
from engine.rulebook import Rulebook


def watch(app: Flask, rulebook: Rulebook) -> list[str]:
    """Hold the answers of an app against the document of some rules, and give the list that differences are put on."""
    found: list[str] = []
    whole, names = document(rulebook, resources()), {resource.name for resource in resources()}

    @cache
    def validator(path: str, method: str, status: str, media: str) -> jsonschema_rs.Draft202012Validator:
        content = whole["paths"][path][method]["responses"][status]["content"][media]
        schema = {**content["schema"], "components": whole["components"]}
        return jsonschema_rs.Draft202012Validator(schema, validate_formats=True, offline=True)

    @app.after_request
    def hold(response: Response) -> Response:
        if request.url_rule is None or request.method.lower() not in ("get", "post", "put", "delete"):
            return response
        if request.url_rule.endpoint.partition(".")[0] not in names:
            return response  # a page, for people, or a route that a test has made: no part of the interface
        path = _documented(request.url_rule.rule, request.view_args or {}, whole["paths"])
        if not path or request.method.lower() not in whole["paths"][path]:
            if response.status_code < 400:
                found.append(f"{request.method} {request.path}: not documented")
            return response
        responses, status = (
            whole["paths"][path][request.method.lower()]["responses"],
            str(response.status_code),
        )
        if status not in responses:
            found.append(f"{request.method} {request.path}: {status} is not documented")
            return response
        content, media = responses[status].get("content", {}), response.mimetype
        if not content and response.get_data():
            found.append(f"{request.method} {request.path}: {status} is documented without a body")
        elif content and media not in content and "*/*" not in content:
            found.append(f"{request.method} {request.path}: {status} as {media}")
        elif media in content and media.endswith("json"):
            checker = validator(path, request.method.lower(), status, media)
            for error in checker.iter_errors(json.loads(response.get_data())):
                place = "/".join(map(str, error.instance_path))
                found.append(f"{request.method} {request.path}: {status} {place}: {error.message}")
        return response

    return found


def _documented(rule: str, values: Mapping[str, Any], paths: Mapping[str, Any]) -> str:
    """Find the address of a rule in the document: as it stands, or with some parameters written out; empty for none."""
    rule = rule.replace("<", "{").replace(">", "}")
    for count in range(len(values) + 1):
        for names in combinations(values, count):
            path = rule
            for name in names:
                path = path.replace(f"{{{name}}}", values[name])
            if path in paths:
                return path
    return ""
