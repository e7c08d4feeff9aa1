"""Uploads over HTTP: sent in, checked and pushed as by the command, their rows, reports and history (R6, R15–R18)."""

from __future__ import annotations

import io
import threading
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from api.app import create_app
from api.services import Services
from channels.sandbox import Sandbox
from mappings import sheet_file
from pipeline import keyed_requests
from pipeline.sending.lanes import Lanes
from pipeline.sending.worker import Worker
from pipeline.store import BindingRow, KeyedRequest, OutboxItem, ReferenceSnapshot, StoreError, UploadRow
from pipeline.uploads.runner import UploadRunner
from pipeline.uploads.state import progress
from tests.integration.api.front import OTHER, Front, diagnostics
from tests.integration.demo_shop import SHOP, good_rows, sheet

NOWHERE = "0" * 32
WRONG_BRAND = "1"


def send(client: FlaskClient, content: bytes, name: str = "三月.xlsx", **headers: str) -> Any:
    data = {"file": (io.BytesIO(content), name)}
    given = {key.replace("_", "-"): value for key, value in headers.items()}
    return client.post("/v1/uploads", data=data, headers=given, content_type="multipart/form-data")


def check_all(services: Services) -> None:
    runner = UploadRunner(services.store, services.rules, services.youzan)
    while runner.step():
        pass


def push(services: Services, sandbox: Sandbox, upload_id: str) -> None:
    lanes = Lanes(services.store, services.vault, base_url=sandbox.huiju.base_url, per_second=2000)
    Worker(lanes, services.rules.current(), threads=2).run(
        threading.Event(), lambda: progress(services.store, upload_id).is_finished
    )


@pytest.fixture
def checked(front: Front) -> str:
    """Give an upload of three rows, the second of which is rejected."""
    rows = [list(row) for row in good_rows()[:3]]
    rows[1][6] = WRONG_BRAND
    answer = send(front.service(), sheet(rows))
    assert 202 == answer.status_code, answer.text
    check_all(front.services)
    return str(answer.json["id"])


def test_a_sheet_is_taken_checked_pushed_reported_corrected_and_sent_again(
    front: Front, outside: Sandbox
) -> None:
    """R16, R17: what fails is corrected in the report, and the report is sent back."""
    client = front.service()
    rows = [list(row) for row in good_rows()[:3]]
    rows[1][6] = WRONG_BRAND
    answer = send(client, sheet(rows))
    assert (202, f"/v1/uploads/{answer.json['id']}") == (answer.status_code, answer.headers["Location"])
    assert (True, "", "received") == (answer.json["is_new"], answer.json["remark"], answer.json["state"])
    first = answer.json["id"]
    check_all(front.services)
    push(front.services, outside, first)
    found = client.get(f"/v1/uploads/{first}").json
    assert ("done_with_failures", 2, 1) == (
        found["state"],
        found["rows_by_state"]["listed"],
        found["failing"],
    )

    book = openpyxl.load_workbook(io.BytesIO(client.get(f"/v1/uploads/{first}/report").data))
    page = book.worksheets[0]
    assert rows[1][0] == page.cell(2, 1).value
    page.cell(2, 7).value = good_rows()[1][6]
    out = io.BytesIO()
    book.save(out)
    answer = send(client, out.getvalue(), "三月-结果.xlsx")
    assert (True, first) == (answer.json["is_new"], answer.json["corrects"])
    assert first in answer.json["remark"]
    check_all(front.services)
    push(front.services, outside, answer.json["id"])
    assert "done" == client.get(f"/v1/uploads/{answer.json['id']}").json["state"]


def test_the_same_file_again_goes_on_with_the_first_upload(front: Front) -> None:
    content = sheet(good_rows()[:1])
    first = send(front.service(), content).json
    again = send(front.service("admin"), content).json
    assert (first["id"], False) == (again["id"], again["is_new"])
    assert "接着进行" in again["remark"]


