"""From what SQLAlchemy raises to the store's own errors."""

from __future__ import annotations

import re
import sqlite3

from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from pipeline.store.base import Base
from pipeline.store.errors import StoreBusy, StoreConflict, StoreError

SQLITE_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
POSTGRES_BUSY = ("40001", "40P01", "55P03")
"""Serialization failure, deadlock, lock not available (PostgreSQL docs, appendix A)."""


def translated(error: StatementError | PoolTimeout) -> StoreError:
    """Turn what SQLAlchemy raised into the store's own error, without statement or values.

    Args:
        error: What a statement, a flush or a commit raised.

    Returns:
        The error to raise instead.
    """
    if isinstance(error, PoolTimeout):
        return StoreBusy("数据库连接已全部占用；请稍后重试")
    if isinstance(error.orig, StoreError):
        return error.orig
    if isinstance(error, IntegrityError):
        name = _constraint_of(error)
        return StoreConflict(f"数据库约束 {name or '（外键）'} 不允许这次写入，本次事务未保存任何内容", name)
    if isinstance(error, OperationalError) and _is_busy(error):
        return StoreBusy("数据库正忙，等待其他写入超时；请稍后重试")
    if isinstance(error, DBAPIError) and (
        error.connection_invalidated or isinstance(error, OperationalError)
    ):
        return StoreError(f"数据库无法使用：{_first_line(error)}；请检查数据库地址、服务和磁盘")
    return StoreError(f"数据库拒绝了这次操作：{_first_line(error)}")


def _is_busy(error: OperationalError) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in SQLITE_BUSY
    return getattr(error.orig, "sqlstate", None) in POSTGRES_BUSY


def _first_line(error: StatementError) -> str:
    """Give the driver's first line: its later lines may quote values of the row."""
    return str(error.orig).partition("\n")[0]


def _constraint_of(error: IntegrityError) -> str:
    diag = getattr(error.orig, "diag", None)
    if diag is not None:
        return diag.constraint_name or (f"{diag.table_name}.{diag.column_name}" if diag.column_name else "")
    text = _first_line(error)
    if match := re.fullmatch(r"CHECK constraint failed: (\w+)", text):
        return match[1]
    if match := re.fullmatch(r"NOT NULL constraint failed: ([\w.]+)", text):
        return match[1]
    if match := re.fullmatch(r"UNIQUE constraint failed: (?:index '(\w+)'|(.+))", text):
        return match[1] or _unique_over(match[2])
    return ""


def _unique_over(columns: str) -> str:
    """Find the name of the unique key that SQLite names by its columns only (`listings.channel, listings.shop_id`)."""
    wanted = columns.split(", ")
    table = Base.metadata.tables.get(wanted[0].partition(".")[0])
    if table is None:
        return ""
    keys: list[PrimaryKeyConstraint | UniqueConstraint | Index] = [table.primary_key]
    keys += [constraint for constraint in table.constraints if isinstance(constraint, UniqueConstraint)]
    keys += [index for index in table.indexes if index.unique]
    for key in keys:
        if [f"{table.name}.{column.name}" for column in key.columns] == wanted:
            return str(key.name)
    return ""
