"""Uploads: one workbook on its way in, as received, and its rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.base import Base, new_id, one_of
from pipeline.store.types import PlainText, json_object

UploadState = Literal["received", "checking", "checked", "pushing", "done", "done_with_failures", "failed"]
RowState = Literal["rejected", "undetermined", "queued", "sending", "listed", "refused_by_channel", "failed"]


class Upload(Base):
    """Keep one upload (R16, R18).

    Attributes:
        actor_id: Who sent it; the name is kept beside it, because people leave.
        filename: Name as sent, for show only.
        sha256: Hash of the file as received, hex: a second upload of the same file is recognised by it.
        size: Bytes, ≥ 0.
        state: Where it is on its way.
        row_total: Rows that the sheet holds; None until it is read.
        as_of: The moment its decisions are made for; None until checked.
        failure: Why the upload as a whole failed; None otherwise.
        corrects: The upload whose failing rows this one corrects (R17); None for a new one.
        counts: How many rows there are of each state: while it is checked, of what was decided of the rows kept so far;
            once it is finished, of all. None where nobody has counted.
        checker: The process that checks it; None while none does.
        check_due: From when another process may take the check up; None for at once.
        check_tries: Times that its check was begun since it last got further, ≥ 0.
    """

    __tablename__ = "uploads"
    __table_args__ = (
        one_of("state", UploadState),
        CheckConstraint("size >= 0", name="size"),
        CheckConstraint("row_total >= 0", name="row_total"),
        CheckConstraint("state <> 'failed' OR failure IS NOT NULL", name="failure"),
        CheckConstraint(
            "(state IN ('done', 'done_with_failures', 'failed')) = (finished_at IS NOT NULL)",
            name="finished_at",
        ),
        CheckConstraint("corrects <> id", name="corrects"),
        CheckConstraint("check_tries >= 0", name="check_tries"),
        Index("ix_uploads_state", "state"),
        Index("ix_uploads_received_at", "shop_id", "channel", "received_at"),
        Index("ix_uploads_sha256", "shop_id", "channel", "sha256"),
        Index("ix_uploads_corrects", "corrects"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    channel: Mapped[str]
    shop_id: Mapped[str] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    actor_id: Mapped[str]
    actor_name: Mapped[str]
    filename: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int]
    state: Mapped[UploadState] = mapped_column(PlainText)
    row_total: Mapped[int | None]
    as_of: Mapped[datetime | None]
    failure: Mapped[str | None]
    received_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    corrects: Mapped[str | None] = mapped_column(ForeignKey("uploads.id", ondelete="SET NULL"))
    counts: Mapped[dict[str, Any] | None] = mapped_column(json_object())
    checker: Mapped[str | None]
    check_due: Mapped[datetime | None]
    check_tries: Mapped[int] = mapped_column(default=0, server_default="0")


class UploadFile(Base):
    """Keep an upload's file as received, apart from the upload so that a list of uploads stays light."""

    __tablename__ = "upload_files"

    upload_id: Mapped[str] = mapped_column(ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True)
    content: Mapped[bytes]


class UploadRow(Base):
    """Keep one row of an upload and what became of it.

    Attributes:
        number: Row of the sheet, 1-based, the header counted.
        product_id: The product that the row names; None where the cell could not be read.
        cells: The cells as read, column title to text.
        row: The row as the rules see it.
        state: Its outcome, or where it is on its way to the channel.
        decision_id: The decision made about it; None where the row could not be read.
        reason: The reason in one line, for lists; None for a row without one.
        channel_product_id: The channel's id, once listed.
        answer: The channel's last answer, as normalised; None before there is one.
    """

    __tablename__ = "upload_rows"
    __table_args__ = (
        one_of("state", RowState),
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("state <> 'listed' OR channel_product_id IS NOT NULL", name="listed"),
        Index("ix_upload_rows_state", "upload_id", "state"),
        Index("ix_upload_rows_product_id", "product_id"),
        Index("ix_upload_rows_decision_id", "decision_id"),
    )

    upload_id: Mapped[str] = mapped_column(ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    product_id: Mapped[str | None]
    cells: Mapped[dict[str, Any]] = mapped_column(json_object())
    row: Mapped[dict[str, Any] | None] = mapped_column(json_object())
    state: Mapped[RowState] = mapped_column(PlainText)
    decision_id: Mapped[str | None] = mapped_column(ForeignKey("decisions.id", ondelete="SET NULL"))
    reason: Mapped[str | None]
    channel_product_id: Mapped[str | None]
    answer: Mapped[dict[str, Any] | None] = mapped_column(json_object())
    updated_at: Mapped[datetime]
