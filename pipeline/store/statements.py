"""The few statements that SQLite and PostgreSQL share only when written with care."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session


def insert_for(session: Session, model: type[DeclarativeBase]) -> sqlite.Insert | postgresql.Insert:
    """Give the insert of the session's own database: only that one knows `on_conflict_do_update`.

    Examples:
        `insert_for(session, Product).values(…).on_conflict_do_update(index_elements=[…], set_={…}).returning(…)`
    """
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(model)
    return postgresql.insert(model)


def newest_first(column: InstrumentedAttribute[Any] | ColumnElement[Any]) -> UnaryExpression[Any]:
    """Order from the largest value down, rows without a value last on every database."""
    ordered: UnaryExpression[Any] = column.desc().nulls_last()
    return ordered


def oldest_first(column: InstrumentedAttribute[Any] | ColumnElement[Any]) -> UnaryExpression[Any]:
    """Order from the smallest value up, rows without a value last on every database."""
    ordered: UnaryExpression[Any] = column.asc().nulls_last()
    return ordered
