"""Each pitfall seen with SQLite, PostgreSQL and SQLAlchemy, and that it can't be stepped into any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from threading import Event as Signal
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import func, select

from pipeline.store import (
    AuditEntry,
    Cursor,
    OutboxItem,
    Product,
    Rate,
    Store,
    StoreBusy,
    StoreRefused,
    Upload,
    insert_for,
    new_id,
    newest_first,
    oldest_first,
    open_store,
)

Threads = Callable[[int, Callable[[int], None]], None]
NOW = datetime(2022, 3, 8, 1, 2, 3, 456789, tzinfo=UTC)


@pytest.fixture
def rate(store: Store) -> Iterator[Store]:
    with store.write() as session:
        session.add(Rate(channel="huiju", shop_id="1", tat=0))
    return store


def product(payload: dict[str, Any], product_id: str = "403680077") -> Product:
    return Product(
        shop_id="38405005", id=product_id, title="羊毛围巾", payload=payload, hash="0", fetched_at=NOW
    )


def test_no_update_is_lost_between_eight_threads(rate: Store, in_threads: Threads) -> None:
    """Python's SQLite driver begins late and loses most of them without a word; a deferred BEGIN fails at once."""

    def add_hundred(_number: int) -> None:
        for _ in range(100):
            with rate.write() as session:
                row = session.scalars(select(Rate).with_for_update()).one()
                row.tat += 1

    in_threads(8, add_hundred)
    with rate.read() as session:
        assert 800 == session.scalars(select(Rate.tat)).one()


def test_a_writer_that_reads_first_waits_instead_of_failing_locked(rate: Store) -> None:
    """Under a deferred BEGIN the second writer, having read, could never write again: "database is locked" at once."""
    reading, failures = Signal(), list[Exception]()

    def second() -> None:
        reading.set()
        try:
            with rate.write() as session:
                session.scalars(select(Rate).with_for_update()).one().tat += 1
        except Exception as error:  # the thread has no other way to tell
            failures.append(error)

    with rate.write() as session:
        row = session.scalars(select(Rate).with_for_update()).one()
        other = Thread(target=second)
        other.start()
        assert reading.wait(5)
        other.join(0.2)
        row.tat += 1
    other.join(10)
    assert [] == failures
    with rate.read() as session:
        assert 2 == session.scalars(select(Rate.tat)).one()


