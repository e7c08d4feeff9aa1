"""Who calls: a person with a session, or a service with a token; and what each may ask for (R5).

Of both, only the hash of the secret is kept. The secret itself is shown once.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from engine.errors import ShelfgateError
from engine.suggest import did_you_mean
from pipeline.actors import Actor
from pipeline.audit import audit_entry
from pipeline.people import MAY_ADD, ROLE_TITLES
from pipeline.store import (
    AuditEntry,
    Role,
    Store,
    Token,
    User,
    UserSession,
    database_now,
    new_id,
)

EVERYONE: tuple[Role, ...] = ("senior_admin", "admin", "operator", "viewer")
STAFF: tuple[Role, ...] = ("senior_admin", "admin", "operator")
ADMINS: tuple[Role, ...] = ("senior_admin", "admin")

SCOPES: Mapping[str, tuple[Role, ...]] = {
    "validate": EVERYONE,
    "rules:read": EVERYONE,
    "reference:read": EVERYONE,
    "reference:write": STAFF,
    "uploads:read": EVERYONE,
    "uploads:write": STAFF,
    "listings:read": EVERYONE,
    "listings:write": STAFF,
    "orders:read": EVERYONE,
    "orders:write": STAFF,
    "bindings:read": EVERYONE,
    # Who may bind is said by the rules (R5): everyone may ask, and is answered with the reason.
    "bindings:write": EVERYONE,
    "tokens:write": ADMINS,
    "metrics:read": ADMINS,
}
"""What may be asked for, and the roles that may; a token is given some of what its role may."""

PREFIX = "sg_"
"""What a token begins with, so that one that was lost is recognised."""

SESSION_LIFE = timedelta(hours=12)
"""How long a person stays signed in at the most."""

SESSION_IDLE = timedelta(hours=2)
"""How long without a request."""

SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is kept when a session or a token was last used."""

LONGEST_LIFE = timedelta(days=366)
"""How long a token may be good for."""


class TokenRefused(ShelfgateError):
    """Refuse to make a token.

    Attributes:
        name: Its name.
    """

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


class TokenUnknown(ShelfgateError):
    """Report that a shop has no such token.

    Attributes:
        token_id: The id that was asked for.
    """

    def __init__(self, token_id: str) -> None:
        super().__init__(f"没有编号为 {token_id} 的令牌；请在令牌列表里核对")
        self.token_id = token_id


@dataclass(frozen=True, slots=True)
class Caller:
    """Name who calls and what they may ask for.

    Attributes:
        actor: The person or service, with role and shop.
        scopes: What may be asked for.
        by: Whether a session or a token proves it.
        expires_at: Until when the proof holds.
    """

    actor: Actor
    scopes: frozenset[str]
    by: Literal["session", "token"]
    expires_at: datetime

    @property
    def key(self) -> str:
        """Name the caller where requests are kept: `user:` or `token:` and the id."""
        return self.actor.id if self.by == "token" else f"user:{self.actor.id}"


@dataclass(frozen=True, slots=True)
class TokenLine:
    """Describe a token without its value."""

    id: str
    shop_id: str
    name: str
    role: Role
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


def scopes_of(role: Role) -> frozenset[str]:
    """Give everything that a role may ask for."""
    return frozenset(scope for scope, roles in SCOPES.items() if role in roles)


def make_token(
    store: Store, by: Actor, name: str, role: Role, scopes: Iterable[str], life: timedelta
) -> tuple[TokenLine, str]:
    """Make a token for a service of the actor's shop.

    Args:
        store: Where tokens are kept.
        by: Who makes it: an administrator, who may give the roles that he may give to people.
        name: What it is for.
        role: The role that the service acts in.
        scopes: What it may be used for; some of what the role may.
        life: How long it is good for, up to a year.

    Returns:
        The token's description, and its value, which is kept nowhere.

    Raises:
        TokenRefused: The actor may not, or a scope or the life is not one.
    """
    wanted = tuple(dict.fromkeys(scopes))
    refused = _refusal(by, name, role, wanted, life)
    value = PREFIX + secrets.token_urlsafe(32)
    row = Token(
        id=new_id(),
        shop_id=by.shop_id,
        name=name.strip(),
        token_hash=_hashed(value),
        role=role,
        scopes=list(wanted),
        created_by=by.id,
    )
    with store.write() as session:
        now = database_now(session)
        session.add(_entry(by, "make_token", name, now, refused))
        if not refused:
            row.created_at, row.expires_at = now, now + life
            session.add(row)
    if refused:
        raise TokenRefused(refused, name)
    return _line(row), value


def list_tokens(store: Store, shop_id: str) -> list[TokenLine]:
    """List a shop's tokens, in the order in which they were made."""
    with store.read() as session:
        wanted = select(Token).where(Token.shop_id == shop_id).order_by(Token.id)
        return [_line(row) for row in session.scalars(wanted)]


