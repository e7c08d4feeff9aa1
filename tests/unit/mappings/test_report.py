"""Every format tells the same findings; golden files in tests/goldens/report show how."""

from __future__ import annotations

import csv as csv_reader
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.decision import Decision, Evidence, Finding
from engine.diagnostics import Cell, Diagnostic
from engine.source import Span, columns_wide
from mappings.report import CheckedRow, Report, Summary, cell_for, entries_of, formats, unreadable
from mappings.report.csv import harmless
from mappings.sheet_messages import bad_id, too_large

GOLDENS = Path(__file__).parents[2] / "goldens" / "report"
AS_OF = datetime(2022, 3, 18, 2, 30, tzinfo=UTC)
VERSION = "sha256:" + "0123456789abcdef" * 4
RULESETS = (("huiju/eligibility", VERSION),)
RULES = "rules/huiju/eligibility.yaml"
FORMATS = formats()


def cells(number: int, **values: str) -> dict[str, Cell]:
    """Give the cells of a row, product id first."""
    titles = {
        "row.product_id": ("A", "有赞商品ID"),
        "row.specs[0].name": ("B", "规格名1"),
        "row.category_id": ("F", "类目ID"),
    }
    return {
        path: Cell("上架商品", f"{letter}{number}", number, title, values.get(title, ""))
        for path, (letter, title) in titles.items()
    }


def finding(rule: str, line: int, **changes: Any) -> Finding:
    """Give a violation with one test that did not hold."""
    given: dict[str, Any] = {
        "rule": f"huiju/eligibility/{rule}",
        "title": "类目须为末级",
        "severity": "error",
        "status": "violated",
        "message": "类目 30002 不是末级（三级）类目",
        "fix": "改填三级类目的 ID",
        "evidence": (Evidence("row.category_id", "30002", "类目表中层级为 3 的类目"),),
        "missing": (),
        "source": "R13",
        "preempts": (),
        "span": Span(RULES, line, 5, line, 21),
    }
    return Finding(**(given | changes))


def row(number: int, key: str, outcome: Any, *findings: Finding, **changes: Any) -> CheckedRow:
    """Give a checked row of a workbook."""
    decision = Decision("huiju/eligibility", VERSION, AS_OF, outcome, findings)
    found = cells(number, 有赞商品ID=key, 规格名1="颜色", 类目ID="30002")
    given: dict[str, Any] = {"cells": found, "problems": (), "decisions": (decision,)}
    return CheckedRow(
        "examples/上架商品, 一.xlsx", "上架商品", number, key, outcome=outcome, **(given | changes)
    )


def some_findings() -> Iterator[CheckedRow]:
    """Give a row of each outcome, with every kind of finding."""
    yield row(2, "403680077", "accepted")
    yield row(
        3,
        "403680078",
        "rejected",
        finding("category-not-leaf", 30),
        finding(
            "spec-levels",
            12,
            title="规格层级",
            message="惠聚仅支持 1～2 级规格，该商品有 3 级\n100% 会被拒绝",
            evidence=(
                Evidence("product.specs", [{"name": "颜色"}], "1～2 项"),
                Evidence("product.is_virtual", True, "否"),
            ),
            fix="在有赞中调整为一级或两级规格",
            source="R10",
        ),
    )
    yield row(
        4,
        "403680079",
        "undetermined",
        finding(
            "stock-known",
            40,
            title="库存",
            status="undetermined",
            message="缺少库存，无法判断",
            evidence=(),
            missing=("product.stock", "table:categories"),
        ),
    )
    yield row(
        5,
        "403680080",
        "accepted",
        finding(
            "name-differs",
            50,
            title="规格名",
            severity="warning",
            evidence=(Evidence("row.specs[0].name", None, "=颜色"),),
        ),
        finding("category-not-leaf", 30, status="waived", waiver="运营 王：历史商品，至 2022-06-30"),
        finding(
            "title-short",
            60,
            title="标题",
            severity="notice",
            message='<标题> & "很短"',
            evidence=(),
            fix="",
            span=None,
        ),
    )
    yield CheckedRow(
        "items.jsonl",
        "",
        7,
        "\x1b[31m9",
        {},
        (),
        row(7, "9", "rejected", finding("x", 1)).decisions,
        "rejected",
    )


def input_problems() -> Iterator[CheckedRow]:
    """Give a row with a cell that can't be read, a line that can't, and a file that can't."""
    cell = Cell("上架商品", "A6", 6, "有赞商品ID", "1.23457E+17")
    problem = bad_id(cell, "是科学计数法，没有写全每一位数字", "把该列的单元格格式设为“文本”")
    yield row(6, "", "undetermined", problems=(problem,), decisions=())
    span = Span("items.jsonl", 9, 14, 9, 15)
    broken = Diagnostic("SG0601", "error", "第 9 行不是 JSON：多了一个逗号", span, "删除逗号")
    yield CheckedRow("items.jsonl", "", 9, "", {}, (broken,), (), "undetermined")
    yield unreadable("大.xlsx", too_large("大.xlsx", 60_000_000, 50_000_000).diagnostics)


