"""Read the one file that says what Huiju's wire looks like, and check it before anyone relies on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from channels.errors import ProfileError
from channels.huiju import profile_needs as needs

PACKAGED = Path(__file__).with_name("profile.yaml")


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold one value of the profile.

    Attributes:
        value: The value as it stands on the wire.
        mark: ``sourced`` or ``assumed``.
        source: Key of the source, "" for an assumed entry.
        note: Free text, "" where there is none.
        title: Chinese title, "" where there is none.
        kind: For codes: what the reply means to a caller. "" elsewhere.
    """

    value: Any
    mark: str
    source: str = ""
    note: str = ""
    title: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """Describe one field of a record, a request or a reply.

    Attributes:
        name: The key that the project uses.
        wire: The name on the wire; the same unless someone corrected it.
        type: One of ``profile_needs.TYPES``.
        of: Name of the record for the types record and records, else "".
        enum: Name of the enum that translates the value, else "".
        encrypted: Whether the wire carries ciphertext.
        optional: Whether a request may leave it out.
        title, mark, source, note: As for Entry.
    """

    name: str
    wire: str
    type: str
    of: str
    enum: str
    encrypted: bool
    optional: bool
    title: str
    mark: str
    source: str
    note: str


Fields = Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Describe one interface.

    Attributes:
        name: The key that the project uses.
        path: Path below the base address.
        writes: Whether it changes anything at the channel.
        repeatable: Whether sending it twice does no more than sending it once.
        request, reply: Fields by name.
        title, mark, source, note: As for Entry.
    """

    name: str
    path: str
    writes: bool
    repeatable: bool
    request: Fields
    reply: Fields
    title: str
    mark: str
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class Profile:
    """Hold the whole profile, checked.

    Attributes:
        name, title: What the file calls itself.
        sources: Source key to description.
        base_url: Address of the channel.
        envelope: ``request_id, app_id, timestamp, nonce, sign`` to the name on the wire.
        lengths: Length in characters of ``request_id`` and ``nonce``.
        reply: ``code, message, data`` to the name on the wire.
        signing, limits, codes: Entries by name.
        encryption: Entries by name.
        enums: Enum name to member to entry.
        records: Record name to fields.
        endpoints: Endpoint name to endpoint.
        raw: The file as read, for the reference page.
    """

    name: str
    title: str
    sources: Mapping[str, str]
    base_url: str
    envelope: Mapping[str, str]
    lengths: Mapping[str, int]
    reply: Mapping[str, str]
    signing: Mapping[str, Entry]
    encryption: Mapping[str, Entry]
    limits: Mapping[str, Entry]
    codes: Mapping[str, Entry]
    enums: Mapping[str, Mapping[str, Entry]]
    records: Mapping[str, Fields]
    endpoints: Mapping[str, Endpoint]
    raw: Mapping[str, Any]

    def limit(self, name: str) -> int:
        """Return a limit as a number."""
        return int(self.limits[name].value)

    def code(self, value: object) -> tuple[str, str]:
        """Return name and kind of a reply code, both "" for one that the profile doesn't know."""
        for name, entry in self.codes.items():
            if str(entry.value) == str(value):
                return name, entry.kind
        return "", ""