def test_a_request_that_is_repeated_with_its_key_makes_one_upload(front: Front) -> None:
    client = front.service()
    content = sheet(good_rows()[:1])  # made once: a workbook holds when it was made
    one, two = (send(client, content, Idempotency_Key="k1") for _ in range(2))
    assert (202, one.json) == (two.status_code, two.json)
    assert "true" == two.headers["Idempotent-Replayed"]
    assert 1 == len(client.get("/v1/uploads").json["items"])
    assert 422 == send(client, sheet(good_rows()[1:2]), Idempotency_Key="k1").status_code


def test_a_request_whose_answer_was_never_kept_is_given_its_upload_even_when_that_is_done(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R16: as where the process dies, or its database, between the upload and the answer."""

    def gone(*_: Any) -> None:
        raise StoreError("数据库无法使用")

    client, row = front.service(), list(good_rows()[0])
    row[6] = WRONG_BRAND
    content = sheet([row])
    with monkeypatch.context() as patch:
        patch.setattr(keyed_requests, "finish", gone)
        first = send(client, content, Idempotency_Key="k1")
    assert 202 == first.status_code
    check_all(front.services)
    assert 409 == send(client, content, Idempotency_Key="k1").status_code
    with front.store.write() as session:
        session.scalars(select(KeyedRequest)).one().alive_at -= keyed_requests.SILENCE
    again = send(client, content, Idempotency_Key="k1")
    assert (202, first.json["id"], "done_with_failures") == (
        again.status_code, again.json["id"], again.json["state"],
    )  # fmt: skip
    assert 1 == len(client.get("/v1/uploads").json["items"])


def test_a_viewer_may_not_upload_and_nobody_may_without_signing_in(front: Front) -> None:
    content = sheet(good_rows()[:1])
    assert 403 == send(front.service("viewer"), content).status_code
    assert 401 == send(front.anyone(), content).status_code
    assert 403 == send(front.browser(csrf=False), content).status_code
    assert 202 == send(front.browser(), content).status_code


def test_a_shop_that_is_not_bound_is_told_what_to_do(front: Front) -> None:
    """R6, with the rules' reason and until when."""
    with front.store.write() as session:
        session.delete(session.get_one(BindingRow, (SHOP, "huiju")))
    answer = send(front.service(), sheet(good_rows()[:1]))
    assert (409, "/v1/problems/action-refused") == (answer.status_code, answer.json["type"])
    action = answer.json["action"]
    assert ("open_channel_page", "hidden", "管理员绑定惠聚店铺") == (
        action["action"],
        action["state"],
        action["until"],
    )


def test_a_shop_without_reference_data_is_told_so_at_once(front: Front) -> None:
    with front.store.write() as session:
        for row in session.query(ReferenceSnapshot).filter_by(shop_id=SHOP):
            session.delete(row)
    answer = send(front.service(), sheet(good_rows()[:1]))
    assert (409, "/v1/problems/no-reference") == (answer.status_code, answer.json["type"])


def test_a_file_that_is_too_large_is_refused(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.resources.uploads.MOST_BYTES", 1000)
    assert 202 == send(front.service(), b"x" * 1000).status_code
    assert 413 == send(front.service(), b"x" * 1001).status_code


def test_a_request_beyond_the_largest_file_is_not_read(front: Front) -> None:
    most = sheet_file.MOST_BYTES
    answer = front.service().post(
        "/v1/uploads",
        environ_overrides={"CONTENT_LENGTH": str(most + 2_000_000)},
        content_type="multipart/form-data; boundary=b",
    )
    assert (413, "/v1/problems/too-large") == (answer.status_code, answer.json["type"])


@pytest.mark.parametrize(
    ("parts", "wrong"),
    [
        ([], ["/file"]),
        ([("file", "text")], ["/file"]),
        ([("file", b"a"), ("shop", "1")], ["/shop"]),
        ([("file", b"a"), ("other", b"b")], ["/other"]),
        ([("file", b"a"), ("file", b"b")], ["/file"]),
    ],
)
def test_everything_that_a_request_should_not_hold_is_named(
    front: Front, parts: list[tuple[str, str | bytes]], wrong: list[str]
) -> None:
    data = MultiDict(
        (name, (io.BytesIO(part), "a.xlsx") if isinstance(part, bytes) else part) for name, part in parts
    )
    answer = front.service().post("/v1/uploads", data=data, content_type="multipart/form-data")
    assert (422, wrong) == (answer.status_code, [item["pointer"] for item in diagnostics(answer)])


def test_a_body_that_is_no_form_is_refused(front: Front) -> None:
    assert 415 == front.service().post("/v1/uploads", json={"file": "x"}).status_code
    assert 415 == front.service().post("/v1/uploads", data=b"x").status_code


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ('filename="../../etc/三月.xlsx"', "三月.xlsx"),
        ("filename*=UTF-8''C%3A%5C%E8%A1%A8%5Ca.xlsx", "a.xlsx"),
        ("filename*=UTF-8''a%0D%0AX-Evil%3A%201%E2%80%AEb.xlsx", "aX-Evil: 1b.xlsx"),
        ("filename*=UTF-8''..%2F..", "未命名"),
        (f'filename="{"长" * 300}.xlsx"', "长" * 195 + ".xlsx"),
    ],
)
def test_names_of_files_lead_nowhere_else(front: Front, sent: str, kept: str) -> None:
    client = front.service()
    head = f'--b\r\nContent-Disposition: form-data; name="file"; {sent}\r\n\r\n'
    body = head.encode() + b"not a sheet\r\n--b--\r\n"
    found = client.post("/v1/uploads", data=body, content_type="multipart/form-data; boundary=b").json
    assert kept == found["filename"]
    answer = client.get(f"/v1/uploads/{found['id']}/file")
    assert (200, b"not a sheet") == (answer.status_code, answer.data)
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert "X-Evil" not in answer.headers


