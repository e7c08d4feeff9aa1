"""For a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from mappings.matrix._page import COVERAGE, LEGEND, STATE_TITLES, Page, Section
from mappings.text_table import aligned

NAME = "text"


def render(page: Page) -> str:
    """Write the whole page."""
    return "".join(f"{line}\n" for line in _lines(page))


def _lines(page: Page) -> Iterator[str]:
    yield f"{page.title} · {page.dated}"
    for state, meaning in LEGEND:
        yield f"  {STATE_TITLES[state]}  {meaning}"
    yield f"  {COVERAGE}"
    for section in page.sections:
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield ""
    yield f"{section.title}（{section.name}）：{section.counted}"
    if section.held:
        yield f"前提：{section.held}"
    yield ""
    axes = [axis.title for axis in section.matrix.actions.axes]
    header = [*axes, *(title for _, title, _ in section.fact.actions)]
    yield from aligned([header, *([*row.labels, *map(str, row.marks)] for row in section.rows)])
    yield ""
    for note in section.notes:
        yield f"{note.number:>3}  {note}"
        yield f"     {note.rule} · {note.source} · {note.place}"
    for heading, header, rows in section.results():
        yield ""
        yield heading
        yield from aligned([header, *([row.trigger, *row.labels, row.result] for row in rows)])
