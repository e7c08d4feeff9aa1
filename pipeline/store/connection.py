"""Open the store and hand out sessions: one for reading, one for writing, alike on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from pipeline.store.errors import StoreAddressError
from pipeline.store.faults import translated
from pipeline.store.types import json_text

STORE = "SHELFGATE_STORE"
"""Variable that names the address."""

DEFAULT_STORE = "sqlite:///shelfgate.db"
Dialect = Literal["sqlite", "postgresql"]
BUSY_SECONDS = 30.0
"""Longest wait for another writer, s."""
POOL_SIZE = 5
POOL_OVERFLOW = 90
"""Connections beyond the pool's size that may be open at a time: one per thread of the server, each short-lived."""


class Store:
    """Hold the connections to one database.

    Attributes:
        engine: SQLAlchemy's engine; for migrations and tests, everything else asks for a session.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._readers = engine.execution_options(**_options(engine, writes=False))
        self._writers = engine.execution_options(**_options(engine, writes=True))

    def __repr__(self) -> str:
        return f"Store({self.engine.url.render_as_string(hide_password=True)})"

    @property
    def dialect(self) -> Dialect:
        """Name the kind of database."""
        return "sqlite" if self.engine.dialect.name == "sqlite" else "postgresql"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session that sees one state of the database and can't write.

        Raises:
            StoreError: As `pipeline.store.errors` says.
        """
        with self._session(self._readers) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session whose work is kept as a whole when the block ends, and not at all when it raises.

        On SQLite the block is alone in writing from its first line on (`BEGIN IMMEDIATE`). On PostgreSQL a row that is
        read in order to be changed must be read `with_for_update()`; SQLite leaves that clause out.

        Raises:
            StoreConflict: Where a constraint holds the work back.
            StoreBusy: Where other writers took too long.
            StoreError: As `pipeline.store.errors` says.
        """
        with self._session(self._writers) as session:
            yield session
            session.commit()

    def ping(self) -> None:
        """See that the database answers.

        Raises:
            StoreError: It does not.
        """
        with self.read() as session:
            session.execute(select(1))

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        """Give a session; what its end raises counts, too, as where the database goes away before a read is over."""
        try:
            with Session(engine, expire_on_commit=False) as session:
                yield session
        except (StatementError, PoolTimeout) as error:
            failure = error
        else:
            return
        raise translated(failure) from None

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_store(address: str) -> Store:
    """Open a store; nothing is sent to the database yet.

    Args:
        address: `sqlite:///relative/path.db`, `sqlite:////absolute/path.db` or
            `postgresql://user:password@host:5432/name`.

    Raises:
        StoreAddressError: Where the address can't be read, names another kind of database, or a folder that isn't there.
    """
    try:
        url = make_url(address)
    except ArgumentError:
        raise StoreAddressError(
            "数据库地址无法识别；请写成 sqlite:///文件路径 或 postgresql://用户:密码@主机:5432/库名", ""
        ) from None
    if url.get_backend_name() == "sqlite":
        return Store(_open_sqlite(url))
    if url.get_backend_name() == "postgresql":
        return Store(_open_postgres(url))
    shown = url.render_as_string(hide_password=True)
    raise StoreAddressError(f"不支持数据库 {url.get_backend_name()}；请使用 sqlite 或 postgresql", shown)


def database_now(session: Session) -> datetime:
    """Give the time by the clock that all workers share: the database's; on SQLite this machine's."""
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    now: datetime = session.scalars(select(func.clock_timestamp())).one()
    return now.astimezone(UTC)


def _open_sqlite(url: URL) -> Engine:
    shown = url.render_as_string()
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise StoreAddressError("SQLite 数据库必须是一个文件，例如 sqlite:///shelfgate.db", shown)
    folder = Path(url.database).parent
    if not folder.is_dir():
        raise StoreAddressError(f"数据库文件所在的文件夹 {folder} 不存在；请先创建它，或改用别的路径", shown)
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        connect_args={"isolation_level": None, "timeout": BUSY_SECONDS, "check_same_thread": False},
        **_common(),
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _open_postgres(url: URL) -> Engine:
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={
            "options": f"-c timezone=UTC -c lock_timeout={round(BUSY_SECONDS * 1000)}ms",
            "connect_timeout": 10,
        },
        pool_pre_ping=True,
        **_common(),
    )


def _common() -> dict[str, Any]:
    """Give what both kinds of engine have in common; values stay out of log lines and of error messages."""
    return {
        "json_serializer": json_text,
        "json_deserializer": json.loads,
        "hide_parameters": True,
        "pool_size": POOL_SIZE,
        "max_overflow": POOL_OVERFLOW,
    }


def _options(engine: Engine, *, writes: bool) -> dict[str, Any]:
    if engine.dialect.name == "sqlite":
        return {"store_reads_only": not writes}
    return {} if writes else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Set what SQLite keeps per connection; WAL is kept in the file.

    `synchronous=FULL`: what was committed outlives a loss of power, so that no call to a channel is repeated unawares.
    """
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={round(BUSY_SECONDS * 1000)}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Begin as the session asked: a writer takes the one write lock at once, a reader never."""
    reads_only = connection.get_execution_options().get("store_reads_only", False)
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reads_only else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")
