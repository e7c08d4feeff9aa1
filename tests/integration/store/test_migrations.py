"""The schema moves up and down with data in it, on both databases, and no row is lost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, inspect, select, text

from pipeline.store import (
    AfterSale,
    Base,
    MigrationError,
    Order,
    Shop,
    Store,
    StoreConflict,
    UploadFile,
    draft_revision,
    migrate,
    open_store,
    pending_changes,
    revision_of,
)

Content = dict[str, list[dict[str, Any]]]

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")
NEWEST = REVISIONS[-1]


@pytest.fixture
def filled(own_store: Store, fill: Callable[[Store], None]) -> Store:
    """Give a store with a row in every table, whose schema may be changed."""
    fill(own_store)
    return own_store


def content(store: Store) -> Content:
    """Read every row of every table as the database holds it, in a fixed order."""
    with store.engine.connect() as connection:
        found = MetaData()
        found.reflect(connection)
        return {
            table.name: sorted((dict(row) for row in connection.execute(select(table)).mappings()), key=repr)
            for table in found.sorted_tables
            if table.name != "alembic_version"
        }


def shape(connection: Connection) -> dict[str, Any]:
    """Describe every table: columns, keys, checks and indexes with their conditions."""
    inspector = inspect(connection)
    return {
        table: {
            "columns": {c["name"]: (repr(c["type"]), c["nullable"]) for c in inspector.get_columns(table)},
            "primary key": inspector.get_pk_constraint(table),
            "foreign keys": sorted(inspector.get_foreign_keys(table), key=repr),
            "unique": sorted(inspector.get_unique_constraints(table), key=repr),
            "checks": sorted((c["name"], c["sqltext"]) for c in inspector.get_check_constraints(table)),
            "indexes": sorted(
                (
                    str(i["name"]),
                    i["column_names"],
                    bool(i["unique"]),
                    {k: str(v) for k, v in i["dialect_options"].items()},
                )
                for i in inspector.get_indexes(table)
            ),
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


ADDED_TO_UPLOADS = {"corrects": None, "counts": None, "checker": None, "check_due": None, "check_tries": 0}
"""Columns that `uploads` has got since the third revision, and what they hold of an earlier row."""


def without(rows: list[dict[str, Any]], *columns: str) -> list[dict[str, Any]]:
    return sorted(({k: v for k, v in row.items() if k not in columns} for row in rows), key=repr)


def as_of_0003(now: Content) -> Content:
    """Give what the third revision holds of rows as they are now."""
    reasons = [{**row, "reason": None} for row in now["after_sales"]]
    then = {
        **{name: rows for name, rows in now.items() if name != "keyed_requests"},
        "uploads": without(now["uploads"], *ADDED_TO_UPLOADS),
        "listings": without(now["listings"], "channel_skus"),
        "cursors": without(now["cursors"], "busy_until"),
        "after_sales": [dict(sorted(row.items())) for row in reasons],
    }
    return in_order(then)


def in_order(found: Content) -> Content:
    """Sort columns by name and rows by content: the order of columns is no content."""
    rows = {name: [dict(sorted(row.items())) for row in some] for name, some in found.items()}
    return {name: sorted(some, key=repr) for name, some in rows.items()}


def test_the_migrated_schema_is_the_models_to_the_last_check(bare_store: Store) -> None:
    """Alembic compares neither CHECK constraints nor the conditions of indexes; this does."""
    Base.metadata.create_all(bare_store.engine)
    with bare_store.engine.connect() as connection:
        wanted = shape(connection)
    Base.metadata.drop_all(bare_store.engine)
    migrate(bare_store)
    with bare_store.engine.connect() as connection:
        assert wanted == shape(connection)


def test_autogeneration_finds_nothing_to_change(store: Store) -> None:
    assert [] == pending_changes(store)


def test_down_two_steps_and_up_again_keeps_every_row(filled: Store) -> None:
    """The steps rebuild `uploads`, which files, rows, listings and outbox items point at.

    With foreign keys on, SQLite deletes all of those while the table is rebuilt, without a word.
    """
    before = content(filled)
    assert 4 == len(before["uploads"])
    assert all(len(rows) >= 2 for rows in before.values())

    migrate(filled, "0003")
    assert "0003" == revision_of(filled)
    assert as_of_0003(before) == in_order(content(filled))

    migrate(filled)
    assert NEWEST == revision_of(filled)
    uploads = [{**row, **ADDED_TO_UPLOADS} for row in before["uploads"]]
    kept = {**before, "uploads": uploads, "keyed_requests": []}
    assert in_order(kept) == in_order(content(filled))
    assert [] == pending_changes(filled)


def test_up_from_an_earlier_revision_keeps_every_row(filled: Store) -> None:
    migrate(filled, "0003")
    before = content(filled)
    migrate(filled)
    after = content(filled)
    assert ADDED_TO_UPLOADS == {
        k: v for row in after["uploads"] for k, v in row.items() if k in ADDED_TO_UPLOADS
    }
    assert in_order(before) == as_of_0003(after)


def test_what_is_unknown_of_orders_is_taken_in_again_after_a_step_down(filled: Store) -> None:
    """R20: an earlier revision has no place for an unknown state; such a row goes, its shop's others stay."""
    with filled.write() as session:
        session.get_one(Order, "o-38405005").status = None
        session.get_one(AfterSale, "a-38405006").kind = None
    migrate(filled, "0005")
    after = content(filled)
    assert ["o-38405006"] == [row["id"] for row in after["orders"]]
    assert [] == after["after_sales"]
    migrate(filled)
    assert ["o-38405006"] == [row["id"] for row in content(filled)["orders"]]


