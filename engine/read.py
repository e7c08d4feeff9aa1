"""Read YAML strictly: nodes with places, no guessing, nothing of a file ever run or expanded.

What differs from YAML as many tools read it, and why:

* keys may not repeat: of two equal keys one would silently win;
* only `true` and `false` are booleans and only plain decimals are numbers: `on`, `yes`, `010`, `1e3` stay text;
* dates stay text; the field they are compared with says whether a date is meant;
* anchors, aliases, tags and a second document are refused: a file says what it says, at its full size.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from engine.diagnostics import Diagnostics
from engine.source import Source, Span

MOST_BYTES = 2 * 1024 * 1024
MOST_DEPTH = 40
MOST_DIGITS = 18

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+\Z")
_NULLS = frozenset({"", "null", "~"})


@dataclass(frozen=True, slots=True)
class Scalar:
    """Hold one scalar.

    Attributes:
        value: Text, integer, float, boolean or None.
        text: The scalar's text, as YAML reads it.
        span: Its place, quotes included.
        style: YAML's style: "" plain, ' or " quoted, | or > block.
    """

    value: str | int | float | bool | None
    text: str
    span: Span
    style: str = ""


@dataclass(frozen=True, slots=True)
class Sequence:
    """Hold a list of nodes."""

    items: tuple[Node, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Mapping:
    """Hold a mapping in the order of the file; keys are text and unique."""

    entries: tuple[tuple[Scalar, Node], ...]
    span: Span

    def get(self, key: str) -> Node | None:
        """Give the value of a key, or None where it is absent."""
        return next((node for name, node in self.entries if name.text == key), None)

    def key(self, key: str) -> Scalar | None:
        """Give the key itself, with its place."""
        return next((name for name, _ in self.entries if name.text == key), None)


type_names = {Scalar: "单个值", Sequence: "列表", Mapping: "键值表"}
Node = Scalar | Sequence | Mapping


def inside(node: Scalar, offset: int, length: int) -> Span:
    """Give the place of some characters of a scalar; the whole scalar where it is not written on one line.

    Args:
        node: The scalar.
        offset: First character, 0-based, in the scalar's text.
        length: How many characters.

    Returns:
        The place.
    """
    span = node.span
    if node.style in {"|", ">"} or span.end_line != span.start_line:
        return span
    column = span.start_col + offset + (1 if node.style else 0)
    return Span(span.file, span.start_line, column, span.start_line, column + length)


def read_file(path: Path, shown: str, diagnostics: Diagnostics) -> tuple[Source, Node | None]:
    """Read one YAML file from disk.

    Args:
        path: Where the file is.
        shown: The name to show in places.
        diagnostics: Takes what is wrong.

    Returns:
        The source, for excerpts, and the root node; None where the file can't be read.
    """
    start = Span(shown, 1, 1, 1, 1)
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            diagnostics.report("SG0101", "读不到文件：不是普通文件", start, hint="写一个文件的路径")
            return Source(shown, ""), None
        size = about.st_size
        data = path.read_bytes() if size <= MOST_BYTES else b""
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or "路径写法有误"
        diagnostics.report("SG0101", f"读不到文件：{reason}", start, hint="检查路径与权限")
        return Source(shown, ""), None
    if size > MOST_BYTES:
        diagnostics.report(
            "SG0102",
            f"文件 {size / 1048576:.1f} MB，超过上限 {MOST_BYTES // 1048576} MB",
            start,
            hint="规则文件只放规则；商品与基础数据另存为表格，用命令行参数传入",
        )
        return Source(shown, ""), None
    source = decode(data, shown, diagnostics)
    return (source, read(source, diagnostics)) if source is not None else (Source(shown, ""), None)


def decode(data: bytes, shown: str, diagnostics: Diagnostics) -> Source | None:
    """Turn bytes into a source; only UTF-8 is read, a byte order mark is dropped with a warning."""
    start = Span(shown, 1, 1, 1, 2)
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        diagnostics.report(
            "SG0103", "文件是 UTF-16 编码，应为 UTF-8", start, hint="在编辑器中“另存为”，编码选 UTF-8"
        )
        return None
    if data[:3] == b"\xef\xbb\xbf":
        data = data[3:]
        diagnostics.report(
            "SG0104",
            "文件开头有字节顺序标记（BOM），已忽略",
            start,
            hint="在编辑器中另存为“UTF-8”（不带 BOM）",
            severity="warning",
        )
    try:
        return Source(shown, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before.rsplit("\n", 1)[-1]) + 1
        diagnostics.report(
            "SG0103",
            f"第 {line} 行第 {column} 个字符不是 UTF-8（字节 0x{data[error.start]:02X}）",
            Span(shown, line, column, line, column + 1),
            hint="文件可能是 GBK 编码；在编辑器中另存为 UTF-8",
        )
        return None


def read(source: Source, diagnostics: Diagnostics) -> Node | None:
    """Read a YAML text into nodes.

    Args:
        source: The text.
        diagnostics: Takes what is wrong; the first mistake of YAML's own syntax ends the reading.

    Returns:
        The root node, or None where the text is empty or broken.
    """
    try:
        return _Builder(source, diagnostics).document(yaml.parse(source.text, Loader=_LOADER))
    except _Stop:
        return None
    except yaml.MarkedYAMLError as error:
        _syntax_error(error, source, diagnostics)
    except yaml.reader.ReaderError as error:
        before = source.text[: max(error.position, 0)]
        line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
        diagnostics.report(
            "SG0105",
            "文件里有不可见的控制字符",
            Span(source.file, line, column, line, column + 1),
            hint="删去从别处粘贴进来的不可见字符",
        )
    return None


class _Stop(Exception):
    """End the reading after a mistake that leaves nothing sensible to go on with."""


class _Builder:
    """Build nodes from YAML's events, with an explicit stack's worth of depth and no recursion on bombs."""

    def __init__(self, source: Source, diagnostics: Diagnostics) -> None:
        self.file = source.file
        self.diagnostics = diagnostics

    def document(self, events: Iterator[yaml.Event]) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.stop(
                        "SG0106",
                        "一个文件里只能有一份文档",
                        self.span(event),
                        "删去 --- 分隔行，或拆成两个文件",
                    )
            elif isinstance(event, yaml.NodeEvent):
                root = self.node(event, events, 0)
        if root is None or (isinstance(root, Scalar) and root.value is None):
            self.diagnostics.report("SG0107", "文件是空的", Span(self.file, 1, 1, 1, 1))
            return None
        return root

    def node(self, event: Any, events: Iterator[yaml.Event], depth: int) -> Node:
        span = self.span(event)
        if isinstance(event, yaml.AliasEvent):
            self.stop(
                "SG0108",
                f"不支持 YAML 别名 *{event.anchor}",
                span,
                "公用的条件写在 definitions 下，用 use 引用",
            )
        if event.anchor is not None:
            self.stop(
                "SG0108",
                f"不支持 YAML 锚点 &{event.anchor}",
                span,
                "公用的条件写在 definitions 下，用 use 引用",
            )
        if event.tag is not None and not (isinstance(event, yaml.ScalarEvent) and event.tag == "!"):
            self.stop("SG0109", f"不支持 YAML 标签 {event.tag}", span, "删去标签；文本用引号括起来")
        if depth > MOST_DEPTH:
            self.stop(
                "SG0110", f"嵌套超过 {MOST_DEPTH} 层", span, "把内层条件移到 definitions 下，用 use 引用"
            )
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event, span)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Node] = []
            for inner in events:
                if isinstance(inner, yaml.SequenceEndEvent):
                    return Sequence(tuple(items), self.until(span, inner))
                items.append(self.node(inner, events, depth + 1))
        return self.mapping(span, events, depth)

    def mapping(self, span: Span, events: Iterator[yaml.Event], depth: int) -> Mapping:
        entries: dict[str, tuple[Scalar, Node]] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                return Mapping(tuple(entries.values()), self.until(span, event))
            key = self.node(event, events, depth + 1)
            value = self.node(next(events), events, depth + 1)
            if not isinstance(key, Scalar):
                self.diagnostics.report("SG0111", f"键必须是文字，这里是{type_names[type(key)]}", key.span)
            elif key.text in entries:
                first = entries[key.text][0].span
                self.diagnostics.report(
                    "SG0112",
                    f"键 {key.text!r} 重复（第 {first.start_line} 行已有）",
                    key.span,
                    hint="删去其中一个；要同时满足几个条件，用 all: [ … ]",
                )
            elif key.text == "<<":
                self.diagnostics.report("SG0108", "不支持 YAML 合并键 <<", key.span, hint="把内容直接写出来")
            else:
                entries[key.text] = (key, value)
        raise _Stop

    def scalar(self, event: yaml.ScalarEvent, span: Span) -> Scalar:
        text = event.value
        style = event.style or ""
        if style or event.tag == "!":
            return Scalar(text, text, span, style)
        if text in _NULLS:
            return Scalar(None, text, span)
        if text in {"true", "false"}:
            return Scalar(text == "true", text, span)
        if _INTEGER.match(text) or _NUMBER.match(text):
            if len(text.strip("-").replace(".", "")) > MOST_DIGITS:
                self.diagnostics.report(
                    "SG0113",
                    f"数字 {text[:24]}{'…' if len(text) > 24 else ''} 超过 {MOST_DIGITS} 位",
                    span,
                    hint=f'编号是文字，用引号括起来，例如 "{text[:20]}"',
                )
                return Scalar(text, text, span)
            return Scalar(float(text) if "." in text else int(text), text, span)
        return Scalar(text, text, span)

    def span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        return Span(self.file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def until(self, span: Span, event: Any) -> Span:
        end = event.end_mark
        return Span(self.file, span.start_line, span.start_col, end.line + 1, end.column + 1)

    def stop(self, code: str, message: str, span: Span, hint: str) -> None:
        self.diagnostics.report(code, message, span, hint=hint)
        raise _Stop


_NO_ANCHORS = "公用的条件写在 definitions 下，用 use 引用；文字以 & 或 * 开头时加引号"
SYNTAX = (
    ("scanning an anchor", "不支持 YAML 锚点", _NO_ANCHORS),
    ("scanning an alias", "不支持 YAML 别名", _NO_ANCHORS),
    ("'\\t'", "用了制表符（Tab）", "YAML 只用空格缩进；把 Tab 换成两个空格"),
    ("tab", "用了制表符（Tab）", "YAML 只用空格缩进；把 Tab 换成两个空格"),
    (
        "mapping values are not allowed",
        "这里不能再有冒号",
        "含冒号的文字用引号括起来，例如 title: '尺码: 大'；或检查与上一行的缩进",
    ),
    ("could not find expected ':'", "这一行缺少冒号", "写成 键: 值（冒号后有一个空格）"),
    ("did not find expected key", "这里应是一个键", "检查缩进：同一层的键要左对齐"),
    ("block mapping", "这里应是一个键", "检查缩进：同一层的键要左对齐"),
    ("block collection", "列表写法有误", "列表的每一项以 “- ” 开头并左对齐"),
    ("flow", "括号没有配对", "检查 [ ] 与 { } 是否成对、各项之间是否有逗号"),
    ("',' or ']'", "括号没有配对", "检查 [ ] 是否成对、各项之间是否有逗号"),
    ("',' or '}'", "括号没有配对", "检查 { } 是否成对、各项之间是否有逗号"),
    ("quoted scalar", "引号没有配对", "检查引号是否成对；文字里的单引号写两遍 ''"),
    ("cannot start any token", "这个字符不能作为开头", "用引号把这段文字括起来"),
    ("undefined alias", "不支持 YAML 别名", "公用的条件写在 definitions 下，用 use 引用"),
    ("control characters", "文件里有不可见的控制字符", "删去从别处粘贴进来的不可见字符"),
)


def _syntax_error(error: yaml.MarkedYAMLError, source: Source, diagnostics: Diagnostics) -> None:
    unclosed = "quoted scalar" in (error.context or "")
    mark = (error.context_mark if unclosed else error.problem_mark) or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    if not source.line(line).strip() and line > 1:
        line, column = _last_text(source, line)
    problem = f"{error.problem or ''} {error.context or ''}"
    what, hint = next(
        ((what, hint) for sign, what, hint in SYNTAX if sign in problem),
        (f"YAML 写法有误（{problem.strip()}）", ""),
    )
    if "\t" in source.line(line)[: max(column, 1)]:
        what, hint = SYNTAX[0][1:]
        column = source.line(line).index("\t") + 1
    diagnostics.report("SG0100", what, Span(source.file, line, column, line, column + 1), hint=hint)


def _last_text(source: Source, line: int) -> tuple[int, int]:
    """Find the last place before a line that holds text, for mistakes noticed only at the end of a file."""
    while line > 1 and not source.line(line).strip():
        line -= 1
    return line, max(1, len(source.line(line)))
