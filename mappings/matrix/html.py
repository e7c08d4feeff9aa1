"""For a browser and for paper: one page that needs nothing else; the states are told apart by words and borders, not by colour alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from mappings.matrix._page import COVERAGE, LEGEND, STATE_TITLES, Page, Section

NAME = "html"

_STYLE = """
:root { color-scheme: light; }
body { font: 14px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; margin: 2em; color: #1a1a1a; }
h1 { font-size: 1.5em; } h2 { font-size: 1.2em; margin-top: 2em; } h3 { font-size: 1em; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .6em 0; }
th, td { border: 1px solid #999; padding: .25em .5em; text-align: left; vertical-align: top; }
thead th { background: #f0f0f0; } thead th small { display: block; font-weight: normal; color: #444; }
tbody th { font-weight: normal; }
.mark { text-align: center; white-space: nowrap; } .mark a { color: inherit; }
.enabled { font-weight: bold; color: #0a5c2b; }
.disabled { background: #e4e4e4; color: #333; }
.hidden { border-style: dashed; font-style: italic; color: #555; background: repeating-linear-gradient(135deg, #fff 0 5px, #eee 5px 7px); }
.undetermined { border: 2px solid #b00020; color: #b00020; font-weight: bold; }
.ignored { color: #555; }
.notes small, dd small { display: block; color: #444; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3em 1em; align-items: baseline; } dd { margin: 0; }
dt { border: 1px solid #999; padding: 0 .6em; text-align: center; }
@media print {
  body { margin: 0; font-size: 10px; } .wide { overflow: visible; }
  thead { display: table-header-group; } tr { break-inside: avoid; } h2 { break-before: page; } h2:first-of-type { break-before: auto; }
  .disabled, .hidden, thead th { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
""".strip()


def render(page: Page) -> str:
    """Write the whole page."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: Page) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(page.title)}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>"
    yield f"<h1>{escape(page.title)}</h1>\n<p>{escape(page.dated)}</p>\n<dl>"
    for state, meaning in LEGEND:
        yield f'<dt class="{state}">{escape(STATE_TITLES[state])}</dt><dd>{escape(meaning)}</dd>'
    yield f"</dl>\n<p>{escape(COVERAGE)}</p>"
    for number, section in enumerate(page.sections, start=1):
        yield from _section(section, number)
    yield "</body>\n</html>"


def _section(section: Section, number: int) -> Iterator[str]:
    held = f" · 前提：{section.held}" if section.held else ""
    yield f"<h2>{escape(section.title)}</h2>"
    yield f"<p><code>{escape(section.name)}</code> · {escape(section.counted + held)}</p>"
    axes = [escape(axis.title) for axis in section.matrix.actions.axes]
    actions = [
        f"{escape(title)}<small>{escape(english)}</small>" for _, title, english in section.fact.actions
    ]
    yield from _opening([*axes, *actions])
    for row in section.rows:
        marks = [
            f'<td class="mark {mark.state}">{_linked(str(mark), number, mark.note)}</td>'
            for mark in row.marks
        ]
        yield f"<tr>{_heads(row.labels)}{''.join(marks)}</tr>"
    yield _CLOSING
    yield from _opening(["注", "原因、改做什么、直到何时", "规则"])
    for note in section.notes:
        english = f'<small lang="en">{escape(note.english)}</small>' if note.english else ""
        place = f"<code>{escape(note.rule)}</code><small>{escape(note.source)} · {escape(note.place)}</small>"
        yield (
            f'<tr class="notes" id="note-{number}-{note.number}"><th scope="row">{note.number}</th>'
            f"<td>{escape(str(note))}{english}</td><td>{place}</td></tr>"
        )
    yield _CLOSING
    for heading, header, rows in section.results():
        yield f"<h3>{escape(section.title)}：{escape(heading)}</h3>"
        yield from _opening([*map(escape, header), "流程"])
        for result in rows:
            cells = f"<td>{escape(result.result)}</td><td><code>{escape('、'.join(result.flows))}</code></td>"
            kind = "" if result.flows else ' class="ignored"'
            yield f"<tr{kind}>{_heads((result.trigger, *result.labels))}{cells}</tr>"
        yield _CLOSING


_CLOSING = "</tbody></table></div>"


def _opening(header: Iterable[str]) -> Iterator[str]:
    cells = "".join(f'<th scope="col">{cell}</th>' for cell in header)
    yield f'<div class="wide"><table><thead><tr>{cells}</tr></thead><tbody>'


def _heads(labels: Iterable[str]) -> str:
    return "".join(f'<th scope="row">{escape(label)}</th>' for label in labels)


def _linked(text: str, section: int, note: int | None) -> str:
    return escape(text) if note is None else f'<a href="#note-{section}-{note}">{escape(text)}</a>'
