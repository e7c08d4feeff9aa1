"""Put values, wanted values and messages into words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from engine.operators import operators
from engine.plan import And, Condition, Const, InTable, Not, Once, Or, Ref, Some, Test
from engine.rules import Message, Slot
from engine.vocabulary import FieldType

SHANGHAI = ZoneInfo("Asia/Shanghai")


def day_of(moment: datetime) -> date:
    """Give the day of an aware moment in Asia/Shanghai: the one by which rules and waivers are in force."""
    return moment.astimezone(SHANGHAI).date()


MOST_ITEMS = 8
ABSENT = "（空）"
_UNITS = {"g": " 克", "characters": " 个字"}


def said(value: Any, unit: str = "", choices: tuple[tuple[str, str], ...] = ()) -> str:
    """Put a value into words.

    Args:
        value: A fact's value.
        unit: Its unit; fen is shown in yuan.
        choices: Enum values with titles, to show both.

    Returns:
        Such as `298.00 元`, `是`, `颜色、尺码`, `virtual（虚拟商品）`.

    Examples:
        >>> said(29800, "fen"), said(-5, "fen"), said(True), said(["颜色", "尺码"]), said(None)
        ('298.00 元', '-0.05 元', '是', '颜色、尺码', '（空）')
    """
    if value is None:
        return ABSENT
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float):
        if unit == "fen" and isinstance(value, int):
            return f"{'-' if value < 0 else ''}{abs(value) // 100}.{abs(value) % 100:02d} 元"
        return f"{value}{_UNITS.get(unit, '')}"
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple | frozenset):
        items = sorted(value, key=str) if isinstance(value, frozenset) else list(value)
        shown = "、".join(said(item, unit, choices) for item in items[:MOST_ITEMS])
        return f"{shown} 等 {len(items)} 项" if len(items) > MOST_ITEMS else shown or "没有"
    if isinstance(value, dict):
        named = value.get("name", value.get("title", value.get("id")))
        return said(named) if named is not None else "{…}"
    title = dict(choices).get(value)
    return f"{value}（{title}）" if title and title != value else str(value)


def wanted(
    condition: Test | InTable | Once,
    value_of: Callable[[Ref], Any] | None,
    *,
    want: bool,
    rows: tuple[str, ...] = (),
) -> str:
    """Say what would have passed a test.

    Args:
        condition: The test.
        value_of: Gives the value of a reference among the operands; None to name its path instead.
        want: Whether the test was wanted true or false.
        rows: For `unique_in`: the rows that have the same value.

    Returns:
        Such as `不大于 60 个字` or `在基础数据「类目」中`.
    """
    if isinstance(condition, Once):
        where = f"（第 {'、'.join(rows[:MOST_ITEMS])} 行都有）" if rows else ""
        return f"在本次上传中只出现一次{where}" if want else f"在本次上传中出现多次{where}"
    if isinstance(condition, InTable):
        meeting = "" if condition.where is None else f"（{outline(condition.where)}）"
        return f"{'在' if want else '不在'}基础数据「{condition.title or condition.table}」{meeting}中"
    operator = operators()[condition.operator]
    ref = condition.subject
    text = operator.wanted if want else operator.unwanted
    words = []
    for operand in condition.operands:
        if isinstance(operand, Const):
            words.append(said(operand.value, ref.unit, ref.choices))
        elif value_of is None:
            words.append(f"{operand.title or operand.path}（{operand.path}）")
        else:
            value = value_of(operand)
            inner = "空" if value is None else said(value, operand.unit, operand.choices)
            words.append(f"{operand.title or operand.path}（{inner}）")
    for place, word in enumerate(words):
        if word.endswith("）"):
            text = text.replace(f"{{{place}}} ", f"{{{place}}}")
    return text.format(*words)


def outline(condition: Condition) -> str:
    """Put a condition into words, without values: what a rule asks for, for documentation and for `where`."""
    match condition:
        case And(items):
            return "且".join(_bracketed(item, And | Or) for item in items)
        case Or(items):
            return "或".join(_bracketed(item, And | Or) for item in items)
        case Not(Some(subject, _, body, word)):
            inner = body.item if word == "every" and isinstance(body, Not) else body
            return f"{_owner(_name(subject))}{'每个' if word == 'every' else '任何'}元素都{'' if word == 'every' else '不'}满足（{outline(inner)}）"
        case Not(Test() | InTable() | Once() as item):
            return f"{_tested(item.subject)}{wanted(item, None, want=False)}"
        case Not(item):
            return f"不（{outline(item)}）"
        case Some(subject, _, body):
            return f"{_name(subject)}至少有一个元素满足（{outline(body)}）"
        case Test() | InTable() | Once():
            return f"{_tested(condition.subject)}{wanted(condition, None, want=True)}"


def _bracketed(item: Condition, kinds: Any) -> str:
    return f"（{outline(item)}）" if isinstance(item, kinds) else outline(item)


def _name(ref: Ref) -> str:
    name = ref.title or ref.path
    return f"{_owner(name)}{'个数' if ref.measure == 'count' else '字数'}" if ref.measure else name


def _owner(name: str) -> str:
    """Say that something belongs to a field; Latin letters are set off from Chinese."""
    return f"{name}{' ' if name[-1:].isascii() else ''}的"


def _tested(ref: Ref) -> str:
    """Name the subject of a test, set off from what is tested where it is a field's own name."""
    name = _name(ref)
    return name if ref.measure or not name else f"{name} "


def render_message(message: Message, value_of: Callable[[Ref], Any], language: str = "zh") -> str:
    """Fill a message's slots.

    Args:
        message: The message.
        value_of: Gives the value of a slot's reference.
        language: zh or en; zh where there is no English.

    Returns:
        The text; a value that is absent is shown as such.
    """
    return "".join(
        piece if isinstance(piece, str) else _slot(piece, value_of(piece.ref))
        for piece in _pieces(message, language)
    )


def outline_message(message: Message, language: str = "zh") -> str:
    """Put a message into words without values: each slot is shown as its field's title.

    Args:
        message: The message.
        language: zh or en; zh where there is no English.

    Returns:
        Such as `该订单〔订单状态〕`.
    """
    return "".join(
        piece if isinstance(piece, str) else f"〔{_name(piece.ref)}〕" for piece in _pieces(message, language)
    )


def _pieces(message: Message, language: str) -> tuple[str | Slot, ...]:
    return message.en if language == "en" and message.en else message.zh


def _slot(slot: Slot, value: Any) -> str:
    if slot.filter == "count":
        return ABSENT if value is None else str(len(value))
    if slot.filter == "title":
        titles = dict(slot.ref.choices)
        return "、".join(
            titles.get(item, said(item)) for item in (value if isinstance(value, list) else [value])
        )
    return said(value, slot.ref.unit)


def title_of(type_: FieldType, path: str) -> str:
    """Give the titles along a path, for a person; positions in lists are counted from 1.

    Args:
        type_: The fact's type.
        path: A path as findings show it, such as `row.specs[1].name`.

    Returns:
        Such as `上架表的一行 › 规格对应 2 › 规格名`; the path itself where it is not known.
    """
    names: list[str] = []
    here: FieldType | None = type_
    for part in path.split("."):
        name, _, position = part.partition("[")
        if here is not None and here.kind == "list":
            here = here.element
        here = here.field(name) if here is not None else None
        if here is None:
            return path
        names.append(f"{here.title} {int(position[:-1]) + 1}" if position else here.title)
    return " › ".join(names)
