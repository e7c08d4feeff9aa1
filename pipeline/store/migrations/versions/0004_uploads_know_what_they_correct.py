"""Let an upload name the upload whose failing rows it corrects (R17).

SQLite can't add a foreign key or a CHECK to a table: `uploads` is rebuilt, with the files, rows, listings and outbox
items that point at it kept (`pipeline.store.migrating` sees to that).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, its foreign key, its CHECK and its index."""
    with op.batch_alter_table("uploads") as table:
        table.add_column(sa.Column("corrects", sa.Text()))
        table.create_foreign_key(
            op.f("fk_uploads_corrects_uploads"), "uploads", ["corrects"], ["id"], ondelete="SET NULL"
        )
        table.create_check_constraint(op.f("ck_uploads_corrects"), "corrects <> id")
        table.create_index("ix_uploads_corrects", ["corrects"])


def downgrade() -> None:
    """Drop them again; which upload corrected which is forgotten, every upload stays."""
    with op.batch_alter_table("uploads") as table:
        table.drop_index("ix_uploads_corrects")
        table.drop_constraint(op.f("ck_uploads_corrects"), type_="check")
        table.drop_constraint(op.f("fk_uploads_corrects_uploads"), type_="foreignkey")
        table.drop_column("corrects")
