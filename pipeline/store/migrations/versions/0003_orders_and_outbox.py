"""Create orders, shipments, after-sales, events and intake cursors, the outbox and its rates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT = sa.Text()
MOMENT = sa.DateTime(timezone=True)
INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
TABLES = ("orders", "shipments", "after_sales", "events", "cursors", "outbox", "rates")
"""Parents before their children."""


def upgrade() -> None:
    """Create the tables, parents first."""
    op.create_table(
        "orders",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("shop_id", TEXT, nullable=False),
        sa.Column("channel_order_id", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("payment_kind", TEXT, nullable=False),
        sa.Column("total", INTEGER, nullable=False),
        sa.Column("freight", INTEGER, nullable=False),
        sa.Column("private", TEXT),
        sa.Column("lines", JSON, nullable=False),
        sa.Column("merchant_remark", TEXT),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("paid_at", MOMENT),
        sa.Column("shipped_at", MOMENT),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("fetched_at", MOMENT, nullable=False),
        sa.CheckConstraint("payment_kind IN ('normal', 'marked')", name=op.f("ck_orders_payment_kind")),
        sa.CheckConstraint(
            "status IN ('wait_pay', 'to_ship', 'partly_shipped', 'shipped', 'done', 'closed')",
            name=op.f("ck_orders_status"),
        ),
        sa.CheckConstraint("freight >= 0", name=op.f("ck_orders_freight")),
        sa.CheckConstraint("total >= 0", name=op.f("ck_orders_total")),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.id"], name=op.f("fk_orders_shop_id_shops"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint(
            "channel", "shop_id", "channel_order_id", name=op.f("uq_orders_channel_shop_id_channel_order_id")
        ),
    )
    op.create_index("ix_orders_created_at", "orders", ["shop_id", "channel", "created_at"])
    op.create_index("ix_orders_status", "orders", ["shop_id", "status", "created_at"])
    op.create_table(
        "shipments",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("order_id", TEXT, nullable=False),
        sa.Column("carrier_id", TEXT, nullable=False),
        sa.Column("carrier_name", TEXT, nullable=False),
        sa.Column("waybill", TEXT, nullable=False),
        sa.Column("line_ids", JSON, nullable=False),
        sa.Column("shipped_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_shipments_order_id_orders"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipments")),
        sa.UniqueConstraint(
            "order_id", "carrier_id", "waybill", name=op.f("uq_shipments_order_id_carrier_id_waybill")
        ),
    )
    op.create_table(
        "after_sales",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("shop_id", TEXT, nullable=False),
        sa.Column("order_id", TEXT, nullable=False),
        sa.Column("channel_after_sale_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("closed_by", TEXT),
        sa.Column("amount", INTEGER, nullable=False),
        sa.Column("reason", TEXT),
        sa.Column("version", TEXT),
        sa.Column("private", TEXT),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("auto_handle_at", MOMENT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("fetched_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "closed_by IN ('buyer', 'shipment', 'timeout')", name=op.f("ck_after_sales_closed_by")
        ),
        sa.CheckConstraint("closed_by IS NULL OR status = 'closed'", name=op.f("ck_after_sales_closed")),
        sa.CheckConstraint(
            "kind IN ('refund_only', 'return_refund', 'exchange')", name=op.f("ck_after_sales_kind")
        ),
        sa.CheckConstraint(
            "status IN ('requested', 'rejected', 'waiting_return', 'waiting_receipt', 'return_rejected', 'closed', 'succeeded')",
            name=op.f("ck_after_sales_status"),
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_after_sales_amount")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_after_sales_order_id_orders"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.id"], name=op.f("fk_after_sales_shop_id_shops"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_after_sales")),
        sa.UniqueConstraint(
            "channel",
            "shop_id",
            "channel_after_sale_id",
            name=op.f("uq_after_sales_channel_shop_id_channel_after_sale_id"),
        ),
    )
    op.create_index("ix_after_sales_order_id", "after_sales", ["order_id"])
    op.create_index("ix_after_sales_status", "after_sales", ["shop_id", "status", "created_at"])
    op.create_table(
        "events",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("shop_id", TEXT, nullable=False),
        sa.Column("event_id", TEXT, nullable=False),
        sa.Column("channel_order_id", TEXT, nullable=False),
        sa.Column("channel_after_sale_id", TEXT),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.Column("happened_at", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.id"], name=op.f("fk_events_shop_id_shops"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint(
            "channel", "shop_id", "event_id", name=op.f("uq_events_channel_shop_id_event_id")
        ),
    )
    op.create_index("ix_events_order", "events", ["channel", "shop_id", "channel_order_id", "happened_at"])
    op.create_table(
        "cursors",
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("shop_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("moved_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.id"], name=op.f("fk_cursors_shop_id_shops"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("channel", "shop_id", "kind", name=op.f("pk_cursors")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("shop_id", TEXT, nullable=False),
        sa.Column("idempotency_key", TEXT, nullable=False),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("due", MOMENT, nullable=False),
        sa.Column("lease_holder", TEXT),
        sa.Column("fencing", INTEGER, nullable=False),
        sa.Column("attempts", INTEGER, nullable=False),
        sa.Column("last_error", JSON),
        sa.Column("answer", JSON),
        sa.Column("upload_id", TEXT),
        sa.Column("row_number", INTEGER),
        sa.Column("order_id", TEXT),
        sa.Column("after_sale_id", TEXT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "(state = 'sending') = (lease_holder IS NOT NULL)", name=op.f("ck_outbox_lease_holder")
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'done', 'refused', 'failed', 'held')",
            name=op.f("ck_outbox_state"),
        ),
        sa.CheckConstraint("(upload_id IS NULL) = (row_number IS NULL)", name=op.f("ck_outbox_row")),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_outbox_attempts")),
        sa.CheckConstraint("fencing >= 0", name=op.f("ck_outbox_fencing")),
        sa.ForeignKeyConstraint(
            ["after_sale_id"],
            ["after_sales.id"],
            name=op.f("fk_outbox_after_sale_id_after_sales"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_outbox_order_id_orders"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.id"], name=op.f("fk_outbox_shop_id_shops"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["uploads.id"], name=op.f("fk_outbox_upload_id_uploads"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_outbox_idempotency_key")),
    )
    op.create_index("ix_outbox_after_sale_id", "outbox", ["after_sale_id"])
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["channel", "shop_id", "due"],
        sqlite_where=sa.text("state IN ('queued', 'sending')"),
        postgresql_where=sa.text("state IN ('queued', 'sending')"),
    )
    op.create_index("ix_outbox_order_id", "outbox", ["order_id"])
    op.create_index("ix_outbox_upload_row", "outbox", ["upload_id", "row_number"])
    op.create_table(
        "rates",
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("shop_id", TEXT, nullable=False),
        sa.Column("tat", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("channel", "shop_id", name=op.f("pk_rates")),
    )


def downgrade() -> None:
    """Drop the tables, children first."""
    for table in reversed(TABLES):
        op.drop_table(table)
