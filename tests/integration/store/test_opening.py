"""Opening a store: which addresses are taken, and what each session may do."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, insert, select, text

from pipeline.store import (
    Shop,
    Store,
    StoreAddressError,
    StoreConflict,
    StoreError,
    database_now,
    migrate,
    open_store,
)

NOW = datetime(2022, 3, 8, 1, 2, 3, 456789, tzinfo=UTC)


def shop(shop_id: str = "38405005", name: str = "羊毛小店") -> Shop:
    return Shop(id=shop_id, name=name, edition="wsc_ecommerce", created_at=NOW, updated_at=NOW)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("not an address", "无法识别"),
        ("", "无法识别"),
        ("mysql://root:hush@localhost/x", "不支持数据库 mysql"),
        ("sqlite://", "必须是一个文件"),
        ("sqlite:///:memory:", "必须是一个文件"),
        ("sqlite:////nowhere/at/all/shelfgate.db", "/nowhere/at/all 不存在"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_with_the_remedy(address: str, said: str) -> None:
    with pytest.raises(StoreAddressError, match=said) as caught:
        open_store(address)
    assert "hush" not in caught.value.address + caught.value.message


def test_a_password_in_the_address_is_never_shown() -> None:
    store = open_store("postgresql://shelfgate:hush@localhost/shelfgate")
    assert "hush" not in repr(store)
    assert "hush" not in repr(store.engine)
    store.close()


@pytest.mark.parametrize("session", ["read", "write"])
def test_a_database_that_goes_away_before_a_session_ends_is_one_clear_error(
    postgres_database: str, session: str
) -> None:
    """What was asked for was given by then; only the end of the transaction meets the fault."""
    store = open_store(postgres_database)
    with pytest.raises(StoreError, match="数据库无法使用"), getattr(store, session)() as opened:
        number = opened.scalar(select(func.pg_backend_pid()))
        with psycopg.connect(postgres_database) as other:
            other.execute("SELECT pg_terminate_backend(%s, 10000)", (number,))
    store.ping()
    store.close()


def test_a_database_that_is_not_there_is_one_clear_error() -> None:
    store = open_store("postgresql://shelfgate:hush@127.0.0.1:9/shelfgate")
    with pytest.raises(StoreError, match="数据库无法使用") as caught, store.read() as session:
        session.scalar(select(func.count()).select_from(Shop))
    assert "hush" not in str(caught.value)
    with pytest.raises(StoreError, match="数据库无法使用") as caught:
        migrate(store)
    assert "hush" not in str(caught.value)
    store.close()


def test_a_file_that_is_no_database_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "photo.db").write_bytes(b"\xff\xd8\xff\xe0" * 1000)
    store = open_store(f"sqlite:///{tmp_path / 'photo.db'}")
    with pytest.raises(StoreError, match="file is not a database"), store.read() as session:
        session.scalar(select(func.count()).select_from(Shop))
    store.close()


def test_what_is_written_is_there_for_the_next_reader(store: Store) -> None:
    with store.write() as session:
        session.add(shop())
    with store.read() as session:
        assert "羊毛小店" == session.scalars(select(Shop.name)).one()


def test_a_block_that_raises_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as session:
        session.add(shop())
        session.flush()
        _ = 1 / 0
    with store.read() as session:
        assert 0 == session.scalar(select(func.count()).select_from(Shop))


def test_a_reading_session_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError), store.read() as session:
        session.add(shop())
        session.flush()
    with store.write() as session:
        session.add(shop())


def test_a_reading_session_sees_one_state_while_others_write(store: Store) -> None:
    with store.read() as session:
        assert 0 == session.scalar(select(func.count()).select_from(Shop))
        with store.write() as other:
            other.add(shop())
        assert 0 == session.scalar(select(func.count()).select_from(Shop))
    with store.read() as session:
        assert 1 == session.scalar(select(func.count()).select_from(Shop))


def test_a_conflict_names_the_constraint(store: Store) -> None:
    with store.write() as session:
        session.add(shop())
    with pytest.raises(StoreConflict) as caught, store.write() as session:
        session.add(shop(name="别的店"))
    assert "pk_shops" == caught.value.constraint


def test_a_value_that_is_missing_is_named_by_its_column(store: Store) -> None:
    with pytest.raises(StoreConflict) as caught, store.write() as session:
        session.execute(insert(Shop).values(id="1", edition="other", created_at=NOW, updated_at=NOW))
    assert "shops.name" == caught.value.constraint


def test_the_log_of_statements_holds_no_value(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "sqlalchemy"), store.write() as session:
        session.add(shop(name="保密的名字"))
    assert "INSERT INTO shops" in caplog.text
    assert "保密的名字" not in caplog.text


def test_an_error_of_the_store_quotes_no_value_of_the_row(store: Store) -> None:
    """The driver's own text quotes keys and parameters; a log line must not hold a customer's data."""
    with store.write() as session:
        session.add(shop("38405099"))
    with pytest.raises(StoreConflict) as caught, store.write() as session:
        session.add(shop("38405099", name="保密的名字"))
    assert "38405099" not in str(caught.value)
    assert "保密的名字" not in str(caught.value)


def test_the_shared_clock_is_aware_and_close_to_ours(store: Store) -> None:
    with store.read() as session:
        now = database_now(session)
    assert timedelta(0) == now.utcoffset()
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_server_that_was_restarted_is_found_again(store: Store) -> None:
    """Its connections in the pool are dead by then; the one in use reports it, the next block works."""
    with pytest.raises(StoreError, match="数据库无法使用"), store.read() as session, store.read() as other:
        session.scalar(select(1))
        other.scalar(select(1))
        end_all_others = text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        session.execute(end_all_others.columns())
        other.scalar(select(1))
    with store.write() as session:
        session.add(shop())


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_sqlite_is_opened_safely(store: Store) -> None:
    with store.write() as session:
        found = {
            name: session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "foreign_keys", "synchronous")
        }
    assert {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2} == found