def test_a_file_that_is_no_sheet_fails_with_the_reason(front: Front) -> None:
    client = front.service()
    upload_id = send(client, b"PK\x03\x04 broken").json["id"]
    check_all(front.services)
    found = client.get(f"/v1/uploads/{upload_id}").json
    assert "failed" == found["state"]
    assert found["failure"]
    report = client.get(f"/v1/uploads/{upload_id}/report")
    assert (422, "/v1/problems/unusable-file") == (report.status_code, report.json["type"])
    assert found["failure"].split("；")[0] in client.get(f"/v1/uploads/{upload_id}/report?format=text").text


def test_rows_are_given_page_by_page_and_by_state(front: Front, checked: str) -> None:
    client, address = front.service("viewer"), f"/v1/uploads/{checked}/rows"
    page = client.get(f"{address}?limit=2").json
    assert [2, 3] == [row["number"] for row in page["items"]]
    page = client.get(f"{address}?limit=2&cursor={page['next']}").json
    assert ([4], None) == ([row["number"] for row in page["items"]], page["next"])
    rejected = client.get(f"{address}?state=rejected&state=undetermined").json["items"]
    assert [(3, "rejected")] == [(row["number"], row["state"]) for row in rejected]
    assert "品牌" in rejected[0]["reason"]
    product = good_rows()[2][0]
    assert [4] == [row["number"] for row in client.get(f"{address}?product={product}").json["items"]]
    assert 422 == client.get(f"{address}?state=bad").status_code
    assert 422 == client.get(f"{address}?limit=501").status_code
    assert 422 == client.get(f"{address}?cursor=x").status_code


def test_the_story_of_a_row_names_its_rules(front: Front, checked: str) -> None:
    client = front.service("viewer")
    told = client.get(f"/v1/uploads/{checked}/rows/3").json
    findings = [item for decision in told["decisions"] for item in decision["findings"]]
    assert any("R12" in item["source"] for item in findings)
    assert all(decision["version"].startswith("sha256:") for decision in told["decisions"])
    assert ["随文件", "按规则", "不通过"] == [step["what"][:3] for step in told["steps"]]
    assert 404 == client.get(f"/v1/uploads/{checked}/rows/99").status_code
    assert 404 == client.get(f"/v1/uploads/{checked}/rows/x").status_code


