"""People who may sign in, each with a role in one shop (R5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from engine.errors import ShelfgateError
from pipeline.actors import Actor
from pipeline.audit import audit_entry
from pipeline.shops import ShopUnknown
from pipeline.store import (
    AuditOutcome,
    Role,
    Shop,
    Store,
    StoreConflict,
    User,
    database_now,
    new_id,
)

SHORTEST_PASSWORD = 10
"""Characters that a password has at least."""

METHOD = "scrypt"
ROLE_TITLES: dict[Role, str] = {
    "senior_admin": "高级管理员",
    "admin": "普通管理员",
    "operator": "运营",
    "viewer": "只读成员",
}
MAY_ADD: dict[Role, tuple[Role, ...]] = {
    "senior_admin": ("senior_admin", "admin", "operator", "viewer"),
    "admin": ("operator", "viewer"),
}
"""Whom each role may add: nobody makes anyone their equal but the senior administrator."""


class SignInRefused(ShelfgateError):
    """Refuse a name and password; which of the two is wrong is not said.

    Attributes:
        login: The name that was given.
    """

    def __init__(self, message: str, login: str) -> None:
        super().__init__(message)
        self.login = login


class UserRefused(ShelfgateError):
    """Refuse to add a user.

    Attributes:
        login: The user's name.
    """

    def __init__(self, message: str, login: str) -> None:
        super().__init__(message)
        self.login = login


@dataclass(frozen=True, slots=True)
class Person:
    """Describe a user without the password."""

    id: str
    login: str
    name: str
    role: Role
    shop_id: str
    created_at: datetime
    disabled_at: datetime | None


def add_user(
    store: Store, by: Actor | None, shop_id: str, login: str, name: str, role: Role, password: str
) -> Person:
    """Add a user to a shop.

    Args:
        store: Where users are kept.
        by: Who adds; None only for a shop's first user, who must be a senior administrator.
        shop_id: The shop.
        login: Name to sign in with; kept in lower case, unique over all shops.
        name: Name shown.
        role: What the user is in the shop.
        password: At least ten characters; only its hash is kept.

    Raises:
        ShopUnknown: The shop is not registered.
        UserRefused: The password is too short, the login is taken or empty, or `by` may not add such a user.
    """
    login = login.strip().lower()
    if not login or any(char.isspace() for char in login):
        raise UserRefused("登录名不能为空，也不能有空白", login)
    if len(password) < SHORTEST_PASSWORD:
        raise UserRefused(f"密码太短；至少 {SHORTEST_PASSWORD} 个字符", login)
    hashed = generate_password_hash(password, METHOD)
    user = User(
        id=new_id(), shop_id=shop_id, login=login, name=name or login, password_hash=hashed, role=role
    )
    try:
        with store.write() as session:
            if session.get(Shop, shop_id, with_for_update=True) is None:
                raise ShopUnknown(shop_id)
            refused = _refusal(session, by, shop_id, role)
            if not refused:
                user.created_at = database_now(session)
                session.add(user)
                session.flush()
            outcome: AuditOutcome = "refused" if refused else "done"
            subject, now = f"{login}（{ROLE_TITLES[role]}）", database_now(session)
            session.add(
                audit_entry(by, "", "add_user", subject, outcome, now, shop_id=shop_id, reason=refused)
            )
    except StoreConflict as error:
        if error.constraint != "uq_users_login":
            raise
        raise UserRefused(f"登录名 {login} 已被使用；请换一个", login) from None
    if refused:
        raise UserRefused(refused, login)
    return _person(user)


def sign_in(store: Store, login: str, password: str) -> Actor:
    """Let a person in.

    Raises:
        SignInRefused: Name or password is wrong, or the person was shut out.
    """
    with store.read() as session:
        user = session.scalars(select(User).where(User.login == login.strip().lower())).one_or_none()
    # An unknown name takes as long as a wrong password.
    good = check_password_hash(user.password_hash if user else _nobody(), password)
    if user is None or not good or user.disabled_at is not None:
        raise SignInRefused("登录名或密码不对，或账号已停用", login)
    return Actor(user.id, user.name, user.role, user.shop_id)


def list_users(store: Store, shop_id: str | None = None) -> list[Person]:
    """List the users, of one shop or of all, in the order in which they were added."""
    wanted = select(User).order_by(User.id)
    with store.read() as session:
        return [
            _person(user)
            for user in session.scalars(wanted.where(User.shop_id == shop_id) if shop_id else wanted)
        ]


def _refusal(session: Session, by: Actor | None, shop_id: str, role: Role) -> str:
    """Say why a user can't be added; empty where it can."""
    count = session.scalar(select(func.count()).select_from(User).where(User.shop_id == shop_id))
    if by is None:
        if count:
            return "店铺已有用户；请由高级管理员或普通管理员登录后添加（--user）"
        return "" if role == "senior_admin" else "店铺的第一个用户必须是高级管理员（senior_admin）"
    if by.shop_id != shop_id:
        return "不能给其他店铺添加用户；请使用该店铺的账号"
    if role not in MAY_ADD.get(by.role, ()):
        return f"{ROLE_TITLES[by.role]}不能添加{ROLE_TITLES[role]}；请由高级管理员添加"
    return ""


def _person(user: User) -> Person:
    return Person(user.id, user.login, user.name, user.role, user.shop_id, user.created_at, user.disabled_at)


@cache
def _nobody() -> str:
    """Give the hash of a password that nobody has."""
    return generate_password_hash(new_id(), METHOD)
