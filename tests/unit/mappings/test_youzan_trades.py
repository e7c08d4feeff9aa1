"""Trades of both generations become orders, and what they don't tell stays unknown."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from mappings.youzan import PayloadError, order_from_trade


def trade() -> dict[str, Any]:
    """Write a `full_order_info` as trades.sold.get 4.0.4 does."""
    return {
        "order_info": {
            "tid": "E20220310140512000100012",
            "status": "WAIT_SELLER_SEND_GOODS",
            "status_str": "待发货",
            "pay_type": 114,
            "created": "2022-03-10 14:05:12",
            "pay_time": "2022-03-10 14:06:00",
            "consign_time": "1970-01-01 08:00:00",
            "update_time": "2022-03-10 14:06:00",
        },
        "source_info": {"source": {"platform": "other"}, "order_mark": "whatever"},
        "out_order_info": {"out_order_no": "HJ2022031000000001"},
        "buyer_info": {"yz_open_id": "hj-1", "buyer_phone": "13000000001", "fans_nickname": "买家甲"},
        "pay_info": {"total_fee": "600.00", "post_fee": "8.00", "payment": "596.00"},
        "address_info": {
            "receiver_name": "收货人甲",
            "receiver_tel": "13000000001",
            "delivery_province": "四川省",
            "delivery_city": "成都市",
            "delivery_district": "锦江区",
            "delivery_address": "示例路1号",
            "delivery_postal_code": "610000",
        },
        "remark_info": {"buyer_message": "请尽快发货", "trade_memo": "老客户"},
        "orders": [
            {
                "oid": "1600000000000000101",
                "item_id": 403680077,
                "sku_id": 36234768,
                "title": "羊毛围巾",
                "num": 2,
                "price": "298.00",
                "sku_properties_name": '[{"k":"颜色","k_id":1,"v":"红","v_id":137},{"k":"尺码","k_id":12,"v":"M","v_id":4}]',
            },
            {
                "oid": 1436413407076030219,
                "item_id": "403680078",
                "sku_id": 0,
                "num": 1,
                "price": "4.00",
                "sku_properties_name": "",
            },
        ],
    }


def with_info(**changes: Any) -> dict[str, Any]:
    """Write a trade with other values in `order_info`."""
    made = trade()
    made["order_info"] |= changes
    return made


def test_a_trade_becomes_a_whole_order() -> None:
    assert order_from_trade(trade(), channel="huiju") == {
        "id": "E20220310140512000100012",
        "channel": "huiju",
        "channel_order_id": "HJ2022031000000001",
        "status": "to_ship",
        "payment_kind": "marked",
        "total": 59600,
        "freight": 800,
        "buyer": {"id": "hj-1", "name": "买家甲", "phone": "13000000001"},
        "consignee": {
            "name": "收货人甲",
            "phone": "13000000001",
            "province": "四川省",
            "city": "成都市",
            "county": "锦江区",
            "address": "示例路1号",
            "postcode": "610000",
        },
        "lines": [
            {
                "id": "1600000000000000101",
                "product_id": "403680077",
                "sku_id": "36234768",
                "title": "羊毛围巾",
                "count": 2,
                "price": 29800,
                "specs": "颜色：红；尺码：M",
            },
            {"id": "1436413407076030219", "product_id": "403680078", "count": 1, "price": 400},
        ],
        "buyer_message": "请尽快发货",
        "merchant_remark": "老客户",
        "created_at": datetime(2022, 3, 10, 6, 5, 12, tzinfo=UTC),
        "paid_at": datetime(2022, 3, 10, 6, 6, tzinfo=UTC),
        "updated_at": datetime(2022, 3, 10, 6, 6, tzinfo=UTC),
    }


def test_a_bare_trade_tells_little() -> None:
    assert order_from_trade({"order_info": {"tid": "E1"}}) == {"id": "E1"}


@pytest.mark.parametrize("key", ["response", "data"])
def test_an_envelope_makes_no_difference(key: str) -> None:
    wrapped = {key: {"full_order_info": trade()}}
    assert order_from_trade(wrapped) == order_from_trade(trade()) == order_from_trade(wrapped[key])


def test_the_2018_generation_numbers_states_and_calls_the_line_item() -> None:
    made = with_info(status=60, status_str="已发货", consign_time="2022-03-11 09:00:00")
    made["orders"] = [
        {
            "item_id": 1436413407076030219,
            "goods_id": 410405681,
            "sku_id": 36203237,
            "num": 1,
            "price": "88.00",
        }
    ]
    order = order_from_trade(made)
    assert order["status"] == "shipped"
    assert order["shipped_at"] == datetime(2022, 3, 11, 1, 0, tzinfo=UTC)
    assert order["lines"] == [
        {
            "id": "1436413407076030219",
            "product_id": "410405681",
            "sku_id": "36203237",
            "count": 1,
            "price": 8800,
            "shipped": True,
        }
    ]


@pytest.mark.parametrize(
    ("status", "status_str", "expected"),
    [
        ("WAIT_BUYER_PAY", "", "wait_pay"),
        ("WAIT_BUYER_CONFIRM_GOODS", "", "shipped"),
        ("TRADE_SUCCESS", "", "done"),
        ("TRADE_CLOSED", "", "closed"),
        ("TRADE_CLOSE", "", "closed"),
        ("TRADE_PAID", "待发货", None),
        ("WAIT_CONFIRM", "", None),
        (60, "", "shipped"),
        ("60", "", "shipped"),
        (50, "待发货", "to_ship"),
        (50, "", None),
        (None, "", None),
    ],
)
def test_states_are_read_by_name_or_by_the_text_beside_the_number(
    status: object, status_str: str, expected: str | None
) -> None:
    assert order_from_trade(with_info(status=status, status_str=status_str)).get("status") == expected


@pytest.mark.parametrize(
    ("status", "shipped"),
    [
        ("WAIT_BUYER_PAY", False),
        ("WAIT_BUYER_CONFIRM_GOODS", True),
        ("TRADE_SUCCESS", True),
        ("TRADE_CLOSED", None),
    ],
)
def test_a_state_tells_of_all_lines_whether_they_left(status: str, shipped: bool | None) -> None:
    lines = order_from_trade(with_info(status=status))["lines"]
    assert [line.get("shipped") for line in lines] == [shipped, shipped]


def test_an_order_to_ship_of_which_a_parcel_left_is_partly_shipped() -> None:
    parcels = [
        {"express_state": 1, "oids": [{"oid": "1600000000000000101"}]},
        {"express_state": 0, "oids": [{"oid": "1436413407076030219"}]},
    ]
    order = order_from_trade(
        {"response": {"full_order_info": trade(), "delivery_order": parcels, "refund_order": []}}
    )
    assert order["status"] == "partly_shipped"
    assert [line["shipped"] for line in order["lines"]] == [True, False]
    assert order["after_sales"] == []


def test_parcels_of_the_2018_generation_name_lines_by_item_id() -> None:
    parcels = [{"express_state": 1, "orders": [{"item_id": 1436413407076030219}]}]
    order = order_from_trade({"full_order_info": trade(), "delivery_order": parcels})
    assert [line["shipped"] for line in order["lines"]] == [False, True]


def test_the_after_sales_of_an_order_are_listed_by_their_number_of_state() -> None:
    refunds = [
        {"refund_id": "202203111015300000000001", "refund_state": 1},
        {"refund_id": "2", "refund_state": 99},
    ]
    order = order_from_trade({"full_order_info": trade(), "refund_order": refunds})
    assert order["after_sales"] == [{"id": "202203111015300000000001", "status": "requested"}, {"id": "2"}]


@pytest.mark.parametrize(
    ("info", "kind"),
    [
        ({"pay_type": 110}, "marked"),
        ({"pay_type": "205"}, "marked"),
        ({"pay_type": 10}, "normal"),
        ({"pay_type": 10, "pay_type_str": "MARKPAY"}, "marked"),
        ({"pay_type": 203}, None),
        ({"pay_type": 0}, None),
        ({"pay_type": None}, None),
    ],
)
def test_a_payment_outside_youzan_is_neither_normal_nor_marked(
    info: dict[str, Any], kind: str | None
) -> None:
    assert order_from_trade(with_info(**info)).get("payment_kind") == kind


@pytest.mark.parametrize(
    ("value", "channel"),
    [
        (91, "huiju"),
        ("91", "huiju"),
        ("TENCENT_HUIJU", "huiju"),
        (0, "youzan"),
        (50, None),
        (True, None),
        (None, None),
    ],
)
def test_the_channel_is_told_by_the_caller_or_by_the_connectors_type(
    value: object, channel: str | None
) -> None:
    assert order_from_trade(with_info(channelType=value)).get("channel") == channel
    made = trade()
    made["source_info"]["channel_type"] = value
    assert order_from_trade(made).get("channel") == channel
    assert order_from_trade(made, channel="youzan")["channel"] == "youzan"


def test_an_older_buyer_is_known_by_its_number() -> None:
    made = trade() | {"buyer_info": {"buyer_id": 17}}
    assert order_from_trade(made)["buyer"] == {"id": "17"}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"order_info": []}, "full_order_info.order_info"),
        ({"pay_info": {"payment": 596.0}}, "pay_info.payment"),
        ({"pay_info": {"payment": 596}}, "pay_info.payment"),
        ({"orders": {}}, "orders"),
        ({"orders": [{"oid": 1.4364134070760302e18}]}, "orders[0].oid"),
        ({"orders": [{"oid": "1", "num": -1}]}, "orders[0].num"),
        ({"orders": [{"oid": "1", "sku_properties_name": "红"}]}, "orders[0].sku_properties_name"),
        ({"orders": [{"oid": "1", "sku_properties_name": "[{}]"}]}, "orders[0].sku_properties_name[0].k"),
        ({"address_info": {"receiver_name": 5}}, "address_info.receiver_name"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_with_its_place(change: dict[str, Any], path: str) -> None:
    with pytest.raises(PayloadError) as caught:
        order_from_trade(trade() | change)
    assert caught.value.path == path


def test_a_reply_that_lists_trades_is_refused_as_a_single_one() -> None:
    with pytest.raises(PayloadError) as caught:
        order_from_trade({"data": {"full_order_info_list": [], "total_results": 0}})
    assert caught.value.path == "full_order_info.order_info"


def test_specs_may_come_as_a_list() -> None:
    made = trade()
    made["orders"][0]["sku_properties_name"] = json.loads(made["orders"][0]["sku_properties_name"])
    assert order_from_trade(made)["lines"][0]["specs"] == "颜色：红；尺码：M"
