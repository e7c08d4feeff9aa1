"""Read the parts that the rules of every kind have, collecting everything that is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, get_args

from engine.conditions import Builder
from engine.constants import read_date
from engine.diagnostics import Diagnostics, Severity
from engine.facts import Problem, admit
from engine.plan import Condition
from engine.read import Mapping, Node, Scalar, Sequence, inside, type_names
from engine.rules import Common, Example, Message, Slot
from engine.schemas import plain_data
from engine.source import Span
from engine.suggest import did_you_mean
from engine.vocabulary import Fact, Table, Vocabulary

if TYPE_CHECKING:
    from engine.rules import Rule

ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
COMMON_KEYS = ("id", "title", "when", "fix", "severity", "effective", "source", "examples")
EXAMPLE_KEYS = ("accept", "reject", "undetermined", "maps", "to", "tables", "also", "as_of")
EXPECTATIONS = ("accept", "reject", "undetermined", "maps")
FILTERS = ("count", "title")
_SLOT = re.compile(r"\{([^{}]*)\}")


class Reader:
    """Read the parts of a rule that every kind has; one per file."""

    def __init__(
        self, vocabulary: Vocabulary, fact: Fact, definitions: dict[str, Node], diagnostics: Diagnostics
    ) -> None:
        self.fact = fact
        self.diagnostics = diagnostics
        self.builder = Builder(vocabulary, diagnostics, (fact.type,), 0, definitions)

    def report(self, code: str, message: str, node: Node, hint: str = "") -> None:
        """Report a mistake at a node."""
        self.diagnostics.report(code, message, node.span, hint=hint)

    def mapping(self, node: Node, keys: tuple[str, ...], what: str) -> Mapping | None:
        """Take a node as a mapping with known keys; unknown ones are reported, and the rest goes on."""
        if not isinstance(node, Mapping):
            self.report("SG0201", f"{what}应是键值表，这里是{type_names[type(node)]}", node)
            return None
        for key, _ in node.entries:
            if key.text not in keys:
                self.report("SG0202", f"{what}里不认识 {key.text!r}", key, did_you_mean(key.text, keys))
        return node

    def needed(self, node: Mapping, key: str, what: str, hint: str) -> Node | None:
        """Take a key that must be there."""
        found = node.get(key)
        if found is None or (isinstance(found, Scalar) and found.value is None):
            self.report(
                "SG0203", f"{what}缺少 {key}", node.entries[0][0] if node.entries else node, f"例如 {hint}"
            )
            return None
        return found

    def text(self, node: Node | None, what: str) -> str:
        """Take a node as text; numbers and the like are reported, as YAML may have changed them."""
        if node is None:
            return ""
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return node.value
        found = node.text if isinstance(node, Scalar) else type_names[type(node)]
        self.report(
            "SG0204",
            f"{what}应是文字，这里是 {found}",
            node,
            f'例如 "{found}"' if isinstance(node, Scalar) else "",
        )
        return ""

    def choice(self, node: Node | None, choices: tuple[str, ...], what: str) -> str:
        """Take a node as one of a few words; the first is the default."""
        if node is None:
            return choices[0]
        if isinstance(node, Scalar) and node.text in choices:
            return node.text
        found = node.text if isinstance(node, Scalar) else type_names[type(node)]
        self.report("SG0205", f"{what} {found!r} 不认识", node, did_you_mean(found, choices))
        return choices[0]

    def texts(self, node: Node | None, what: str) -> list[Scalar]:
        """Take a node as a list of words."""
        if node is None:
            return []
        if isinstance(node, Sequence) and all(isinstance(item, Scalar) for item in node.items):
            return [item for item in node.items if isinstance(item, Scalar)]
        self.report("SG0206", f"{what}应是列表，例如 [a, b]", node)
        return []

    def condition(self, node: Node | None) -> Condition | None:
        """Build a condition about the fact."""
        return None if node is None else self.builder.condition(node)

    def message(self, node: Node | None, what: str, builder: Builder | None = None) -> Message:
        """Read a message: text, or `{zh: …, en: …}`."""
        if node is None:
            return Message()
        if not isinstance(node, Mapping):
            return Message(self.pieces(node, what, builder))
        found = self.mapping(node, ("zh", "en"), what)
        if found is None or self.needed(found, "zh", what, "zh: 原因") is None:
            return Message()
        zh, en = found.get("zh"), found.get("en")
        return Message(
            self.pieces(zh, what, builder) if zh else (), self.pieces(en, what, builder) if en else ()
        )

    def pieces(self, node: Node, what: str, builder: Builder | None) -> tuple[str | Slot, ...]:
        """Split a message into text and slots; each slot's path is checked like any path."""
        text = self.text(node, what)
        pieces: list[str | Slot] = []
        at = 0
        for match in _SLOT.finditer(text):
            pieces.append(text[at : match.start()])
            slot = self.slot(node, match[1], match.start() + 1, builder or self.builder)
            pieces += [slot] if slot is not None else []
            at = match.end()
        pieces.append(text[at:])
        rest = "".join(piece for piece in pieces if isinstance(piece, str))
        if "{" in rest or "}" in rest:
            offset = max(text.find("{"), 0) if "{" in rest else text.find("}")
            self.builder.report("SG0431", "花括号没有配对", node, hint="值写成 {路径}", offset=offset)
        return tuple(piece for piece in pieces if piece != "")

    def slot(self, node: Node, written: str, offset: int, builder: Builder) -> Slot | None:
        """Read `path`, `path|count` or `path|title`."""
        assert isinstance(node, Scalar)
        path, _, filter_ = written.partition("|")
        scope = 0
        if path.startswith("item.") and len(builder.scopes) > 1:
            scope, path, offset = len(builder.scopes) - 1, path.removeprefix("item."), offset + len("item.")
        if filter_ and filter_ not in FILTERS:
            builder.report(
                "SG0432",
                f"没有名为 {filter_!r} 的写法",
                node,
                hint=did_you_mean(filter_, FILTERS),
                offset=offset + len(path) + 1,
                length=len(filter_),
            )
            return None
        place = inside(node, offset, len(path))
        found = builder.path(Scalar(path, path, place), scope)
        if found is None:
            return None
        ref, type_ = found
        if filter_ == "count" and type_.kind != "list":
            builder.report(
                "SG0432", f"count 用在列表上，{path} 是{type_.describe()}", Scalar(path, path, place)
            )
            return None
        if filter_ == "title" and not ref.choices:
            builder.report("SG0432", f"title 用在有可选值的字段上，{path} 没有", Scalar(path, path, place))
            return None
        return Slot(ref, filter_)

    def common(self, node: Mapping, taken: dict[str, Span]) -> Common | None:
        """Read what every kind of rule has."""
        id_node = self.needed(node, "id", "规则", "id: spec-levels")
        if id_node is None:
            return None
        id_ = self.text(id_node, "id")
        if id_ and not ID.match(id_):
            self.report(
                "SG0207", f"id {id_!r} 应由小写字母、数字与连字符组成", id_node, "例如 id: spec-levels"
            )
        if id_ in taken:
            self.report(
                "SG0208", f"id {id_!r} 重复（第 {taken[id_].start_line} 行已有）", id_node, "换一个名字"
            )
        taken.setdefault(id_, id_node.span)
        title = self.text(self.needed(node, "title", f"规则 {id_} ", "title: 规格层级"), "title")
        source = self.text(self.needed(node, "source", f"规则 {id_} ", "source: R10"), "source")
        first, last = self.effective(node.get("effective"))
        severities: tuple[Severity, ...] = get_args(Severity)
        severity = self.choice(node.get("severity"), severities, "severity")
        return Common(
            id_,
            title,
            source,
            id_node.span,
            next(known for known in severities if known == severity),
            self.condition(node.get("when")),
            self.message(node.get("fix"), "fix"),
            first,
            last,
            self.examples(node.get("examples")),
        )

    def effective(self, node: Node | None) -> tuple[date | None, date | None]:
        """Read `{from: day, until: day}`; both days are included, null leaves an end open."""
        found = self.mapping(node, ("from", "until"), "effective") if node is not None else None
        if found is None:
            return None, None
        first, last = self.day(found.get("from")), self.day(found.get("until"))
        if first is not None and last is not None and first > last:
            self.report("SG0209", f"生效日 {first} 晚于失效日 {last}", found, "对调 from 与 until")
        return first, last

    def day(self, node: Node | None) -> date | None:
        """Read a day, or null."""
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return None
        day = read_date(node.text) if isinstance(node, Scalar) else None
        if day is None:
            self.report("SG0210", "日期应写成 年-月-日", node, "例如 2022-03-08")
        return day

    def examples(self, node: Node | None) -> tuple[Example, ...]:
        """Read the examples of a rule."""
        if node is None:
            return ()
        if not isinstance(node, Sequence):
            self.report("SG0206", "examples 应是列表", node, "例如 - reject: {product.is_virtual: true}")
            return ()
        return tuple(example for item in node.items if (example := self.example(item)) is not None)

    def example(self, item: Node) -> Example | None:
        """Read one example; its paths are checked here, its values when it is run."""
        found = self.mapping(item, EXAMPLE_KEYS, "例子")
        if found is None:
            return None
        expected = [word for word in EXPECTATIONS if found.get(word) is not None]
        if len(expected) != 1:
            words = " / ".join(EXPECTATIONS)
            self.report(
                "SG0601", f"一个例子写且只写一项：{words}", item, "例如 - reject: {product.specs: []}"
            )
            return None
        also = found.get("also")
        if also is not None and not isinstance(also, Sequence):
            self.report("SG0206", "also 应是列表", also, '例如 also: [{row.product_id: "1"}]')
            return None
        overlays = [found.get(expected[0]), *(also.items if also is not None else ())]
        checked = [overlay for overlay in overlays if overlay is not None and self.overlay(overlay)]
        if len(checked) < len(overlays):
            return None
        tables = found.get("tables")
        if tables is not None and not self.tables(tables):
            return None
        first, *others = (plain_data(overlay) for overlay in checked)
        return Example(
            expected[0],
            first,
            item.span,
            plain_data(tables) if tables is not None else {},
            tuple(others),
            self.day(found.get("as_of")),
            plain_data(found.get("to") or Scalar(None, "", item.span)),
        )

    def tables(self, node: Node) -> bool:
        """Check the tables of an example: their names, and that each is a list of valid rows."""
        if not isinstance(node, Mapping):
            self.report("SG0601", "tables 应写成 表名: [行…]", node, 'tables: {brands: [{id: "1"}]}')
            return False
        for name, rows in node.entries:
            found = self.builder.table(name, (), "")
            if found is None:
                return False
            if not isinstance(rows, Sequence):
                self.report(
                    "SG0601", f"表 {name.text} 应是行的列表", rows, f'例如 {name.text}: [{{id: "1"}}]'
                )
                return False
            problems = [problem for row in rows.items for problem in self.row(found[0], row)]
            if problems:
                told = "；".join(f"{problem.path} {problem.message}" for problem in problems)
                self.report("SG0602", f"表 {name.text} 的行不合词汇表：{told}", rows, problems[0].hint)
                return False
        return True

    def row(self, table: Table, node: Node) -> tuple[Problem, ...]:
        """Check one row of an example's table."""
        data = plain_data(node)
        return admit(table.row, data)[1] if data is not None else (Problem("", "是空的"),)

    def overlay(self, node: Node) -> bool:
        """Check that every key of an overlay is a path of the fact."""
        if not isinstance(node, Mapping):
            self.report("SG0601", "例子应写成 {路径: 值}", node, "例如 reject: {product.specs: []}")
            return False
        return not [key for key, _ in node.entries if self.builder.path(key, 0) is None]


RuleReader = Callable[[Reader, Mapping, "dict[str, Span]"], "Rule | None"]
