"""Create products, uploads with their files and rows, and listings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.Text()
MOMENT = sa.DateTime(timezone=True)
INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
TABLES = ("products", "uploads", "upload_files", "upload_rows", "listings")
"""Parents before their children."""


def upgrade() -> None:
    """Create the tables, parents first."""
    op.create_table(
        "products",
        sa.Column("shop_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("fetched_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.id"], name=op.f("fk_products_shop_id_shops"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_products")),
    )
    op.create_table(
        "uploads",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("shop_id", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=False),
        sa.Column("actor_name", TEXT, nullable=False),
        sa.Column("filename", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("size", INTEGER, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("row_total", INTEGER),
        sa.Column("as_of", MOMENT),
        sa.Column("failure", TEXT),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT),
        sa.CheckConstraint(
            "(state IN ('done', 'done_with_failures', 'failed')) = (finished_at IS NOT NULL)",
            name=op.f("ck_uploads_finished_at"),
        ),
        sa.CheckConstraint("state <> 'failed' OR failure IS NOT NULL", name=op.f("ck_uploads_failure")),
        sa.CheckConstraint(
            "state IN ('received', 'checking', 'checked', 'pushing', 'done', 'done_with_failures', 'failed')",
            name=op.f("ck_uploads_state"),
        ),
        sa.CheckConstraint("row_total >= 0", name=op.f("ck_uploads_row_total")),
        sa.CheckConstraint("size >= 0", name=op.f("ck_uploads_size")),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.id"], name=op.f("fk_uploads_shop_id_shops"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index("ix_uploads_received_at", "uploads", ["shop_id", "channel", "received_at"])
    op.create_index("ix_uploads_sha256", "uploads", ["shop_id", "channel", "sha256"])
    op.create_table(
        "upload_files",
        sa.Column("upload_id", TEXT, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["uploads.id"], name=op.f("fk_upload_files_upload_id_uploads"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("upload_id", name=op.f("pk_upload_files")),
    )
    op.create_table(
        "upload_rows",
        sa.Column("upload_id", TEXT, nullable=False),
        sa.Column("number", INTEGER, autoincrement=False, nullable=False),
        sa.Column("product_id", TEXT),
        sa.Column("cells", JSON, nullable=False),
        sa.Column("row", JSON),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("decision_id", TEXT),
        sa.Column("reason", TEXT),
        sa.Column("channel_product_id", TEXT),
        sa.Column("answer", JSON),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "state <> 'listed' OR channel_product_id IS NOT NULL", name=op.f("ck_upload_rows_listed")
        ),
        sa.CheckConstraint(
            "state IN ('rejected', 'undetermined', 'queued', 'sending', 'listed', 'refused_by_channel', 'failed')",
            name=op.f("ck_upload_rows_state"),
        ),
        sa.CheckConstraint("number >= 1", name=op.f("ck_upload_rows_number")),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["decisions.id"],
            name=op.f("fk_upload_rows_decision_id_decisions"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["uploads.id"], name=op.f("fk_upload_rows_upload_id_uploads"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("upload_id", "number", name=op.f("pk_upload_rows")),
    )
    op.create_index("ix_upload_rows_decision_id", "upload_rows", ["decision_id"])
    op.create_index("ix_upload_rows_product_id", "upload_rows", ["product_id"])
    op.create_index("ix_upload_rows_state", "upload_rows", ["upload_id", "state"])
    op.create_table(
        "listings",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("shop_id", TEXT, nullable=False),
        sa.Column("product_id", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("channel_product_id", TEXT),
        sa.Column("upload_id", TEXT),
        sa.Column("row_number", INTEGER),
        sa.Column("snapshot", JSON),
        sa.Column("channel_stock", INTEGER),
        sa.Column("channel_stock_at", MOMENT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("listed_at", MOMENT),
        sa.CheckConstraint(
            "state <> 'listed' OR (channel_product_id IS NOT NULL AND listed_at IS NOT NULL)",
            name=op.f("ck_listings_listed"),
        ),
        sa.CheckConstraint("state IN ('reserved', 'listed')", name=op.f("ck_listings_state")),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.id"], name=op.f("fk_listings_shop_id_shops"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["uploads.id"], name=op.f("fk_listings_upload_id_uploads"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listings")),
        sa.UniqueConstraint(
            "channel", "shop_id", "product_id", name=op.f("uq_listings_channel_shop_id_product_id")
        ),
    )
    op.create_index(
        "uq_listings_channel_product",
        "listings",
        ["channel", "shop_id", "channel_product_id"],
        unique=True,
        sqlite_where=sa.text("channel_product_id IS NOT NULL"),
        postgresql_where=sa.text("channel_product_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Drop the tables, children first."""
    for table in reversed(TABLES):
        op.drop_table(table)
