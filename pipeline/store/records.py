"""What is written once and never changed: observations, decisions, and the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.base import Base, new_id, one_of
from pipeline.store.types import PlainText, json_object

Outcome = Literal["accepted", "rejected", "undetermined"]
AuditOutcome = Literal["done", "refused", "failed"]


class Event(Base):
    """Keep an observation: something that the channel says has happened.

    The order is named by the channel's id, not by a foreign key: an event may arrive before its order.

    Attributes:
        event_id: The channel's id of the event; a second delivery has the same.
        channel_order_id: The order that it is about.
        channel_after_sale_id: The after-sale that it is about; None for others.
        kind: What happened, such as `order_shipped`.
        happened_at: When it happened, by the channel.
        received_at: When it was first taken in.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("channel", "shop_id", "event_id"),
        Index("ix_events_order", "channel", "shop_id", "channel_order_id", "happened_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    channel: Mapped[str]
    shop_id: Mapped[str] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    event_id: Mapped[str]
    channel_order_id: Mapped[str]
    channel_after_sale_id: Mapped[str | None]
    kind: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(json_object())
    happened_at: Mapped[datetime]
    received_at: Mapped[datetime]


class DecisionRow(Base):
    """Keep a decision to the byte, so that it can be replayed and compared.

    Attributes:
        ruleset: Channel and ruleset, such as `huiju/eligibility`.
        version: Hash of the ruleset's normalised content.
        as_of: The moment the question was asked for.
        outcome: What it says, for filters.
        content: The decision's canonical bytes.
    """

    __tablename__ = "decisions"
    __table_args__ = (
        one_of("outcome", Outcome),
        Index("ix_decisions_shop_id", "shop_id", "ruleset", "created_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    shop_id: Mapped[str] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    ruleset: Mapped[str]
    version: Mapped[str]
    as_of: Mapped[datetime]
    outcome: Mapped[Outcome] = mapped_column(PlainText)
    content: Mapped[bytes]
    created_at: Mapped[datetime]


class AuditEntry(Base):
    """Keep who tried what, and what came of it; refused attempts too.

    No foreign keys: an entry outlives its shop and its actor, and may name a shop that never was.

    Attributes:
        action: What was tried, such as `bind` or `ship`.
        subject: What it was tried on, such as a channel or an order id; may be empty.
        outcome: done; refused, by the rules; failed, on the way.
        reason: Why it was refused or failed; empty when done.
        detail: Further facts, never a secret.
    """

    __tablename__ = "audit"
    __table_args__ = (
        one_of("outcome", AuditOutcome),
        Index("ix_audit_at", "shop_id", "at"),
        Index("ix_audit_subject", "shop_id", "subject"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime]
    shop_id: Mapped[str]
    channel: Mapped[str]
    actor_id: Mapped[str]
    actor_name: Mapped[str]
    actor_role: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    outcome: Mapped[AuditOutcome] = mapped_column(PlainText)
    reason: Mapped[str] = mapped_column(default="")
    detail: Mapped[dict[str, Any]] = mapped_column(json_object(), default=dict)