CASES = {"findings": some_findings, "input-problem": input_problems}


def report_of(rows: Iterator[CheckedRow], **changes: Any) -> Report:
    return Report("上架检查", RULESETS, AS_OF, "examples/上架商品, 一.xlsx", rows, **changes)


def written(name: str, report: Report) -> bytes:
    out = io.BytesIO()
    FORMATS[name].write(report, out)
    assert not out.closed
    return out.getvalue()


def as_text(name: str, data: bytes) -> str:
    """Give a report as text; a workbook as the text of its cells."""
    if name != "xlsx":
        return data.decode()
    lines = []
    for sheet in openpyxl.load_workbook(io.BytesIO(data)):
        lines.append(f"# {sheet.title}")
        lines += [
            "\t".join(f"{cell.data_type}:{cell.value}" for cell in line if cell.value is not None)
            for line in sheet
        ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", FORMATS)
def test_a_report_is_as_its_golden_file_shows(name: str, case: str, update_goldens: bool) -> None:
    golden = GOLDENS / f"{case}.{name}"
    actual = as_text(name, written(name, report_of(CASES[case]())))
    if update_goldens:
        golden.write_bytes(actual.encode())
    assert golden.read_bytes().decode() == actual


@pytest.mark.parametrize("name", FORMATS)
def test_the_summary_is_complete_once_a_report_is_written(name: str) -> None:
    report = report_of(some_findings())
    written(name, report)
    summary = report.summary
    assert (5, 2, 2, 1) == (summary.total, summary.accepted, summary.rejected, summary.undetermined)
    leaf = summary.rules["huiju/eligibility/category-not-leaf"]
    assert (1, 0, 1, 0) == (leaf.violations, leaf.undetermined, leaf.waived, leaf.warnings)
    assert 1 == summary.rules["huiju/eligibility/name-differs"].warnings
    assert 1 == summary.rules["huiju/eligibility/stock-known"].undetermined


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_without_rows_is_whole(name: str) -> None:
    report = report_of(iter(()))
    assert written(name, report)
    assert Summary() == report.summary


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_named_as_its_file_and_has_a_suffix(name: str) -> None:
    assert (name, ".") == (FORMATS[name].NAME, FORMATS[name].SUFFIX[0])


@pytest.mark.parametrize("name", ["csv", "github", "json", "sarif", "text"])
def test_rows_are_written_as_they_come(name: str) -> None:
    """A report of 50,000 rows is not held in memory: each row is out before the next but one is asked for."""
    out = io.BytesIO()

    def rows() -> Iterator[CheckedRow]:
        for number in range(2, 5):
            yield row(number, f"40368007{number}", "rejected", finding("category-not-leaf", 30))
            assert f"F{number}".encode() in out.getvalue()

    FORMATS[name].write(report_of(rows()), out)


def test_every_format_names_each_failing_row_its_cell_and_its_rule() -> None:
    for name in FORMATS:
        text = as_text(name, written(name, report_of(some_findings())))
        for word in ("403680078", "F3", "huiju/eligibility/category-not-leaf", "改填三级类目的 ID", RULES):
            if (name, word) != ("sarif", "403680078"):
                assert word in text, (name, word)


def test_json_reads_back_and_carries_the_decisions() -> None:
    data = json.loads(written("json", report_of(some_findings())))
    assert [3, 4, 5, 7] == [item["row"] for item in data["rows"]]
    found = data["rows"][0]["decisions"][0]["findings"][0]
    assert ("F3", "30002", 30) == (
        found["cell"]["name"],
        found["evidence"][0]["found"],
        found["span"]["start_line"],
    )
    assert "A3" == data["rows"][0]["decisions"][0]["findings"][1]["cell"]["name"]
    assert 5 == data["summary"]["total"]


def test_csv_reads_back_and_holds_no_formula() -> None:
    data = written("csv", report_of(some_findings()))
    assert data.startswith(b"\xef\xbb\xbf")
    lines = list(csv_reader.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert ["F3", "A3", "A4", "B5", "F5", "A5", ""] == [line["单元格"] for line in lines]
    assert "'=颜色" == lines[3]["应为"]
    assert not [value for line in lines for value in line.values() if re.match(r"[=+\-@\t\r]", value)]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@A", "\t=1", "\r=1", "\n=1", " =1", "＝1", "＠A"])
def test_text_that_a_spreadsheet_would_run_is_made_harmless(text: str) -> None:
    assert f"'{text}" == harmless(text)


def test_xlsx_holds_no_formula_and_no_link_and_cuts_what_excel_can_not_hold() -> None:
    long = finding("category-not-leaf", 30, message="长" * 40_000, fix="http://example.test", title="=1+1")
    data = written("xlsx", report_of(iter([row(2, "1", "rejected", long)])))
    sheet = openpyxl.load_workbook(io.BytesIO(data))["明细"]
    assert {"s", "n"} >= {cell.data_type for line in sheet for cell in line if cell.value is not None}
    assert not [cell for line in sheet for cell in line if cell.hyperlink]
    assert "…（已截短，共 40000 字）" in str(sheet["L2"].value)


def test_xlsx_goes_on_in_a_second_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mappings.report.xlsx.MOST_LINES", 2)
    rows = (row(number, str(number), "rejected", finding("category-not-leaf", 30)) for number in range(2, 7))
    book = openpyxl.load_workbook(io.BytesIO(written("xlsx", report_of(rows))))
    assert ["明细", "明细2", "明细3", "汇总"] == book.sheetnames
    assert ["2", "3", "4", "5", "6"] == [
        line[2].value for name in book.sheetnames[:3] for line in list(book[name])[1:]
    ]


def test_junit_is_sound_xml_with_right_counts_whatever_the_text() -> None:
    bad = row(2, "\x00\ud800<&>\"'", "rejected", finding("category-not-leaf", 30, message="\x0b]]>"))
    suite = ET.fromstring(written("junit", report_of(iter([bad, *some_findings()]))))[0]
    assert ("6", "3", "1") == (suite.get("tests"), suite.get("failures"), suite.get("errors"))
    assert [3, 1, 6] == [len(list(suite.iter(tag))) for tag in ("failure", "error", "testcase")]


def test_sarif_says_what_is_open_and_what_is_suppressed() -> None:
    run = json.loads(written("sarif", report_of(some_findings())))["runs"][0]
    assert ["fail", "fail", "open", "fail", "fail", "fail", "fail"] == [
        item["kind"] for item in run["results"]
    ]
    assert ["error", "error", "none", "warning", "error", "note", "error"] == [
        item["level"] for item in run["results"]
    ]
    assert ["huiju/eligibility/category-not-leaf"] == [
        item["ruleId"] for item in run["results"] if "suppressions" in item
    ]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[item["ruleIndex"]]["id"] == item["ruleId"] for item in run["results"])
    first = run["results"][0]
    place = first["locations"][0]["physicalLocation"]
    assert ("examples/%E4%B8%8A%E6%9E%B6%E5%95%86%E5%93%81%2C%20%E4%B8%80.xlsx", 3) == (
        place["artifactLocation"]["uri"],
        place["region"]["startLine"],
    )
    assert RULES == first["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"]


def test_github_commands_stay_on_one_line_each_and_are_escaped() -> None:
    lines = written("github", report_of(some_findings())).decode().splitlines()
    assert ["error", "error", "warning", "warning", "notice", "notice", "error"] == [
        match[1] for line in lines if (match := re.match(r"::(\w+) ", line))
    ]
    assert lines[0].startswith(
        "::error file=examples/上架商品%2C 一.xlsx,line=3,title=huiju/eligibility/category-not-leaf"
    )
    assert "100%25 会被拒绝" in lines[1]
    assert 8 == len(lines)


def test_text_never_steers_the_terminal() -> None:
    text = written("text", report_of(some_findings())).decode()
    assert "\x1b" not in text
    assert "商品 �[31m9" in text


def test_text_shows_colours_where_they_are_asked_for() -> None:
    plain = written("text", report_of(some_findings()))
    colourful = written("text", report_of(some_findings(), colour=True)).decode()
    assert "\x1b[31m✗ 第 3 行" in colourful
    assert plain.decode() == re.sub(r"\x1b\[\d+m", "", colourful)


def test_the_table_of_rules_is_aligned_under_wide_characters() -> None:
    lines = written("text", report_of(some_findings())).decode().splitlines()
    table = lines[next(place for place, line in enumerate(lines) if line.startswith("规则  ")) : -2]
    assert 7 == len(table)
    assert 1 == len({columns_wide(line) for line in table})


def test_a_path_leads_to_its_cell_or_to_the_product() -> None:
    found = cells(3)
    assert ["F3", "B3", "B3", "B3", "A3", "A3", "A3"] == [
        cell.name
        for path in (
            "row.category_id",
            "row.specs[0].name",
            "row.specs",
            "row.specs[0]",
            "row.brand_id",
            "product.stock",
            "shop.id",
        )
        if (cell := cell_for(path, found))
    ]
    assert "B3" == getattr(cell_for("row.specs[1].name", found), "name", None)
    assert cell_for("row.category_id", {}) is None


@given(st.text(alphabet=st.characters(), max_size=30), st.text(alphabet=st.characters(), max_size=10))
@settings(max_examples=40)
def test_any_text_can_be_written_in_every_format(message: str, key: str) -> None:
    """Half characters, control characters, commands and quotes come in with titles and names."""
    bad = finding(
        "x",
        1,
        message=message,
        title=message,
        fix=message,
        evidence=(Evidence("row.category_id", key, message),),
    )
    for name in FORMATS:
        data = as_text(name, written(name, report_of(iter([row(2, key, "rejected", bad)]))))
        if name in ("json", "sarif"):
            json.loads(data)
        if name == "github":
            assert 2 == len(data.splitlines())


def test_an_accepted_row_has_nothing_to_say() -> None:
    accepted = row(2, "1", "accepted")
    assert (False, []) == (accepted.notable, list(entries_of(accepted)))
