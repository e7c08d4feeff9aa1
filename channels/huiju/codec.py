"""Turn payloads into their wire form and back by the profile: names, enum values, ciphertext. Nothing else is changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from channels.huiju.profile import Field, Fields, Profile

Cipher = Callable[[str], str]


class Codec:
    """Translate between the payloads of the project and those on the wire.

    A key that the profile doesn't know, and an enum value that it doesn't list, pass through as they are: they are
    the channel's business, and whoever reads them must be able to see them.

    Args:
        profile: What the wire looks like.
        encrypt: Makes ciphertext of one field.
        decrypt: Reads ciphertext of one field.
    """

    def __init__(self, profile: Profile, *, encrypt: Cipher, decrypt: Cipher) -> None:
        self._profile = profile
        self._encrypt = encrypt
        self._decrypt = decrypt
        self._members = {
            name: {str(entry.value): member for member, entry in members.items()}
            for name, members in profile.enums.items()
        }

    def to_wire(self, payload: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
        """Return the payload with the wire's names, values and ciphertext."""
        return {
            (fields[key].wire if key in fields else key): self._out(value, fields.get(key))
            for key, value in payload.items()
        }

    def from_wire(self, payload: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
        """Return the payload with the project's names, values and plain text."""
        by_wire = {field.wire: field for field in fields.values()}
        return {
            (by_wire[key].name if key in by_wire else key): self._in(value, by_wire.get(key))
            for key, value in payload.items()
        }

    def _out(self, value: Any, field: Field | None) -> Any:
        if field is None or value is None:
            return value
        if field.of:
            return self._nested(value, field, self.to_wire)
        if field.enum:
            entry = self._profile.enums[field.enum].get(str(value))
            return entry.value if entry else value
        if field.encrypted and isinstance(value, str):
            return self._encrypt(value)
        return value

    def _in(self, value: Any, field: Field | None) -> Any:
        if field is None or value is None:
            return value
        if field.of:
            return self._nested(value, field, self.from_wire)
        if field.enum:
            return self._members[field.enum].get(str(value), value)
        if field.encrypted and isinstance(value, str):
            return self._decrypt(value)
        return value

    def _nested(
        self, value: Any, field: Field, turn: Callable[[Mapping[str, Any], Fields], dict[str, Any]]
    ) -> Any:
        fields = self._profile.records[field.of]
        if isinstance(value, Mapping):
            return turn(value, fields)
        if isinstance(value, (list, tuple)):
            return [turn(item, fields) if isinstance(item, Mapping) else item for item in value]
        return value


def flatten(payload: Mapping[str, Any]) -> dict[str, str]:
    """Return the payload with every value as text, as the wire wants it; absent (None) values are left out.

    >>> flatten({"pageNum": 1, "shipped": True, "lineIds": ["L1"], "remark": None})
    {'pageNum': '1', 'shipped': 'true', 'lineIds': '["L1"]'}
    """
    return {key: as_text(value) for key, value in payload.items() if value is not None}


def as_text(value: Any) -> str:
    """Return one value as text: text as it is, numbers and booleans as in JSON, lists and objects as compact JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def unflatten(params: Mapping[str, str], fields: Fields) -> dict[str, Any]:
    """Read flat text values back by the types of the fields, whose keys are wire names.

    Raises:
        ValueError: A value is not what its type says; the text names the field.
    """
    by_wire = {field.wire: field for field in fields.values()}
    return {key: _typed(key, value, by_wire.get(key)) for key, value in params.items()}


def _typed(key: str, value: str, field: Field | None) -> Any:
    if field is None or field.type == "text":
        return value
    try:
        parsed = json.loads(value)
    except ValueError:
        raise ValueError(f"{key} 的值不是 {field.type}") from None
    wanted = {"boolean": bool, "texts": list, "records": list, "record": dict}.get(field.type, int)
    if type(parsed) is not wanted:
        raise ValueError(f"{key} 的值不是 {field.type}")
    return parsed
