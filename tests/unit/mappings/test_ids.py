"""Ids are read digit for digit or refused by name (R9)."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ShelfgateError
from mappings.ids import IdError, read_id, show_choice

BLANKS = ("", " ", "\u00a0", "\u3000", "\u200b", "\ufeff", "\n", "\t")
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
DIGITS = st.from_regex(r"[0-9]{1,20}", fullmatch=True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("403680077", "403680077"),
        ("0403", "0403"),
        ("9007199254740993", "9007199254740993"),
        ("1234567890123456789", "1234567890123456789"),
        (" \u3000403680077\u00a0\n", "403680077"),
        ("40\u200b36\ufeff80077", "403680077"),
        ("４０３６８００７７", "403680077"),
        ("403680077.0", "403680077"),
        ("403680077.", "403680077"),
        ("4.03680077E8", "403680077"),
        ("4.03680077E+08", "403680077"),
        ("4.036800770e8", "403680077"),
        ("'403680077", "403680077"),
        ('="403680077"', "403680077"),
        ("颜色 [12345]", "12345"),
        ("颜色 [旧] [12345]", "12345"),
        ("颜色［１２３４５］", "12345"),
        (403680077, "403680077"),
        (2**53 + 1, "9007199254740993"),
        (403680077.0, "403680077"),
        (999999999999999.0, "999999999999999"),
        (0.0, "0"),
    ],
)
def test_an_id_is_read_digit_for_digit(value: object, expected: str) -> None:
    assert expected == read_id(value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (1e15, "末尾的数字已经丢失"),
        (float(2**53), "末尾的数字已经丢失"),
        (1.2345678901234568e17, "末尾的数字已经丢失"),
        (1e300, "末尾的数字已经丢失"),
        ("1234567890123456.0", "可能已经丢失"),
        ("1.8E+18", "科学计数法"),
        ("1.23457E+11", "科学计数法"),
        ("4.04E+08", "科学计数法"),
        ("4.03680077E-8", "科学计数法"),
        ("4.5E0", "科学计数法"),
        (403680077.5, "小数"),
        ("403.5", "小数"),
        (-403.0, "负数"),
        (-403, "负数"),
        ("-403", "负数"),
        ("－403", "负数"),
        (float("nan"), "不是数字"),
        (float("inf"), "不是数字"),
        (True, "逻辑值"),
        (False, "逻辑值"),
        (date(2022, 3, 18), "日期"),
        (datetime(2022, 3, 18), "日期"),
        (time(1), "日期"),
        ("#N/A", "公式的错误结果"),
        ("#ref!", "公式的错误结果"),
        ("403,680", "空格或逗号"),
        ("403 680", "空格或逗号"),
        ("ID403", "数字以外"),
        ("4O3", "数字以外"),
        ("４²", "数字以外"),
        ("٤٠٣", "数字以外"),
        ("颜色 [红]", "数字以外"),
        ("1" * 65, "64 位"),
        pytest.param(10**5000, "64 位", id="5001 digits"),
        ("", "没有填写"),
        (" \u3000\u200b", "没有填写"),
        (None, "没有填写"),
        ("颜色 []", "没有填写"),
    ],
)
def test_what_does_not_tell_an_id_for_certain_is_refused_with_a_remedy(value: object, reason: str) -> None:
    with pytest.raises(IdError) as caught:
        read_id(value)
    assert reason in caught.value.reason
    assert caught.value.remedy
    assert isinstance(caught.value, ShelfgateError)


def test_the_error_carries_the_value_shortened() -> None:
    with pytest.raises(IdError) as caught:
        read_id("x" * 5000)
    assert f"{'x' * 40}…" == caught.value.value


@given(DIGITS, st.sampled_from(BLANKS), st.sampled_from(BLANKS), st.booleans())
def test_blanks_and_wide_digits_around_an_id_change_nothing(
    digits: str, before: str, after: str, wide: bool
) -> None:
    text = before + (digits.translate(WIDE) if wide else digits) + after
    assert digits == read_id(text)


@given(DIGITS, st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20))
def test_a_choice_yields_the_id_whatever_its_name(digits: str, name: str) -> None:
    assert digits == read_id(show_choice(name, digits))


MANGLINGS = st.sampled_from(
    [
        str,
        float,
        lambda number: f"{number}.0",
        lambda number: f"{float(number)}",
        lambda number: f"{float(number):E}",
        lambda number: f"{float(number):.15G}",
        lambda number: f"{float(number):.5E}",
        lambda number: f"{number:,}",
        lambda number: f"'{number}",
        lambda number: f" {number}\u00a0",
        lambda number: number,
        lambda number: -number,
        lambda number: f"{number / 7}",
    ]
)


@given(st.integers(min_value=1, max_value=10**19), MANGLINGS)
def test_a_mangled_id_is_the_same_id_or_refused(number: int, mangle: Any) -> None:
    """Whatever Excel, WPS or a program did to it: never another id. Quotients are ids only where they are whole."""
    mangled = mangle(number)
    try:
        found = read_id(mangled)
    except IdError:
        return
    text = str(mangled).strip(" '\u00a0")
    assert Fraction(text) == int(found)
    if "E" in text or isinstance(mangled, float):
        assert len(found) <= 15


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.none(), st.dates(), st.binary()))
def test_anything_gives_digits_or_an_id_error(value: object) -> None:
    try:
        found = read_id(value)
    except IdError as error:
        assert error.remedy
    else:
        assert re.fullmatch(r"[0-9]{1,64}", found)
