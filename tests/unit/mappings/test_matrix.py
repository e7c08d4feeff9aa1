"""The matrix for people: every format tells the same; golden files in tests/goldens/matrix show how."""

from __future__ import annotations

import csv as csv_reader
import io
from collections import Counter
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.matrix import Axis, Grid, Situation
from engine.source import columns_wide
from mappings.matrix import FORMATS, Page, page_of
from mappings.matrix._merged import merged
from tests.reference.tickets import RULES, tickets

GOLDENS = Path(__file__).parents[2] / "goldens" / "matrix"
AS_OF = datetime(2022, 3, 18, 2, 30, tzinfo=UTC)


@pytest.fixture
def page(tmp_path: Path) -> Page:
    rulebook = tickets(tmp_path)
    return page_of(rulebook, rulebook.channels["shop"], AS_OF)


@pytest.mark.parametrize("name", FORMATS)
def test_a_matrix_looks_like_its_golden_file(name: str, page: Page, request: pytest.FixtureRequest) -> None:
    made = FORMATS[name].render(page)
    golden = GOLDENS / f"tickets.{name}"
    if request.config.getoption("--update-goldens"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(made, "utf-8")
    assert golden.read_text("utf-8") == made


def test_the_columns_of_the_text_stay_straight_under_chinese(page: Page) -> None:
    lines = FORMATS["text"].render(page).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("工单状态"))
    header, *rows = lines[start : start + 1 + len(page.sections[0].rows)]
    at = columns_wide(header[: header.index("转交")])
    for row in rows:
        assert {columns_wide(row[:n]) for n in range(len(row))} >= {at}
        cut = next(n for n in range(len(row)) if columns_wide(row[:n]) == at)
        assert row[cut - 1] == " "
        assert row[cut] in "✓置隐"


def test_the_csv_has_a_line_for_every_verdict_and_every_result(page: Page) -> None:
    """3 statuses × urgent or not × 3 actions; 3 statuses and none × 2 order statuses × 2 events."""
    text = FORMATS["csv"].render(page)
    assert text.startswith("\ufeff规则集,")
    lines = list(csv_reader.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert Counter(line["类别"] for line in lines) == {"动作": 3 * 2 * 3, "事件": 4 * 2 * 2}
    keys = [tuple(line[name] for name in list(line)[2:8]) for line in lines]
    assert len(set(keys)) == len(keys)
    (one,) = (
        line
        for line in lines
        if (line["名称"], line["工单状态（ticket.status）"], line["加急（ticket.urgent）"])
        == ("close", "新建", "是")
    )
    assert ("置灰", "shop/tickets/urgent-close", "answer：回复后客户自己关闭") == (
        one["结论"],
        one["规则"],
        one["改做"],
    )


def test_what_a_spreadsheet_would_run_is_made_harmless(tmp_path: Path) -> None:
    rulebook = tickets(tmp_path, RULES.replace("不加急的商城工单不转交", "'=1+1'"))
    made = FORMATS["csv"].render(page_of(rulebook, rulebook.channels["shop"], AS_OF))
    assert ",'=1+1," in made
    assert ",=1+1," not in made


class _Text(HTMLParser):
    """Collect tags, classes and words."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[tuple[str, str]] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.kind = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert "src" not in given, "the page needs nothing else"
        if tag != "meta":
            self.open.append(tag)
        self.kind = (given.get("class") or "") if tag == "td" else self.kind
        if tag == "a":
            self.links.append(given["href"] or "")
        if "id" in given:
            self.ids.append(given["id"] or "")

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        if "td" in self.open and self.kind.startswith("mark"):
            self.cells.append((self.kind.split()[1], data))


def test_the_html_is_well_formed_stands_alone_and_tells_the_states_apart_by_words(page: Page) -> None:
    reader = _Text()
    made = FORMATS["html"].render(page)
    reader.feed(made)
    assert [] == reader.open
    assert {(kind, words.split()[0]) for kind, words in reader.cells} == {
        ("enabled", "✓"),
        ("disabled", "置灰"),
        ("hidden", "隐藏"),
    }
    assert set(reader.links) <= {f"#{id_}" for id_ in reader.ids}
    assert "http" not in made


@pytest.mark.parametrize("name", ["html", "markdown"])
def test_words_of_the_rules_are_shown_as_they_are(name: str, tmp_path: Path) -> None:
    rulebook = tickets(tmp_path, RULES.replace("不加急的商城工单不转交", '"a < b |\\n <b>c</b>"'))
    made = FORMATS[name].render(page_of(rulebook, rulebook.channels["shop"], AS_OF))
    expected = {"html": "a &lt; b | &lt;b&gt;c&lt;/b&gt;", "markdown": "a &lt; b \\| &lt;b&gt;c&lt;/b&gt;"}
    assert expected[name] in made


def test_only_the_fact_that_is_asked_for_is_shown(tmp_path: Path) -> None:
    rulebook = tickets(tmp_path)
    channel = rulebook.channels["shop"]
    assert ["工单"] == [section.title for section in page_of(rulebook, channel, AS_OF, "ticket").sections]
    assert () == page_of(rulebook, channel, AS_OF, "order").sections


def test_a_verdict_that_lacks_a_fact_is_marked_as_such(tmp_path: Path) -> None:
    rulebook = tickets(tmp_path, RULES.replace("{status: done}\n    restrict", "{weight: 1}\n    restrict"))
    made = FORMATS["text"].render(page_of(rulebook, rulebook.channels["shop"], AS_OF))
    assert "缺数据 1" in made


AXES = (
    Axis("a", "甲", ((1, "一"), (2, "二"), (3, "三"))),
    Axis("b", "乙", ((True, "是"), (False, "否"))),
    Axis("c", "丙", (("x", "子"), ("y", "丑"), ("z", "寅"), (None, "（空）"))),
)
CELLS = list(product(*([value for value, _ in axis.values] for axis in AXES)))


@given(st.lists(st.integers(0, 2), min_size=len(CELLS), max_size=len(CELLS)))
def test_however_rows_are_merged_each_situation_is_in_exactly_one_with_its_own_verdict(
    keys: list[int],
) -> None:
    """The words of a row are read back here: a row is wrong if they do not lead to the situations it stands for."""
    known = dict(zip(CELLS, keys, strict=True))
    grid = Grid(AXES, tuple(Situation(values, (), {}, {}, ()) for values in CELLS))
    covered: Counter[tuple[object, ...]] = Counter()
    for labels, sample in merged(grid, lambda situation: known[situation.values]):
        meant = [read(axis, words) for axis, words in zip(AXES, labels, strict=True)]
        for values in product(*meant):
            covered[values] += 1
            assert known[values] == known[sample.values]
    assert covered == Counter(CELLS)


def read(axis: Axis, words: str) -> list[object]:
    if words == "任何":
        return [value for value, _ in axis.values]
    if words.startswith("除"):
        left_out = words[1:-1].split("、")
        return [value for value, title in axis.values if title not in left_out]
    return [value for value, title in axis.values if title in words.split("、")]
