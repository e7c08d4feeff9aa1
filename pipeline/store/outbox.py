"""What is still to be said to the channels, and how fast it may be said."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.base import Base, new_id, one_of
from pipeline.store.types import PlainText, json_object

ItemState = Literal["queued", "sending", "done", "refused", "failed", "held"]
OPEN = "state IN ('queued', 'sending')"
"""Items that are still to be claimed: the condition of the index, written the same wherever it is to be used."""


class OutboxItem(Base):
    """Keep one call to a channel until its outcome is known.

    Attributes:
        kind: What the call does, such as `product.add` or `order.ship`.
        idempotency_key: The same for the same (channel, shop, subject, payload hash), kept before anything is sent.
        payload: What is sent.
        state: queued; sending, while a lease runs or after it ran out unanswered; done; refused, by the channel for
            good; failed, after the last attempt; held, waiting for a person.
        due: When it may be claimed: the next attempt of a queued item, the end of the lease of one being sent.
        lease_holder: The worker that holds it; None while queued.
        fencing: Number of leases given out so far, ≥ 0. Only the holder of the latest may record an outcome.
        attempts: Times it was claimed since a person last released it, ≥ 0.
        last_error: The last error, as normalised by the channel's client.
        answer: The channel's answer once it is done.
        upload_id: The upload whose row asked for it; None for others.
        row_number: That row's number, 1-based.
        order_id: The order that it, or its after-sale, is about; None for others.
        after_sale_id: The after-sale that it is about; None for others.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        one_of("state", ItemState),
        UniqueConstraint("idempotency_key"),
        CheckConstraint("fencing >= 0", name="fencing"),
        CheckConstraint("attempts >= 0", name="attempts"),
        CheckConstraint("(state = 'sending') = (lease_holder IS NOT NULL)", name="lease_holder"),
        CheckConstraint("(upload_id IS NULL) = (row_number IS NULL)", name="row"),
        Index(
            "ix_outbox_due",
            "channel",
            "shop_id",
            "due",
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
        Index("ix_outbox_upload_row", "upload_id", "row_number"),
        Index("ix_outbox_order_id", "order_id"),
        Index("ix_outbox_after_sale_id", "after_sale_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]
    channel: Mapped[str]
    shop_id: Mapped[str] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    idempotency_key: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(json_object())
    state: Mapped[ItemState] = mapped_column(PlainText, default="queued")
    due: Mapped[datetime]
    lease_holder: Mapped[str | None]
    fencing: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[dict[str, Any] | None] = mapped_column(json_object())
    answer: Mapped[dict[str, Any] | None] = mapped_column(json_object())
    upload_id: Mapped[str | None] = mapped_column(ForeignKey("uploads.id", ondelete="CASCADE"))
    row_number: Mapped[int | None]
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    after_sale_id: Mapped[str | None] = mapped_column(ForeignKey("after_sales.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Rate(Base):
    """Keep how far the calls of one shop on one channel are booked ahead (generic cell rate algorithm).

    Attributes:
        tat: Theoretical arrival time: the first moment at which a further call may start, in microseconds since
            1970-01-01 UTC.
    """

    __tablename__ = "rates"

    channel: Mapped[str] = mapped_column(primary_key=True)
    shop_id: Mapped[str] = mapped_column(primary_key=True)
    tat: Mapped[int]
