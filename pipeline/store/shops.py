"""Shops, their standing on each channel, and their bindings to it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.base import Base, one_of
from pipeline.store.types import PlainText, SealedText

Edition = Literal["wsc_ecommerce", "wsc_basic", "retail", "chain", "education", "beauty", "other"]


class Shop(Base):
    """Keep a Youzan shop.

    Attributes:
        id: Youzan's shop id (kdt_id), as text.
        edition: The edition it runs on (R1).
    """

    __tablename__ = "shops"
    __table_args__ = (one_of("edition", Edition),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    edition: Mapped[Edition] = mapped_column(PlainText)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Standing(Base):
    """Keep what a channel has granted a shop.

    Attributes:
        admitted: The shop is admitted to the channel, 已入驻 (R2).
        beta_approved: The shop's application for the closed beta was approved, 内测 (R3).
    """

    __tablename__ = "standings"

    shop_id: Mapped[str] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"), primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    admitted: Mapped[bool]
    beta_approved: Mapped[bool]
    updated_at: Mapped[datetime]


class BindingRow(Base):
    """Keep a shop's sealed credentials on a channel (R4); `pipeline.binding` is the only reader.

    Attributes:
        credentials: The channel's credentials, sealed by `pipeline.secrets.Vault`.
        bound_by: Id of the actor who entered them.
        tried_at: When the channel last accepted them.
    """

    __tablename__ = "bindings"

    shop_id: Mapped[str] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"), primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    credentials: Mapped[str] = mapped_column(SealedText)
    bound_by: Mapped[str]
    bound_at: Mapped[datetime]
    tried_at: Mapped[datetime]
