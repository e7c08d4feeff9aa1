"""Let a listing keep the channel's stock SKU by SKU: one SKU may be oversold while the product as a whole is not (R34)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    kind = sa.JSON(none_as_null=True).with_variant(
        postgresql.JSONB(none_as_null=True, astext_type=Text()), "postgresql"
    )
    with op.batch_alter_table("listings") as table:
        table.add_column(sa.Column("channel_skus", kind))


def downgrade() -> None:
    """Drop it again; the stock of whole products stays."""
    with op.batch_alter_table("listings") as table:
        table.drop_column("channel_skus")
