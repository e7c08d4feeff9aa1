"""Keep requests by their idempotency key, and let one process at a time check an upload (R16)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TEXT = sa.Text()
MOMENT = sa.DateTime(timezone=True)
INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table; add the columns, and the index that finds what is to be checked."""
    op.create_table(
        "keyed_requests",
        sa.Column("shop_id", TEXT, nullable=False),
        sa.Column("caller", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("status", INTEGER),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("media_type", TEXT),
        sa.Column("location", TEXT),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.CheckConstraint("(status IS NULL) = (body IS NULL)", name=op.f("ck_keyed_requests_answer")),
        sa.CheckConstraint(
            "(status IS NULL) = (media_type IS NULL)", name=op.f("ck_keyed_requests_media_type")
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.id"], name=op.f("fk_keyed_requests_shop_id_shops"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("shop_id", "caller", "key", name=op.f("pk_keyed_requests")),
    )
    op.create_index("ix_keyed_requests_started_at", "keyed_requests", ["started_at"])
    with op.batch_alter_table("uploads") as table:
        table.add_column(sa.Column("checker", TEXT))
        table.add_column(sa.Column("check_due", MOMENT))
        table.add_column(sa.Column("check_tries", INTEGER, nullable=False, server_default="0"))
        table.create_check_constraint(op.f("ck_uploads_check_tries"), "check_tries >= 0")
        table.create_index("ix_uploads_state", ["state"])


def downgrade() -> None:
    """Drop them again; keys are forgotten, every upload stays and may be checked by anyone."""
    with op.batch_alter_table("uploads") as table:
        table.drop_index("ix_uploads_state")
        table.drop_constraint(op.f("ck_uploads_check_tries"), type_="check")
        table.drop_column("check_tries")
        table.drop_column("check_due")
        table.drop_column("checker")
    op.drop_table("keyed_requests")
