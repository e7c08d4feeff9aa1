"""Refunds become after-sales, and what they don't tell stays unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mappings.youzan import PayloadError, after_sale_from_refund


def refund() -> dict[str, Any]:
    """Write a refund as trade.refund.get 3.0.0 does."""
    return {
        "refund_id": "202203111015300000000001",
        "tid": "E20220310140512000100012",
        "oid": "1600000000000000101",
        "status": "WAIT_SELLER_AGREE",
        "refund_type": "BUYER_APPLY_REFUND",
        "return_goods": False,
        "reason": 51,
        "refund_fee": "596.00",
        "version": 1646964930000,
        "created": "2022-03-11 10:15:30",
        "modified": "2022-03-11 10:16:00",
        "desc": "",
    }


ORDER = {"id": "E20220310140512000100012", "channel": "huiju", "buyer": {"id": "hj-1"}}


def test_a_refund_becomes_a_whole_after_sale() -> None:
    assert after_sale_from_refund(refund(), ORDER) == {
        "id": "202203111015300000000001",
        "order_id": "E20220310140512000100012",
        "channel": "huiju",
        "kind": "refund_only",
        "status": "requested",
        "amount": 59600,
        "reason": "拍错/不想要",
        "version": "1646964930000",
        "buyer": {"id": "hj-1"},
        "created_at": datetime(2022, 3, 11, 2, 15, 30, tzinfo=UTC),
        "updated_at": datetime(2022, 3, 11, 2, 16, tzinfo=UTC),
        "order": ORDER,
    }


def test_without_its_order_a_refund_has_neither_channel_nor_buyer() -> None:
    after_sale = after_sale_from_refund(refund())
    assert {"channel", "buyer", "order"}.isdisjoint(after_sale)
    assert after_sale_from_refund(refund(), channel="huiju")["channel"] == "huiju"


@pytest.mark.parametrize("key", ["response", "data"])
def test_an_envelope_makes_no_difference(key: str) -> None:
    assert after_sale_from_refund({key: refund()}) == after_sale_from_refund(refund())


def test_a_refund_of_another_order_is_refused() -> None:
    with pytest.raises(PayloadError, match="E999") as caught:
        after_sale_from_refund(refund(), {"id": "E999"})
    assert caught.value.path == "tid"


def test_a_refund_that_names_no_order_takes_the_one_given() -> None:
    assert after_sale_from_refund({"refund_id": 7}, ORDER)["order_id"] == ORDER["id"]
    assert after_sale_from_refund({"refund_id": 7}) == {"id": "7"}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("SELLER_REFUSE_BUYER", "rejected"),
        ("WAIT_BUYER_RETURN_GOODS", "waiting_return"),
        ("WAIT_SELLER_CONFIRM_GOODS", "waiting_receipt"),
        ("SELLER_REFUSE_BUYER_RETURN_GOODS", "return_rejected"),
        ("CLOSED", "closed"),
        ("SUCCESS", "succeeded"),
        ("SELLER_RETURN_GOODS", None),
        (1, "requested"),
        ("60", "succeeded"),
        (45, None),
        (None, None),
    ],
)
def test_states_are_read_by_name_and_by_number(status: object, expected: str | None) -> None:
    assert after_sale_from_refund(refund() | {"status": status}).get("status") == expected


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"return_goods": True}, "return_refund"),
        ({"return_goods": None}, None),
        ({"refund_type": "EXCHANGE_GOODS"}, "exchange"),
        ({"demand": 1}, "refund_only"),
        ({"demand": "2", "return_goods": False}, "return_refund"),
        ({"demand": 3}, "exchange"),
        ({"demand": 9}, None),
    ],
)
def test_the_kind_is_what_the_buyer_asks_for(change: dict[str, Any], kind: str | None) -> None:
    assert after_sale_from_refund(refund() | change).get("kind") == kind


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (101, "商品破损"),
        ("101", "商品破损"),
        (777, "原因代码 777"),
        ("尺码不合适", "尺码不合适"),
        ("", None),
        (None, None),
    ],
)
def test_a_reason_is_shown_as_text(reason: object, expected: str | None) -> None:
    assert after_sale_from_refund(refund() | {"reason": reason}).get("reason") == expected


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"refund_id": ""}, "refund_id"),
        ({"refund_fee": 596}, "refund_fee"),
        ({"return_goods": 1}, "return_goods"),
        ({"version": 1.6469649300001e19}, "version"),
        ({"status": 1.5}, "status"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_with_its_place(change: dict[str, Any], path: str) -> None:
    with pytest.raises(PayloadError) as caught:
        after_sale_from_refund(refund() | change)
    assert caught.value.path == path
