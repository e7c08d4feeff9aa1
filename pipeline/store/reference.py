"""Reference data of a channel as one shop may use it (R7)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.base import Base, new_id
from pipeline.store.types import json_list


class ReferenceSnapshot(Base):
    """Keep the rows of one kind of reference data as they were at one time.

    Attributes:
        kind: Name of the table, such as `categories` or `freight_templates`.
        hash: SHA-256 of the rows' canonical JSON, hex: an unchanged answer only moves `checked_at`.
        row_count: Number of rows, ≥ 0; 0 is an answer too: nothing maintained on the channel yet.
        rows: One object per row, with the fields of the table's declaration.
        taken_at: When these rows were first seen.
        checked_at: When the channel last gave these very rows; the age of the data.
    """

    __tablename__ = "reference_snapshots"
    __table_args__ = (
        CheckConstraint("row_count >= 0", name="row_count"),
        CheckConstraint("checked_at >= taken_at", name="checked_at"),
        Index("ix_reference_snapshots_latest", "channel", "shop_id", "kind", "checked_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    channel: Mapped[str]
    shop_id: Mapped[str] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    kind: Mapped[str]
    hash: Mapped[str]
    row_count: Mapped[int]
    rows: Mapped[list[dict[str, Any]]] = mapped_column(json_list())
    taken_at: Mapped[datetime]
    checked_at: Mapped[datetime]
