"""For the documents: a page to be read, compared and signed off in review."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
    notes = [
        [str(note.number), str(note), f"`{note.rule}`", note.source, note.place] for note in section.notes
    ]
    yield from _table(["注", "原因、改做什么、直到何时", "规则", "来源", "位置"], notes)
    if section.events:
        yield ""
        yield f"### {section.title}：发生了什么，变成什么"
        yield ""
        header = ["事件", *(axis.title for axis in section.matrix.events.axes), "结果", "流程"]
        rows = [
            [row.event, *row.labels, row.result, "、".join(f"`{flow}`" for flow in row.flows)]
            for row in section.events
        ]
        yield from _table(header, rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for cells in (header, ["---"] * len(header), *rows):
        escaped = (cell.replace("|", "\\|") for cell in cells)
        yield f"| {' | '.join(escaped)} |"
