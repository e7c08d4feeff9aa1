"""Load the manifest and everything it names into a rulebook."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any, TypeGuard

from engine.decision import canonical
from engine.diagnostics import Diagnostic, Diagnostics, render
from engine.errors import ShelfgateError
from engine.evaluators import FLOW_EVALUATORS, record
from engine.flows import FlowMatcher, matcher
from engine.read import Mapping as MappingNode
from engine.read import Node, Scalar, read_file
from engine.rulefile import in_order, read_rule_file
from engine.rules import Ruleset
from engine.schemas import TABLES_FILE, read_vocabulary
from engine.source import Source, Span
from engine.suggest import did_you_mean
from engine.vocabulary import Vocabulary
from engine.waivers import read_waivers

MANIFEST = "rulesets.yaml"
_KEYS = ("facts", "channels")
_CHANNEL_KEYS = ("title", "flows", "rulesets", "waivers")


class RulebookError(ShelfgateError):
    """Say that the rules have mistakes.

    Attributes:
        diagnostics: Everything that is wrong, sorted by place.
        sources: The texts that the places point into, by file.
    """

    def __init__(self, diagnostics: list[Diagnostic], sources: Mapping[str, Source]) -> None:
        super().__init__(render(diagnostics, sources))
        self.diagnostics = diagnostics
        self.sources = sources


@dataclass(frozen=True, slots=True)
class Channel:
    """Describe one channel.

    Attributes:
        name: Such as `huiju`.
        title: Its Chinese name.
        flows: Name of the evaluator that matches its flows.
        rulesets: Its rulesets by family, in the order of the manifest.
    """

    name: str
    title: str
    flows: str
    rulesets: Mapping[str, Ruleset]

    def about(self, kind: str, fact: str) -> Ruleset | None:
        """Give the first ruleset of a kind about a fact; None where there is none."""
        rulesets = self.rulesets.values()
        return next((item for item in rulesets if item.kind == kind and item.fact.name == fact), None)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Hold everything that the manifest names, loaded and checked.

    Attributes:
        vocabulary: The facts and tables.
        channels: The channels by name, in the order of the manifest.
        sources: The texts that were read, by file.
        warnings: What was found that is no error.
    """

    vocabulary: Vocabulary
    channels: Mapping[str, Channel]
    sources: Mapping[str, Source]
    warnings: tuple[Diagnostic, ...] = ()
    _evaluators: dict[str, record.Evaluator] = field(default_factory=dict, repr=False, compare=False)

    def rulesets(self) -> list[Ruleset]:
        """Give every ruleset, channel by channel."""
        return [ruleset for channel in self.channels.values() for ruleset in channel.rulesets.values()]

    def ruleset(self, name: str) -> Ruleset:
        """Give a ruleset by its full name, such as `huiju/eligibility`.

        Raises:
            KeyError: There is no such ruleset.
        """
        channel, _, family = name.partition("/")
        return self.channels[channel].rulesets[family]

    def evaluator(self, ruleset: Ruleset) -> record.Evaluator:
        """Give the compiled plan of a ruleset; compiled once."""
        if ruleset.name not in self._evaluators:
            self._evaluators[ruleset.name] = record.compile_plan(ruleset.plan())
        return self._evaluators[ruleset.name]

    def flow_matcher(self, ruleset: Ruleset, as_of: datetime) -> FlowMatcher:
        """Give what matches a ruleset's flows as of a moment, by the evaluator that its channel names in the manifest.

        Raises:
            ShelfgateError: The evaluator is not installed, or can't do these flows.
        """
        channel = self.channels[ruleset.name.partition("/")[0]]
        return matcher(ruleset, as_of, channel.flows)


def find_manifest(given: Path | None = None) -> Path:
    """Find the manifest to use.

    Args:
        given: A manifest or its folder, as the user named it; None to look for one.

    Returns:
        What was given; else `rulesets.yaml` in the working folder; else the set that is shipped.
    """
    if given is not None:
        return given / MANIFEST if given.is_dir() else given
    here = Path(MANIFEST)
    if here.is_file():
        return here
    shipped = Path(__file__).parent / "shipped" / MANIFEST
    return shipped if shipped.is_file() else Path(__file__).parent.parent / MANIFEST


