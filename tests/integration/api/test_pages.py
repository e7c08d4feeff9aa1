"""The pages without a browser: who is let in, what is shown and refused to whom, and that nothing hostile gets into the HTML."""

from __future__ import annotations

import io
import re
import shutil
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete
from werkzeug.test import TestResponse

from api.access import COOKIE
from api.app import create_app
from api.around import OF_PAGES
from api.pages import pages
from channels.huiju import HuijuClient, HuijuCredentials
from channels.sandbox import Sandbox, read_seed
from channels.sandbox.huiju.seed import plant as sell
from engine.rulebook import find_manifest
from pipeline.binding import open_credentials
from pipeline.live_rules import LiveRules
from pipeline.orders.intake import sync
from pipeline.store import BindingRow, OutboxItem, UploadRow, User
from pipeline.uploads.runner import UploadRunner
from tests.integration.api.front import OTHER, PASSWORD, Front
from tests.integration.demo_shop import EXAMPLES, ROOT, SHOP

SHEET = (EXAMPLES / "上架表.xlsx").read_bytes()
HOSTILE = "<script>alert(1)<script>&"
ORDER = "HJ2022031000000001"


def text(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def token_in(answer: TestResponse) -> str:
    """Give the CSRF token of the first form of a page."""
    return re.findall(r'name="csrf_token" value="([^"]+)"', text(answer))[0]


def sign_in(client: FlaskClient, login: str, password: str = PASSWORD, following: str = "/") -> TestResponse:
    form = {
        "csrf_token": token_in(client.get("/sign-in")),
        "login": login,
        "password": password,
        "next": following,
    }
    return client.post("/sign-in", data=form)


def upload(client: FlaskClient, content: bytes = SHEET, name: str = "三月.xlsx") -> TestResponse:
    return client.post("/uploads", data={"csrf_token": "", "file": (io.BytesIO(content), name)})


def check(front: Front) -> None:
    """Check the upload that waits, as the service does in the background."""
    services = front.services
    assert UploadRunner(services.store, services.rules, services.youzan).step()


@pytest.fixture
def orders(front: Front, outside: Sandbox) -> Front:
    """Give the service with one order of the demo shop taken in, whose buyer has just asked for a refund."""
    services, seed = front.services, read_seed(EXAMPLES)
    seed = replace(seed, orders=seed.orders[:1], after_sales=seed.after_sales[:1])
    sell(outside.huiju.state, seed.moved_to(time.time() - 60))
    identity = HuijuCredentials(**open_credentials(services.store, services.vault, SHOP, "huiju"))
    with HuijuClient(identity, base_url=outside.huiju.base_url) as client:
        rulebook, hour = services.rules.current(), timedelta(hours=1)
        sync(services.store, client, rulebook, services.vault, SHOP, "huiju", look_back=hour)
    return front


# ── signing in and out


def test_who_is_not_signed_in_is_led_to_signing_in_and_back(front: Front) -> None:
    client = front.anyone()
    asked = client.get("/orders?source=huiju")
    assert (303, "/sign-in?next=%2Forders%3Fsource%3Dhuiju") == (asked.status_code, asked.headers["Location"])
    assert 'name="next" value="/orders?source=huiju"' in text(client.get(asked.headers["Location"]))
    done = sign_in(client, f"operator-{SHOP}", following="/orders?source=huiju")
    assert (303, "/orders?source=huiju") == (done.status_code, done.headers["Location"])
    cookie = next(line for line in done.headers.getlist("Set-Cookie") if line.startswith(COOKIE))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert 200 == client.get("/orders?source=huiju").status_code


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "",
    ],
)
def test_signing_in_leads_nowhere_else(front: Front, elsewhere: str) -> None:
    assert "/" == sign_in(front.anyone(), f"operator-{SHOP}", following=elsewhere).headers["Location"]


def test_a_page_asked_for_in_chinese_is_led_back_to(front: Front) -> None:
    client = front.anyone()
    asked = client.get("/orders?text=围巾").headers["Location"]
    assert 'value="/orders?text=围巾"' in text(client.get(asked))
    done = sign_in(client, f"operator-{SHOP}", following="/orders?text=围巾")
    assert 'value="围巾"' in text(client.get(done.headers["Location"]))


