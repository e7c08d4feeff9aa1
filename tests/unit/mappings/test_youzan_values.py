"""Values of Youzan payloads are read exactly or refused by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.values import (
    PayloadError,
    code_text,
    fen_or_yuan,
    flag,
    id_text,
    instant,
    not_negative,
    optional_id,
    record,
    records,
    text,
    whole,
    yuan_to_fen,
)


@given(st.integers(min_value=0, max_value=2**64))
def test_an_id_survives_as_number_and_as_text(number: int) -> None:
    assert str(number) == id_text(number, "item_id")
    assert str(number) == id_text(str(number), "item_id")


def test_a_text_id_keeps_its_leading_zeros() -> None:
    assert id_text("00120", "item_id") == "00120"


def test_a_float_id_below_2_to_the_53_is_exact() -> None:
    assert id_text(403680077.0, "item_id") == "403680077"


@pytest.mark.parametrize("value", [2.0**53, 1.4364134070760302e18, 1.5, -1.0, float("nan"), float("inf")])
def test_a_float_id_that_may_have_lost_digits_is_refused_by_name(value: float) -> None:
    with pytest.raises(PayloadError) as caught:
        id_text(value, "data.item_id")
    assert (caught.value.path, repr(caught.value.value)) == ("data.item_id", repr(value))
    assert "data.item_id" in caught.value.message
    assert "丢失" in caught.value.message


@pytest.mark.parametrize("value", [None, "", "  ", True, -5, [], {}])
def test_what_is_no_id_is_refused(value: object) -> None:
    with pytest.raises(PayloadError, match="ID"):
        id_text(value, "item_id")


@pytest.mark.parametrize("value", [None, "", 0, "0", 0.0])
def test_an_unset_id_is_absent(value: object) -> None:
    assert optional_id(value, "sku_id") is None


def test_an_optional_id_that_is_set_is_read_and_a_truth_value_is_refused() -> None:
    assert optional_id(7, "sku_id") == "7"
    with pytest.raises(PayloadError):
        optional_id(False, "sku_id")


@given(st.integers(min_value=0, max_value=10**15 - 1))
def test_yuan_text_becomes_fen_exactly(fen: int) -> None:
    written = str(Decimal(fen) / 100) if fen < 10**12 else f"{fen // 100}.{fen % 100:02d}"
    assert yuan_to_fen(written, "payment") == fen


@pytest.mark.parametrize(
    ("written", "fen"), [("75.65", 7565), ("75.6", 7560), ("373", 37300), ("0.00", 0), ("1.500", 150)]
)
def test_yuan_text_has_at_most_two_decimals_that_count(written: str, fen: int) -> None:
    assert yuan_to_fen(written, "payment") == fen


@pytest.mark.parametrize(
    "value", ["1.234", "-1.00", "1,000.00", "１.00", "一元", " 1.00", 75.65, 75, True, "1."]
)
def test_an_amount_in_yuan_that_is_not_exact_text_is_refused(value: object) -> None:
    with pytest.raises(PayloadError, match="元"):
        yuan_to_fen(value, "payment")


def test_absent_amounts_are_absent() -> None:
    assert (yuan_to_fen(None, "p"), yuan_to_fen("", "p")) == (None, None)
    assert (fen_or_yuan(None, "p"), fen_or_yuan("", "p")) == (None, None)


def test_a_price_of_the_old_item_apis_is_fen_as_number_and_yuan_as_text_with_a_point() -> None:
    assert (fen_or_yuan(29800, "price"), fen_or_yuan("298.00", "price")) == (29800, 29800)


def test_a_price_in_text_without_a_point_could_be_fen_or_yuan_and_is_refused() -> None:
    with pytest.raises(PayloadError, match="小数点"):
        fen_or_yuan("298", "price")


@pytest.mark.parametrize(("value", "number"), [(3, 3), ("3", 3), ("-12", -12), (None, None), ("", None)])
def test_a_whole_number_comes_as_number_or_text(value: object, number: int | None) -> None:
    assert whole(value, "quantity") == number


@pytest.mark.parametrize("value", [True, 3.0, "3.0", "三", [3]])
def test_what_is_no_whole_number_is_refused(value: object) -> None:
    with pytest.raises(PayloadError, match="整数"):
        whole(value, "quantity")


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(PayloadError, match="不小于 0"):
        not_negative(-1, "weight")


@given(st.integers(min_value=1, max_value=4_102_444_800_000))
def test_milliseconds_become_the_same_moment_exactly(milliseconds: int) -> None:
    moment = instant(milliseconds, "created_time")
    assert moment is not None
    assert (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) == milliseconds
    assert moment == instant(str(milliseconds), "created_time")


def test_a_local_time_is_shanghai_and_becomes_utc() -> None:
    moment = instant("2018-03-08 21:46:44", "created")
    assert moment == datetime(2018, 3, 8, 13, 46, 44, tzinfo=UTC)
    assert moment is not None
    assert moment.tzinfo is UTC


@pytest.mark.parametrize("value", [None, "", 0, "0", "1970-01-01 08:00:00"])
def test_an_unset_time_is_absent(value: object) -> None:
    assert instant(value, "success_time") is None


@pytest.mark.parametrize(
    "value",
    [
        "2018-13-01 00:00:00",
        "2018-03-08",
        "0001-01-01 00:00:00",
        "昨天",
        True,
        1.5,
        [],
        10**18,
        "9" * 18,
        -(10**18),
    ],
)
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(PayloadError, match="时间戳"):
        instant(value, "created")


@pytest.mark.parametrize(
    ("value", "shown"), [(True, True), (False, False), (1, True), (0, False), (None, None)]
)
def test_a_flag_comes_as_truth_value_or_number(value: object, shown: bool | None) -> None:
    assert flag(value, "is_display") is shown


@pytest.mark.parametrize("value", [2, "1", [], 1.0])
def test_what_is_no_flag_is_refused(value: object) -> None:
    with pytest.raises(PayloadError, match="true"):
        flag(value, "is_display")


def test_texts_are_texts_and_codes_may_be_numbers() -> None:
    assert (text("a", "t"), text("", "t"), text(None, "t")) == ("a", None, None)
    assert (code_text(6901, "c"), code_text("A1", "c"), code_text("", "c")) == ("6901", "A1", None)
    with pytest.raises(PayloadError, match="文字"):
        text(5, "title")
    with pytest.raises(PayloadError, match="文字"):
        code_text(True, "sku_no")


def test_objects_and_lists_of_objects_are_held_to_it() -> None:
    assert (record(None, "r"), record({"a": 1}, "r"), records(None, "r"), records([{}], "r")) == (
        {},
        {"a": 1},
        None,
        [{}],
    )
    bad: list[tuple[Any, Any, str]] = [(record, [], "r"), (records, {}, "r"), (records, [{}, 1], "r[1]")]
    for read, value, path in bad:
        with pytest.raises(PayloadError) as caught:
            read(value, "r")
        assert caught.value.path == path


def test_a_message_names_path_value_and_what_was_wanted_and_is_kept_short() -> None:
    error = PayloadError("sku_list[3].price", "x" * 500, "整数")
    assert error.message.startswith("有赞数据 sku_list[3].price 为 “xxx")
    assert error.message.endswith("…，应为整数")
    assert len(error.message) < 120
    assert PayloadError("", None, "对象").message == "有赞数据 整体 缺失，应为对象"
