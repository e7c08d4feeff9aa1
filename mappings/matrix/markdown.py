"""For the documents: a page to be read, compared and signed off in review; without line numbers, which move when nothing changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from mappings.matrix._page import COVERAGE, LEGEND, STATE_TITLES, Page, Section

NAME = "markdown"


def render(page: Page) -> str:
    """Write the whole page."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: Page) -> Iterator[str]:
    yield f"# {page.title}"
    yield ""
    yield f"{page.dated}。"
    yield ""
    for state, meaning in LEGEND:
        yield f"- **{STATE_TITLES[state]}** {meaning}"
    yield f"- {COVERAGE}"
    for section in page.sections:
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield ""
    yield f"## {section.title}"
    yield ""
    yield f"`{section.name}` · {section.counted}" + (f" · 前提：{section.held}" if section.held else "")
    yield ""
    axes = [axis.title for axis in section.matrix.actions.axes]
    header = [*axes, *(title for _, title, _ in section.fact.actions)]
    yield from _table(header, [[*row.labels, *map(str, row.marks)] for row in section.rows])
    yield ""
    notes = [[str(note.number), str(note), f"`{note.rule}`", note.source] for note in section.notes]
    yield from _table(["注", "原因、改做什么、直到何时", "规则", "来源"], notes)
    for heading, header, rows in section.results():
        yield ""
        yield f"### {section.title}：{heading}"
        yield ""
        cells = [
            [row.trigger, *row.labels, row.result, "、".join(f"`{flow}`" for flow in row.flows)]
            for row in rows
        ]
        yield from _table([*header, "流程"], cells)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for cells in (header, ["---"] * len(header), *rows):
        escaped = (escape(cell, quote=False).replace("|", "\\|") for cell in cells)
        yield f"| {' | '.join(escaped)} |"