def test_a_wrong_password_is_said_and_what_was_typed_is_shown_as_text(front: Front) -> None:
    answer = sign_in(front.anyone(), HOSTILE, "wrong")
    assert 401 == answer.status_code
    assert "登录名或密码不对" in text(answer)
    assert "<script>alert" not in text(answer)
    assert not [line for line in answer.headers.getlist("Set-Cookie") if line.startswith(COOKIE)]


def test_signing_in_is_held_back_after_too_many_tries(front: Front) -> None:
    client = front.anyone()
    answers = [sign_in(client, f"admin-{SHOP}", "wrong") for _ in range(6)]
    assert [401] * 5 + [429] == [answer.status_code for answer in answers]
    assert "登录太频繁" in text(answers[-1])
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 20


def test_signing_in_needs_the_token_of_the_form(front: Front) -> None:
    """Otherwise another site could sign a person in as somebody else."""
    answer = front.anyone().post("/sign-in", data={"login": f"admin-{SHOP}", "password": PASSWORD})
    assert 403 == answer.status_code
    assert "text/html; charset=utf-8" == answer.content_type


def test_signing_out_ends_the_session(front: Front) -> None:
    client = front.browser("operator")
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    assert "/sign-in" == client.post("/sign-out").headers["Location"]
    client.set_cookie(COOKIE, cookie.value)
    assert 303 == client.get("/orders").status_code


def test_a_token_opens_no_page(front: Front) -> None:
    assert 403 == front.service("senior_admin").get("/orders").status_code


# ── who may do what


ACTING = sorted(
    route.path
    for group in pages()
    for route in group.routes
    if route.method != "GET" and route.path != "/sign-in"
)


@pytest.mark.parametrize("path", ACTING)
def test_no_form_is_taken_without_its_token(front: Front, path: str) -> None:
    answer = front.browser("senior_admin", csrf=False).post(re.sub(r"{\w+}", "x", path), data={"remark": "x"})
    assert (403, "text/html; charset=utf-8") == (answer.status_code, answer.content_type)
    assert "缺少防跨站标记" in text(answer)


def test_a_viewer_sees_no_form_and_is_refused(front: Front) -> None:
    viewer = front.browser("viewer")
    shown = text(viewer.get("/channel"))
    assert "只读成员不能上传商品" in shown
    assert 'type="file"' not in shown
    assert 'action="/channel/reference"' not in shown
    for path in ("/uploads", "/channel/reference", "/channel/template", "/orders/sync"):
        assert 403 == viewer.post(path).status_code, path
    assert "共 0 次导入" in text(viewer.get("/history"))


def test_a_viewer_sees_every_button_greyed_and_is_refused(orders: Front) -> None:
    viewer = orders.browser("viewer")
    shown = text(viewer.get(f"/orders/{ORDER}"))
    assert "你的角色是只读成员，只能查看" in shown
    assert "<details" not in shown
    assert (
        403
        == viewer.post(
            f"/orders/{ORDER}/actions/ship", data={"carrier": "顺丰", "waybill": "SF1"}
        ).status_code
    )
    assert [] == outbox(orders)


def test_an_unbound_shop_sees_no_entry_and_is_told_why(front: Front) -> None:
    """R6."""
    with front.store.write() as session:
        session.execute(delete(BindingRow).where(BindingRow.shop_id == SHOP))
    client = front.browser("operator")
    shown = text(client.get("/"))
    assert "绑定惠聚店铺后才显示「惠聚渠道」" in shown
    assert "管理员绑定惠聚店铺" in shown
    assert 'href="/channel"' not in shown
    for answer in (client.get("/channel"), upload(client), client.post("/channel/reference")):
        assert 409 == answer.status_code
        assert "绑定惠聚店铺后才显示" in text(answer)
    bound = front.browser("operator", OTHER)
    assert "/channel" == bound.get("/").headers["Location"]


# ── uploads


