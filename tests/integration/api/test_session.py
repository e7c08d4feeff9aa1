"""Signing in and out as a browser does, and tokens as people make and revoke them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from api.access import COOKIE, REMEMBERED
from api.app import create_app
from api.services import Settings
from pipeline.store import User, database_now
from pipeline.throttle import SIGN_IN
from tests.integration.api.front import OTHER, PASSWORD, Front
from tests.integration.demo_shop import SHOP

MAKE = {"name": "夜间任务", "role": "viewer", "scopes": ["validate"], "days": 1}


def sign_in(browser: Any, login: str = f"operator-{SHOP}", password: str = PASSWORD, **more: Any) -> Any:
    return browser.post("/v1/session", json={"login": login, "password": password}, **more)


def test_a_person_signs_in_is_known_and_signs_out(front: Front) -> None:
    browser = front.anyone()
    answer = sign_in(browser, f" OPERATOR-{SHOP}")
    assert (200, "operator", SHOP) == (answer.status_code, answer.json["role"], answer.json["shop_id"])
    assert "operator 小美" == browser.get("/v1/session").json["name"]
    left = browser.delete("/v1/session", headers={"X-CSRF-Token": answer.json["csrf_token"]})
    assert 204 == left.status_code
    assert 401 == browser.get("/v1/session").status_code


def test_a_session_that_was_left_opens_nothing_though_its_cookie_be_kept(front: Front) -> None:
    browser = front.anyone()
    csrf = sign_in(browser).json["csrf_token"]
    kept = browser.get_cookie(COOKIE)
    browser.delete("/v1/session", headers={"X-CSRF-Token": csrf})
    assert kept is not None
    browser.set_cookie(COOKIE, kept.value)
    assert 401 == browser.get("/v1/session").status_code


def test_signing_in_again_gives_another_session_and_no_cookie_from_before_is_taken_for_it(
    front: Front,
) -> None:
    """A cookie that somebody else has set before is of no use to them."""
    browser = front.anyone()
    browser.set_cookie(COOKIE, "planted")
    sign_in(browser)
    first = browser.get_cookie(COOKIE)
    sign_in(browser)
    second = browser.get_cookie(COOKIE)
    assert first is not None
    assert second is not None
    assert 3 == len({"planted", first.value, second.value})


def test_which_of_name_and_password_is_wrong_is_not_said(front: Front) -> None:
    answers = [
        sign_in(front.anyone(), password="wrong"),
        sign_in(front.anyone(), "nobody"),
        sign_in(front.anyone(), "nobody\u3000"),
    ]
    with front.store.write() as session:
        session.execute(
            update(User).where(User.id == f"viewer-{SHOP}").values(disabled_at=database_now(session))
        )
    answers.append(sign_in(front.anyone(), f"viewer-{SHOP}"))
    assert {(401, "/v1/problems/sign-in-refused")} == {
        (item.status_code, item.json["type"]) for item in answers
    }
    assert 1 == len({item.json["detail"] for item in answers})
    assert not any("Set-Cookie" in item.headers for item in answers)


def test_tries_are_held_back_by_name_and_address_and_the_right_password_too(front: Front) -> None:
    browser = front.anyone()
    for _ in range(SIGN_IN.burst):
        assert 401 == sign_in(browser, password="wrong").status_code
    for password in ("wrong", PASSWORD):
        answer = sign_in(browser, password=password)
        assert (429, "/v1/problems/too-many") == (answer.status_code, answer.json["type"])
        assert 0 < int(answer.headers["Retry-After"]) <= 20
    assert 429 == sign_in(browser, f"OPERATOR-{SHOP} ").status_code, "the same name"
    assert 200 == sign_in(browser, f"viewer-{SHOP}").status_code, "another name"
    elsewhere = sign_in(front.anyone(), environ_overrides={"REMOTE_ADDR": "10.0.0.9"})
    assert 200 == elsewhere.status_code, "another address"


def test_the_csrf_token_outlives_no_browser_and_a_new_one_is_asked_for(front: Front) -> None:
    """Its cookie ends with the browser, the session's does not: who comes back asks for a token and goes on."""
    browser = front.anyone()
    old = sign_in(browser).json["csrf_token"]
    browser.delete_cookie("shelfgate_csrf")
    assert 403 == browser.delete("/v1/session", headers={"X-CSRF-Token": old}).status_code
    new = browser.get("/v1/session").json["csrf_token"]
    assert 204 == browser.delete("/v1/session", headers={"X-CSRF-Token": new}).status_code


