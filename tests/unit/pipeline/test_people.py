"""People and what the rules let them do: the first user, who may add whom, signing in, and the answer on binding (R5, R6)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update

from engine.rulebook import Rulebook, load
from pipeline.access import NoAccessRules, RulesMay
from pipeline.actors import Actor
from pipeline.people import (
    Person,
    SignInRefused,
    UserRefused,
    add_user,
    list_users,
    sign_in,
)
from pipeline.shops import ShopIncomplete, ShopUnknown, list_shops, save_shop, shop_fact
from pipeline.store import AuditEntry, BindingRow, Role, Store, User

ROOT = Path(__file__).resolve().parents[3]
SHOP = "38405005"
PASSWORD = "ten-letters-or-more"
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load(ROOT / "rulesets.yaml")


@pytest.fixture
def boss(store: Store) -> Actor:
    """Give the shop's first user."""
    person = add_user(store, None, SHOP, "Boss", "店长", "senior_admin", PASSWORD)
    return Actor(person.id, person.name, person.role, person.shop_id)


def someone(role: Role, shop_id: str = SHOP) -> Actor:
    return Actor(role, role, role, shop_id)


@pytest.mark.parametrize("role", ["admin", "operator", "viewer"])
def test_a_shop_s_first_user_is_a_senior_administrator(store: Store, role: Role) -> None:
    with pytest.raises(UserRefused, match="第一个用户必须是高级管理员"):
        add_user(store, None, SHOP, "first", "", role, PASSWORD)
    assert [] == list_users(store)


def test_nobody_adds_a_second_user_without_signing_in(store: Store, boss: Actor) -> None:
    """Otherwise whoever reaches the command could make themselves an administrator."""
    with pytest.raises(UserRefused, match="店铺已有用户"):
        add_user(store, None, SHOP, "intruder", "", "senior_admin", PASSWORD)
    assert ["boss"] == [person.login for person in list_users(store, SHOP)]


@pytest.mark.parametrize(
    ("by", "role", "allowed"),
    [
        ("senior_admin", "senior_admin", True),
        ("senior_admin", "viewer", True),
        ("admin", "operator", True),
        ("admin", "viewer", True),
        ("admin", "admin", False),
        ("admin", "senior_admin", False),
        ("operator", "viewer", False),
        ("viewer", "viewer", False),
    ],
)
def test_who_may_add_whom(store: Store, by: Role, role: Role, allowed: bool) -> None:
    try:
        add_user(store, someone(by), SHOP, "new", "", role, PASSWORD)
        added = True
    except UserRefused as refused:
        assert "不能添加" in refused.message
        added = False
    assert allowed == added
    with store.read() as session:
        (entry,) = session.scalars(select(AuditEntry))
    assert ("add_user", "done" if allowed else "refused", by) == (
        entry.action,
        entry.outcome,
        entry.actor_role,
    )


def test_nobody_adds_users_to_another_shop(store: Store, boss: Actor) -> None:
    save_shop(store, "huiju", {"id": "38405006", "edition": "wsc_ecommerce"})
    with pytest.raises(UserRefused, match="不能给其他店铺添加用户"):
        add_user(store, boss, "38405006", "new", "", "viewer", PASSWORD)


def test_a_login_is_taken_once_whatever_its_case(store: Store, boss: Actor) -> None:
    with pytest.raises(UserRefused, match="登录名 boss 已被使用"):
        add_user(store, boss, SHOP, " BOSS ", "", "viewer", PASSWORD)


@pytest.mark.parametrize(("login", "password"), [("", PASSWORD), ("two words", PASSWORD), ("new", "short")])
def test_empty_logins_and_short_passwords_are_refused(
    store: Store, boss: Actor, login: str, password: str
) -> None:
    with pytest.raises(UserRefused):
        add_user(store, boss, SHOP, login, "", "viewer", password)


def test_a_shop_must_be_registered_before_it_has_users(store: Store) -> None:
    with pytest.raises(ShopUnknown, match="没有登记店铺 .*；请先登记店铺"):
        add_user(store, None, "1", "boss", "", "senior_admin", PASSWORD)


