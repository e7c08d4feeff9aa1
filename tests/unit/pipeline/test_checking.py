"""Checking: rows meet their products, whatever is wrong with either is told, and nothing passes unread."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.diagnostics import Diagnostic
from engine.plan import batch_refs
from engine.rulebook import Rulebook, load
from engine.source import Span
from engine.tables import Tables
from mappings.sheet import UploadSheet, open_upload
from pipeline.catalogue import Line, read_lines
from pipeline.checking import Checker

ROOT = Path(__file__).resolve().parents[3]
AS_OF = datetime(2026, 11, 23, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load(ROOT / "rulesets.yaml")


@pytest.fixture
def checker(rulebook: Rulebook) -> Checker:
    shop = dict(rulebook.vocabulary.facts["shop"].example)
    tables = {name: table.example for name, table in rulebook.vocabulary.tables.items()}
    tables["listings"] = []
    return Checker(rulebook, rulebook.channels["huiju"], AS_OF, Tables(tables), shop)


def sheet(folder: Path, *rows: tuple[str, ...]) -> UploadSheet:
    """Write an upload with one spec level per row."""
    head = "有赞商品ID,规格名1,规格模板ID1,类目ID,品牌ID,运费模板ID"
    file = folder / "上架表.csv"
    file.write_text("\n".join([head, *(",".join(row) for row in rows)]) + "\n", "utf-8")
    return open_upload(file)


def row(product: str = "1") -> tuple[str, ...]:
    return (product, "颜色", "30001", "6091", "7001", "47428464001")


def product(rulebook: Rulebook, id_: str, **changed: Any) -> dict[str, Any]:
    example = rulebook.vocabulary.facts["listing"].example["product"]
    base = {**example, "id": id_, "specs": [{"id": "1", "name": "颜色", "values": ["红"]}]}
    return {**base, **changed}


def lines(rulebook: Rulebook, *products: dict[str, Any]) -> Iterator[Line]:
    for number, fact in enumerate(products, start=1):
        yield Line("p.jsonl", number, fact)


def test_a_good_row_passes_and_rows_come_in_the_order_of_the_sheet(
    tmp_path: Path, rulebook: Rulebook, checker: Checker
) -> None:
    catalogue = lines(rulebook, *(product(rulebook, id_) for id_ in ("3", "2", "1", "9")))
    rows = list(checker.upload(sheet(tmp_path, row("1"), row("2"), row("3"), row("4")), catalogue))
    assert ["1", "2", "3", "4"] == [item.key for item in rows]
    assert ["accepted", "accepted", "accepted", "rejected"] == [item.outcome for item in rows]
    assert {"huiju/eligibility/product-unknown"} == {
        f.rule for d in rows[3].decisions for f in d.findings if f.severity == "error"
    }


def test_of_two_products_with_one_id_the_first_counts_and_a_notice_says_so(
    tmp_path: Path, rulebook: Rulebook, checker: Checker
) -> None:
    notices: list[Diagnostic] = []
    checker.on_notice = notices.append
    sold_out = product(rulebook, "1", on_sale=False)
    catalogue = lines(
        rulebook, product(rulebook, "1"), sold_out, product(rulebook, "8"), product(rulebook, "8")
    )
    (checked,) = checker.upload(sheet(tmp_path, row("1")), catalogue)
    assert "accepted" == checked.outcome
    assert [("SG0805", "notice", "p.jsonl:2:1", "商品 1 重复：以第 1 行的为准，这一行没有用")] == [
        (item.code, item.severity, str(item.span), item.message) for item in notices
    ]


def test_a_row_whose_product_has_a_value_that_cannot_be_read_is_rejected(
    tmp_path: Path, rulebook: Rulebook, checker: Checker
) -> None:
    """What is missing may be just what a rule would have objected to."""
    problem = Diagnostic("SG0802", "error", "字段 marks：应是列表", Span("p.jsonl", 1, 1, 1, 1))
    line = Line("p.jsonl", 1, product(rulebook, "1"), problems=(problem,))
    (checked,) = checker.upload(sheet(tmp_path, row("1")), [line])
    assert ("rejected", (problem,)) == (checked.outcome, checked.problems)


def test_a_line_that_cannot_be_read_is_a_rejected_row_of_its_own(
    tmp_path: Path, rulebook: Rulebook, checker: Checker
) -> None:
    problem = Diagnostic("SG0801", "error", "不是一行 JSON", Span("p.jsonl", 2, 1, 2, 1))
    rows = list(
        checker.upload(
            sheet(tmp_path, row("1")),
            [Line("p.jsonl", 2, None, problems=(problem,)), *lines(rulebook, product(rulebook, "1"))],
        )
    )
    assert [("p.jsonl", 2, "rejected"), (str(tmp_path / "上架表.csv"), 2, "accepted")] == [
        (item.place, item.number, item.outcome) for item in rows
    ]


def test_a_listing_or_product_with_a_value_that_cannot_be_read_is_rejected(
    rulebook: Rulebook, checker: Checker
) -> None:
    """A listing without its product is a matter of no rule: it passed, its product unread."""
    problem = Diagnostic("SG0802", "error", "字段 product：应是一组字段", Span("f.jsonl", 1, 1, 1, 1))
    note = Diagnostic("SG0802", "notice", "提示", Span("f.jsonl", 1, 1, 1, 1))
    checked = list(
        checker.catalogue(
            "f.jsonl",
            [
                Line("f.jsonl", 1, {}, True, (problem,)),
                Line("f.jsonl", 2, product(rulebook, "1"), False, (problem,)),
                Line("f.jsonl", 3, product(rulebook, "1"), False, (note,)),
                Line("f.jsonl", 4, None, False, (problem,)),
            ],
        )
    )
    assert ["rejected", "rejected", "accepted", "rejected"] == [item.outcome for item in checked]
    assert ["", "1", "1", ""] == [item.key for item in checked]


def test_a_product_alone_is_asked_nothing_about_its_row(rulebook: Rulebook, checker: Checker) -> None:
    (checked,) = checker.catalogue("p.jsonl", lines(rulebook, product(rulebook, "1")))
    assert "accepted" == checked.outcome
    assert ["huiju/eligibility", "huiju/spec-mapping"] == [item.ruleset for item in checked.decisions]


def test_a_value_is_unique_among_the_rows_of_the_upload(
    tmp_path: Path, rulebook: Rulebook, checker: Checker
) -> None:
    rows = list(
        checker.upload(
            sheet(tmp_path, row("1"), row("1"), row("2")),
            lines(rulebook, product(rulebook, "1"), product(rulebook, "2")),
        )
    )
    assert ["rejected", "rejected", "accepted"] == [item.outcome for item in rows]
    assert {"huiju/eligibility/twice-in-upload"} == {
        f.rule for d in rows[0].decisions for f in d.findings if f.severity == "error"
    }


RULES = """kind: eligibility
fact: listing
rules:
  - {id: alias, title: 别名, source: R0, require: {product.alias: {unique_in: upload}}, otherwise: 别名重复}
