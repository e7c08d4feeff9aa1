"""Broken rule files, each with the diagnostics that a person gets to see: places exact, wording and hints word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.diagnostics import MOST_SHOWN, Diagnostics, render
from engine.read import MOST_BYTES, decode, read, read_file
from engine.rulefile import read_rule_file
from engine.schemas import read_vocabulary
from engine.source import columns_wide
from engine.vocabulary import Vocabulary

ROOT = Path(__file__).parents[3]
CASES = sorted((ROOT / "tests" / "cases" / "errors").iterdir())
SHOWN = "rules.yaml"


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    found, _ = read_vocabulary(ROOT / "rules" / "facts", "rules/facts", Diagnostics())
    return found


def diagnose(data: bytes, vocabulary: Vocabulary) -> tuple[Diagnostics, str]:
    """Read a rule file as `rules lint` does, and render what is wrong with it."""
    diagnostics = Diagnostics()
    source = decode(data, SHOWN, diagnostics)
    root = read(source, diagnostics) if source is not None else None
    if root is not None:
        read_rule_file(root, vocabulary, diagnostics)
    return diagnostics, render(diagnostics.in_order(), {SHOWN: source} if source is not None else {})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_broken_rule_file_gets_exactly_these_diagnostics(
    case: Path, vocabulary: Vocabulary, request: pytest.FixtureRequest
) -> None:
    diagnostics, text = diagnose((case / "rules.yaml").read_bytes(), vocabulary)
    golden = case / "errors.txt"
    if request.config.getoption("--update-goldens"):
        golden.write_text(text, encoding="utf-8")
    assert {"rules.yaml", "errors.txt"} == {file.name for file in case.iterdir()}
    assert golden.read_text(encoding="utf-8") == text
    assert diagnostics.failed


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_caret_stands_under_what_its_place_names(case: Path, vocabulary: Vocabulary) -> None:
    """The place and the caret are two ways to say the same; wide characters must not pull them apart."""
    diagnostics, text = diagnose((case / "rules.yaml").read_bytes(), vocabulary)
    lines = text.splitlines()
    for item in diagnostics.in_order():
        assert item.span is not None
        head = next(
            n for n, line in enumerate(lines) if line.startswith(f"{item.span}: ") and item.message in line
        )
        if len(lines) <= head + 3 or lines[head + 1] != "  |":
            continue
        shown, carets = lines[head + 2][4:], lines[head + 3][4:]
        if "…" not in shown:
            assert columns_wide(shown[: item.span.start_col - 1]) == len(carets) - len(carets.lstrip())


def test_a_byte_order_mark_is_dropped_with_a_warning(vocabulary: Vocabulary) -> None:
    text = "kind: eligibility\nfact: listing\nrules:\n  - {id: a, title: 标题, source: R1, require: {product.on_sale: true}, otherwise: 原因}\n"
    diagnostics, shown = diagnose(b"\xef\xbb\xbf" + text.encode(), vocabulary)
    assert ["SG0104"] == [item.code for item in diagnostics.items]
    assert not diagnostics.failed
    assert "BOM" in shown


def test_text_in_another_encoding_is_refused_at_the_first_wrong_byte(vocabulary: Vocabulary) -> None:
    diagnostics, _ = diagnose("kind: eligibility\ntitle: 规则\n".encode("gb18030"), vocabulary)
    assert [("SG0103", 2, 8)] == [
        (d.code, d.span.start_line, d.span.start_col) for d in diagnostics.items if d.span
    ]


def test_utf_16_is_refused_with_a_remedy(vocabulary: Vocabulary) -> None:
    diagnostics, shown = diagnose("kind: eligibility\n".encode("utf-16"), vocabulary)
    assert ["SG0103"] == [item.code for item in diagnostics.items]
    assert "UTF-8" in shown


def test_a_file_of_ten_megabytes_is_refused_without_being_read(tmp_path: Path) -> None:
    file = tmp_path / "big.yaml"
    file.write_bytes(b"a: 1\n" * (10 * 1024 * 1024 // 5))
    diagnostics = Diagnostics()
    source, root = read_file(file, SHOWN, diagnostics)
    assert MOST_BYTES < file.stat().st_size
    assert (None, "") == (root, source.text)
    assert ["SG0102"] == [item.code for item in diagnostics.items]


def test_a_file_that_is_not_there_is_a_diagnostic(tmp_path: Path) -> None:
    diagnostics = Diagnostics()
    read_file(tmp_path / "none.yaml", SHOWN, diagnostics)
    assert ["SG0101"] == [item.code for item in diagnostics.items]


def test_at_most_a_hundred_diagnostics_are_shown_and_the_rest_counted(vocabulary: Vocabulary) -> None:
    rules = "".join(
        f"  - {{id: r{n}, title: 标题, source: R1, require: {{product.nope: 1}}, otherwise: 原因}}\n"
        for n in range(130)
    )
    diagnostics, text = diagnose(f"kind: eligibility\nfact: listing\nrules:\n{rules}".encode(), vocabulary)
    assert 130 == len(diagnostics.items)
    assert MOST_SHOWN == sum(line.startswith(f"{SHOWN}:") for line in text.splitlines())
    assert text.endswith("另有 30 条未显示\n")


def test_diagnostics_are_sorted_by_place(vocabulary: Vocabulary) -> None:
    case = ROOT / "tests" / "cases" / "errors" / "several-mistakes-at-once" / "rules.yaml"
    diagnostics, _ = diagnose(case.read_bytes(), vocabulary)
    places = [(item.span.start_line, item.span.start_col) for item in diagnostics.in_order() if item.span]
    assert sorted(places) == places
    assert len(places) > 2
