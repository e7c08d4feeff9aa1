"""Column types that mean the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.mutable import MutableDict, MutableList
from sqlalchemy.types import TypeDecorator, TypeEngine

from engine.decision import plain
from pipeline.store.errors import StoreRefused

NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
SURROGATE = re.compile("[\ud800-\udfff]")


class UtcDateTime(TypeDecorator[datetime]):
    """Keep a moment: aware values only, stored in UTC, given back in UTC.

    SQLite's own DateTime drops the zone and keeps the local wall time.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware moment into UTC; refuse a naive one."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise StoreRefused(
                f"时间 {value.isoformat()} 没有时区；请带上时区，例如 {value.isoformat()}+08:00"
            )
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class PlainText(TypeDecorator[str]):
    """Keep a text of any length; refuse what PostgreSQL can't keep, on SQLite too, so that both keep the same."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Let a text through that holds no NUL and no half of a surrogate pair."""
        if value is not None and ("\0" in value or (not value.isascii() and SURROGATE.search(value))):
            raise StoreRefused("文字中含有无法保存的字符（U+0000 或不完整的代理对）；请删除该字符")
        return value


class SealedText(TypeDecorator[str]):
    """Mark a column whose text `pipeline.secrets.Vault` has sealed: key rotation finds its columns by this type."""

    impl = Text
    cache_ok = True


def json_object() -> TypeEngine[Any]:
    """Give a JSON object column; a change of its top level is noticed, a change further down needs a new value.

    `row.payload["a"] = 1` is saved while `row` is held. `row.payload["a"]["b"] = 1` is not: assign
    `row.payload = {**row.payload, …}`.
    """
    return MutableDict.as_mutable(json_value())


def json_list() -> TypeEngine[Any]:
    """Give a JSON list column; the same holds of changes as for `json_object`."""
    return MutableList.as_mutable(json_value())


def json_value() -> JSON:
    """Give a JSON column of any shape; None is NULL, never JSON null. Any change needs a new value."""
    return JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def big_integer() -> TypeEngine[int]:
    """Give a 64-bit integer."""
    return BigInteger().with_variant(Integer(), "sqlite")


def json_text(value: Any, *, sort_keys: bool = False) -> str:
    """Write a JSON value for the database: Chinese as Chinese, so that SQLite finds a Chinese key; times as `engine.decision.plain` does.

    Args:
        value: The value.
        sort_keys: Write it as `engine.decision.canonical` does, so that what is kept is what was hashed.

    Raises:
        StoreRefused: Where a number is not finite or a text holds what PostgreSQL can't keep (NUL, half a surrogate
            pair); refused on SQLite too, so that both keep the same.

    Examples:
        >>> json_text({"类目": 1})
        '{"类目":1}'
    """
    try:
        text = (_SORTED if sort_keys else _AS_IT_IS).encode(value)
        text.encode()
    except (TypeError, ValueError) as error:
        raise StoreRefused(f"这个值无法存为 JSON：{type(error).__name__}，请检查其中的数字和文字") from None
    if "\\u0000" in text and NUL.search(text):  # looked for plainly first, as nearly no text holds it
        raise StoreRefused("文字中含有空字符（U+0000），数据库无法原样保存；请删除该字符")
    return text


def _encoder(*, sort_keys: bool) -> json.JSONEncoder:
    return json.JSONEncoder(
        ensure_ascii=False, allow_nan=False, sort_keys=sort_keys, separators=(",", ":"), default=_moment_text
    )


def _moment_text(value: object) -> Any:
    if isinstance(value, date):
        return plain(value)
    raise TypeError(type(value).__name__)


_AS_IT_IS, _SORTED = _encoder(sort_keys=False), _encoder(sort_keys=True)
