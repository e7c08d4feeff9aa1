"""The examples are what their source says, fit the vocabulary, and hold what they claim to hold."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import zipfile
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker
from python_calamine import CalamineWorkbook
from referencing import Registry, Resource

from mappings.youzan import product_from_item

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
SCHEMAS: dict[str, Any] = {
    path.name: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in (ROOT / "rules" / "facts").glob("*.yaml")
}
REGISTRY: Registry[Any] = Registry().with_resources(
    [(name, Resource.from_contents(schema)) for name, schema in SCHEMAS.items()]
)


def problems(fact: str, value: object) -> list[str]:
    """Say where a fact doesn't fit its schema."""
    validator = Draft202012Validator(
        SCHEMAS[f"{fact}.yaml"], registry=REGISTRY, format_checker=FormatChecker()
    )
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def lines_of(name: str) -> list[dict[str, Any]]:
    """Read a file of JSON lines."""
    return [json.loads(line) for line in (EXAMPLES / name).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_facts_schema_is_one_and_its_example_fits(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert [
        problem for example in SCHEMAS[name].get("examples", []) for problem in problems(name[:-5], example)
    ] == []


@pytest.mark.parametrize("table", sorted(SCHEMAS["tables.yaml"]["$defs"]))
def test_a_tables_example_rows_fit_and_have_their_key(table: str) -> None:
    schema = SCHEMAS["tables.yaml"]["$defs"][table]
    rows = schema["examples"]
    assert [error.message for row in rows for error in Draft202012Validator(schema).iter_errors(row)] == []
    assert len({row[schema["x-key"]] for row in rows}) == len(rows)


def test_the_example_listing_refers_to_example_rows() -> None:
    """The base fact, over which rules lay their examples, must be one that passes."""
    listing = SCHEMAS["listing.yaml"]["examples"][0]
    tables = {
        name: {row[table["x-key"]]: row for row in table["examples"]}
        for name, table in SCHEMAS["tables.yaml"]["$defs"].items()
    }
    row, product = listing["row"], listing["product"]
    assert row["product_id"] == product["id"]
    assert row["product_id"] not in tables["listings"]
    assert tables["categories"][row["category_id"]]["level"] == 3
    assert row["brand_id"] in tables["brands"]
    assert row["freight_template_id"] in tables["freight_templates"]
    assert [spec["name"] for spec in row["specs"]] == [spec["name"] for spec in product["specs"]]
    assert {spec["template_id"] for spec in row["specs"]} <= tables["spec_templates"].keys()


def test_the_examples_are_what_their_source_makes(tmp_path: Path) -> None:
    """Workbooks are compared part by part: how tightly they are packed is the library's affair."""
    subprocess.run([sys.executable, ROOT / "tools" / "make_examples.py", tmp_path], check=True, timeout=60)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        path.name for path in EXAMPLES.iterdir()
    )
    for path in tmp_path.iterdir():
        committed = EXAMPLES / path.name
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as made, zipfile.ZipFile(committed) as kept:
                parts = [{name: book.read(name) for name in book.namelist()} for book in (made, kept)]
            assert parts[0] == parts[1], path.name
        else:
            assert path.read_bytes() == committed.read_bytes(), path.name


def test_every_product_becomes_a_fact_that_fits() -> None:
    payloads = lines_of("products.jsonl")
    products = [product_from_item(payload) for payload in payloads]
    plain = [json.loads(json.dumps(product, default=datetime.isoformat)) for product in products]
    assert [problem for product in plain for problem in problems("product", product)] == []
    assert len({product["id"] for product in products}) == len(products) >= 64
    written = [json.dumps(payload) for payload in payloads]
    for spelling in ("prop_name_id", '\\"kid\\"', '\\"k_id\\"'):
        assert sum(spelling in line for line in written) >= 3, spelling


@pytest.mark.parametrize(
    ("name", "fact", "least"), [("orders", "order", 12), ("after_sales", "after_sale", 6)]
)
def test_orders_and_after_sales_fit(name: str, fact: str, least: int) -> None:
    facts = lines_of(f"{name}.jsonl")
    assert [problem for found in facts for problem in problems(fact, found)] == []
    assert sum(found["channel"] == "huiju" for found in facts) >= least


def test_after_sales_belong_to_orders_that_list_them() -> None:
    listed = {
        (order["id"], found["id"], found["status"])
        for order in lines_of("orders.jsonl")
        for found in order["after_sales"]
    }
    assert listed == {
        (found["order_id"], found["id"], found["status"]) for found in lines_of("after_sales.jsonl")
    }


def test_the_shop_is_the_example_shop() -> None:
    shop = yaml.safe_load((EXAMPLES / "shop.yaml").read_text(encoding="utf-8"))
    assert shop == SCHEMAS["shop.yaml"]["examples"][0]


def test_the_upload_has_a_row_for_every_expectation_and_most_pass() -> None:
    sheet = CalamineWorkbook.from_path(str(EXAMPLES / "上架表.xlsx")).get_sheet_by_name("上架商品")
    with (EXAMPLES / "expected.csv").open(encoding="utf-8", newline="") as handle:
        expected = list(csv.DictReader(handle))
    rows = sheet.to_python()
    assert [row["row"] for row in expected] == [str(number) for number in range(2, len(rows) + 1)]
    count = Counter(row["outcome"] for row in expected)
    assert count["accepted"] >= 44
    assert count["accepted"] > count["rejected"] + count["undetermined"]
    assert count["undetermined"] == 2
    assert all(bool(row["rules"]) == (row["outcome"] != "accepted") for row in expected)


def test_most_ids_of_the_workbooks_are_text() -> None:
    """Two cells of the upload are numbers on purpose, as people write them; the reference data has none."""
    upload = (
        CalamineWorkbook.from_path(str(EXAMPLES / "上架表.xlsx")).get_sheet_by_name("上架商品").to_python()
    )
    assert sum(not isinstance(value, str) for row in upload for value in row) == 2
    book = CalamineWorkbook.from_path(str(EXAMPLES / "惠聚数据.xlsx"))
    assert book.sheet_names == ["类目", "品牌", "运费模板", "规格模板", "已上架商品"]
    for name in book.sheet_names:
        titles, *rows = book.get_sheet_by_name(name).to_python()
        assert rows
        for place, title in enumerate(titles):
            if "ID" in str(title):
                assert all(isinstance(row[place], str) for row in rows), (name, title)
