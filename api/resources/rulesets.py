"""The rules in force: their versions, what each says, their schemas; and a look at rules that are not in force yet."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from flask import Response

from api.conditional import with_etag
from api.problems import MOST_TOLD, Mistake, Problem, diagnostic_data
from api.resources.validate import find_ruleset
from api.routes import Answer, Ask, Resource
from api.schemas import array, boolean, component, escaped, integer, or_null, record, text
from engine.diagnostics import render
from engine.rule_docs import flow_page, rule_page
from engine.rule_schema import rule_file_schema
from engine.rulebook import MANIFEST, inspect
from engine.rules import Flow, Rule, Ruleset

MOST_FILES = 200
MOST_LINTED = 400_000
"""Bytes of rule files that are looked at in one go; those that come with the project take a sixth, and this many take a second."""

INSIDE = r"^([0-9A-Za-z_\u4e00-\u9fff-][0-9A-Za-z_.\u4e00-\u9fff-]{0,79}/)*[0-9A-Za-z_\u4e00-\u9fff-][0-9A-Za-z_.\u4e00-\u9fff-]{0,70}\.yaml$"
"""Names of rule files: below the manifest's folder, no part longer than a file's name may be."""

RULE = record(
    "规则",
    {
        "id": text("编号"),
        "title": text("标题"),
        "source": text("依据"),
        "severity": {"enum": ["error", "warning", "notice"]},
        "from": or_null(text("从哪天起", format="date")),
        "until": or_null(text("到哪天止，含", format="date")),
        "file": text("文件"),
        "line": integer("行", minimum=1),
        "doc": text("说明，Markdown"),
    },
)
RULESET = record(
    "规则集",
    {
        "name": text("名称"),
        "channel": text("渠道"),
        "family": text("家族"),
        "kind": {"enum": ["eligibility", "mapping", "actions"]},
        "fact": text("关于哪种数据"),
        "version": text("版本：内容的哈希"),
        "rules": integer("几条规则"),
        "flows": integer("几条流程"),
    },
)
WHOLE = record(
    "规则集",
    {
        **{
            name: RULESET["properties"][name]
            for name in ("name", "channel", "family", "kind", "fact", "version")
        },
        "rules": array(component("rule")),
        "flows": array(component("rule")),
    },
)
LINT = record(
    "要看的规则文件",
    {
        "files": {
            "type": "object",
            "title": "文件名（相对于 rulesets.yaml 所在的文件夹）和内容；没有写的用现用的",
            "propertyNames": {"pattern": INSIDE, "maxLength": 200},
            "additionalProperties": {"type": "string", "maxLength": 2_000_000},
            "minProperties": 1,
            "maxProperties": MOST_FILES,
        }
    },
)
LINTED = record(
    "结果",
    {
        "good": boolean("没有错误，可以使用"),
        "diagnostics": array({"type": "object"}, f"逐处，最多 {MOST_TOLD} 处"),
        "left_out": integer("另有几处没有列出", minimum=0),
        "text": text("给人看的"),
        "versions": {"type": "object", "additionalProperties": {"type": "string"}, "title": "规则集与版本"},
    },
)

RESOURCE = Resource("rulesets", "规则", {"rule": RULE, "ruleset": RULESET, "whole_ruleset": WHOLE})
route = RESOURCE.route
ETAG = {"ETag": "版本；放在 If-None-Match 里，没有变化时得到 304"}
UNCHANGED = Answer("没有变化", media="")


@route(
    "GET",
    "/v1/rulesets",
    "列出规则集与版本",
    scope="rules:read",
    answers={
        200: Answer("规则集", record("规则集", {"items": array(component("ruleset"))}), headers=ETAG),
        304: UNCHANGED,
    },
)
def list_rulesets(ask: Ask) -> Response:
    """List the rulesets in force."""
    return with_etag({"items": [_line(ruleset) for ruleset in ask.rulebook.rulesets()]})


@route(
    "GET",
    "/v1/rulesets/{channel}/{family}",
    "一个规则集：每条规则、来源、说明",
    scope="rules:read",
    answers={200: Answer("规则集", component("whole_ruleset"), headers=ETAG), 304: UNCHANGED},
)
def show_ruleset(ask: Ask, channel: str, family: str) -> Response:
    """Give one ruleset with all its rules."""
    found = find_ruleset(ask.rulebook, channel, family)
    rules = [_rule(rule, rule_page(found, rule)) for rule in found.rules]
    flows = [_rule(flow, flow_page(found, flow)) for flow in found.flows]
    return with_etag({**_line(found), "rules": rules, "flows": flows})


@route(
    "GET",
    "/v1/rulesets/{channel}/{family}/schema",
    "规则文件的 JSON Schema，给编辑器用",
    scope="rules:read",
    answers={200: Answer("JSON Schema", {"type": "object"}, headers=ETAG), 304: UNCHANGED},
)
def show_schema(ask: Ask, channel: str, family: str) -> Response:
    """Give the schema of a ruleset's file."""
    found = find_ruleset(ask.rulebook, channel, family)
    return with_etag(rule_file_schema(ask.rulebook.vocabulary, found.fact, found.kind))


