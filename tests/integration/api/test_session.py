"""Signing in and out, as a browser does."""

from __future__ import annotations

from tests.integration.api.front import PASSWORD, Front
from tests.integration.demo_shop import SHOP


def test_a_person_signs_in_is_known_and_signs_out(front: Front) -> None:
    browser = front.anyone()
    answer = browser.post("/v1/session", json={"login": f"operator-{SHOP}", "password": PASSWORD})
    assert (200, "operator", SHOP) == (answer.status_code, answer.json["role"], answer.json["shop_id"])
    assert "operator 小美" == browser.get("/v1/session").json["name"]
    left = browser.delete("/v1/session", headers={"X-CSRF-Token": answer.json["csrf_token"]})
    assert 204 == left.status_code
    assert 401 == browser.get("/v1/session").status_code


def test_a_token_of_each_role_and_shop_is_known(front: Front) -> None:
    assert 200 == front.service("viewer").get("/v1/rulesets").status_code
    assert 200 == front.browser("senior_admin").get("/v1/tokens").status_code
