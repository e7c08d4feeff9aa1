"""Reference data and templates over HTTP (R7, R8)."""

from __future__ import annotations

import io
from datetime import timedelta

import openpyxl
import pytest
from sqlalchemy import update

from api.files import XLSX
from channels.sandbox import Sandbox
from pipeline.clients import youzan_client
from pipeline.store import BindingRow, Product, ReferenceSnapshot, database_now
from tests.integration.api.front import OTHER, Front, diagnostics
from tests.integration.demo_shop import SHOP, good_rows, reference

GETS = ["/v1/reference", "/v1/reference/workbook", "/v1/template"]
POSTS = ["/v1/reference/refresh", "/v1/template", "/v1/template/products"]


def forget_reference(front: Front, *kinds: str) -> None:
    with front.store.write() as session:
        wanted = session.query(ReferenceSnapshot).filter_by(shop_id=SHOP)
        for row in wanted.filter(ReferenceSnapshot.kind.in_(kinds)) if kinds else wanted:
            session.delete(row)


def test_the_counts_age_and_gaps_of_the_reference_data_are_told(front: Front) -> None:
    with front.store.write() as session:
        mine = (ReferenceSnapshot.shop_id == SHOP, ReferenceSnapshot.kind == "brands")
        old = database_now(session) - timedelta(days=2)
        session.execute(
            update(ReferenceSnapshot).where(*mine).values(rows=[], row_count=0, taken_at=old, checked_at=old)
        )
    found = front.service("viewer").get("/v1/reference").json
    counts = {kind["table"]: kind["rows"] for kind in found["kinds"]}
    wanted = {name: len(rows) for name, rows in reference().items() if name != "listings"}
    assert wanted | {"brands": 0} == counts
    assert [("brands", True)] == [
        (kind["table"], "品牌" in kind["advice"]) for kind in found["kinds"] if kind["advice"]
    ]
    assert (True, len(reference()["listings"])) == (found["stale"], found["listings"])
    assert "2 天前" in found["note"]


def test_the_workbook_has_a_sheet_for_each_kind(front: Front) -> None:
    answer = front.service("viewer").get("/v1/reference/workbook")
    assert (200, XLSX) == (answer.status_code, answer.content_type)
    assert "UTF-8''%E6%83%A0%E8%81%9A%E6%95%B0%E6%8D%AE.xlsx" in answer.headers["Content-Disposition"]
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    assert {"类目", "品牌", "运费模板", "规格模板"} <= set(book.sheetnames)


def test_reference_data_is_pulled_anew(front: Front, outside: Sandbox) -> None:
    forget_reference(front)
    client = front.service()
    assert 409 == client.get("/v1/reference").status_code
    answer = client.post("/v1/reference/refresh")
    assert (200, False) == (answer.status_code, answer.json["stale"])
    assert answer.json == client.get("/v1/reference").json
    assert all(kind["rows"] for kind in answer.json["kinds"])


def test_a_channel_that_does_not_answer_is_said_so(
    front: Front, outside: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELFGATE_HUIJU_URL", "http://127.0.0.1:9/openapi/v1")
    answer = front.service().post("/v1/reference/refresh")
    assert (502, "/v1/problems/channel-failed") == (answer.status_code, answer.json["type"])
    assert "下载" in answer.json["detail"]


def test_a_blank_template_holds_the_drop_downs_and_no_rows(front: Front) -> None:
    answer = front.service("viewer").get("/v1/template")
    assert (200, XLSX, "0") == (answer.status_code, answer.content_type, answer.headers["X-Template-Rows"])
    page = openpyxl.load_workbook(io.BytesIO(answer.data))["上架商品"]
    assert page.data_validations.dataValidation
    assert page.cell(2, 1).value is None


def test_a_template_for_products_says_which_are_barred_and_why(front: Front) -> None:
    client = front.service()
    barred = reference()["listings"][0]["product_id"]
    chosen = [good_rows()[0][0], barred, good_rows()[0][0], "999"]
    told = client.post("/v1/template/products", json={"product_ids": chosen}).json
    assert [chosen[0]] == [row["product_id"] for row in told["rows"]]
    assert {barred: True, "999": True} == {
        item["product_id"]: bool(item["reasons"]) for item in told["barred"]
    }
    answer = client.post("/v1/template", json={"product_ids": chosen})
    counts = (answer.headers["X-Template-Rows"], answer.headers["X-Template-Barred"])
    assert (200, "1", "2") == (answer.status_code, *counts)
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    assert chosen[0] == book["上架商品"].cell(2, 1).value
    assert barred in [row[0].value for row in book["不能上架"].iter_rows()]


def test_without_products_a_template_holds_everything_that_may_be_listed(front: Front) -> None:
    told = front.service().post("/v1/template/products", json={}).json
    listed = {row["product_id"] for row in told["rows"]}
    assert {row[0] for row in good_rows()} <= listed
    assert listed.isdisjoint(item["product_id"] for item in told["barred"])


def test_products_that_are_not_kept_are_read_from_youzan(front: Front, outside: Sandbox) -> None:
    object.__setattr__(front.services, "youzan", youzan_client)
    product = good_rows()[0][0]
    with front.store.write() as session:
        session.delete(session.get_one(Product, (SHOP, product)))
    told = front.service().post("/v1/template/products", json={"product_ids": [product]}).json
    assert [product] == [row["product_id"] for row in told["rows"]]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"product_ids": []}, "/product_ids"),
        ({"product_ids": ["1", 2]}, "/product_ids/1"),
        ({"product_ids": ["１２"]}, "/product_ids/0"),
        ({"products": ["1"]}, "/products"),
        ({"refresh": "yes"}, "/refresh"),
    ],
)
def test_what_is_wrong_with_a_choice_is_named(front: Front, body: object, pointer: str) -> None:
    answer = front.service().post("/v1/template", json=body)
    assert (422, pointer) == (answer.status_code, diagnostics(answer)[0]["pointer"])


def test_a_shop_that_is_not_bound_has_no_channel_page(front: Front) -> None:
    """R6; the other shop, which is bound, is not concerned."""
    with front.store.write() as session:
        session.delete(session.get_one(BindingRow, (SHOP, "huiju")))
    for client, status in ((front.service(), 409), (front.service(shop_id=OTHER), 200)):
        assert [status] * 3 == [client.get(address).status_code for address in GETS]
    assert [409] * 3 == [front.service().post(address, json={}).status_code for address in POSTS]


def test_a_viewer_reads_and_does_not_pull_and_nobody_does_without_signing_in(front: Front) -> None:
    viewer, nobody = front.service("viewer"), front.anyone()
    assert [200] * 3 == [viewer.get(address).status_code for address in GETS]
    assert [403] * 3 == [viewer.post(address, json={}).status_code for address in POSTS]
    assert [401] * 6 == [
        *(nobody.get(address).status_code for address in GETS),
        *(nobody.post(address, json={}).status_code for address in POSTS),
    ]
