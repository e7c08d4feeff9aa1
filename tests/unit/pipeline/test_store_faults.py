"""What a driver says is passed on without what it quotes."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DataError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from pipeline.store import StoreBusy, StoreError, StoreRefused
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
