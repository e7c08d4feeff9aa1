"""Requests that carry an idempotency key, and what they were answered, so that a repeated one is answered alike."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.base import Base


class KeyedRequest(Base):
    """Keep a request by its idempotency key.

    Attributes:
        key: As the caller chose it; unique within the caller.
        caller: Who asked: `user:` or `token:` and the id.
        fingerprint: SHA-256 of method, path and body, hex: the same key with another request is a mistake.
        status: HTTP status of the answer; None while the first request is under way.
        body: The answer's body; None while it is under way.
        media_type: The body's media type.
        location: The answer's `Location`; None where it has none.
        started_at: When the request that holds the key began.
        alive_at: When its process was last known to be at it.
        made: Id of what it has made, kept in the transaction that made it; None where it has made nothing yet, or nothing is said.
    """

    __tablename__ = "keyed_requests"
    __table_args__ = (
        CheckConstraint("(status IS NULL) = (body IS NULL)", name="answer"),
        CheckConstraint("(status IS NULL) = (media_type IS NULL)", name="media_type"),
        Index("ix_keyed_requests_started_at", "started_at"),
    )

    shop_id: Mapped[str] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"), primary_key=True)
    caller: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    status: Mapped[int | None]
    body: Mapped[bytes | None]
    media_type: Mapped[str | None]
    location: Mapped[str | None]
    started_at: Mapped[datetime]
    alive_at: Mapped[datetime]
    made: Mapped[str | None]
