"""Bring a database to a revision of the schema, all of it or none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import StatementError

from pipeline.store.base import Base
from pipeline.store.connection import Store
from pipeline.store.errors import MigrationError
from pipeline.store.faults import translated

FOLDER = Path(__file__).parent / "migrations"
POSTGRES_LOCK = 0x5368656C66
"""Number of the advisory lock under which one process at a time migrates."""


def migrate(store: Store, revision: str = "head") -> None:
    """Move the schema to a revision, up or down, keeping every row.

    Args:
        store: The store to migrate; nothing else may hold a write on it.
        revision: `head`, `base`, or a revision's id such as `0001`.

    Raises:
        MigrationError: Where the revision is unknown, the database is newer than the program, or a step can't be done;
            the database is as it was before.
        StoreError: The database can't be reached.
    """
    with _alone(store) as connection:
        config = _config(connection)
        if _is_down(connection, revision):
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)


def revision_of(store: Store) -> str | None:
    """Give the revision that the database is at; None for an empty one."""
    with store.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def pending_changes(store: Store) -> list[Any]:
    """List how the database differs from the models, as Alembic's autogeneration sees it; empty when they agree."""
    with store.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"compare_type": True, "compare_server_default": True, "target_metadata": Base.metadata},
        )
        return list(compare_metadata(context, Base.metadata))


def draft_revision(store: Store, message: str, folder: Path = FOLDER / "versions") -> Path:
    """Write the next revision's file from how the models differ from a database at the latest revision.

    CHECK constraints and conditions of indexes are not seen by Alembic: write them by hand.

    Args:
        store: A store at the latest revision.
        message: What the revision does; becomes its docstring and its file's name.
        folder: Where the revisions are.

    Returns:
        The file's path.
    """
    with _alone(store) as connection:
        config = _config(connection, folder)
        number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
        script = command.revision(config, message.rstrip("."), autogenerate=True, rev_id=f"{number:04}")
    assert isinstance(script, Script)
    return Path(script.path)


def _config(connection: Connection, folder: Path = FOLDER / "versions") -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("version_locations", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _is_down(connection: Connection, revision: str) -> bool:
    """Tell whether a revision lies below the one the database is at; refuse one that nobody knows."""
    script = ScriptDirectory.from_config(_config(connection))
    known = [step.revision for step in script.walk_revisions()][::-1]
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise MigrationError(
            f"数据库的版本 {current} 比程序新（程序最新为 {known[-1]}）；请升级程序后再使用这个数据库"
        )
    if revision not in (*known, "head", "base"):
        raise MigrationError(f"没有版本 {revision}；可用的版本：{'、'.join(known)}、head、base")
    steps = ["base", *known]
    return steps.index(known[-1] if revision == "head" else revision) < steps.index(current or "base")


@contextmanager
def _alone(store: Store) -> Iterator[Connection]:
    """Give a connection in one transaction that no other migration runs beside, with SQLite's foreign keys off.

    Rebuilding a table on SQLite drops it, which with foreign keys on deletes every row that points at it, without a word.
    """
    sqlite = store.dialect == "sqlite"
    failure: StatementError | None = None
    with _connected(store) as connection:
        if sqlite:
            _pragma(connection, "foreign_keys=OFF")
        try:
            with connection.begin():
                if not sqlite:
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({POSTGRES_LOCK})")
                yield connection
                if sqlite:
                    _refuse_orphans(connection)
        except StatementError as error:
            failure = error
        finally:
            if sqlite:
                _pragma(connection, "foreign_keys=ON")
    if failure is not None:
        raise MigrationError(f"数据库结构无法更新：{translated(failure).message}；数据库未改动")


def _connected(store: Store) -> Connection:
    """Connect, as the first thing that a process asks of its database.

    Raises:
        StoreError: The database can't be reached.
    """
    try:
        return store.engine.connect()
    except StatementError as error:
        failure = error
    raise translated(failure) from None


def _pragma(connection: Connection, setting: str) -> None:
    """Set a pragma outside of any transaction: inside one SQLite ignores `foreign_keys` without a word."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(f"PRAGMA {setting}")


def _refuse_orphans(connection: Connection) -> None:
    rows = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if rows:
        orphans = tuple((str(row[0]), str(row[1]), str(row[2])) for row in rows)
        table, row_id, parent = orphans[0]
        raise MigrationError(
            f"数据库结构无法更新：{len(orphans)} 行失去了所属的上级记录，"
            f"例如 {table} 第 {row_id} 行在 {parent} 中找不到；数据库未改动",
            orphans,
        )
