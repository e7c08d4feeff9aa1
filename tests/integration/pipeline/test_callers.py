"""Tokens and sessions: what opens, for whom, for how long, and what is kept of their secrets (R5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from pipeline.actors import Actor
from pipeline.callers import (
    LONGEST_LIFE,
    PREFIX,
    SCOPES,
    SEEN_EVERY,
    SESSION_IDLE,
    SESSION_LIFE,
    TokenRefused,
    TokenUnknown,
    caller_of_session,
    caller_of_token,
    end_session,
    end_sessions_of,
    list_tokens,
    make_token,
    revoke_token,
    scopes_of,
    start_session,
)
from pipeline.shops import save_shop
from pipeline.store import AuditEntry, Role, Store, Token, User, UserSession, database_now
from tests.integration.api.front import OTHER, add_people
from tests.integration.demo_shop import SHOP

DAY = timedelta(days=1)


def actor(role: Role, shop_id: str = SHOP) -> Actor:
    return Actor(f"{role}-{shop_id}", f"{role} 小美", role, shop_id)


@pytest.fixture
def people(store: Store) -> Store:
    for shop_id in (SHOP, OTHER):
        save_shop(store, "huiju", {"id": shop_id, "name": shop_id, "edition": "wsc_ecommerce"})
        add_people(store, shop_id)
    return store


def move(store: Store, table: Any, **back: timedelta) -> None:
    """Move times of all rows of a table back."""
    with store.write() as session:
        for row in session.scalars(select(table)):
            for name, by in back.items():
                setattr(row, name, getattr(row, name) - by)


def everything(store: Store) -> str:
    """Give every value of every row in the database as text."""
    with store.read() as session:
        tables = Token.metadata.sorted_tables
        return repr([session.execute(text(f"SELECT * FROM {table.name}")).all() for table in tables])


def test_a_token_opens_what_it_was_made_for_and_its_value_is_kept_nowhere(people: Store) -> None:
    line, value = make_token(
        people, actor("admin"), " 夜间任务 ", "operator", ["validate", "uploads:write"], DAY
    )
    caller = caller_of_token(people, value)
    assert caller is not None
    assert ("夜间任务", "operator", SHOP, "token") == (
        caller.actor.name, caller.actor.role, caller.actor.shop_id, caller.by,
    )  # fmt: skip
    assert {"validate", "uploads:write"} == caller.scopes
    assert (f"token:{line.id}", line.expires_at) == (caller.key, caller.expires_at)
    assert value.startswith(PREFIX)
    assert value not in everything(people)
    assert value.removeprefix(PREFIX) not in everything(people)


def test_when_a_token_was_used_is_kept_to_the_minute(people: Store) -> None:
    _, value = make_token(people, actor("admin"), "任务", "viewer", ["validate"], DAY)
    assert [None] == [line.used_at for line in list_tokens(people, SHOP)]
    caller_of_token(people, value)
    (first,) = [line.used_at for line in list_tokens(people, SHOP)]
    assert first is not None
    caller_of_token(people, value)
    assert [first] == [line.used_at for line in list_tokens(people, SHOP)]
    move(people, Token, used_at=SEEN_EVERY)
    caller_of_token(people, value)
    (later,) = [line.used_at for line in list_tokens(people, SHOP)]
    assert later is not None
    assert later >= first


@pytest.mark.parametrize("value", ["", "sg_", "sg_nothing", "sg_" + "x" * 43, "\ud800", "\0"])
def test_what_is_no_token_opens_nothing(people: Store, value: str) -> None:
    assert caller_of_token(people, value) is None
    assert caller_of_session(people, value) is None


def test_a_token_that_is_over_or_revoked_opens_nothing(people: Store) -> None:
    _, over = make_token(people, actor("admin"), "短", "viewer", ["validate"], timedelta(seconds=1))
    line, revoked = make_token(people, actor("admin"), "作废", "viewer", ["validate"], DAY)
    revoke_token(people, actor("admin"), line.id)
    with people.write() as session:
        session.execute(update(Token).where(Token.name == "短").values(expires_at=database_now(session)))
    assert [None, None] == [caller_of_token(people, value) for value in (over, revoked)]


def test_revoking_again_keeps_the_first_time(people: Store) -> None:
    line, _ = make_token(people, actor("admin"), "任务", "viewer", ["validate"], DAY)
    revoke_token(people, actor("admin"), line.id)
    (first,) = [line.revoked_at for line in list_tokens(people, SHOP)]
    revoke_token(people, actor("senior_admin"), line.id)
    assert [first] == [line.revoked_at for line in list_tokens(people, SHOP)]


def test_a_token_keeps_no_scope_that_its_role_has_lost(
    people: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, value = make_token(people, actor("admin"), "任务", "operator", ["validate", "uploads:write"], DAY)
    monkeypatch.setitem(SCOPES, "uploads:write", ("admin",))  # type: ignore[arg-type]
    caller = caller_of_token(people, value)
    assert caller is not None
    assert {"validate"} == caller.scopes


@pytest.mark.parametrize(
    ("by", "role", "scopes", "life", "words"),
    [
        ("viewer", "viewer", ["validate"], DAY, "只读成员不能生成只读成员的令牌"),
        ("operator", "viewer", ["validate"], DAY, "运营不能生成"),
        ("admin", "admin", ["validate"], DAY, "普通管理员不能生成普通管理员的令牌"),
        ("senior_admin", "viewer", ["uploads:write"], DAY, "只读成员没有权限 uploads:write"),
        ("senior_admin", "viewer", ["uploads:wrote"], DAY, "是不是 uploads:write"),
        ("senior_admin", "viewer", [], DAY, "没有写权限"),
        ("senior_admin", "viewer", ["validate"], timedelta(0), "有效期"),
        ("senior_admin", "viewer", ["validate"], LONGEST_LIFE + timedelta(seconds=1), "有效期"),
    ],
)
def test_a_token_that_may_not_be_is_refused_and_the_refusal_is_kept(
    people: Store, by: Role, role: Role, scopes: list[str], life: timedelta, words: str
) -> None:
    with pytest.raises(TokenRefused, match=words):
        make_token(people, actor(by), "任务", role, scopes, life)
    assert [] == list_tokens(people, SHOP)
    with people.read() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "make_token"))
    assert ("refused", f"{by}-{SHOP}") == (entry.outcome, entry.actor_id)
    assert words in entry.reason


def test_a_token_without_a_name_is_refused(people: Store) -> None:
    with pytest.raises(TokenRefused, match="名字"):
        make_token(people, actor("admin"), "  ", "viewer", ["validate"], DAY)


def test_a_token_of_another_shop_is_unknown_and_stays_good(people: Store) -> None:
    line, value = make_token(people, actor("admin"), "任务", "viewer", ["validate"], DAY)
    told = []
    for token_id in (line.id, "0" * 32):
        with pytest.raises(TokenUnknown) as error:
            revoke_token(people, actor("senior_admin", OTHER), token_id)
        told.append(error.value.message.replace(token_id, "…"))
    assert told[0] == told[1]
    assert caller_of_token(people, value) is not None
    assert [] == list_tokens(people, OTHER)


def test_only_administrators_revoke(people: Store) -> None:
    line, value = make_token(people, actor("admin"), "任务", "viewer", ["validate"], DAY)
    with pytest.raises(TokenRefused, match="运营不能作废令牌"):
        revoke_token(people, actor("operator"), line.id)
    assert caller_of_token(people, value) is not None


def test_a_session_opens_everything_of_the_role_and_its_value_is_kept_nowhere(people: Store) -> None:
    value = start_session(people, actor("operator"))
    caller = caller_of_session(people, value)
    assert caller is not None
    assert (scopes_of("operator"), "session", f"user:operator-{SHOP}") == (
        caller.scopes,
        caller.by,
        caller.key,
    )
    assert value not in everything(people)


@pytest.mark.parametrize(
    ("back", "opens"),
    [
        ({"seen_at": SESSION_IDLE - timedelta(minutes=1)}, True),
        ({"seen_at": SESSION_IDLE}, False),
        ({"expires_at": SESSION_LIFE - timedelta(minutes=1)}, True),
        ({"expires_at": SESSION_LIFE}, False),
    ],
)
def test_a_session_ends_when_idle_and_at_its_time(
    people: Store, back: dict[str, timedelta], opens: bool
) -> None:
    value = start_session(people, actor("viewer"))
    move(people, UserSession, **back)
    assert opens is (caller_of_session(people, value) is not None)


def test_a_session_that_is_used_does_not_become_idle_but_ends_all_the_same(people: Store) -> None:
    value = start_session(people, actor("viewer"))
    step = SESSION_IDLE - timedelta(minutes=1)
    steps = 0
    while caller_of_session(people, value) is not None:
        move(people, UserSession, seen_at=step, expires_at=step)
        steps += 1
        assert steps < 20
    assert SESSION_LIFE // step + 1 == steps


def test_who_is_shut_out_is_out_at_once(people: Store) -> None:
    value = start_session(people, actor("viewer"))
    with people.write() as session:
        session.execute(
            update(User).where(User.id == f"viewer-{SHOP}").values(disabled_at=database_now(session))
        )
    assert caller_of_session(people, value) is None


def test_signing_out_ends_one_session_and_shutting_out_all_of_them(people: Store) -> None:
    first, second, third = (start_session(people, actor("viewer")) for _ in range(3))
    end_session(people, first)
    end_session(people, "nothing")
    assert [False, True, True] == [
        caller_of_session(people, value) is not None for value in (first, second, third)
    ]
    with people.write() as session:
        end_sessions_of(session, f"viewer-{SHOP}")
    assert [None, None] == [caller_of_session(people, value) for value in (second, third)]


def test_a_role_that_changes_counts_from_the_next_request(people: Store) -> None:
    value = start_session(people, actor("operator"))
    with people.write() as session:
        session.execute(update(User).where(User.id == f"operator-{SHOP}").values(role="viewer"))
    caller = caller_of_session(people, value)
    assert caller is not None
    assert ("viewer", scopes_of("viewer")) == (caller.actor.role, caller.scopes)


def test_sessions_that_are_over_are_dropped_when_the_person_signs_in_again(people: Store) -> None:
    start_session(people, actor("viewer"))
    start_session(people, actor("admin"))
    move(people, UserSession, expires_at=SESSION_LIFE)
    start_session(people, actor("viewer"))
    with people.read() as session:
        users = sorted(session.scalars(select(UserSession.user_id)))
    assert [f"admin-{SHOP}", f"viewer-{SHOP}"] == users


def test_many_at_once_use_one_token(
    people: Store, in_threads: Callable[[int, Callable[[int], None]], None]
) -> None:
    _, value = make_token(people, actor("admin"), "任务", "viewer", ["validate"], DAY)
    known = []
    in_threads(8, lambda _: known.append(caller_of_token(people, value)))
    assert 8 == len(known)
    assert all(caller is not None and caller == replace(known[0]) for caller in known)


def test_what_viewers_may_is_what_all_may() -> None:
    """Each role may what the one below it may: a table with a gap would be a mistake."""
    viewer, operator, admin, senior = (
        scopes_of(role) for role in ("viewer", "operator", "admin", "senior_admin")
    )
    assert viewer <= operator <= admin <= senior
    assert set(SCOPES) == senior
