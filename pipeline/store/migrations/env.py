"""Run the migrations on the connection that `pipeline.store.migrating` hands over."""

from __future__ import annotations

from alembic import context

from pipeline.store.base import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
    compare_server_default=True,
)
context.run_migrations()
