"""What is wrong with a file, as one record, and how it is shown on a screen.

Diagnostics are collected, never raised one by one: a reader gets everything that is wrong with a file in one go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine.source import Source, Span, columns_wide

Severity = Literal["error", "warning", "notice"]

MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Cell:
    """Name one cell of a sheet.

    Attributes:
        sheet: Name of the sheet.
        name: Address such as B7.
        row: Row number, 1-based, as the spreadsheet shows it.
        column: Title of the column.
        value: What the cell holds, as text.
    """

    sheet: str
    name: str
    row: int
    column: str
    value: str


@dataclass(frozen=True, slots=True)
class Related:
    """Point at a second place that explains the first."""

    message: str
    span: Span


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Say one thing that is wrong, where, and what to write instead.

    Attributes:
        code: Stable code such as SG0203; `docs/reference/diagnostics.md` lists them.
        severity: error, warning or notice.
        message: What was found and what was wanted, with the value, in Chinese.
        span: Place in a text file, or None where the place is a cell.
        hint: What to type instead, with a valid example; may be empty.
        related: Further places that explain this one.
        cell: Place in a sheet, or None.
    """

    code: str
    severity: Severity
    message: str
    span: Span | None = None
    hint: str = ""
    related: tuple[Related, ...] = ()
    cell: Cell | None = None


@dataclass(slots=True)
class Diagnostics:
    """Collect diagnostics, each once.

    Attributes:
        items: The diagnostics in the order in which they were found.
    """

    items: list[Diagnostic] = field(default_factory=list)
    _seen: set[Diagnostic] = field(default_factory=set, repr=False, compare=False)

    def report(
        self,
        code: str,
        message: str,
        span: Span | None,
        *,
        hint: str = "",
        severity: Severity = "error",
        related: tuple[Related, ...] = (),
        cell: Cell | None = None,
    ) -> None:
        """Keep one diagnostic; the same one twice is kept once."""
        diagnostic = Diagnostic(code, severity, message, span, hint, related, cell)
        if diagnostic not in self._seen:
            self._seen.add(diagnostic)
            self.items.append(diagnostic)

    @property
    def failed(self) -> bool:
        """Whether any diagnostic is an error."""
        return any(item.severity == "error" for item in self.items)

    def in_order(self) -> list[Diagnostic]:
        """Give the diagnostics sorted by file, line and column."""
        return sorted(self.items, key=_place)


def _place(item: Diagnostic) -> tuple[str, int, int, str, str]:
    span = item.span
    if span is None:
        return ("", item.cell.row if item.cell else 0, 0, item.code, item.message)
    return (span.file, span.start_line, span.start_col, item.code, item.message)


def render(items: Iterable[Diagnostic], sources: Mapping[str, Source], *, most: int = MOST_SHOWN) -> str:
    """Write diagnostics for a screen: place, message, the source line, a caret under it, a hint.

    Args:
        items: The diagnostics, already in order.
        sources: The texts they point into, by file.
        most: How many are written out at the most; the rest is counted in a last line.

    Returns:
        The text, each diagnostic ended by a line feed; empty where there are none.
    """
    everything = list(items)
    blocks = [_block(item, sources) for item in everything[:most]]
    if len(everything) > most:
        blocks.append(f"另有 {len(everything) - most} 条未显示\n")
    return "".join(blocks)


def _block(item: Diagnostic, sources: Mapping[str, Source]) -> str:
    mark = "" if item.severity == "error" else {"warning": "警告 ", "notice": "提示 "}[item.severity]
    if item.span is not None:
        place = f"{item.span}: "
    elif item.cell is not None:
        place = f"{item.cell.sheet}!{item.cell.name}: "
    else:
        place = ""
    lines = [f"{place}{mark}{item.code} {item.message}"]
    if item.span is not None:
        lines += _excerpt(item.span, sources.get(item.span.file))
    lines += [f"  = 另见 {related.span}: {related.message}" for related in item.related]
    if item.hint:
        first, *rest = item.hint.splitlines()
        lines += [f"  = 建议: {first}", *(f"          {line}" for line in rest)]
    return "\n".join(lines) + "\n"


def _excerpt(span: Span, source: Source | None) -> list[str]:
    """Give the source line and the caret line; tabs and other controls are shown as one blank column."""
    if source is None:
        return []
    line = "".join(char if char.isprintable() else " " for char in source.line(span.start_line))
    if not line:
        return []
    start = span.start_col - 1
    end = span.end_col - 1 if span.end_line == span.start_line else len(line)
    before = columns_wide(line[:start])
    carets = max(1, columns_wide(line[start : max(end, start + 1)]))
    shown, before, carets = _window(line, start, before, carets)
    return ["  |", f"  | {shown}", f"  | {' ' * before}{'^' * carets}"]


def _window(line: str, start: int, before: int, carets: int, most: int = 160) -> tuple[str, int, int]:
    """Cut a very long line down to the part around the caret."""
    if columns_wide(line) <= most:
        return line, before, carets
    first = max(0, start - 40)
    shown = line[first : first + most // 2]
    lead = "…" if first else ""
    return (
        lead + shown + "…",
        columns_wide(lead) + columns_wide(line[first:start]),
        max(1, min(carets, columns_wide(line[start : first + most // 2]))),
    )