def load(manifest: Path) -> Rulebook:
    """Load a rulebook.

    Args:
        manifest: Path of `rulesets.yaml`; paths in it are relative to its folder.

    Returns:
        The rulebook.

    Raises:
        RulebookError: Anything is wrong with the manifest or a file it names.
    """
    rulebook, diagnostics = inspect(manifest)
    if diagnostics.failed:
        raise RulebookError(diagnostics.in_order(), rulebook.sources)
    return rulebook


def inspect(manifest: Path, *, confined: bool = False) -> tuple[Rulebook, Diagnostics]:
    """Load as much of a rulebook as can be loaded, and say what is wrong with the rest.

    Args:
        manifest: Path of `rulesets.yaml`.
        confined: Refuse files outside of the manifest's folder: rules that someone sends must not read what lies elsewhere.
    """
    diagnostics = Diagnostics()
    loader = _Loader(manifest.parent, diagnostics, confined=confined)
    shown = manifest.name if manifest.parent in {Path(), Path.cwd()} else str(manifest)
    source, root = read_file(manifest, shown, diagnostics)
    loader.sources[shown] = source
    channels = loader.manifest(root) if root is not None else {}
    warnings = tuple(item for item in diagnostics.in_order() if item.severity != "error")
    return Rulebook(loader.vocabulary, channels, loader.sources, warnings), diagnostics


