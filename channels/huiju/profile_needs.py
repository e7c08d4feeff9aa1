"""The words of a profile file. Which keys it must hold is told by the file that comes with the project."""

from __future__ import annotations

SECTIONS = frozenset(
    "name title sources base_url envelope reply signing encryption limits codes enums records endpoints".split()
)
COMMON = frozenset({"mark", "source", "note", "title"})
MARKS = frozenset({"sourced", "assumed"})
KINDS = frozenset("ok credentials clock replayed rate busy refused missing stale listed".split())
TYPES = frozenset("text integer fen seconds milliseconds boolean texts record records".split())
NESTED = frozenset({"record", "records"})

CHOICES: dict[str, tuple[object, ...]] = {
    "algorithm": ("md5",),
    "upper_case": (True, False),
    "empty_values": ("include", "skip"),
    "nested_values": ("json_text",),
}
