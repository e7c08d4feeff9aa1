"""Orders, shipments and after-sales as taken in from the channels, and how far each intake has come."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.base import Base, new_id, one_of
from pipeline.store.types import PlainText, SealedText, json_list, json_object

OrderStatus = Literal["wait_pay", "to_ship", "partly_shipped", "shipped", "done", "closed"]
PaymentKind = Literal["normal", "marked"]
AfterSaleKind = Literal["refund_only", "return_refund", "exchange"]
AfterSaleStatus = Literal[
    "requested", "rejected", "waiting_return", "waiting_receipt", "return_rejected", "closed", "succeeded"
]
ClosedBy = Literal["buyer", "shipment", "timeout"]


class Order(Base):
    """Keep an order.

    Attributes:
        channel: Where it comes from (R20).
        status: What has happened, folded (`pipeline.orders.folding`); None where the channel's word for it is not known.
        payment_kind: normal, or marked: the money does not pass through Youzan (R35).
        total: Sum to pay in fen, freight included; None where the channel does not tell.
        freight: Freight in fen; None where the channel does not tell.
        private: Buyer, consignee and messages as one sealed JSON object; the only place where they are kept.
        lines: Order lines as the facts declare them, for filters.
        payload: The channel's newest reply without anything about the buyer or the consignee; the facts are made from it.
        created_at: When it was made on the channel; when the channel first changed it, where that is not told.
        updated_at: When the channel last changed it, by the channel's clock.
        fetched_at: When the reading of that reply began, by the database's clock: of two replies with the same `updated_at`, the one
            read later is the newer.
    """

    __tablename__ = "orders"
    __table_args__ = (
        one_of("status", OrderStatus),
        one_of("payment_kind", PaymentKind),
        UniqueConstraint("channel", "shop_id", "channel_order_id"),
        CheckConstraint("total >= 0", name="total"),
        CheckConstraint("freight >= 0", name="freight"),
        Index("ix_orders_created_at", "shop_id", "channel", "created_at"),
        Index("ix_orders_status", "shop_id", "status", "created_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    channel: Mapped[str]
    shop_id: Mapped[str] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    channel_order_id: Mapped[str]
    status: Mapped[OrderStatus | None] = mapped_column(PlainText)
    payment_kind: Mapped[PaymentKind] = mapped_column(PlainText)
    total: Mapped[int | None]
    freight: Mapped[int | None]
    private: Mapped[str | None] = mapped_column(SealedText)
    lines: Mapped[list[dict[str, Any]]] = mapped_column(json_list())
    merchant_remark: Mapped[str | None]
    payload: Mapped[dict[str, Any]] = mapped_column(json_object())
    created_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    shipped_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]
    fetched_at: Mapped[datetime]


class Shipment(Base):
    """Keep one parcel of an order (R27).

    Attributes:
        waybill: The carrier's number.
        line_ids: The order lines that it holds.
        shipped_at: When it was handed over.
    """

    __tablename__ = "shipments"
    __table_args__ = (UniqueConstraint("order_id", "carrier_id", "waybill"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    carrier_id: Mapped[str]
    carrier_name: Mapped[str]
    waybill: Mapped[str]
    line_ids: Mapped[list[str]] = mapped_column(json_list())
    shipped_at: Mapped[datetime]


class AfterSale(Base):
    """Keep an after-sale request.

    Attributes:
        kind, amount: What is asked for, the amount in fen; None where the channel does not tell.
        status: What has happened, folded; None where the channel's word for it is not known.
        closed_by: What closed it; None unless closed.
        version: The channel's mark of its state: an action is for the state that it was asked for on, and no later one.
        private: Contact, buyer and the buyer's words as one sealed JSON object (R29, R31).
        payload: As for orders, like `updated_at` and `fetched_at`.
        auto_handle_at: When the channel's system would handle it by itself; never shown (R28).
    """

    __tablename__ = "after_sales"
    __table_args__ = (
        one_of("kind", AfterSaleKind),
        one_of("status", AfterSaleStatus),
        one_of("closed_by", ClosedBy),
        UniqueConstraint("channel", "shop_id", "channel_after_sale_id"),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("closed_by IS NULL OR status = 'closed'", name="closed"),
        Index("ix_after_sales_order_id", "order_id"),
        Index("ix_after_sales_status", "shop_id", "status", "created_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    channel: Mapped[str]
    shop_id: Mapped[str] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    channel_after_sale_id: Mapped[str]
    kind: Mapped[AfterSaleKind | None] = mapped_column(PlainText)
    status: Mapped[AfterSaleStatus | None] = mapped_column(PlainText)
    closed_by: Mapped[ClosedBy | None] = mapped_column(PlainText)
    amount: Mapped[int | None]
    version: Mapped[str | None]
    private: Mapped[str | None] = mapped_column(SealedText)
    payload: Mapped[dict[str, Any]] = mapped_column(json_object())
    auto_handle_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    fetched_at: Mapped[datetime]


class Cursor(Base):
    """Keep how far an intake by update window has come.

    Attributes:
        kind: What is taken in, such as `orders` or `after_sales`.
        until: Everything the channel changed before this moment has been taken in, by the channel's clock.
        moved_at: When that was last so, by the database's clock.
        busy_until: Until when one process has the intake to itself; None or past where none has.
    """

    __tablename__ = "cursors"

    channel: Mapped[str] = mapped_column(primary_key=True)
    shop_id: Mapped[str] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]
    moved_at: Mapped[datetime]
    busy_until: Mapped[datetime | None]