@route(
    "GET",
    "/v1/facts",
    "词汇表：每种数据的 JSON Schema",
    scope="rules:read",
    answers={200: Answer("按文件名", {"type": "object"}, headers=ETAG), 304: UNCHANGED},
)
def show_facts(ask: Ask) -> Response:
    """Give the vocabulary."""
    return with_etag(dict(ask.rulebook.vocabulary.schemas))


@route(
    "POST",
    "/v1/rulesets/lint",
    "检查改过的规则文件，不使用它们",
    scope="rules:read",
    body=LINT,
    most=MOST_LINTED,
    answers={200: Answer("有没有错误、在哪里", LINTED)},
)
def lint(ask: Ask) -> Any:
    """Look at rule files as they would be, laid over those in force."""
    files = ask.body["files"]
    with tempfile.TemporaryDirectory() as folder:
        for name, content in _laid_over(ask, files):
            path = Path(folder) / name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.encode())
            except OSError:
                mistake = Mistake(f"/files/{escaped(name)}", "同名的既是文件又是文件夹")
                raise Problem("invalid", "文件名有误", [mistake]) from None
        rulebook, diagnostics = inspect(Path(folder) / MANIFEST, confined=True)
        found = diagnostics.in_order()
        told = render(found, rulebook.sources).replace(f"{folder}/", "")
        data = [_here(diagnostic_data(item), f"{folder}/") for item in found[:MOST_TOLD]]
    versions = {} if diagnostics.failed else {item.name: item.version for item in rulebook.rulesets()}
    return {
        "good": not diagnostics.failed,
        "diagnostics": data,
        "left_out": len(found) - len(data),
        "text": told,
        "versions": versions,
    }


def _laid_over(ask: Ask, files: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Give the files in force, those that were sent in their place."""
    kept = {_relative(name): source.text for name, source in ask.rulebook.sources.items()}
    yield from (kept | files).items()


def _relative(name: str) -> str:
    """Name a file that is in force by its place beside the manifest; the manifest itself may be named by its whole path."""
    return MANIFEST if PurePosixPath(name).name == MANIFEST else name


def _here(data: dict[str, Any], folder: str) -> dict[str, Any]:
    """Name the files of a diagnostic as they were sent."""
    if span := data.get("span"):
        data["span"] = {**span, "file": span["file"].removeprefix(folder)}
    return data | {"message": data["message"].replace(folder, ""), "hint": data["hint"].replace(folder, "")}


def _line(ruleset: Ruleset) -> dict[str, Any]:
    channel, _, family = ruleset.name.partition("/")
    return {
        "name": ruleset.name,
        "channel": channel,
        "family": family,
        "kind": ruleset.kind,
        "fact": ruleset.fact.name,
        "version": ruleset.version,
        "rules": len(ruleset.rules),
        "flows": len(ruleset.flows),
    }


def _rule(rule: Rule | Flow, doc: str) -> dict[str, Any]:
    common = rule.common
    return {
        "id": common.id,
        "title": common.title,
        "source": common.source,
        "severity": common.severity,
        "from": common.first_day.isoformat() if common.first_day else None,
        "until": common.last_day.isoformat() if common.last_day else None,
        "file": common.span.file,
        "line": common.span.start_line,
        "doc": doc,
    }