def test_down_further_keeps_the_rows_of_the_tables_that_stay(filled: Store) -> None:
    before = content(filled)
    migrate(filled, "0001")
    after = content(filled)
    assert {name: before[name] for name in after} == after
    assert {
        "shops",
        "standings",
        "bindings",
        "users",
        "sessions",
        "tokens",
        "reference_snapshots",
        "decisions",
        "audit",
    } == set(after)
    migrate(filled)
    assert {**{name: [] for name in before}, **after} == content(filled)


def test_down_to_nothing_and_up_again(bare_store: Store) -> None:
    migrate(bare_store)
    migrate(bare_store, "base")
    assert (None, {}) == (revision_of(bare_store), content(bare_store))
    migrate(bare_store)
    assert NEWEST == revision_of(bare_store)


def test_migrating_twice_changes_nothing(filled: Store) -> None:
    before = content(filled)
    migrate(filled)
    migrate(filled, NEWEST)
    assert before == content(filled)


def test_children_are_guarded_again_after_a_migration(filled: Store) -> None:
    migrate(filled, "0003")
    migrate(filled)
    with pytest.raises(StoreConflict), filled.write() as session:
        session.add(UploadFile(upload_id="nobody", content=b""))


def test_several_processes_may_start_at_once(
    bare_address: str, in_threads: Callable[[int, Callable[[int], None]], None]
) -> None:
    def start(_number: int) -> None:
        with closing(open_store(bare_address)) as store:
            migrate(store)

    in_threads(4, start)
    with closing(open_store(bare_address)) as store:
        assert [] == pending_changes(store)


def test_a_step_that_fails_leaves_the_database_as_it_was(bare_store: Store) -> None:
    """The last table of the third revision is in the way: what the first two made is taken back too."""
    with bare_store.engine.begin() as connection:
        connection.execute(text("CREATE TABLE rates (mine TEXT)"))
        connection.execute(text("INSERT INTO rates VALUES ('保留')"))
    with pytest.raises(MigrationError, match="数据库未改动"):
        migrate(bare_store)
    assert (None, {"rates": [{"mine": "保留"}]}) == (revision_of(bare_store), content(bare_store))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_rows_that_have_lost_their_parent_are_named_and_nothing_is_changed(filled: Store) -> None:
    migrate(filled, "0003")
    with filled.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA foreign_keys=OFF")
        driver.execute("INSERT INTO upload_files (upload_id, content) VALUES ('nobody', x'00')")
        driver.execute("PRAGMA foreign_keys=ON")
    before = content(filled)
    with pytest.raises(MigrationError, match="upload_files") as caught:
        migrate(filled)
    assert [("upload_files", "uploads")] == [(child, parent) for child, _, parent in caught.value.orphans]
    assert ("0003", before) == (revision_of(filled), content(filled))


def test_an_unknown_revision_is_refused_with_the_known_ones(store: Store) -> None:
    with pytest.raises(
        MigrationError, match=f"没有版本 0999；可用的版本：{'、'.join(REVISIONS)}、head、base"
    ):
        migrate(store, "0999")


def test_a_database_that_is_newer_than_the_program_is_left_alone(filled: Store) -> None:
    with filled.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    before = content(filled)
    for revision in ("head", "0001", "base"):
        with pytest.raises(MigrationError, match=f"0999 比程序新（程序最新为 {NEWEST}）"):
            migrate(filled, revision)
    assert before == content(filled)


def test_a_drafted_revision_runs_as_it_was_written(bare_store: Store, tmp_path: Path) -> None:
    """A JSONB variant is written as a bare `Text` that Alembic doesn't import, our own types as modules it doesn't either."""
    path = draft_revision(bare_store, "Create every table.", tmp_path)
    drafted = path.read_text(encoding="utf-8")
    assert "pipeline" not in drafted
    names: dict[str, Any] = {}
    exec(compile(drafted, path.name, "exec"), names)
    assert ("0001", None, '"""Create every table."""') == (
        names["revision"],
        names["down_revision"],
        drafted.splitlines()[0],
    )
    with bare_store.engine.begin() as connection:
        from alembic.operations import Operations
        from alembic.runtime.migration import MigrationContext

        with Operations.context(MigrationContext.configure(connection)):
            names["upgrade"]()
    assert [] == pending_changes(bare_store)


def test_a_store_that_was_never_migrated_has_no_revision(bare_store: Store) -> None:
    assert revision_of(bare_store) is None
    assert "shops" in {change[1].name for change in pending_changes(bare_store) if change[0] == "add_table"}
    assert "shops" == Shop.__tablename__
