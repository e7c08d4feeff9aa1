"""Let a request that holds a key say that its process is alive, and what it has made (R16)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns; a request under way was last known to live when it began."""
    with op.batch_alter_table("keyed_requests") as table:
        table.add_column(sa.Column("alive_at", MOMENT))
        table.add_column(sa.Column("made", sa.Text()))
    op.execute("UPDATE keyed_requests SET alive_at = started_at")
    with op.batch_alter_table("keyed_requests") as table:
        table.alter_column("alive_at", existing_type=MOMENT, nullable=False)


def downgrade() -> None:
    """Drop them again."""
    with op.batch_alter_table("keyed_requests") as table:
        table.drop_column("made")
        table.drop_column("alive_at")