def test_a_writer_that_waits_too_long_is_told_so(
    rate: Store, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.store.connection.BUSY_SECONDS", 0.1)
    with closing(open_store(address)) as hasty, rate.write() as session:
        session.scalars(select(Rate).with_for_update()).one()
        with pytest.raises(StoreBusy, match="稍后重试"), hasty.write() as other:
            other.scalars(select(Rate).with_for_update()).one()


def test_readers_and_writers_do_not_wait_for_each_other(rate: Store) -> None:
    with rate.write() as session:
        session.scalars(select(Rate).with_for_update()).one().tat = 7
        session.flush()
        with rate.read() as reader:
            assert 0 == reader.scalars(select(Rate.tat)).one()


def test_a_moment_of_any_zone_comes_back_as_the_same_moment_in_utc(filled: Store) -> None:
    """SQLite's own type drops the zone and keeps the wall time: eight hours wrong."""
    for hours in (8, 0, -5):
        moment = NOW.astimezone(timezone(timedelta(hours=hours)))
        with filled.write() as session:
            row = session.scalars(select(Cursor).where(Cursor.shop_id == "38405005")).one()
            row.until = moment
        with filled.read() as session:
            kept = session.scalars(select(Cursor.until).where(Cursor.shop_id == "38405005")).one()
            found = session.scalar(select(func.count()).select_from(Cursor).where(Cursor.until == moment))
        assert (NOW, timedelta(0), 2) == (kept, kept.utcoffset(), found)


def test_a_moment_without_a_zone_is_refused_with_an_example(filled: Store) -> None:
    with pytest.raises(StoreRefused, match=r"2022-03-08T09:00:00\+08:00"), filled.write() as session:
        session.scalars(select(Cursor).limit(1)).one().until = datetime(2022, 3, 8, 9)


def test_a_chinese_key_in_json_is_found(filled: Store) -> None:
    r"""Written as \uXXXX, as Python does unless told otherwise, the key is not found on SQLite."""
    with filled.read() as session:
        found = session.scalars(select(Product.id).where(Product.payload["类目"].as_integer() == 1)).all()
    assert ["403680077", "403680077"] == found


def test_json_keeps_integers_beyond_2_to_the_53_to_the_digit(filled: Store) -> None:
    with filled.read() as session:
        payload = session.scalars(select(Product.payload).limit(1)).one()
    assert 2**53 + 1 == payload["id"]


def test_none_in_a_json_column_is_null(filled: Store) -> None:
    """Unless told otherwise SQLAlchemy keeps JSON's null, which IS NULL does not find."""
    with filled.read() as session:
        empty = session.scalar(
            select(func.count()).select_from(OutboxItem).where(OutboxItem.answer.is_(None))
        )
    assert 2 == empty
    with filled.write() as session:
        item = session.scalars(select(OutboxItem).limit(1)).one()
        item.answer = {"code": 0}
        session.flush()
        item.answer = None
    with filled.read() as session:
        empty = session.scalar(
            select(func.count()).select_from(OutboxItem).where(OutboxItem.answer.is_(None))
        )
    assert 2 == empty


def test_a_change_of_json_in_place_is_saved(filled: Store) -> None:
    with filled.write() as session:
        row = session.get_one(Product, ("38405005", "403680077"))
        row.payload["标题"] = "围巾"
    with filled.read() as session:
        assert "围巾" == session.get_one(Product, ("38405005", "403680077")).payload["标题"]


def test_a_change_further_down_in_json_is_saved_by_assigning_a_new_value(filled: Store) -> None:
    with filled.write() as session:
        row = session.get_one(Product, ("38405005", "403680077"))
        row.payload["sku"] = {"stock": 1}
    with filled.write() as session:
        row = session.get_one(Product, ("38405005", "403680077"))
        row.payload = {**row.payload, "sku": {**row.payload["sku"], "stock": 2}}
    with filled.read() as session:
        assert {"stock": 2} == session.get_one(Product, ("38405005", "403680077")).payload["sku"]


def test_json_that_one_database_could_not_keep_is_refused_on_both(filled: Store) -> None:
    for value in (float("nan"), float("inf"), "a\0b", {"a\0": 1}, "\ud83d", object()):
        with pytest.raises(StoreRefused), filled.write() as session:
            row = session.get_one(Product, ("38405005", "403680077"))
            row.payload = {"value": value}


def test_json_and_text_keep_every_other_character(filled: Store) -> None:
    for value in ("\\u0000", "\\\\u0000", "a\\", "😀", "𠮷", "\u202e", "%", "'", '"', "\ue000", "\uffff", ""):
        with filled.write() as session:
            row = session.get_one(Product, ("38405005", "403680077"))
            row.payload, row.title = {"value": value, value: 1}, value
        with filled.read() as session:
            row = session.get_one(Product, ("38405005", "403680077"))
        assert ({"value": value, value: 1}, value) == (row.payload, row.title)


def test_text_that_one_database_could_not_keep_is_refused_on_both(filled: Store) -> None:
    for value in ("a\0b", "\ud83d", "好\udc00"):
        with pytest.raises(StoreRefused, match="无法保存的字符"), filled.write() as session:
            row = session.get_one(Product, ("38405005", "403680077"))
            row.title = value


def test_an_upsert_is_one_statement_on_both(filled: Store) -> None:
    values = {
        "shop_id": "38405005",
        "id": "403680077",
        "title": "新围巾",
        "payload": {},
        "hash": "1",
        "fetched_at": NOW,
    }
    with filled.write() as session:
        insert = insert_for(session, Product).values(**values)
        titles = session.scalars(
            insert.on_conflict_do_update(
                index_elements=["shop_id", "id"], set_={"title": insert.excluded.title}
            ).returning(Product.title)
        ).all()
    assert ["新围巾"] == titles
    with filled.read() as session:
        assert 2 == session.scalar(select(func.count()).select_from(Product))


def test_rows_without_a_value_come_last_whichever_way_they_are_ordered(filled: Store) -> None:
    """SQLite puts NULL first, PostgreSQL last."""
    with filled.read() as session:
        up = session.scalars(select(Upload.finished_at).order_by(oldest_first(Upload.finished_at))).all()
        down = session.scalars(select(Upload.finished_at).order_by(newest_first(Upload.finished_at))).all()
    hour = NOW + timedelta(hours=1)
    assert [hour, hour, None, None] == up
    assert [hour, hour, None, None] == down


def test_a_number_beyond_32_bits_is_kept(rate: Store) -> None:
    with rate.write() as session:
        session.scalars(select(Rate)).one().tat = 2**62
    with rate.read() as session:
        assert 2**62 == session.scalars(select(Rate.tat)).one()


def test_ids_made_one_after_another_come_back_in_that_order(store: Store) -> None:
    """A page of a list goes on after the last id seen, so both databases must order ids as Python does."""
    entries = [
        AuditEntry(
            at=NOW, shop_id="1", channel="huiju", actor_id="u1", actor_name="王", actor_role="admin", action=str(n),
            outcome="done",
        )
        for n in range(300)
    ]  # fmt: skip
    for entry in entries:
        entry.id = new_id()
    with store.write() as session:
        session.add_all(reversed(entries))
    with store.read() as session:
        found = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert [str(n) for n in range(300)] == found
