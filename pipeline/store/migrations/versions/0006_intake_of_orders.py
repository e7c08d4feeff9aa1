"""Take orders and after-sales in as the channel tells them: what it does not tell is unknown (R20, R27–R32).

An unknown status, kind or amount is no value, and restricts what may be done. The buyer's words about an after-sale are sealed with
the rest of what is known of the buyer. A cursor says which process has the intake to itself.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

OPEN_ENDED = {"orders": ("status", "total", "freight"), "after_sales": ("kind", "status", "amount")}
NUMBERS = ("total", "freight", "amount")
CHILDREN = {"orders": ("shipments", "after_sales", "outbox"), "after_sales": ("outbox",)}
"""Tables whose rows go with their order or after-sale; SQLite guards none while it migrates."""


def upgrade() -> None:
    """Allow the unknown, drop the plain reason, and add the mark of who takes in."""
    for name, columns in OPEN_ENDED.items():
        with op.batch_alter_table(name) as table:
            for column in columns:
                table.alter_column(column, existing_type=_type(column), nullable=True)
            if name == "after_sales":
                table.drop_column("reason")
    with op.batch_alter_table("cursors") as table:
        table.add_column(sa.Column("busy_until", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Go back: an order or after-sale of which something is unknown is dropped with all that hangs on it; reasons stay sealed."""
    with op.batch_alter_table("cursors") as table:
        table.drop_column("busy_until")
    for name, columns in OPEN_ENDED.items():
        unknown = " OR ".join(f"{column} IS NULL" for column in columns)
        for child in CHILDREN[name]:
            ids = f"SELECT id FROM {name} WHERE {unknown}"  # noqa: S608 - all names are constants of this file
            op.execute(f"DELETE FROM {child} WHERE {name.removesuffix('s')}_id IN ({ids})")  # noqa: S608
        op.execute(f"DELETE FROM {name} WHERE {unknown}")  # noqa: S608
    for name, columns in OPEN_ENDED.items():
        with op.batch_alter_table(name) as table:
            if name == "after_sales":
                table.add_column(sa.Column("reason", sa.Text()))
            for column in columns:
                table.alter_column(column, existing_type=_type(column), nullable=False)


def _type(column: str) -> sa.types.TypeEngine[Any]:
    if column in NUMBERS:
        return sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Text()
