"""Products as Youzan gave them, and their listings on the channels."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.base import Base, new_id, one_of
from pipeline.store.types import PlainText, json_list, json_object

ListingState = Literal["reserved", "listed"]


class Product(Base):
    """Keep a product's raw payload as last fetched from Youzan.

    Attributes:
        id: Youzan's item id, as text.
        payload: The reply's item, untouched; `mappings` makes the fact from it.
        hash: SHA-256 of the payload's canonical JSON, hex.
        fetched_at: When Youzan gave it.
    """

    __tablename__ = "products"

    shop_id: Mapped[str] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(json_object())
    hash: Mapped[str]
    fetched_at: Mapped[datetime]


class Listing(Base):
    """Keep the one listing of a product on a channel (R15), from the moment a row reserves it.

    Attributes:
        state: reserved, while an upload row is on its way to the channel; listed, once the channel has it. A row
            that the channel refuses gives its reservation up by deleting it.
        channel_product_id: The channel's own id; None while reserved.
        upload_id: The upload whose row holds the listing; None for one found on the channel.
        row_number: That row's number in the sheet, 1-based.
        snapshot: The product fact as it was listed, to tell drift by (R33).
        channel_stock: Stock on the channel as last seen, pieces (R34); None while unknown.
        channel_skus: The same for each SKU: its Youzan id, its id on the channel, its stock; None while unknown.
    """

    __tablename__ = "listings"
    __table_args__ = (
        one_of("state", ListingState),
        UniqueConstraint("channel", "shop_id", "product_id"),
        CheckConstraint(
            "state <> 'listed' OR (channel_product_id IS NOT NULL AND listed_at IS NOT NULL)", name="listed"
        ),
        Index(
            "uq_listings_channel_product",
            "channel",
            "shop_id",
            "channel_product_id",
            unique=True,
            sqlite_where=text("channel_product_id IS NOT NULL"),
            postgresql_where=text("channel_product_id IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    channel: Mapped[str]
    shop_id: Mapped[str] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    product_id: Mapped[str]
    state: Mapped[ListingState] = mapped_column(PlainText)
    channel_product_id: Mapped[str | None]
    upload_id: Mapped[str | None] = mapped_column(ForeignKey("uploads.id", ondelete="SET NULL"))
    row_number: Mapped[int | None]
    snapshot: Mapped[dict[str, Any] | None] = mapped_column(json_object())
    channel_stock: Mapped[int | None]
    channel_stock_at: Mapped[datetime | None]
    channel_skus: Mapped[list[dict[str, Any]] | None] = mapped_column(json_list())
    created_at: Mapped[datetime]
    listed_at: Mapped[datetime | None]