def test_an_upload_is_shown_row_by_row_with_reason_and_fix(front: Front) -> None:
    """R16–R18."""
    client = front.browser("operator")
    sent = upload(client)
    assert 303 == sent.status_code
    place = sent.headers["Location"]
    before = text(client.get(place))
    assert f'data-progress="/v1{place}"' in before
    check(front)
    shown = text(client.get(f"{place}?state=failing"))
    assert "品牌 ID 7100 不在本店的惠聚数据中" in shown
    assert "先在惠聚后台维护品牌" in shown
    assert f'href="/v1{place}/report"' in shown
    assert "等待推送</span>" not in shown
    (following,) = re.findall(r'href="([^"]+)" rel="next"', text(client.get(place)))
    assert f"{place}/rows/52" in text(client.get(following))
    row = text(client.get(f"{place}/rows/6"))
    assert "按规则检查：不通过" in row
    assert "operator 小美" in row


def test_a_row_whose_push_waits_for_a_person_is_released_on_its_page(front: Front) -> None:
    client = front.browser("operator")
    place = upload(client).headers["Location"]
    check(front)
    with front.store.read() as session:
        number = session.query(OutboxItem).first().row_number
    row, release = f"{place}/rows/{number}", f"{place}/rows/{number}/release"
    assert release not in text(client.get(row)), "it waits for nobody"
    assert 409 == client.post(release).status_code
    with front.store.write() as session:
        item = session.query(OutboxItem).filter_by(row_number=number).one()
        item.state, item.last_error = "held", {"message": "渠道没有回应"}
        session.get_one(UploadRow, (place.rpartition("/")[2], number)).state = "failed"
    viewer = front.browser("viewer")
    assert release not in text(viewer.get(row))
    assert 403 == viewer.post(release).status_code
    assert 404 == front.browser("operator", OTHER).post(release).status_code
    assert f'action="{release}"' in text(client.get(row))
    done = client.post(release)
    assert (303, row) == (done.status_code, done.headers["Location"])
    shown = text(client.get(done.headers["Location"]))
    assert "已放行" in shown
    assert "等待推送" in shown
    assert release not in shown


def test_a_sheet_without_reference_data_or_without_a_file_is_refused(front: Front) -> None:
    client = front.browser("operator")
    missing = client.post("/uploads", data={"csrf_token": ""}, content_type="multipart/form-data")
    assert (303, "/channel") == (missing.status_code, missing.headers["Location"])
    assert "请先选择要上传的表格" in text(client.get("/channel"))


def test_a_hostile_name_of_a_file_and_of_a_product_stay_text(front: Front) -> None:
    client = front.browser("operator")
    place = upload(client, name=f"{HOSTILE}.xlsx").headers["Location"]
    check(front)
    with front.store.write() as session:
        row = session.get_one(UploadRow, (place.rpartition("/")[2], 6))
        row.product_id, row.reason, row.cells = HOSTILE, HOSTILE, {HOSTILE: HOSTILE}
        session.get_one(User, f"operator-{SHOP}").name = HOSTILE
    for path in (place, f"{place}/rows/6", "/history", "/channel"):
        shown = text(client.get(path))
        assert "<script>alert" not in shown, path
        assert "&lt;script&gt;alert" in shown, path


def test_the_history_is_filtered_and_a_wrong_filter_is_a_page_too(front: Front) -> None:
    """R18."""
    client = front.browser("operator")
    upload(client)
    for query, count in (
        ("", 1),
        ("?operator=小美&since=&until=", 1),
        ("?operator=别人", 0),
        ("?state=done", 0),
        ("?until=2022-01-01", 0),
        ("?since=2022-01-01", 1),
    ):
        assert f"共 {count} 次导入" in text(client.get(f"/history{query}")), query
    wrong = client.get("/history?since=2022-13-01")
    assert (422, "text/html; charset=utf-8") == (wrong.status_code, wrong.content_type)
    assert "不是 date" in text(wrong)


