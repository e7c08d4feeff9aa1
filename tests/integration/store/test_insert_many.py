"""Rows that go past SQLAlchemy's own way of inserting are kept as those that go along it, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from pipeline.store import DecisionRow, Listing, Store, StoreConflict, StoreRefused, UploadRow, insert_many
from pipeline.store.types import json_text

NOW = datetime(2022, 3, 8, 1, 2, 3, 456789, tzinfo=UTC)
SHOP, UPLOAD = "38405005", "up-38405005"
TEXTS = ["羊毛围巾", "", "a'b\"c", "{1,NULL}", "\\", "%s %b", "😀", "line\nline", "NULL", "\\u0000"]
NAMES = ("number", "cells", "row", "reason", "decision_id")
KEY = ("channel", "shop_id", "product_id")


def kept(store: Store) -> dict[int, UploadRow]:
    with store.read() as session:
        wanted = select(UploadRow).where(UploadRow.upload_id == UPLOAD, UploadRow.number > 2)
        return {row.number: row for row in session.scalars(wanted)}


def listing(number: int, product_id: str) -> tuple[Any, ...]:
    return (f"l{number}", product_id, number)


def reserve(store: Store, rows: list[tuple[Any, ...]], **options: Any) -> int:
    common = {
        "channel": "huiju",
        "shop_id": SHOP,
        "state": "reserved",
        "upload_id": UPLOAD,
        "created_at": NOW,
    }
    with store.write() as session:
        return insert_many(session, Listing, common, ("id", "product_id", "row_number"), rows, **options)


def test_every_kind_of_value_comes_back_as_it_went(filled: Store) -> None:
    rows = [
        (number, json_text({text: [text, None, 2**53 + 1]}), None, text, f"d-{SHOP}" if number % 2 else None)
        for number, text in enumerate(TEXTS, 3)
    ]
    common = {"upload_id": UPLOAD, "state": "rejected", "updated_at": NOW}
    with filled.write() as session:
        assert len(TEXTS) == insert_many(session, UploadRow, common, NAMES, rows)
    assert {
        number: (text, {text: [text, None, 2**53 + 1]}, None, NOW, f"d-{SHOP}" if number % 2 else None)
        for number, text in enumerate(TEXTS, 3)
    } == {
        number: (row.reason, row.cells, row.row, row.updated_at, row.decision_id)
        for number, row in kept(filled).items()
    }


def test_bytes_come_back_as_they_went(filled: Store) -> None:
    content = bytes(range(256)) + "结论".encode()
    common = {"shop_id": SHOP, "ruleset": "r", "version": "v", "as_of": NOW, "created_at": NOW}
    with filled.write() as session:
        insert_many(session, DecisionRow, common, ("id", "outcome", "content"), [("x", "accepted", content)])
    with filled.read() as session:
        assert content == session.get_one(DecisionRow, "x").content


def test_no_rows_are_no_statement(filled: Store) -> None:
    assert 0 == reserve(filled, [])


def test_a_row_whose_key_is_taken_is_passed_over_and_not_counted(filled: Store) -> None:
    """R15: the constraint says who has the product, within one statement too."""
    rows = [listing(3, "403680077"), listing(4, "9"), listing(5, "9"), listing(6, "8")]
    assert 2 == reserve(filled, rows, unless_taken=KEY)
    with filled.read() as session:
        won = session.scalars(select(Listing.row_number).where(Listing.state == "reserved"))
        assert [4, 6] == sorted(won)


def test_a_key_that_is_taken_refuses_all_where_nothing_else_is_said(filled: Store) -> None:
    with pytest.raises(StoreConflict) as caught:
        reserve(filled, [listing(3, "9"), listing(4, "403680077")])
    assert "uq_listings_channel_shop_id_product_id" == caught.value.constraint
    with filled.read() as session:
        assert 2 == session.scalar(select(func.count()).select_from(Listing))


@pytest.mark.parametrize("text", ["a\0b", "\ud83d"])
def test_what_no_database_keeps_is_refused(filled: Store, text: str) -> None:
    with pytest.raises(StoreRefused):
        reserve(filled, [listing(3, text)])
