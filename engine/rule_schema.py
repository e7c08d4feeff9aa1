"""A JSON Schema of rule files, for editors: completion of fields, tests, enum values and actions while typing."""

from __future__ import annotations

from typing import Any, get_args

from engine.diagnostics import Severity
from engine.kinds import KINDS
from engine.kinds.flows import KEYS as FLOW_KEYS
from engine.operators import operators
from engine.operators._arguments import constant_schema
from engine.rule_reader import COMMON_KEYS, EXAMPLE_KEYS, ID
from engine.rulefile import FILE_KEYS
from engine.rules import RulesetKind
from engine.vocabulary import SCALARS, Fact, FieldType, Vocabulary, resolve, walk

_MESSAGE = {"anyOf": [{"type": "string"}, {"type": "object", "required": ["zh"], "properties": {"zh": {"type": "string"}, "en": {"type": "string"}}, "additionalProperties": False}]}  # fmt: skip
_LIST = {"type": "array"}
_TEXTS = {"type": "array", "items": {"type": "string"}, "minItems": 1}


def rule_file_schema(vocabulary: Vocabulary, fact: Fact, kind: RulesetKind) -> dict[str, Any]:
    """Describe the rule files of one kind about one fact.

    Args:
        vocabulary: The facts and tables there are.
        fact: The fact that the rules are about.
        kind: The kind of ruleset.

    Returns:
        A JSON Schema, 2020-12. It is meant for completion; what is right is decided by `shelfgate rules lint`.
    """
    paths = _paths(fact.type)
    keys = KINDS[kind][0]
    known = _rule_keys(fact, paths)
    rule = {
        "type": "object",
        "required": ["id", "title", "source"],
        "properties": {key: known[key] for key in (*COMMON_KEYS, *keys)},
        "additionalProperties": False,
    }
    flow = {"type": "object", "required": ["id", "title", "source", "on", "then"], "properties": {key: known[key] for key in FLOW_KEYS}, "additionalProperties": False}  # fmt: skip
    properties: dict[str, Any] = {
        "kind": {"const": kind},
        "fact": {"const": fact.name},
        "title": {"type": "string"},
        "definitions": {"type": "object", "additionalProperties": {"$ref": "#/$defs/condition"}},
        "rules": {"type": "array", "minItems": 1, "items": rule},
    }
    if kind == "actions":
        properties["flows"] = {"type": "array", "items": flow}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{fact.type.title}的规则（{kind}）",
        "type": "object",
        "required": ["kind", "fact", "rules"],
        "properties": {key: properties[key] for key in FILE_KEYS if key in properties},
        "additionalProperties": False,
        "$defs": _definitions(vocabulary, paths),
    }


def _paths(root: FieldType) -> dict[str, FieldType]:
    """Give every path that a condition may name, with its type."""
    found: dict[str, FieldType] = {}
    for path, _ in walk(root):
        type_ = resolve(root, tuple(path.split("."))).type
        if type_ is not None:
            found[path] = type_
    return found


def _rule_keys(fact: Fact, paths: dict[str, FieldType]) -> dict[str, Any]:
    condition = {"$ref": "#/$defs/condition"}
    path = {"$ref": "#/$defs/path"}
    action = {"enum": list(fact.action_names())} if fact.actions else {"type": "string"}
    scalars = {name: constant_schema(type_) for name, type_ in paths.items() if type_.kind in SCALARS}
    day = {"type": ["string", "null"], "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
    effective = {"type": "object", "properties": {"from": day, "until": day}, "additionalProperties": False}
    example = {
        "type": "object",
        "properties": {key: {} for key in EXAMPLE_KEYS},
        "additionalProperties": False,
    }
    case = {"type": "object", "required": ["to"], "properties": {"when": {"type": "object"}, "to": {}, "confidence": {"type": "number"}}, "additionalProperties": False}  # fmt: skip
    instead = {"type": "object", "required": ["action", "effect"], "properties": {"action": {"type": "string"}, "effect": _MESSAGE}, "additionalProperties": False}  # fmt: skip
    then = {"type": "object", "properties": {"set": {"type": "object", "properties": scalars, "additionalProperties": False}, "call": {"type": "string"}}, "additionalProperties": False}  # fmt: skip
    return {
        "id": {"type": "string", "pattern": f"^{ID.pattern.removesuffix(chr(92) + 'Z')}$"},
        "title": {"type": "string"},
        "source": {"type": "string"},
        "severity": {"enum": list(get_args(Severity))},
        "effective": effective,
        "examples": {"type": "array", "items": example},
        "fix": _MESSAGE,
        "when": condition,
        "require": condition,
        "forbid": condition,
        "otherwise": _MESSAGE,
        "preempts": _TEXTS,
        "map": path,
        "each": path,
        "key": {"type": "string"},
        "cases": {"type": "array", "minItems": 1, "items": case},
        "distinct": {"type": "boolean"},
        "restrict": {"type": "array", "minItems": 1, "items": action},
        "effect": {"enum": ["disable", "hide"]},
        "because": _MESSAGE,
        "instead": {"type": "array", "items": instead},
        "until": _MESSAGE,
        "mask": {"type": "object", "propertyNames": path, "additionalProperties": {"type": "string"}},
        "hide": {"type": "array", "items": path},
        "on": {"enum": [*fact.event_names(), *fact.action_names()]} if fact.actions else {"type": "string"},
        "then": then,
    }


def _definitions(vocabulary: Vocabulary, paths: dict[str, FieldType]) -> dict[str, Any]:
    condition = {"$ref": "#/$defs/condition"}
    several = {"type": "array", "minItems": 1, "items": condition}
    words = {"all": several, "any": several, "none": several, "not": condition, "use": {"type": "string"}}
    fields = {name: {"title": type_.title, **_tests(type_)} for name, type_ in paths.items()}
    reference = {
        "type": "object",
        "properties": {"field": {"$ref": "#/$defs/path"}, "item": {"type": "string"}},
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }
    plain = {kind: FieldType(kind) for kind in ("integer", "text", "number", "boolean", "date", "datetime")}
    return {
        "condition": {
            "type": "object",
            "minProperties": 1,
            "properties": {**words, **fields},
            "additionalProperties": False,
        },
        "path": {"enum": list(paths)},
        "reference": reference,
        "table": {"enum": list(vocabulary.tables)},
        **{f"tests-{kind}": _tests(type_) for kind, type_ in plain.items()},
    }


def _tests(type_: FieldType) -> dict[str, Any]:
    """Describe what may stand after a field: a bare value, or tests."""
    fitting = {id_: op for id_, op in operators().items() if type_.kind in op.subjects}
    tests = {id_: {"description": op.summary, **op.argument.schema(type_)} for id_, op in fitting.items()}
    mapping = {
        "type": "object",
        "minProperties": 1,
        "properties": {**tests, "not": {}},
        "additionalProperties": False,
    }
    return {"anyOf": [constant_schema(type_), mapping]} if type_.kind in SCALARS else mapping
