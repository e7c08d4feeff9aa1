"""Diagnostics: each kept once, sorted by place, shown with a caret that stays under wide text."""

from __future__ import annotations

import pickle

from engine.diagnostics import Cell, Diagnostic, Diagnostics, Related, render
from engine.source import Source, Span, columns_wide


def at(line: int, column: int, end: int = 0, file: str = "r.yaml") -> Span:
    return Span(file, line, column, line, end or column + 1)


def test_the_same_diagnostic_is_kept_once_and_the_rest_in_order_of_place() -> None:
    diagnostics = Diagnostics()
    for line in (3, 1, 3, 2):
        diagnostics.report("SG0001", "甲", at(line, 1))
    diagnostics.report("SG0001", "甲", at(1, 1, file="a.yaml"))
    diagnostics.report("SG0002", "没有位置", None)
    assert ["", "a.yaml:1:1", "r.yaml:1:1", "r.yaml:2:1", "r.yaml:3:1"] == [
        str(item.span) if item.span else "" for item in diagnostics.in_order()
    ]


def test_only_an_error_fails() -> None:
    diagnostics = Diagnostics()
    diagnostics.report("SG0001", "甲", None, severity="warning")
    diagnostics.report("SG0001", "甲", None, severity="notice")
    assert not diagnostics.failed
    diagnostics.report("SG0001", "甲", None)
    assert diagnostics.failed
    assert diagnostics == pickle.loads(pickle.dumps(diagnostics))


def test_twenty_thousand_mistakes_are_collected_each_once() -> None:
    """A file of 2 MB can hold that many; comparing each with each took minutes."""
    diagnostics = Diagnostics()
    for line in (*range(20_000), *range(20_000)):
        diagnostics.report("SG0001", "甲", at(line, 1))
    assert 20_000 == len(diagnostics.items)


def test_at_most_a_hundred_are_shown_and_the_rest_counted() -> None:
    text = render([Diagnostic("SG0001", "error", str(n), at(n, 1)) for n in range(103)], {})
    assert 101 == len(text.splitlines())
    assert text.endswith("另有 3 条未显示\n")
    assert "" == render([], {})


def test_the_caret_stays_under_wide_and_combining_characters() -> None:
    source = Source("r.yaml", "规格: é级, x\n")
    column = source.text.index("x") + 1
    *_, line, caret = render(
        [Diagnostic("SG0001", "error", "甲", at(1, column))], {"r.yaml": source}
    ).splitlines()
    assert columns_wide(line[: line.index("x")]) == columns_wide(caret[: caret.index("^")])


def test_a_tab_and_other_controls_take_one_blank_column() -> None:
    source = Source("r.yaml", "\ta\x07b: x\r\nc: d")
    text = render(
        [Diagnostic("SG0001", "error", "甲", at(1, 4)), Diagnostic("SG0001", "error", "乙", at(2, 1))],
        {"r.yaml": source},
    )
    assert ["  |  a b: x", "  |    ^"] == text.splitlines()[2:4]
    assert "  | c: d" in text


def test_a_very_long_line_is_cut_around_the_caret() -> None:
    source = Source("r.yaml", "x" * 500 + "规" + "y" * 500)
    *_, line, caret = render(
        [Diagnostic("SG0001", "error", "甲", at(1, 501, 900))], {"r.yaml": source}
    ).splitlines()
    assert columns_wide(line) < 110
    assert line.startswith("  | …x")
    assert "规" == line[len(line) - len(line.lstrip(" |…x")) :][0]
    assert columns_wide(line[: line.index("规")]) == caret.index("^")
    assert caret.count("^") > 40


def test_a_place_in_a_file_that_was_not_read_is_named_without_an_excerpt() -> None:
    assert "r.yaml:9:1: SG0001 甲\n" == render([Diagnostic("SG0001", "error", "甲", at(9, 1))], {})
    assert "r.yaml:9:1: SG0001 甲\n" == render(
        [Diagnostic("SG0001", "error", "甲", at(9, 1))], {"r.yaml": Source("r.yaml", "a")}
    )


def test_a_span_over_several_lines_is_marked_to_the_end_of_its_first() -> None:
    item = Diagnostic("SG0001", "error", "甲", Span("r.yaml", 1, 4, 2, 2))
    assert "  |    ^^^^\n" in render([item], {"r.yaml": Source("r.yaml", "a: bcde\nf\n")})


def test_a_cell_a_warning_a_hint_of_two_lines_and_a_second_place_are_shown() -> None:
    cell = Cell("上架表", "B7", 7, "品牌 ID", "x")
    item = Diagnostic("SG0001", "warning", "甲", None, "先\n后", (Related("在这里", at(2, 3)),), cell)
    notice = Diagnostic("SG0001", "notice", "乙")
    assert (
        "上架表!B7: 警告 SG0001 甲\n  = 另见 r.yaml:2:3: 在这里\n  = 建议: 先\n          后\n提示 SG0001 乙\n"
        == render([item, notice], {})
    )


def test_sheets_are_sorted_by_row() -> None:
    diagnostics = Diagnostics()
    for row in (9, 2):
        diagnostics.report("SG0001", "甲", None, cell=Cell("表", f"A{row}", row, "甲", ""))
    assert [2, 9] == [item.cell.row for item in diagnostics.in_order() if item.cell]
