"""Bring ids, money, whole numbers and times from outside payloads into the one form that facts have.

Nothing is rounded, trimmed or guessed: a value is read exactly or refused by name with a `PayloadError`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from engine.errors import ShelfgateError

SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
EXACT_FLOAT: Final = 2**53
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_YUAN: Final = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,2})0*)?")
_WHOLE: Final = re.compile(r"-?[0-9]{1,19}")
_LOCAL: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}")


class PayloadError(ShelfgateError):
    """Say which value of an outside payload can't be read, and what was wanted.

    Attributes:
        path: Where in the payload, such as `sku_list[3].price`; empty for the payload itself.
        value: The value found there; None where there was none.
        wanted: What would do, in Chinese.
    """

    def __init__(self, path: str, value: object, wanted: str) -> None:
        shown = "缺失" if value is None else f"为 {_shown(value)}"
        super().__init__(f"有赞数据 {path or '整体'} {shown}，应为{wanted}")
        self.path = path
        self.value = value
        self.wanted = wanted


def id_text(value: object, path: str) -> str:
    """Read an id as text, exactly.

    Args:
        value: A whole number ≥ 0, a text that isn't blank, or a float that holds a whole number below 2^53.
        path: Where in the payload the value stands, for the error.

    Returns:
        The id as text; a text is passed on unchanged.

    Raises:
        PayloadError: The value is missing, blank, negative, no id, or a float that may have lost digits.

    >>> id_text(9007199254740993, "item_id")
    '9007199254740993'
    """
    if isinstance(value, str):
        if value.strip():
            return value
    elif isinstance(value, bool):
        pass
    elif isinstance(value, int):
        if value >= 0:
            return str(value)
    elif isinstance(value, float):
        if value.is_integer() and 0 <= value < EXACT_FLOAT:
            return str(int(value))
        raise PayloadError(
            path, value, "整数或文字形式的 ID（小数形式的 ID 可能已丢失末尾数字，请以文字形式重新取得）"
        )
    raise PayloadError(path, value, "整数或文字形式的 ID")


def optional_id(value: object, path: str) -> str | None:
    """Read an id that may be unset; Youzan writes unset ids as absent, empty or 0."""
    if value is None or value in ("", "0") or (value == 0 and not isinstance(value, bool)):
        return None
    return id_text(value, path)


def text(value: object, path: str) -> str | None:
    """Read a text; absent or empty gives None.

    Raises:
        PayloadError: The value is no text.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    raise PayloadError(path, value, "文字")


def code_text(value: object, path: str) -> str | None:
    """Read a merchant's own code (item number, barcode), a text or a whole number; absent or empty gives None."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text(value, path)


def whole(value: object, path: str) -> int | None:
    """Read a whole number, as Youzan's 64-bit fields come as number or text; absent or empty gives None.

    Raises:
        PayloadError: The value is no whole number; a float is none, even 3.0.
    """
    if type(value) is int:
        return value
    if value is None or value == "":
        return None
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    raise PayloadError(path, value, "整数")


def not_negative(value: object, path: str) -> int | None:
    """Read a whole number ≥ 0 (an amount in fen, a weight in g, a count); absent or empty gives None."""
    number = whole(value, path)
    if number is not None and number < 0:
        raise PayloadError(path, value, "不小于 0 的整数")
    return number


def yuan_to_fen(value: object, path: str) -> int | None:
    """Turn an amount in yuan, written as text, into fen.

    Args:
        value: Text such as `75.65` or `373`; digits after the second decimal place may only be zeros.
        path: Where in the payload the value stands, for the error.

    Returns:
        The amount in fen, ≥ 0; None for absent or empty.

    Raises:
        PayloadError: The value is no such text; a number is refused, as it may as well be fen.

    >>> yuan_to_fen("75.65", "payment")
    7565
    """
    if value is None or value == "":
        return None
    found = _YUAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise PayloadError(path, value, '以元为单位、至多两位小数的文字，如 "75.65"')
    yuan, fraction = found.groups()
    return int(yuan) * 100 + int((fraction or "0").ljust(2, "0"))


def fen_or_yuan(value: object, path: str) -> int | None:
    """Read an amount that comes in fen as a number or in yuan as text with a decimal point (the 3.0.0 item APIs).

    Raises:
        PayloadError: The value is neither; a text without a decimal point could be either and is refused.
    """
    if isinstance(value, str) and value:
        if "." not in value:
            raise PayloadError(path, value, "以分为单位的整数，或带小数点、以元为单位的文字")
        return yuan_to_fen(value, path)
    return not_negative(value, path)


def instant(value: object, path: str) -> datetime | None:
    """Read a time as an aware datetime in UTC.

    Args:
        value: Milliseconds since 1970 as a number or its text, or `yyyy-MM-dd HH:mm:ss` in Asia/Shanghai (+08:00).
        path: Where in the payload the value stands, for the error.

    Returns:
        The time; None where it is unset: absent, empty, 0, or `1970-01-01 08:00:00`, which is 0 written as text.

    Raises:
        PayloadError: The value is no time.
    """
    if type(value) is int and value > 0:
        return _from_milliseconds(value, path)
    if isinstance(value, str):
        if not value:
            return None
        if _LOCAL.fullmatch(value):
            try:
                moment = datetime.fromisoformat(value).replace(tzinfo=SHANGHAI).astimezone(UTC)
            except (ValueError, OverflowError):
                raise PayloadError(path, value, _TIME) from None
            return None if moment == _EPOCH else moment
        if not _WHOLE.fullmatch(value):
            raise PayloadError(path, value, _TIME)
        value = int(value)
    if value is None or (value == 0 and not isinstance(value, bool)):
        return None
    if type(value) is int:
        return _from_milliseconds(value, path)
    raise PayloadError(path, value, _TIME)


def _from_milliseconds(value: int, path: str) -> datetime:
    """Turn milliseconds since 1970 into a time, exactly."""
    try:
        return _EPOCH + timedelta(0, 0, 0, value)
    except OverflowError:
        raise PayloadError(path, value, _TIME) from None


def flag(value: object, path: str) -> bool | None:
    """Read a yes or no: true, false, 1 or 0; absent gives None.

    Raises:
        PayloadError: The value is none of these.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return value == 1
    raise PayloadError(path, value, "true、false、1 或 0")


def record(value: object, path: str) -> dict[str, Any]:
    """Read an object; absent gives an empty one.

    Raises:
        PayloadError: The value is no object.
    """
    if isinstance(value, dict):
        return value
    if value is None:
        return {}
    raise PayloadError(path, value, "对象")


def records(value: object, path: str) -> list[dict[str, Any]] | None:
    """Read a list of objects; absent gives None.

    Raises:
        PayloadError: The value is no list, or an entry of it no object.
    """
    if value is None:
        return None
    if not isinstance(value, list):
        raise PayloadError(path, value, "列表")
    for index, entry in enumerate(value):
        if not isinstance(entry, dict):
            raise PayloadError(f"{path}[{index}]", entry, "对象")
    return value


def put(fact: dict[str, Any], name: str, value: object) -> None:
    """Set a field of a fact unless its value is unknown."""
    if value is not None:
        fact[name] = value


_TIME: Final = "毫秒时间戳或“年-月-日 时:分:秒”"


def _shown(value: object) -> str:
    """Show a value in a message, shortened to 60 characters."""
    written = f"“{value}”" if isinstance(value, str) else repr(value)
    return written if len(written) <= 60 else written[:59] + "…"