class _Reader:
    """Turn the parsed YAML into a Profile; every complaint says where."""

    def __init__(self, raw: Any, file: str) -> None:
        self.file = file
        self.raw = raw

    def fail(self, where: str, what: str) -> ProfileError:
        return ProfileError("huiju", f"{self.file}：{where} {what}", code="profile")

    def mapping(self, value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            raise self.fail(where, f"应为键值映射，得到 {value!r}")
        return value

    def section(self, name: str) -> dict[str, Any]:
        return self.mapping(self.raw.get(name), name)

    def marked(self, value: Any, where: str, allowed: frozenset[str]) -> dict[str, Any]:
        entry = self.mapping(value, where)
        unknown = sorted(set(entry) - allowed - needs.COMMON)
        if unknown:
            raise self.fail(where, f"有不认识的键 {'、'.join(unknown)}")
        if entry.get("mark") not in needs.MARKS:
            raise self.fail(where, f"的 mark 应为 sourced 或 assumed，得到 {entry.get('mark')!r}")
        if entry["mark"] == "sourced" and entry.get("source") not in self.raw["sources"]:
            raise self.fail(where, f"标为 sourced，但 source {entry.get('source')!r} 不在 sources 中")
        return entry

    def entry(self, value: Any, where: str, *, kind: bool = False) -> Entry:
        entry = self.marked(value, where, frozenset({"value", "kind"} if kind else {"value"}))
        if "value" not in entry:
            raise self.fail(where, "缺少 value")
        if kind and entry.get("kind") not in needs.KINDS:
            raise self.fail(
                where, f"的 kind 应为 {'、'.join(sorted(needs.KINDS))} 之一，得到 {entry.get('kind')!r}"
            )
        return Entry(
            entry["value"],
            entry["mark"],
            entry.get("source", ""),
            entry.get("note", ""),
            entry.get("title", ""),
            entry.get("kind", ""),
        )

    def entries(self, name: str, *, kind: bool = False) -> dict[str, Entry]:
        return {
            key: self.entry(value, f"{name}.{key}", kind=kind) for key, value in self.section(name).items()
        }

    def unique(self, values: list[str], where: str) -> None:
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise self.fail(where, f"中 {'、'.join(twice)} 出现了不止一次")

    def enums(self) -> dict[str, dict[str, Entry]]:
        result = {}
        for name, members in self.section("enums").items():
            result[name] = {
                key: self.entry(value, f"enums.{name}.{key}")
                for key, value in self.mapping(members, f"enums.{name}").items()
            }
            self.unique([str(entry.value) for entry in result[name].values()], f"enums.{name}")
        return result

    def fields(self, value: Any, where: str) -> dict[str, Field]:
        result = {
            name: self.field(name, spec, f"{where}.{name}")
            for name, spec in self.mapping(value, where).items()
        }
        self.unique([field.wire for field in result.values()], where)
        return result

    def field(self, name: str, value: Any, where: str) -> Field:
        spec = self.marked(value, where, frozenset({"type", "of", "enum", "encrypted", "optional", "wire"}))
        kind = spec.get("type")
        if kind not in needs.TYPES:
            raise self.fail(where, f"的 type 应为 {'、'.join(sorted(needs.TYPES))} 之一，得到 {kind!r}")
        if (kind in needs.NESTED) != ("of" in spec):
            raise self.fail(where, "的 of 只用于 record 与 records，且不可缺少")
        if "of" in spec and spec["of"] not in self.raw["records"]:
            raise self.fail(where, f"引用了不存在的记录 {spec['of']!r}")
        if "enum" in spec and spec["enum"] not in self.raw["enums"]:
            raise self.fail(where, f"引用了不存在的枚举 {spec['enum']!r}")
        return Field(
            name,
            str(spec.get("wire", name)),
            kind,
            spec.get("of", ""),
            spec.get("enum", ""),
            spec.get("encrypted") is True,
            spec.get("optional") is True,
            spec.get("title", ""),
            spec["mark"],
            spec.get("source", ""),
            spec.get("note", ""),
        )

    def endpoints(self) -> dict[str, Endpoint]:
        result = {}
        for name, value in self.section("endpoints").items():
            where = f"endpoints.{name}"
            spec = self.marked(value, where, frozenset({"path", "effect", "repeatable", "request", "reply"}))
            if not str(spec.get("path", "")).startswith("/"):
                raise self.fail(where, f"的 path 应以 / 开头，得到 {spec.get('path')!r}")
            if spec.get("effect") not in ("read", "write"):
                raise self.fail(where, f"的 effect 应为 read 或 write，得到 {spec.get('effect')!r}")
            result[name] = Endpoint(
                name,
                spec["path"],
                spec["effect"] == "write",
                spec["effect"] == "read" or spec.get("repeatable") is True,
                self.fields(spec.get("request"), f"{where}.request"),
                self.fields(spec.get("reply"), f"{where}.reply"),
                spec.get("title", ""),
                spec["mark"],
                spec.get("source", ""),
                spec.get("note", ""),
            )
        self.unique([endpoint.path for endpoint in result.values()], "endpoints 的 path")
        return result

    def names(self, section: str) -> tuple[dict[str, str], dict[str, int]]:
        wires, lengths = {}, {}
        for key, value in self.section(section).items():
            where = f"{section}.{key}"
            spec = self.marked(value, where, frozenset({"wire", "unit", "length"}))
            wires[key] = str(spec.get("wire", key))
            if "length" in spec:
                lengths[key] = int(spec["length"])
        self.unique(list(wires.values()), section)
        return wires, lengths

    def profile(self) -> Profile:
        self.mapping(self.raw, "文件")
        sources = self.section("sources")
        unknown = sorted(set(self.raw) - needs.SECTIONS)
        if unknown:
            raise self.fail("文件", f"有不认识的部分 {'、'.join(unknown)}")
        envelope, lengths = self.names("envelope")
        codes = self.entries("codes", kind=True)
        self.unique([str(entry.value) for entry in codes.values()], "codes")
        signing = self.entries("signing")
        for key, choices in needs.CHOICES.items():
            if signing[key].value not in choices:
                raise self.fail(f"signing.{key}", f"应为 {'、'.join(map(str, choices))} 之一")
        limits = self.entries("limits")
        for key, entry in limits.items():
            if type(entry.value) is not int or entry.value < 1:
                raise self.fail(f"limits.{key}", f"应为正整数，得到 {entry.value!r}")
        enums = self.enums()
        records = self.section("records")
        return Profile(
            name=str(self.raw.get("name", "")),
            title=str(self.raw.get("title", "")),
            sources={key: str(value) for key, value in sources.items()},
            base_url=str(self.entry(self.raw.get("base_url"), "base_url").value),
            envelope=envelope,
            lengths=lengths,
            reply=self.names("reply")[0],
            signing=signing,
            encryption=self.entries("encryption"),
            limits=limits,
            codes=codes,
            enums=enums,
            records={name: self.fields(spec, f"records.{name}") for name, spec in records.items()},
            endpoints=self.endpoints(),
            raw=self.raw,
        )


class _Loader(yaml.CSafeLoader):
    """Load plain YAML, and refuse a key that stands twice in one mapping: the later one would win unseen."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build one mapping."""
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.constructor.ConstructorError(
                None, None, f"键 {'、'.join(twice)} 重复", node.start_mark
            )
        return super().construct_mapping(node, deep)


@cache
def load_profile(path: Path = PACKAGED) -> Profile:
    """Read and check a profile file; one of a merchant's own must hold every entry that the project's has.

    Args:
        path: The file; the one that comes with the project where none is given.

    Raises:
        ProfileError: The file can't be read, or an entry is missing, misspelt or contradicts another.
    """
    raw = _read(path)
    if path != PACKAGED:
        missing = list(_absent(load_profile().raw, raw, "")) if isinstance(raw, dict) else []
        if missing:
            raise ProfileError("huiju", f"{path.name}：缺少 {'、'.join(missing[:10])}", code="profile")
    return _Reader(raw, path.name).profile()


def _read(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  # it is a safe loader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ProfileError("huiju", f"{path.name} 无法读取：{error}", code="profile") from None


def _absent(known: Mapping[str, Any], given: Mapping[str, Any], where: str) -> Iterator[str]:
    """Name the entries that the file of the project has and another one lacks; code relies on every one of them."""
    for key, child in known.items():
        if not isinstance(child, Mapping):
            continue
        if key not in given:
            yield f"{where}{key}"
        elif isinstance(given[key], Mapping):
            yield from _absent(child, given[key], f"{where}{key}.")
