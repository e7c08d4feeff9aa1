"""Users, their sessions, and the tokens of services."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.base import Base, new_id, one_of
from pipeline.store.types import PlainText, json_list

Role = Literal["senior_admin", "admin", "operator", "viewer"]


class User(Base):
    """Keep a person who may sign in.

    Attributes:
        login: Name to sign in with, lower case; unique.
        name: Name shown.
        password_hash: scrypt hash with its salt and parameters, never the password.
        role: What the person is in the shop (R5).
        disabled_at: When the person was shut out; None while welcome.
    """

    __tablename__ = "users"
    __table_args__ = (
        one_of("role", Role),
        CheckConstraint("login = lower(login) AND login <> ''", name="login"),
        Index("uq_users_login", "login", unique=True),
        Index("ix_users_shop_id", "shop_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    shop_id: Mapped[str] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    login: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[Role] = mapped_column(PlainText)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class UserSession(Base):
    """Keep a signed-in browser; revocable at once because it is looked up on each request.

    Attributes:
        token_hash: SHA-256 of the cookie's value, hex; the value itself is kept nowhere.
    """

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_user_id", "user_id"),)

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Token(Base):
    """Keep a service's token.

    Attributes:
        name: What the token is for, as its maker wrote it.
        token_hash: SHA-256 of the token, hex; the token itself is shown once and kept nowhere.
        role: The role that the service acts in.
        scopes: What the token may be used for, such as `uploads:write`.
        created_by: Id of the user who made it.
    """

    __tablename__ = "tokens"
    __table_args__ = (
        one_of("role", Role),
        Index("uq_tokens_token_hash", "token_hash", unique=True),
        Index("ix_tokens_shop_id", "shop_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    shop_id: Mapped[str] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    name: Mapped[str]
    token_hash: Mapped[str]
    role: Mapped[Role] = mapped_column(PlainText)
    scopes: Mapped[list[str]] = mapped_column(json_list())
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