def test_signing_in_needs_the_right_password_and_says_no_more(store: Store, boss: Actor) -> None:
    assert boss == sign_in(store, "boss", PASSWORD)
    said = set()
    for login, password in (("boss", "wrong-password"), ("nobody", PASSWORD), ("boss", "")):
        with pytest.raises(SignInRefused) as caught:
            sign_in(store, login, password)
        said.add(str(caught.value))
    assert 1 == len(said)


def test_who_was_shut_out_does_not_come_in(store: Store, boss: Actor) -> None:
    with store.write() as session:
        session.execute(update(User).values(disabled_at=NOW))
    with pytest.raises(SignInRefused):
        sign_in(store, "boss", PASSWORD)


def test_only_a_hash_of_the_password_is_kept(store: Store, boss: Actor) -> None:
    with store.read() as session:
        (user,) = session.scalars(select(User))
    assert user.password_hash.startswith("scrypt:")
    assert PASSWORD not in user.password_hash
    (person,) = list_users(store)
    assert isinstance(person, Person)
    assert "scrypt" not in repr(person)


@pytest.mark.parametrize(
    ("role", "allowed"), [("senior_admin", True), ("admin", True), ("operator", False), ("viewer", False)]
)
def test_the_rules_say_who_may_bind(store: Store, rulebook: Rulebook, role: Role, allowed: bool) -> None:
    answer = RulesMay(rulebook, "huiju", store, NOW)(someone(role), "bind")
    assert allowed == answer.allowed
    assert allowed or "只有高级管理员和普通管理员可以绑定" in answer.reason


def test_what_may_be_done_follows_whether_the_shop_is_bound(store: Store, rulebook: Rulebook) -> None:
    may, admin = RulesMay(rulebook, "huiju", store, NOW), someone("admin")
    assert "本店还没有绑定惠聚店铺" == may(admin, "unbind").reason
    assert "hidden" == may.verdict(admin).action("open_channel_page").state
    with store.write() as session:
        session.add(
            BindingRow(
                shop_id=SHOP, channel="huiju", credentials="k:x", bound_by="u", bound_at=NOW, tried_at=NOW
            )
        )
    assert (False, True, True) == tuple(
        may(admin, action).allowed for action in ("bind", "replace_credentials", "unbind")
    )
    assert "要换绑别的惠聚店铺，先解除绑定" in may(admin, "bind").reason
    assert "enabled" == may.verdict(admin).action("open_channel_page").state


def test_what_is_not_known_of_a_shop_closes_it(store: Store, rulebook: Rulebook) -> None:
    """R2: whether the shop is admitted was never said."""
    save_shop(store, "huiju", {"id": "38405006", "edition": "wsc_ecommerce"})
    answer = RulesMay(rulebook, "huiju", store, NOW)(someone("admin", "38405006"), "bind")
    assert not answer.allowed
    assert "缺少" in answer.reason


def test_a_channel_without_rules_on_actors_lets_nobody_bind(store: Store, rulebook: Rulebook) -> None:
    from dataclasses import replace

    rulesets = {
        name: item for name, item in rulebook.channels["huiju"].rulesets.items() if item.fact.name != "actor"
    }
    bare = replace(rulebook, channels={"huiju": replace(rulebook.channels["huiju"], rulesets=rulesets)})
    with pytest.raises(NoAccessRules):
        RulesMay(bare, "huiju", store, NOW)


def test_a_shop_is_registered_once_and_kept_up_to_date(store: Store) -> None:
    changed = {"id": SHOP, "name": "新名", "edition": "retail", "admitted": False, "bound": True}
    assert not save_shop(store, "huiju", changed)
    assert {
        "id": SHOP,
        "name": "新名",
        "edition": "retail",
        "admitted": False,
        "beta_approved": False,
        "bound": False,
    } == shop_fact(store, "huiju", SHOP)
    assert [SHOP] == [shop["id"] for shop in list_shops(store, "huiju")]


def test_an_unknown_shop_is_told_with_those_there_are(store: Store) -> None:
    with pytest.raises(ShopUnknown, match="已登记的有 38405005"):
        shop_fact(store, "huiju", "1")
    with pytest.raises(ShopIncomplete, match="缺少 edition"):
        save_shop(store, "huiju", {"id": "2"})