def test_nothing_of_another_shop_is_shown(orders: Front) -> None:
    mine, other = orders.browser("operator"), orders.browser("senior_admin", OTHER)
    place = upload(mine).headers["Location"]
    check(orders)
    (after_sale,) = re.findall(r'href="(/after-sales/[0-9a-f]+)"', text(mine.get(f"/orders/{ORDER}")))[:1]
    for path in (place, f"{place}/rows/6", f"/orders/{ORDER}", after_sale):
        assert 200 == mine.get(path).status_code, path
        assert 404 == other.get(path).status_code, path
    assert (
        404 == other.post(f"/orders/{ORDER}/actions/ship", data={"carrier": "a", "waybill": "b"}).status_code
    )
    assert "共 0 个订单" in text(other.get("/orders"))
    assert "共 0 次导入" in text(other.get("/history"))


# ── orders and after-sales


def outbox(front: Front) -> list[str]:
    with front.store.read() as session:
        return [item.kind for item in session.query(OutboxItem)]


def test_orders_are_listed_by_source_without_their_consignees(orders: Front) -> None:
    """R20, R25."""
    client = orders.browser("operator")
    listed = text(client.get("/orders?source=huiju"))
    assert ORDER in listed
    assert "匿名用户" in listed
    assert "收货人" not in listed
    assert "共 0 个订单" in text(client.get("/orders?source=youzan"))


def test_a_greyed_action_says_why_and_is_refused_all_the_same(orders: Front) -> None:
    """R21–R24."""
    client = orders.browser("operator")
    shown = text(client.get(f"/orders/{ORDER}"))
    assert 'aria-disabled="true" title="惠聚订单不支持商家主动退款' in shown
    assert "改为：" in shown
    assert "买家甲" not in shown
    assert "huiju-buyer" not in shown
    for action in ("refund", "small_payout", "edit_consignee", "view_snapshot"):
        refused = client.post(f"/orders/{ORDER}/actions/{action}")
        assert 409 == refused.status_code
        assert 'role="alert">不能' in text(refused)
    assert [] == outbox(orders)


def test_a_request_filled_in_wrongly_is_shown_again_with_what_was_typed(orders: Front) -> None:
    client = orders.browser("operator")
    wrong = client.post(f"/orders/{ORDER}/actions/ship", data={"carrier": "顺丰速运", "waybill": HOSTILE})
    assert 422 == wrong.status_code
    assert "只能是字母、数字和连字符" in text(wrong)
    assert 'value="顺丰速运"' in text(wrong)
    assert "<details open>" in text(wrong)
    assert "<script>alert" not in text(wrong)
    assert [] == outbox(orders)


def test_shipping_is_put_on_its_way_once_and_waits_for_the_channel(orders: Front) -> None:
    """R27."""
    client = orders.browser("operator")
    form = {"carrier": "顺丰速运", "waybill": "SF1234567890"}
    done = client.post(f"/orders/{ORDER}/actions/ship", data=form)
    assert 303 == done.status_code
    shown = text(client.get(done.headers["Location"]))
    assert "已提交「发货」" in shown
    assert "data-waiting" in shown
    assert "等待提交" in shown
    assert 409 == client.post(f"/orders/{ORDER}/actions/ship", data=form).status_code
    assert ["order.ship"] == outbox(orders)


def test_an_after_sale_shows_no_contact_and_no_countdown_and_points_to_shipping(orders: Front) -> None:
    """R28–R31."""
    client = orders.browser("operator")
    (place,) = re.findall(r'href="(/after-sales/[0-9a-f]+)"', text(client.get(f"/orders/{ORDER}")))[:1]
    shown = text(client.get(place))
    assert "自动处理时间" not in shown
    assert "收货人甲" not in shown
    assert "13000000001" not in shown
    assert re.search(r'改为：<a href="/orders/[0-9a-f]+#ship">', shown)
    refused = client.post(f"{place}/actions/reject")
    assert 409 == refused.status_code
    assert "不能拒绝申请" in text(refused)
    assert [] == outbox(orders)


# ── around the pages


