"""The floor of what is kept: the same bytes in the same tables, chunk by chunk, by the driver alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pipeline.store import Store
from pipeline.uploads.check import CHUNK

TABLES = ("decisions", "upload_rows", "listings", "outbox")
"""What the check writes to, parents first."""


@contextmanager
def taken_out(store: Store) -> Iterator[Callable[[], None]]:
    """Empty the tables, and give a function that puts all their rows in again, a transaction for each chunk."""
    with store.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if store.dialect == "sqlite":
            yield _sqlite(driver)
        else:
            connection.rollback()
            yield _postgres(driver)


def _sqlite(driver: Any) -> Callable[[], None]:
    kept = {table: driver.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}  # noqa: S608 - our own tables
    for table in reversed(TABLES):
        driver.execute(f"DELETE FROM {table}")  # noqa: S608 - as above

    def insert() -> None:
        for start in range(0, len(kept["upload_rows"]), CHUNK):
            driver.execute("BEGIN IMMEDIATE")
            for table, rows in kept.items():
                if part := rows[start : start + CHUNK]:
                    marks = ", ".join("?" * len(part[0]))
                    driver.executemany(f"INSERT INTO {table} VALUES ({marks})", part)  # noqa: S608 - as above
            driver.execute("COMMIT")

    return insert


def _postgres(driver: Any) -> Callable[[], None]:
    """Use COPY: nothing is faster."""
    kept: dict[str, list[bytes]] = {}
    with driver.cursor() as cursor:
        for table in TABLES:
            with cursor.copy(f"COPY {table} TO STDOUT") as lines:
                kept[table] = b"".join(map(bytes, lines)).splitlines(keepends=True)
        for table in reversed(TABLES):
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - as above
    driver.commit()

    def insert() -> None:
        with driver.cursor() as cursor:
            for start in range(0, len(kept["upload_rows"]), CHUNK):
                for table, lines in kept.items():
                    if part := lines[start : start + CHUNK]:
                        with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                            copy.write(b"".join(part))
                driver.commit()

    return insert