class _Loader:
    """Read the files of one rulebook."""

    def __init__(self, folder: Path, diagnostics: Diagnostics, *, confined: bool) -> None:
        self.folder = folder
        self.confined = confined
        self.diagnostics = diagnostics
        self.sources: dict[str, Source] = {}
        self.vocabulary = Vocabulary({}, {}, {})

    def manifest(self, root: Node) -> dict[str, Channel]:
        if not isinstance(root, MappingNode) or not self.keys(root, _KEYS, "清单"):
            self.report(
                "SG0701",
                "清单应是键值表",
                root.span,
                "例如 channels: {huiju: {title: 腾讯惠聚, rulesets: {…}}}",
            )
            return {}
        facts = self.word(root.get("facts"), "rules/facts", "facts", "facts: rules/facts")
        if not self.inside(facts, root.get("facts") or root):
            return {}
        self.vocabulary, sources = read_vocabulary(self.folder / facts, facts, self.diagnostics)
        self.sources |= sources
        channels = root.get("channels")
        if not _filled(channels):
            self.report("SG0702", "清单里没有渠道", (channels or root).span, "例如 channels: {huiju: {…}}")
            return {}
        found = [(key.text, self.channel(key, node)) for key, node in channels.entries]
        return {name: channel for name, channel in found if channel is not None}

    def channel(self, key: Scalar, node: Node) -> Channel | None:
        rulesets_node = node.get("rulesets") if isinstance(node, MappingNode) else None
        if not isinstance(node, MappingNode) or not _filled(rulesets_node):
            self.report(
                "SG0703", f"渠道 {key.text} 缺少 rulesets", key.span, "例如 rulesets: {eligibility: rules/…}"
            )
            return None
        self.keys(node, _CHANNEL_KEYS, f"渠道 {key.text} ")
        if "/" in key.text or not key.text.strip():
            self.report("SG0706", f"渠道名 {key.text!r} 不能为空或含有 /", key.span, "例如 huiju")
            return None
        flows = self.word(node.get("flows"), "record", "flows", "flows: record")
        if flows not in FLOW_EVALUATORS:
            place = node.get("flows") or node
            self.report(
                "SG0704", f"没有名为 {flows!r} 的流程求值器", place.span, did_you_mean(flows, FLOW_EVALUATORS)
            )
        rulesets: dict[str, Ruleset] = {}
        for family, path in rulesets_node.entries:
            if "/" in family.text or not family.text.strip():
                self.report(
                    "SG0706", f"规则集名 {family.text!r} 不能为空或含有 /", family.span, "例如 eligibility"
                )
                continue
            ruleset = self.ruleset(f"{key.text}/{family.text}", path)
            if ruleset is not None:
                rulesets[family.text] = ruleset
        waivers_node = node.get("waivers")
        if waivers_node is not None:
            rulesets = self.waived(rulesets, waivers_node)
        title = self.word(node.get("title"), key.text, "title", "title: 腾讯惠聚")
        return Channel(key.text, title, flows, rulesets)

    def ruleset(self, name: str, path: Node) -> Ruleset | None:
        file = self.text(path)
        if not file:
            self.report(
                "SG0705",
                f"规则集 {name} 应写一个文件路径",
                path.span,
                "例如 eligibility: rules/huiju/eligibility.yaml",
            )
            return None
        root = self.file(file, path)
        found = read_rule_file(root, self.vocabulary, self.diagnostics) if root is not None else None
        if found is None:
            return None
        schemas = _reached(self.vocabulary, f"{found.fact.name}.yaml")
        version = _hash({"name": name, "content": found.content, "schemas": in_order(schemas)})
        tables = tuple((table.name, table.row.title) for table in self.vocabulary.tables.values())
        return Ruleset(name, found.kind, found.fact, found.rules, found.flows, (), version, file, tables)

    def waived(self, rulesets: dict[str, Ruleset], node: Node) -> dict[str, Ruleset]:
        file = self.word(node, "", "waivers", "waivers: rules/huiju/waivers.yaml")
        root = self.file(file, node) if file else None
        waivers = read_waivers(root, rulesets, self.vocabulary, self.diagnostics) if root is not None else {}
        return {
            family: replace(
                ruleset,
                waivers=found[0],
                version=_hash({"rules": ruleset.version, "waivers": in_order(found[1])}),
            )
            if (found := waivers.get(family)) is not None
            else ruleset
            for family, ruleset in rulesets.items()
        }

    def file(self, file: str, node: Node) -> Node | None:
        if not self.inside(file, node):
            return None
        source, root = read_file(self.folder / file, file, self.diagnostics)
        self.sources[file] = source
        return root

    def inside(self, file: str, node: Node) -> bool:
        path = PurePath(file)
        if self.confined and (path.is_absolute() or ".." in path.parts):
            hint = "例如 rules/huiju/eligibility.yaml"
            self.report("SG0707", f"路径 {file!r} 不在清单所在的文件夹里", node.span, hint)
            return False
        return True

    def keys(self, node: MappingNode, keys: tuple[str, ...], what: str) -> bool:
        for key, _ in node.entries:
            if key.text not in keys:
                self.report("SG0202", f"{what}里不认识 {key.text!r}", key.span, did_you_mean(key.text, keys))
        return True

    def word(self, node: Node | None, default: str, what: str, hint: str) -> str:
        """Take a text; where the key is there, it must be one."""
        text = self.text(node)
        if node is not None and not text:
            self.report("SG0204", f"{what}应是文字", node.span, f"例如 {hint}")
        return text or default

    def text(self, node: Node | None) -> str:
        return node.text if isinstance(node, Scalar) and isinstance(node.value, str) else ""

    def report(self, code: str, message: str, span: Span, hint: str = "") -> None:
        self.diagnostics.report(code, message, span, hint=hint)


def _filled(node: Node | None) -> TypeGuard[MappingNode]:
    return isinstance(node, MappingNode) and bool(node.entries)


def _reached(vocabulary: Vocabulary, name: str) -> dict[str, Any]:
    """Give the schemas that a fact is made of, and the tables', without examples."""
    reached: dict[str, Any] = {}
    todo = [name, TABLES_FILE]
    while todo:
        file = todo.pop()
        if file in reached or file not in vocabulary.schemas:
            continue
        reached[file] = _without_examples(vocabulary.schemas[file])
        todo += [ref.partition("#")[0] for ref in _references(reached[file])]
    return reached


def _without_examples(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_examples(value) for key, value in data.items() if key != "examples"}
    return [_without_examples(item) for item in data] if isinstance(data, list) else data


def _references(data: Any) -> list[str]:
    if isinstance(data, dict):
        here = [data["$ref"]] if isinstance(data.get("$ref"), str) else []
        return here + [ref for value in data.values() for ref in _references(value)]
    return [ref for item in data for ref in _references(item)] if isinstance(data, list) else []


def _hash(data: Any) -> str:
    return f"sha256:{hashlib.sha256(canonical(data)).hexdigest()}"
