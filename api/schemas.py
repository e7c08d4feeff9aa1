"""Schemas of requests and replies, and what holds a request against them.

Facts are declared in `rules/facts/`, all else beside the route that takes or gives it. The verdict on a request is jsonschema-rs's, which
fetches nothing; the words are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jsonschema_rs

from api.problems import Mistake
from engine.facts import shown
from engine.suggest import did_you_mean
from engine.vocabulary import Vocabulary

Schema = Mapping[str, Any]
HIDDEN = "（不显示）"
"""What stands in messages for the value of a secret."""

COMPONENTS = "#/components/schemas/"
_DROPPED = frozenset({"$schema", "$id", "$defs"})
_KINDS = {
    "string": "文字",
    "integer": "整数",
    "number": "数",
    "boolean": "是/否",
    "object": "一组字段",
    "array": "列表",
    "null": "空",
}
_LIMITS = {
    "minimum": "太小，最小是 {}",
    "maximum": "太大，最大是 {}",
    "minLength": "太短，至少 {} 个字符",
    "maxLength": "太长，最多 {} 个字符",
    "minItems": "太少，至少 {} 项",
    "maxItems": "太多，最多 {} 项",
    "minProperties": "太少，至少 {} 项",
    "maxProperties": "太多，最多 {} 项",
}


def text(title: str, **more: Any) -> dict[str, Any]:
    """Describe a text."""
    return {"type": "string", "title": title, **more}


def integer(title: str, **more: Any) -> dict[str, Any]:
    """Describe a whole number."""
    return {"type": "integer", "title": title, **more}


def boolean(title: str, **more: Any) -> dict[str, Any]:
    """Describe a yes or no."""
    return {"type": "boolean", "title": title, **more}


def moment(title: str, **more: Any) -> dict[str, Any]:
    """Describe a moment: RFC 3339 with its zone."""
    return {"type": "string", "format": "date-time", "title": title, **more}


def array(items: Schema, title: str = "", **more: Any) -> dict[str, Any]:
    """Describe a list."""
    return {"type": "array", "items": items, **({"title": title} if title else {}), **more}


def record(title: str, properties: Mapping[str, Schema], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """Describe an object that holds these members and no others; all but the optional ones are always there."""
    required = [name for name in properties if name not in optional]
    found = {"type": "object", "title": title, "properties": dict(properties), "additionalProperties": False}
    return found | ({"required": required} if required else {})


def or_null(schema: Schema) -> dict[str, Any]:
    """Describe a value that may be null."""
    kind = schema.get("type")
    if not isinstance(kind, str):
        return {"anyOf": [schema, {"type": "null"}]}
    choices = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [kind, "null"], **choices}


def component(name: str) -> dict[str, str]:
    """Point at a component."""
    return {"$ref": COMPONENTS + name}


def page_of(items: Schema, title: str) -> dict[str, Any]:
    """Describe one page of a list."""
    following = or_null(text("下一页的 cursor；没有更多时为空"))
    return record(title, {"items": array(items), "next": following})


def fact_components(vocabulary: Vocabulary) -> dict[str, Any]:
    """Make components of the facts: `order` of order.yaml, and `order.line` of what it defines within."""
    found: dict[str, Any] = {}
    for file, schema in vocabulary.schemas.items():
        name = file.removesuffix(".yaml")
        found[name] = _rewritten(schema, name)
        for inner, definition in schema.get("$defs", {}).items():
            found[f"{name}.{inner}"] = _rewritten(definition, name)
    return found


def _rewritten(value: Any, home: str) -> Any:
    """Let references point at components instead of at files, and say of what may be absent that it may be null: both mean the same."""
    if isinstance(value, list):
        return [_rewritten(item, home) for item in value]
    if not isinstance(value, dict):
        return value
    copy = {key: _rewritten(item, home) for key, item in value.items() if key not in _DROPPED}
    if isinstance(reference := copy.get("$ref"), str):
        file, _, inner = reference.partition("#/$defs/")
        name = file.removesuffix(".yaml") or home
        copy["$ref"] = COMPONENTS + (f"{name}.{inner}" if inner else name)
    if isinstance(members := copy.get("properties"), dict):
        required = copy.get("required", ())
        copy["properties"] = {
            member: schema if member in required else or_null(schema) for member, schema in members.items()
        }
    if isinstance(items := copy.get("items"), dict):
        copy["items"] = or_null(items)
    return copy


class Checker:
    """Hold values against one schema.

    Args:
        schema: The schema.
        components: What its references point at.
    """

    def __init__(self, schema: Schema, components: Mapping[str, Any]) -> None:
        self._schema = {**schema, "components": {"schemas": dict(components)}}
        self._validator = jsonschema_rs.Draft202012Validator(
            self._schema, validate_formats=True, offline=True
        )

    def mistakes(self, value: Any, place: str = "") -> list[Mistake]:
        """List everything that does not fit; empty where all does.

        Args:
            value: JSON data.
            place: Put before each pointer.
        """
        try:
            if self._validator.is_valid(value):
                return []
            return [self._mistake(error, place) for error in self._validator.iter_errors(value)]
        except ValueError:  # what the library says of lists in lists beyond its depth
            return [Mistake(place, "嵌套太深", "请减少列表和对象的层数")]

    def _mistake(self, error: Any, place: str) -> Mistake:
        """Say an error of the library in our words; what it says itself is never shown, nor is a value that is only to be written."""
        pointer = place + "".join(f"/{escaped(step)}" for step in error.instance_path)
        kind, found = error.kind, HIDDEN if self._is_secret(error) else shown(error.instance)
        match kind.name:
            case "required":
                return Mistake(f"{pointer}/{escaped(kind.property)}", "缺少这一项")
            case "additionalProperties":
                unknown = [str(name) for name in kind.unexpected]
                hint = did_you_mean(unknown[0], self._names(error), listed="可用的有")
                said = f"没有这一项：{'、'.join(map(shown, unknown))}"
                return Mistake(f"{pointer}/{escaped(unknown[0])}", said, hint)
            case "type":
                wanted = "或".join(_KINDS.get(str(item), str(item)) for item in kind.types)
                return Mistake(pointer, f"应是{wanted}，这里是 {found}")
            case "enum":
                return Mistake(pointer, f"没有取值 {found}", f"可用的有 {'、'.join(map(str, kind.options))}")
            case name if name in _LIMITS:
                return Mistake(pointer, f"{found} {_LIMITS[name].format(kind.limit)}")
            case "uniqueItems":
                return Mistake(pointer, f"{found} 里有重复的")
            case "format":
                hint = "例如 2022-03-08T09:00:00+08:00" if kind.format == "date-time" else ""
                return Mistake(pointer, f"{found} 不是 {kind.format}", hint)
            case "propertyNames":
                named = f"{pointer}/{escaped(error.kind.error.instance)}"
                return replace(self._mistake(error.kind.error, place), pointer=named)
            case "pattern":
                return Mistake(pointer, f"{found} 的写法不对", f"应符合 {kind.pattern}")
            case _:
                return Mistake(pointer, f"{found} 不符合要求（{kind.name}）")

    def _is_secret(self, error: Any) -> bool:
        """Tell whether the schema that an error is about, or one around it, is `writeOnly`."""
        place: Any = self._schema
        around = [place]
        for step in error.schema_path:
            place = (
                place[step]
                if isinstance(place, list)
                else place.get(step)
                if isinstance(place, dict)
                else None
            )
            around.append(place)
        return any(isinstance(item, dict) and item.get("writeOnly") is True for item in around)

    def _names(self, error: Any) -> list[str]:
        """Give the names that an object may have."""
        place: Any = self._schema
        for step in list(error.schema_path)[:-1]:
            place = place.get(step, {}) if isinstance(place, dict) else place[step]
        return list(place.get("properties", {})) if isinstance(place, dict) else []


def escaped(step: Any) -> str:
    """Write one step of a JSON pointer (RFC 6901)."""
    return str(step).replace("~", "~0").replace("/", "~1")
