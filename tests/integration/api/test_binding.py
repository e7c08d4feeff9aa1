"""Binding over HTTP: who may is said by the rules, and the identity is never seen again (R1–R5)."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from sqlalchemy import select, update

from channels.sandbox import Sandbox
from pipeline.store import AuditEntry, BindingRow, Shop
from tests.integration.api.conftest import IDENTITY
from tests.integration.api.front import OTHER, ROLES, Front, diagnostics
from tests.integration.demo_shop import SHOP

ADDRESS = "/v1/binding"


def unbind(front: Front) -> None:
    with front.store.write() as session:
        session.delete(session.get_one(BindingRow, (SHOP, "huiju")))


def actions(answer: Any) -> dict[str, str]:
    return {action["action"]: action["state"] for action in answer.json["actions"]}


def test_a_shop_is_bound_its_identity_replaced_and_unbound(front: Front, outside: Sandbox) -> None:
    unbind(front)
    client = front.browser("admin")
    assert (False, "enabled") == ((found := client.get(ADDRESS)).json["bound"], actions(found)["bind"])
    answer = client.put(ADDRESS, json=IDENTITY)
    assert (200, True) == (answer.status_code, answer.json["bound"])
    assert (f"admin-{SHOP}", "admin 小美") == (answer.json["bound_by"], answer.json["bound_by_name"])
    assert {"bind": "disabled", "replace_credentials": "enabled", "unbind": "enabled"}.items() <= actions(
        answer
    ).items()
    again = front.service("senior_admin").put(ADDRESS, json=IDENTITY)
    assert (200, None) == (again.status_code, again.json["bound_by_name"])
    assert again.json["bound_by"].startswith("token:")
    assert 204 == client.delete(ADDRESS).status_code
    assert (False, None) == ((found := client.get(ADDRESS)).json["bound"], found.json["bound_at"])
    refused = client.delete(ADDRESS)
    assert (403, True) == (refused.status_code, "还没有绑定" in refused.json["detail"])


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("by", ["browser", "service"])
def test_only_administrators_bind_and_the_others_are_told_why(
    front: Front, outside: Sandbox, role: Any, by: str
) -> None:
    """R5: the same answer in the list of actions and in the refusal."""
    client = getattr(front, by)(role)
    state = next(
        item for item in client.get(ADDRESS).json["actions"] if item["action"] == "replace_credentials"
    )
    answer = client.put(ADDRESS, json=IDENTITY)
    if role in ("senior_admin", "admin"):
        assert (200, "enabled") == (answer.status_code, state["state"])
        return
    assert (403, "disabled") == (answer.status_code, state["state"])
    assert state["reason"] in answer.json["detail"]
    assert "只有高级管理员和普通管理员" in state["reason"]
    assert 403 == client.delete(ADDRESS).status_code
    with front.store.read() as session:
        outcomes = list(session.scalars(select(AuditEntry.outcome).where(AuditEntry.shop_id == SHOP)))
    assert 2 == outcomes.count("refused")


def test_another_edition_of_youzan_is_refused_with_the_reason(front: Front, outside: Sandbox) -> None:
    """R1."""
    unbind(front)
    with front.store.write() as session:
        session.execute(update(Shop).where(Shop.id == SHOP).values(edition="wsc_basic"))
    answer = front.service("admin").put(ADDRESS, json=IDENTITY)
    assert 403 == answer.status_code
    assert "电商版" in answer.json["detail"]


def test_an_identity_that_the_channel_does_not_accept_is_not_kept(front: Front, outside: Sandbox) -> None:
    unbind(front)
    answer = front.service("admin").put(ADDRESS, json=IDENTITY | {"app_secret": "another-secret-000"})
    assert (422, "/v1/problems/invalid") == (answer.status_code, answer.json["type"])
    assert "不接受" in answer.json["detail"]
    assert not front.service("admin").get(ADDRESS).json["bound"]


def test_a_channel_that_can_not_be_reached_is_no_fault_of_the_identity(
    front: Front, outside: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELFGATE_HUIJU_URL", "http://127.0.0.1:9/openapi/v1")
    answer = front.service("admin").put(ADDRESS, json=IDENTITY)
    assert (502, "/v1/problems/channel-failed") == (answer.status_code, answer.json["type"])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (IDENTITY["app_secret"], ""),
        ([IDENTITY["app_secret"]], ""),
        (IDENTITY | {"app_secret": [IDENTITY["app_secret"]]}, "/app_secret"),
        (IDENTITY | {"app_secret": 71640071640071}, "/app_secret"),
        (IDENTITY | {"data_key": IDENTITY["data_key"] * 100}, "/data_key"),
        ({"app_id": IDENTITY["app_id"]}, "/app_secret"),
        (IDENTITY | {"note": IDENTITY["app_secret"]}, "/note"),
    ],
)
def test_what_is_wrong_with_a_body_is_named_and_no_value_of_it_is_shown(
    front: Front, body: Any, pointer: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = front.service("admin").put(ADDRESS, json=body)
    assert (422, pointer) == (answer.status_code, diagnostics(answer)[0]["pointer"])
    shown = answer.text + caplog.text
    assert not [value for value in (*IDENTITY.values(), "71640071640071") if value in shown]


def test_the_identity_is_in_no_answer_log_or_plain_row(
    front: Front, outside: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    unbind(front)
    client = front.service("admin")
    bad = IDENTITY | {"data_key": "wrong-data-key-7777"}
    answers = [client.put(ADDRESS, json=bad), client.put(ADDRESS, json=IDENTITY), client.get(ADDRESS)]
    with front.store.read() as session:
        kept = [session.get_one(BindingRow, (SHOP, "huiju")).credentials]
        kept += [entry.reason + str(entry.detail) for entry in session.scalars(select(AuditEntry))]
    shown = "".join([*(answer.text for answer in answers), caplog.text, *kept])
    for value in (IDENTITY["app_secret"], IDENTITY["data_key"], bad["data_key"]):
        assert value not in shown


def test_a_binding_is_the_callers_own_shops(front: Front) -> None:
    unbind(front)
    assert front.service("admin", OTHER).get(ADDRESS).json["bound"]
    assert 401 == front.anyone().get(ADDRESS).status_code
    assert 401 == front.anyone().put(ADDRESS, json=IDENTITY).status_code
    assert 403 == front.browser("admin", csrf=False).put(ADDRESS, json=IDENTITY).status_code
    assert 403 == front.browser("admin", csrf=False).delete(ADDRESS).status_code
