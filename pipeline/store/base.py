"""The base of all models: constraint names, ids, and the CHECK that keeps a text column to a closed vocabulary."""

from __future__ import annotations

import secrets
import threading
import time
from datetime import datetime
from typing import Any, ClassVar, get_args

from sqlalchemy import CheckConstraint, MetaData
from sqlalchemy.orm import DeclarativeBase

from pipeline.store.types import PlainText, UtcDateTime, big_integer

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""One scheme on every database, so that a migration can name what it changes."""


class Base(DeclarativeBase):
    """Gather every table of the store in one metadata; a plain annotation gets the type that is safe everywhere."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: PlainText(),
        int: big_integer(),
        datetime: UtcDateTime(),
    }


class _Clock:
    """Hand out microseconds since 1970 that never repeat within this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def tick(self) -> int:
        with self._lock:
            self._last = max(self._last + 1, time.time_ns() // 1000)
            return self._last


_clock = _Clock()


def new_id() -> str:
    """Give a new id: 32 hex digits, 14 of the time in microseconds and 18 at random.

    Ids made by one process sort in the order in which they were made, so that a page of a list can go on after the
    last id seen.

    Examples:
        >>> earlier, later = new_id(), new_id()
        >>> earlier < later, len(later)
        (True, 32)
    """
    return f"{_clock.tick():014x}{secrets.token_hex(9)}"


def one_of(column: str, vocabulary: Any) -> CheckConstraint:
    """Keep a text column to the values of a Literal.

    Args:
        column: Name of the column.
        vocabulary: A `Literal[…]` of texts.

    Returns:
        A CHECK constraint named after the column.
    """
    values = ", ".join(f"'{value}'" for value in get_args(vocabulary))
    return CheckConstraint(f"{column} IN ({values})", name=column)