def test_a_row_that_waits_for_a_person_is_released(front: Front, checked: str) -> None:
    path = f"/v1/uploads/{checked}/rows"
    client = front.service()
    for number in (2, 3):  # one is queued, the other was rejected
        answer = client.post(f"{path}/{number}/release")
        assert (409, "/v1/problems/conflict") == (answer.status_code, answer.json["type"])
    with front.store.write() as session:
        item = session.query(OutboxItem).filter_by(row_number=2).one()
        item.state, item.last_error = "held", {"message": "渠道没有回应"}
        session.get_one(UploadRow, (checked, 2)).state = "failed"
    assert 403 == front.service("viewer").post(f"{path}/2/release").status_code
    assert 404 == front.service(shop_id=OTHER).post(f"{path}/2/release").status_code
    answer = client.post(f"{path}/2/release")
    assert (202, "queued") == (answer.status_code, answer.json["state"])
    with front.store.read() as session:
        assert "queued" == session.query(OutboxItem).filter_by(row_number=2).one().state


@pytest.mark.parametrize(
    ("format_", "media", "suffix"),
    [
        ("workbook", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"),
        ("csv", "text/csv; charset=utf-8", ".csv"),
        ("json", "application/json", ".json"),
        ("junit", "application/xml", ".xml"),
        ("text", "text/plain; charset=utf-8", ".txt"),
    ],
)
def test_reports_come_in_every_format_under_a_name_of_their_own(
    front: Front, checked: str, format_: str, media: str, suffix: str
) -> None:
    answer = front.service("viewer").get(f"/v1/uploads/{checked}/report?format={format_}")
    assert (200, media) == (answer.status_code, answer.headers["Content-Type"])
    given = answer.headers["Content-Disposition"]
    assert given.endswith(f"filename*=UTF-8''%E4%B8%89%E6%9C%88-%E7%BB%93%E6%9E%9C{suffix}")
    assert good_rows()[1][0].encode() in answer.data or format_ == "workbook"


def test_the_history_is_filtered_and_paged(front: Front, checked: str) -> None:
    client = front.service("viewer")
    later = send(front.browser("admin"), sheet(good_rows()[3:4]), "四月.xlsx").json["id"]
    ids = lambda query: [item["id"] for item in client.get(f"/v1/uploads?{query}").json["items"]]  # noqa: E731
    assert [later, checked] == ids("")
    assert [later] == ids("operator=admin")
    assert [later] == ids("state=received")
    assert [checked] == ids(f"product={good_rows()[0][0]}")
    assert [] == ids("until=2020-01-01T00:00:00Z")
    assert [later, checked] == ids("since=2020-01-01T00:00:00Z&channel=huiju")
    page = client.get("/v1/uploads?limit=1").json
    assert [checked] == ids(f"limit=1&cursor={page['next']}")
    assert 422 == client.get("/v1/uploads?since=2022-03-08").status_code
    assert 422 == client.get("/v1/uploads?shop=1").status_code


@pytest.mark.parametrize("rest", ["", "/rows", "/rows/2", "/report", "/file", "/events"])
def test_an_upload_of_another_shop_is_as_unknown_as_none(front: Front, checked: str, rest: str) -> None:
    client = front.service("senior_admin", OTHER)
    theirs = client.get(f"/v1/uploads/{checked}{rest}")
    none = client.get(f"/v1/uploads/{NOWHERE}{rest}")
    assert 404 == theirs.status_code
    assert theirs.json["detail"].replace(checked, "") == none.json["detail"].replace(NOWHERE, "")
    assert [] == client.get("/v1/uploads").json["items"]
    assert 401 == front.anyone().get(f"/v1/uploads/{checked}{rest}").status_code


def test_an_app_that_starts_anew_goes_on_with_what_was_taken_before(front: Front) -> None:
    upload_id = send(front.service(), sheet(good_rows()[:1])).json["id"]
    again = Front(create_app(front.services), front.services)
    check_all(again.services)
    assert 1 == again.service().get(f"/v1/uploads/{upload_id}").json["checked"]