"""


def test_a_value_that_the_batch_does_not_know_is_not_taken_for_unique(
    tmp_path: Path, checker: Checker
) -> None:
    """The rows of an upload know each other's cells, not each other's products: it can't be known, so it does not pass."""
    (tmp_path / "r.yaml").write_text(RULES, "utf-8")
    manifest = f"facts: {ROOT / 'rules' / 'facts'}\nchannels: {{c: {{rulesets: {{e: r.yaml}}}}}}\n"
    (tmp_path / "rulesets.yaml").write_text(manifest, "utf-8")
    own = load(tmp_path / "rulesets.yaml")
    assert ["product.alias"] == [ref.path for ref in batch_refs(own.ruleset("c/e").plan())]
    alone = Checker(own, own.channels["c"], AS_OF, Tables(), {})
    (checked,) = alone.upload(sheet(tmp_path, row("1")), lines(own, product(own, "1")))
    assert [("undetermined", ("batch:upload",))] == [
        (f.status, f.missing) for d in checked.decisions for f in d.findings
    ]
    assert "缺少同一批次的其他行（upload），无法判断「别名」" == checked.decisions[0].findings[0].message


def test_progress_is_told_by_the_thousand_and_at_the_end(
    tmp_path: Path, rulebook: Rulebook, checker: Checker
) -> None:
    seen: list[tuple[int, int]] = []
    checker.on_progress = lambda done, total: seen.append((done, total))
    many = [row(str(number)) for number in range(1000)]
    list(
        checker.upload(
            sheet(tmp_path, *many), lines(rulebook, *(product(rulebook, str(n)) for n in range(1000)))
        )
    )
    assert [(1000, 1000), (1000, 1000)] == seen
    seen.clear()
    list(checker.catalogue("p.jsonl", lines(rulebook, *(product(rulebook, str(n)) for n in range(1000)))))
    assert [(1000, 0)] == seen


def test_the_demo_catalogue_is_read_and_checked_line_by_line(rulebook: Rulebook, checker: Checker) -> None:
    checked = list(
        checker.catalogue("p", read_lines(ROOT / "examples" / "products.jsonl", rulebook.vocabulary))
    )
    assert {"accepted", "rejected"} <= {item.outcome for item in checked}
    assert checker.versions() == tuple((item.ruleset, item.version) for item in checked[0].decisions)
