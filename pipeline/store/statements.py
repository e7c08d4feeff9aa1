"""The few statements that SQLite and PostgreSQL share only when written with care."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Any, cast

from sqlalchemy import JSON, ColumnElement, Dialect, Table, UnaryExpression
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


def insert_many(
    session: Session,
    model: type[DeclarativeBase],
    common: Mapping[str, Any],
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    unless_taken: Sequence[str] = (),
) -> int:
    """Insert tens of thousands of rows: what SQLAlchemy does for each row takes several times as long as the database.

    Args:
        session: A session of `Store.write()`; what it holds that is not flushed yet comes after this.
        model: Says which table. A column that is not named stays empty: no default of the model is put in.
        common: Values that all rows have, by column.
        names: The columns in which rows differ.
        rows: Their values; for a JSON column the text that `pipeline.store.types.json_text` writes.
        unless_taken: The columns of a unique key; a row whose key is taken is passed over. Empty to refuse it.

    Returns:
        How many rows were inserted.

    Raises:
        StoreRefused: A value can't be kept.
    """
    if not rows:
        return 0
    connection = session.connection()
    table, dialect = cast("Table", model.__table__), connection.dialect
    shared = {name: _bound(table, name, dialect)(value) for name, value in common.items()}
    columns = [
        [*map(_bound(table, name, dialect), values)]
        for name, values in zip(names, zip(*rows, strict=True), strict=True)
    ]
    quote = dialect.identifier_preparer.quote
    into = f"INSERT INTO {quote(table.name)} ({', '.join(map(quote, [*shared, *names]))})"
    conflict = f" ON CONFLICT ({', '.join(map(quote, unless_taken))}) DO NOTHING" if unless_taken else ""
    if dialect.name == "sqlite":
        marks = ", ".join("?" * (len(shared) + len(columns)))
        values = list(zip(*map(repeat, shared.values()), *columns, strict=False))
        return connection.exec_driver_sql(f"{into} VALUES ({marks}){conflict}", values).rowcount
    kinds = {name: table.c[name].type.compile(dialect) for name in [*shared, *names]}
    fixed = [f"%s::{kinds[name]}" for name in shared]
    # Binary, as the driver writes an array as text by a regular expression in Python; JSON it knows as text only.
    arrays = ", ".join(f"%b::{'TEXT[]::' if kinds[name] == 'JSONB' else ''}{kinds[name]}[]" for name in names)
    chosen = ", ".join([*fixed, *(f"varying.c{place}" for place in range(len(names)))])
    source = f"unnest({arrays}) AS varying({', '.join(f'c{place}' for place in range(len(names)))})"
    text = f"{into} SELECT {chosen} FROM {source}{conflict}"  # noqa: S608 - the names of our own models
    return connection.exec_driver_sql(text, (*shared.values(), *columns)).rowcount


def newest_first(column: InstrumentedAttribute[Any] | ColumnElement[Any]) -> UnaryExpression[Any]:
    """Order from the largest value down, rows without a value last on every database."""
    ordered: UnaryExpression[Any] = column.desc().nulls_last()
    return ordered


def oldest_first(column: InstrumentedAttribute[Any] | ColumnElement[Any]) -> UnaryExpression[Any]:
    """Order from the smallest value up, rows without a value last on every database."""
    ordered: UnaryExpression[Any] = column.asc().nulls_last()
    return ordered


def _bound(table: Table, name: str, dialect: Dialect) -> Callable[[Any], Any]:
    """Give what makes a column's value one that the driver takes."""
    kind = table.c[name].type.dialect_impl(dialect)
    process = None if isinstance(kind, JSON) else kind.bind_processor(dialect)
    return process or (lambda value: value)