def revoke_token(store: Store, by: Actor, token_id: str) -> None:
    """Let a token open nothing any more; one that is revoked already stays so.

    Raises:
        TokenRefused: The actor is no administrator.
        TokenUnknown: The actor's shop has no such token.
    """
    with store.write() as session:
        now = database_now(session)
        row = session.get(Token, token_id, with_for_update=True)
        refused = "" if by.role in ADMINS else f"{ROLE_TITLES[by.role]}不能作废令牌；请由管理员作废"
        found = row is not None and row.shop_id == by.shop_id
        session.add(_entry(by, "revoke_token", row.name if row and found else token_id, now, refused))
        if row is not None and found and not refused and row.revoked_at is None:
            row.revoked_at = now
    if refused:
        raise TokenRefused(refused, token_id)
    if not found:
        raise TokenUnknown(token_id)


def caller_of_token(store: Store, value: str) -> Caller | None:
    """Give the service that holds a token; None where it opens nothing: unknown, expired or revoked."""
    with store.read() as session:
        now = database_now(session)
        row = session.scalars(select(Token).where(Token.token_hash == _hashed(value))).one_or_none()
    if row is None or row.revoked_at is not None or row.expires_at <= now:
        return None
    if row.used_at is None or now - row.used_at >= SEEN_EVERY:
        with store.write() as session:
            session.execute(update(Token).where(Token.id == row.id).values(used_at=now))
    actor = Actor(f"token:{row.id}", row.name, row.role, row.shop_id)
    return Caller(actor, frozenset(row.scopes) & scopes_of(row.role), "token", row.expires_at)


def start_session(store: Store, actor: Actor) -> str:
    """Let a person who has signed in stay so, and give the cookie's value, which is kept nowhere."""
    value = secrets.token_urlsafe(32)
    with store.write() as session:
        now = database_now(session)
        over = (UserSession.user_id == actor.id, UserSession.expires_at <= now)
        session.execute(delete(UserSession).where(*over))
        session.add(
            UserSession(
                token_hash=_hashed(value),
                user_id=actor.id,
                created_at=now,
                seen_at=now,
                expires_at=now + SESSION_LIFE,
            )
        )
    return value


def caller_of_session(store: Store, value: str) -> Caller | None:
    """Give the person who holds a session; None where it opens nothing: unknown, over, idle for too long, or shut out."""
    with store.read() as session:
        now = database_now(session)
        wanted = select(UserSession, User).join(User, User.id == UserSession.user_id)
        found = session.execute(wanted.where(UserSession.token_hash == _hashed(value))).one_or_none()
    if found is None:
        return None
    kept, user = found
    over = kept.revoked_at is not None or kept.expires_at <= now or now - kept.seen_at >= SESSION_IDLE
    if over or user.disabled_at is not None:
        return None
    if now - kept.seen_at >= SEEN_EVERY:
        with store.write() as session:
            mine = UserSession.token_hash == kept.token_hash
            session.execute(update(UserSession).where(mine).values(seen_at=now))
    actor = Actor(user.id, user.name, user.role, user.shop_id)
    return Caller(actor, scopes_of(user.role), "session", kept.expires_at)


def end_session(store: Store, value: str) -> None:
    """Sign a person out; a value that opens nothing is passed over."""
    with store.write() as session:
        mine = (UserSession.token_hash == _hashed(value), UserSession.revoked_at.is_(None))
        session.execute(update(UserSession).where(*mine).values(revoked_at=database_now(session)))


def end_sessions_of(session: Session, user_id: str) -> None:
    """Sign a person out everywhere, in the transaction that shuts them out or changes their password."""
    mine = (UserSession.user_id == user_id, UserSession.revoked_at.is_(None))
    session.execute(update(UserSession).where(*mine).values(revoked_at=database_now(session)))


def _refusal(by: Actor, name: str, role: Role, scopes: tuple[str, ...], life: timedelta) -> str:
    """Say why a token can't be made; empty where it can."""
    if role not in MAY_ADD.get(by.role, ()):
        return f"{ROLE_TITLES[by.role]}不能生成{ROLE_TITLES[role]}的令牌；请由高级管理员生成"
    if not name.strip():
        return "令牌要有名字，写明给哪个服务用"
    if not timedelta(0) < life <= LONGEST_LIFE:
        return f"有效期应在 1 秒到 {LONGEST_LIFE.days} 天之间"
    if not scopes:
        return f"没有写权限；可用的有 {'、'.join(sorted(scopes_of(role)))}"
    for scope in scopes:
        if scope not in SCOPES:
            return f"没有权限 {scope!r}；{did_you_mean(scope, SCOPES, listed='可用的')}"
        if scope not in scopes_of(role):
            return f"{ROLE_TITLES[role]}没有权限 {scope}；可用的有 {'、'.join(sorted(scopes_of(role)))}"
    return ""


def _entry(by: Actor, action: str, subject: str, at: datetime, refused: str) -> AuditEntry:
    return audit_entry(by, "", action, subject, "refused" if refused else "done", at, reason=refused)


def _hashed(value: str) -> str:
    """Hash a secret of 256 random bits: nothing to guess, so nothing to slow down."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def _line(row: Token) -> TokenLine:
    times = (row.created_at, row.expires_at, row.used_at, row.revoked_at)
    return TokenLine(row.id, row.shop_id, row.name, row.role, tuple(row.scopes), *times)