@pytest.mark.parametrize("secure", [False, True])
def test_cookies_go_by_https_alone_where_the_service_does(front: Front, secure: bool) -> None:
    services = replace(front.services, settings=Settings(secure_cookies=secure))
    answer = sign_in(create_app(services).test_client())
    assert {secure} == {"; Secure" in cookie for cookie in answer.headers.getlist("Set-Cookie")}


def test_a_token_is_shown_once_opens_at_once_and_opens_nothing_once_it_is_revoked(front: Front) -> None:
    people = front.browser("admin")
    made = people.post("/v1/tokens", json=MAKE)
    assert 201 == made.status_code
    value = made.json["value"]
    listed = people.get("/v1/tokens")
    assert value not in listed.text
    service = front.anyone()
    headers = {"Authorization": f"Bearer {value}"}
    assert 422 == service.post("/v1/validate/huiju/eligibility", json={}, headers=headers).status_code
    assert 403 == service.get("/v1/rulesets", headers=headers).status_code
    assert 204 == people.delete(f"/v1/tokens/{made.json['id']}").status_code
    assert 401 == service.post("/v1/validate/huiju/eligibility", json={}, headers=headers).status_code
    (line,) = [item for item in people.get("/v1/tokens").json["items"] if item["id"] == made.json["id"]]
    assert line["revoked_at"]
    assert line["used_at"]


def test_a_token_that_is_revoked_by_another_process_opens_nothing_after_a_moment(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    people, other = front.browser("admin"), Front(create_app(front.services), front.services)
    made = people.post("/v1/tokens", json=MAKE | {"scopes": ["rules:read"]}).json
    service = other.anyone()
    headers = {"Authorization": f"Bearer {made['value']}"}
    assert 200 == service.get("/v1/facts", headers=headers).status_code
    people.delete(f"/v1/tokens/{made['id']}")
    from api import access

    later = access.time.monotonic() + REMEMBERED
    monkeypatch.setattr(access.time, "monotonic", lambda: later)
    assert 401 == service.get("/v1/facts", headers=headers).status_code


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"role": "admin"}, 403, "普通管理员不能生成普通管理员的令牌"),
        ({"scopes": ["uploads:write"]}, 403, "只读成员没有权限 uploads:write"),
        ({"scopes": ["everything"]}, 422, "没有取值 'everything'"),
        ({"scopes": []}, 422, "太少"),
        ({"days": 0}, 422, "太小"),
        ({"days": 400}, 422, "太大"),
        ({"name": " "}, 403, "名字"),
        ({"extra": 1}, 422, "没有这一项"),
    ],
)
def test_a_token_that_may_not_be_is_refused_with_the_reason(
    front: Front, change: dict[str, Any], status: int, words: str
) -> None:
    answer = front.browser("admin").post("/v1/tokens", json=MAKE | change)
    assert status == answer.status_code
    assert words in answer.text


def test_tokens_of_one_shop_are_not_shown_to_another(front: Front) -> None:
    made = front.browser("admin").post("/v1/tokens", json=MAKE).json
    assert made["id"] not in front.browser("admin", OTHER).get("/v1/tokens").text


def test_requests_decisions_and_what_waits_are_counted(front: Front) -> None:
    front.service().post("/v1/validate/huiju/eligibility", json={"fact": {"row": {"product_id": "1"}}})
    text = front.service("admin").get("/metrics").text
    for line in (
        'shelfgate_request_seconds_count{method="POST",route="/v1/validate/<channel>/<family>",status="200"}',
        'shelfgate_decisions_total{outcome="',
        'shelfgate_findings_total{rule="huiju/eligibility/',
        "shelfgate_rules_bad_edit 0.0",
    ):
        assert line in text