def test_errors_are_pages_for_people_and_problem_documents_for_programs(front: Front) -> None:
    html = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    client = front.browser("operator")
    for path, headers, status, media in (
        ("/nothing", html, 404, "text/html; charset=utf-8"),
        ("/nothing", {}, 404, "application/problem+json"),
        ("/v1/nothing", html, 404, "application/problem+json"),
        ("/orders/none", {}, 404, "text/html; charset=utf-8"),
        ("/v1/orders/none", html, 404, "application/problem+json"),
        ("/uploads/none", {}, 404, "text/html; charset=utf-8"),
        ("/uploads", html, 405, "text/html; charset=utf-8"),
    ):
        answer = client.get(path, headers=headers)
        assert (status, media) == (answer.status_code, answer.content_type), path
    assert "POST" in client.get("/uploads", headers=html).headers["Allow"]


def test_every_page_forbids_what_it_does_not_need(front: Front) -> None:
    client = front.browser("operator")
    for path in ("/channel", "/sign-in", "/v1/docs", "/nothing", "/static/shelfgate.js"):
        policy = client.get(path, headers={"Accept": "text/html"}).headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy


def test_what_says_something_to_browsers_only_is_said_with_pages(front: Front) -> None:
    client = front.browser("operator")
    people = {"Accept": "text/html"}
    shown = [client.get(path, headers=people) for path in ("/channel", "/sign-in", "/v1/docs", "/nothing")]
    shown.append(client.post("/uploads", data={"csrf_token": ""}, content_type="multipart/form-data"))
    for answer in shown:
        assert OF_PAGES == {name: answer.headers.get(name) for name in OF_PAGES}
    told = [client.get(path) for path in ("/v1/facts", "/v1/nothing", "/static/shelfgate.js")]
    assert not [name for answer in told for name in OF_PAGES if name in answer.headers]


def test_no_page_has_a_script_or_a_style_of_its_own() -> None:
    for template in (ROOT / "api" / "templates").glob("*.html"):
        written = template.read_text(encoding="utf-8")
        assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=|\|\s*safe|autoescape", written), (
            template.name
        )


def test_the_rules_that_are_not_in_force_are_shown_to_administrators(front: Front, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    shutil.copy(ROOT / "rulesets.yaml", tmp_path)
    rules = LiveRules(find_manifest(tmp_path), look=0)
    services = replace(front.services, rules=rules)
    edited = Front(create_app(services), services)
    assert "磁盘上的规则文件有误" not in text(edited.browser("admin").get("/channel"))
    broken = tmp_path / "rules" / "huiju" / "order-actions.yaml"
    broken.write_text(
        broken.read_text(encoding="utf-8").replace("when: {use: from-huiju}", "wenn: {use: from-huiju}", 1),
        encoding="utf-8",
    )
    shown = text(edited.browser("admin").get("/channel"))
    assert "磁盘上的规则文件有误" in shown
    assert re.search(r"order-actions\.yaml:\d+:\d+", shown)
    assert "磁盘上的规则文件有误" not in text(edited.browser("operator").get("/channel"))


def test_pages_stand_outside_of_the_interface_that_is_described(front: Front) -> None:
    paths = front.anyone().get("/v1/openapi.json").json["paths"]  # type: ignore[index]
    assert not paths.keys() & {route.path for group in pages() for route in group.routes}
    assert "/v1/docs" in paths


# ── styles and scripts


def test_an_asset_is_kept_for_good_under_its_hash_alone(front: Front) -> None:
    client = front.anyone()
    (address,) = re.findall(r'href="(/static/shelfgate\.css\?v=[0-9a-f]+)"', text(client.get("/sign-in")))
    kept = client.get(address)
    assert "public, max-age=31536000, immutable" == kept.headers["Cache-Control"]
    assert "no-cache" == client.get("/static/shelfgate.css?v=0").headers["Cache-Control"]
    again = client.get(address, headers={"If-None-Match": kept.headers["ETag"]})
    assert (304, b"") == (again.status_code, again.data)


@pytest.mark.parametrize(
    "name", ["assets.json", "../app.py", "..%2fapp.py", "swagger/LICENSE", "swagger", "%00", "/etc/passwd"]
)
def test_nothing_but_styles_scripts_and_pictures_is_served(front: Front, name: str) -> None:
    assert front.anyone().get(f"/static/{name}").status_code in (404, 308)
