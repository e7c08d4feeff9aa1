"""Let an upload keep how many rows it has of each state, so that looking at its progress counts no rows (R16)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what nobody has counted is counted when it is asked for."""
    kind = sa.JSON(none_as_null=True).with_variant(
        postgresql.JSONB(none_as_null=True, astext_type=Text()), "postgresql"
    )
    with op.batch_alter_table("uploads") as table:
        table.add_column(sa.Column("counts", kind))


def downgrade() -> None:
    """Drop it again."""
    with op.batch_alter_table("uploads") as table:
        table.drop_column("counts")
