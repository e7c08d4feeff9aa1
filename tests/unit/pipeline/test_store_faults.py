"""What a driver says is passed on without what it quotes."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DataError, IntegrityError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from pipeline.store import StoreBusy, StoreConflict, StoreError, StoreRefused
from pipeline.store.faults import translated


def test_only_the_first_line_of_the_driver_is_passed_on() -> None:
    """PostgreSQL names the fault in the first line and quotes the row in those that follow."""
    driver = ValueError("bigint out of range\nDETAIL:  Failing row contains (13800138000).")
    error = translated(DataError("INSERT INTO orders VALUES (%s)", {"phone": "13800138000"}, driver))
    assert StoreError is type(error)
    assert "数据库拒绝了这次操作：bigint out of range" == error.message


def test_an_error_of_our_own_comes_through_as_it_was() -> None:
    ours = StoreRefused("时间没有时区")
    assert translated(StatementError("said by SQLAlchemy", "INSERT", {}, ours)) is ours


def test_no_connection_to_be_had_is_a_reason_to_try_again() -> None:
    error = translated(PoolTimeout("QueuePool limit reached"))
    assert isinstance(error, StoreBusy)
    with pytest.raises(StoreBusy, match="请稍后重试"):
        raise error


@pytest.mark.parametrize(
    ("said", "constraint"),
    [
        ("CHECK constraint failed: ck_shops_edition", "ck_shops_edition"),
        ("NOT NULL constraint failed: shops.name", "shops.name"),
        ("UNIQUE constraint failed: shops.id", "pk_shops"),
        ("UNIQUE constraint failed: listings.channel, listings.shop_id, listings.product_id", "uq_listings_channel_shop_id_product_id"),
        ("UNIQUE constraint failed: users.login", "uq_users_login"),
        ("UNIQUE constraint failed: index 'uq_listings_channel_product'", "uq_listings_channel_product"),
        ("UNIQUE constraint failed: shops.name", ""),
        ("UNIQUE constraint failed: strangers.name", ""),
        ("FOREIGN KEY constraint failed", ""),
    ],
)  # fmt: skip
def test_a_constraint_is_named_from_what_sqlite_says(said: str, constraint: str) -> None:
    error = translated(IntegrityError("INSERT", {}, ValueError(said)))
    assert isinstance(error, StoreConflict)
    assert constraint == error.constraint
