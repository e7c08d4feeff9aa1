"""The watch finds what it is for: a leak planted in each kind of output fails the run, and says where it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from channels.sandbox.huiju.people import person
from tests.privacy import markers
from tests.privacy.watch import ROOT, texts

CONFTEST = """
from tests.privacy.plugin import Privacy

def pytest_configure(config):
    config.pluginmanager.register(Privacy(), "privacy")
"""
LEAKS = """
import logging
import sqlite3
import subprocess
import sys
from contextlib import closing

import click
import openpyxl
from click.testing import CliRunner
from flask import Flask

SERVED = '''
from flask import Flask

app = Flask("api")
app.add_url_rule("/v1/orders", view_func=lambda: "huiju-buyer-0001")
assert app.test_client().get("/v1/orders").status_code == 200
'''

def answer(app, rule, body, path):
    app.add_url_rule(rule, view_func=lambda **_: body)
    assert app.test_client().get(path).status_code == 200

def test_of_a_page():
    answer(Flask("api"), "/orders", {"name": "收货人甲"}, "/orders")

def test_of_a_command():
    @click.command()
    @click.argument("words", nargs=-1)
    def told(words):
        click.echo("13000000001", err=True)
    assert CliRunner().invoke(told, ["orders", "list"]).exit_code == 0

def test_of_a_process():
    code = "import sys; sys.stdout.buffer.write('示例路1号'.encode())"
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

def test_of_a_service_in_another_process():
    subprocess.run([sys.executable, "-c", SERVED, "serve"], check=True)

def test_of_a_log_line():
    logging.getLogger("pipeline.orders.intake").debug("%s", {"buyer": "买家甲"})

def test_of_an_error_in_the_log():
    try:
        raise ValueError("13000000001")
    except ValueError:
        logging.getLogger("api").warning("failed", exc_info=True)

def test_of_a_report(tmp_path):
    book = openpyxl.Workbook()
    book.active["A1"] = "收货人10001"
    book.save(tmp_path / "report.xlsx")

def test_of_a_database(tmp_path):
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        connection.execute("CREATE TABLE orders (payload TEXT)")
        connection.execute("INSERT INTO orders VALUES ('13000000001')")
        connection.commit()
"""
FINE = """
from flask import Flask

def answer(app, rule, body, path):
    app.add_url_rule(rule, view_func=lambda **_: body)
    assert app.test_client().get(path).status_code == 200

def test_of_an_order_that_staff_ship():
    answer(Flask("api"), "/v1/orders/<id>", {"name": "收货人甲", "phone": "13000000001"}, "/v1/orders/1")

def test_of_the_marketplace_itself():
    answer(Flask("huiju-sandbox"), "/", "收货人甲 买家甲", "/")
"""
FOUND = (
    "http GET /orders: consignee.name 收货人甲 (test_it.py::test_of_a_page)",
    "command orders list: consignee.phone 13000000001 (test_it.py::test_of_a_command)",
    "consignee.address 示例路1号 (test_it.py::test_of_a_process)",
    "http GET /v1/orders: buyer.id huiju-buyer-0001 (test_it.py::test_of_a_service_in_another_process)",
    "log pipeline.orders.intake: buyer.name 买家甲 (test_it.py::test_of_a_log_line)",
    "log api: consignee.phone 13000000001 (test_it.py::test_of_an_error_in_the_log)",
    "report.xlsx: consignee.name 收货人10001",
    "store.db: consignee.phone 13000000001",
)


def run(folder: Path, code: str) -> tuple[int, str]:
    """Run tests in a run of their own, and give its exit code and what it says."""
    (folder / "conftest.py").write_text(CONFTEST, "utf-8")
    (folder / "test_it.py").write_text(code, "utf-8")
    words = [
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
        "--basetemp",
        str(folder / "temp"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, *words, str(folder)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert " passed" in done.stdout, done.stdout + done.stderr
    assert " failed" not in done.stdout, done.stdout
    return done.returncode, done.stdout


def test_planted_leaks_fail_the_run(tmp_path: Path) -> None:
    """R25, R26, R29, R31: in every kind of output."""
    exit_code, said = run(tmp_path, LEAKS)
    assert (1, [], True) == (exit_code, [leak for leak in FOUND if leak not in said], "8 leaks" in said), said


def test_planted_data_where_it_may_stand_fails_nothing(tmp_path: Path) -> None:
    """R27: staff must ship."""
    exit_code, said = run(tmp_path, FINE)
    assert (0, True) == (exit_code, "in: 1 http" in said), said


def test_the_sandbox_keeps_to_the_forms_that_are_looked_for() -> None:
    who = person(10001)
    wanted = {
        "userName": "consignee.name",
        "telNumber": "consignee.phone",
        "detailInfo": "consignee.address",
        "buyerId": "buyer.id",
        "buyerName": "buyer.name",
    }
    assert {(wanted[key], who[key]) for key in wanted} == markers.found(" ".join(map(str, who.values())))
    assert not set(person(10001).values()) & {person(10002)[key] for key in wanted}


def test_what_is_looked_for_is_not_what_rules_and_pages_say() -> None:
    """Field titles and reasons name consignees and buyers all the time."""
    files = [
        *(ROOT / "rules" / "huiju").glob("*.yaml"),
        *(ROOT / "pipeline").glob("*.py"),
        *(ROOT / "cli").glob("*.py"),
    ]
    assert {path.name: set() for path in files} == {
        path.name: markers.found(path.read_text("utf-8")) for path in files
    }


def test_every_allowed_place_says_why() -> None:
    for place in markers.ALLOWED:
        assert place.why
        assert place.fields
        assert not place.where.fullmatch("")
    assert markers.allowed("http", "GET /v1/orders/1", "consignee.name")
    assert not markers.allowed("http", "GET /v1/orders", "consignee.name")
    assert not markers.allowed("http", "GET /v1/after-sales/1", "consignee.name")
    assert not markers.allowed("http", "GET /v1/orders/1", "buyer.name")


def test_escapes_and_packing_hide_nothing() -> None:
    import gzip

    assert ["收货人甲"] == [
        value for text in texts(gzip.compress("收货人甲".encode())) for _, value in markers.found(text)
    ]
    assert "收货人甲" in "".join(texts(b'{"name": "\\u6536\\u8d27\\u4eba\\u7532"}'))
    assert re.search("收货人甲", "".join(texts("收货人甲")))
