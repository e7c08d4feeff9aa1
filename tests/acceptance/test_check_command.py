"""The main job, run as its users run it: the installed command on the demo shop's files."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SHOP = ["--shop", str(EXAMPLES / "shop.yaml")]
PRODUCTS = ["--products", str(EXAMPLES / "products.jsonl")]
REFERENCE = ["--reference", str(EXAMPLES / "惠聚数据.xlsx")]
DEMO = [str(EXAMPLES / "上架表.xlsx"), *SHOP, *PRODUCTS, *REFERENCE, "--as-of", "2026-11-23"]


def shelfgate(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[bytes]:
    command = [str(Path(sys.executable).with_name("shelfgate")), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def report() -> Any:
    return json.loads(shelfgate("check", *DEMO, "--format", "json").stdout)


@pytest.fixture(scope="module")
def expected() -> dict[int, tuple[str, str, set[str]]]:
    with (EXAMPLES / "expected.csv").open(encoding="utf-8", newline="") as lines:
        return {
            int(line["row"]): (line["product_id"], line["outcome"], set(line["rules"].split()))
            for line in csv.DictReader(lines)
        }


def test_the_demo_upload_ends_with_exit_code_1_as_some_rows_are_meant_to_fail() -> None:
    assert 1 == shelfgate("check", *DEMO).returncode


def test_exactly_the_rows_meant_to_fail_fail_and_each_by_its_rules(
    report: Any, expected: dict[int, tuple[str, str, set[str]]]
) -> None:
    """R1–R3 and R9–R15: the workbook breaks every rule that a row can break; most rows pass."""
    meant = {row: (outcome, rules) for row, (_, outcome, rules) in expected.items() if outcome != "accepted"}
    found = {
        row["row"]: (
            row["outcome"],
            {
                finding["rule"].rpartition("/")[2]
                for decision in row["decisions"]
                for finding in decision["findings"]
                if finding["severity"] == "error"
            },
        )
        for row in report["rows"]
        if row["outcome"] != "accepted"
    }
    assert meant == found
    assert len(expected) == report["summary"]["total"]
    assert report["summary"]["accepted"] > len(expected) / 2


def test_every_finding_names_rule_cell_value_wanted_and_fix(report: Any) -> None:
    for row in report["rows"]:
        for decision in row["decisions"]:
            for finding in decision["findings"]:
                assert finding["message"]
                assert finding["fix"], finding["rule"]
                assert finding["source"]
                assert bool(finding["evidence"]) == (finding["status"] != "undetermined"), finding
                assert bool(finding["missing"]) == (finding["status"] == "undetermined"), finding
                assert all(item["wanted"] for item in finding["evidence"])


def test_the_screen_shows_cell_value_wanted_fix_and_where_the_rule_stands() -> None:
    text = shelfgate("check", *DEMO).stdout.decode()
    for word in ("现值", "应为", "建议", "规则", "rules/huiju/eligibility.yaml:", "上架表.xlsx:A"):
        assert word in text


def test_the_same_question_gets_the_same_bytes() -> None:
    first, second = (shelfgate("check", *DEMO, "--format", "json").stdout for _ in range(2))
    assert first == second


def test_before_the_opening_day_no_row_passes() -> None:
    """R3: asked as of an earlier day, the rules of that day answer."""
    arguments = [*DEMO[:-1], "2022-02-10", "--format", "json"]
    summary = json.loads(shelfgate("check", *arguments).stdout)["summary"]
    assert 0 == summary["accepted"]
    assert "huiju/eligibility/not-open-yet" in summary["rules"]


def test_a_shop_without_beta_approval_passes_only_from_the_public_day_on(tmp_path: Path) -> None:
    """R3: 2022-02-11 to 2022-03-07 on application, since 2022-03-08 for every shop."""
    shop = tmp_path / "shop.yaml"
    shop.write_text(
        (EXAMPLES / "shop.yaml").read_text("utf-8").replace("beta_approved: true", "beta_approved: false")
    )
    passed = {}
    for day in ("2022-03-07", "2022-03-08"):
        arguments = [DEMO[0], "--shop", str(shop), *PRODUCTS, *REFERENCE, "--as-of", day, "--format", "json"]
        passed[day] = json.loads(shelfgate("check", *arguments).stdout)["summary"]["accepted"]
    assert 0 == passed["2022-03-07"]
    assert passed["2022-03-08"] > 0


@pytest.mark.parametrize(
    ("fail_on", "rows", "code"),
    [
        ("undetermined", "rejected", 1),
        ("undetermined", "undetermined", 3),
        ("undetermined", "accepted", 0),
        ("rejected", "rejected", 1),
        ("rejected", "undetermined", 0),
        ("never", "rejected", 0),
    ],
)
def test_the_exit_code_says_what_was_found(
    fail_on: str, rows: str, code: int, tmp_path: Path, expected: dict[int, tuple[str, str, set[str]]]
) -> None:
    """Design section 8: 0 all accepted, 1 something rejected, 3 nothing rejected but something undetermined."""
    upload = tmp_path / "one.xlsx"
    book = openpyxl.load_workbook(EXAMPLES / "上架表.xlsx")
    sheet = book.active
    assert sheet is not None
    kept = next(row for row, (product, outcome, _) in expected.items() if outcome == rows and product)
    for row in range(sheet.max_row, 1, -1):
        if row != kept:
            sheet.delete_rows(row)
    book.save(upload)
    outcome = shelfgate("check", str(upload), *DEMO[1:], "--fail-on", fail_on)
    assert code == outcome.returncode, outcome.stdout.decode()


def test_a_catalogue_is_checked_by_the_rules_that_say_nothing_of_the_upload_row() -> None:
    outcome = shelfgate("check", str(EXAMPLES / "products.jsonl"), *SHOP, *REFERENCE, "--format", "json")
    report = json.loads(outcome.stdout)
    assert 1 == outcome.returncode
    assert {"huiju/eligibility/spec-levels", "huiju/eligibility/no-express"} <= report["summary"][
        "rules"
    ].keys()
    assert "huiju/eligibility/row-incomplete" not in report["summary"]["rules"]


def test_a_broken_line_is_named_and_the_others_are_still_checked(tmp_path: Path) -> None:
    lines = (EXAMPLES / "products.jsonl").read_text("utf-8").splitlines()[:3]
    file = tmp_path / "products.jsonl"
    file.write_text("\n".join([lines[0], "{broken", lines[1], "[1]", lines[2]]), "utf-8")
    outcome = shelfgate("check", str(file), *SHOP, "--format", "json")
    report = json.loads(outcome.stdout)
    assert 1 == outcome.returncode
    assert {2: "rejected", 4: "rejected"} == {row["row"]: row["outcome"] for row in report["rows"]}
    assert (5, 3) == (report["summary"]["total"], report["summary"]["accepted"])


def test_a_listing_fact_is_checked_whole(tmp_path: Path) -> None:
    base = json.loads(shelfgate("rules", "schema", "huiju/eligibility").stdout)
    assert "listing" == base["properties"]["fact"]["const"]
    file = tmp_path / "facts.jsonl"
    file.write_text(json.dumps({"row": {"product_id": "1"}, "product": {"id": "2", "titel": "x"}}), "utf-8")
    report = json.loads(shelfgate("check", str(file), "--format", "json").stdout)
    assert "titel" in json.dumps(report, ensure_ascii=False)


@pytest.mark.parametrize("format_", ["text", "json", "csv", "junit", "sarif", "github", "xlsx"])
def test_every_format_says_the_same_rows(format_: str, tmp_path: Path, report: Any) -> None:
    out = tmp_path / f"report.{format_}"
    outcome = shelfgate("check", *DEMO, "--format", format_, "-o", str(out))
    assert 1 == outcome.returncode
    if format_ == "xlsx":
        cells = [
            str(c)
            for sheet in openpyxl.load_workbook(out)
            for row in sheet.iter_rows(values_only=True)
            for c in row
        ]
        text = "\n".join(cells)
    else:
        text = out.read_text("utf-8-sig")
    for row in report["rows"]:
        assert row["product_id"] in text
    if format_ == "csv":
        assert len({line["行"] for line in csv.DictReader(io.StringIO(text)) if line.get("行")}) == len(
            report["rows"]
        )


def test_a_sheet_without_products_is_a_usage_error_that_says_what_to_add() -> None:
    outcome = shelfgate("check", DEMO[0])
    assert 2 == outcome.returncode
    assert "--products" in outcome.stderr.decode()


def test_rules_with_a_mistake_stop_the_check_with_place_and_hint(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    shutil.copy(ROOT / "rulesets.yaml", tmp_path)
    file = tmp_path / "rules" / "huiju" / "eligibility.yaml"
    file.write_text(
        file.read_text("utf-8").replace("product.specs: {count", "product.spec: {count", 1), "utf-8"
    )
    outcome = shelfgate("check", *DEMO, cwd=tmp_path)
    assert 2 == outcome.returncode
    text = outcome.stderr.decode()
    assert "rules/huiju/eligibility.yaml:" in text
    assert "是不是 specs？" in text
    assert "Traceback" not in text


def test_from_a_folder_without_rules_the_shipped_ones_are_used(tmp_path: Path) -> None:
    outcome = shelfgate("check", *DEMO, "--format", "json", cwd=tmp_path)
    assert 1 == outcome.returncode, outcome.stderr.decode()


def test_a_mistyped_command_or_channel_is_met_with_the_nearest() -> None:
    assert "是不是 check？" in shelfgate("chek").stderr.decode()
    assert "是不是 huiju？" in shelfgate("check", *DEMO, "--channel", "huijv").stderr.decode()
    assert "2022-03-08" in shelfgate("check", *DEMO, "--as-of", "昨天").stderr.decode()
