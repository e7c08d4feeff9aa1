"""Huiju's orders and after-sales as facts, as events, and in two parts: what may lie open, and what is private."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.huiju.profile import load_profile
from engine.facts import admit
from engine.rulebook import find_manifest, load
from mappings.channels import huiju_orders
from mappings.channels.huiju_orders import (
    after_sale_from_huiju,
    after_sale_observations,
    order_from_huiju,
    order_observations,
    parted,
    reported_after_sale,
    reported_order,
    shipments_from_huiju,
)
from mappings.values import PayloadError

AT = 1_646_900_000
ORDER: dict[str, Any] = {
    "orderId": "HJ1",
    "orderStatus": "to_ship",
    "createTime": AT,
    "updateTime": AT + 60,
    "payTime": AT + 30,
    "totalAmount": 59600,
    "freightAmount": 0,
    "buyerId": "B7788",
    "buyerName": "买家丁",
    "buyerMessage": "请放门卫",
    "merchantRemark": "老客户",
    "userName": "收货人丁",
    "telNumber": "13987654321",
    "provinceName": "四川省",
    "cityName": "成都市",
    "countyName": "锦江区",
    "detailInfo": "梧桐巷九号",
    "postalCode": "610000",
    "itemList": [
        {"lineId": "L1", "outProductId": "403000001", "outSkuId": "s1", "title": "围巾", "count": 1, "price": 29800,
         "specs": "红", "shipped": False, "engraving": "给老王"},
        {"lineId": "L2", "count": 1, "price": 29800, "shipped": False},
    ],
    "logisticsList": [],
    "taxNumber": "91510000MA",
}  # fmt: skip
AFTER_SALE: dict[str, Any] = {
    "afterSaleOrderId": "AS1",
    "orderId": "HJ1",
    "afterSaleType": "refund_only",
    "afterSaleStatus": "requested",
    "closedBy": None,
    "refundAmount": 59600,
    "reason": "我是老王，不要了",
    "contactName": "收货人丁",
    "contactTel": "13987654321",
    "buyerId": "B7788",
    "buyerName": "买家丁",
    "autoHandleTime": AT + 86400,
    "createTime": AT + 100,
    "updateTime": AT + 100,
}


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(AT + seconds, UTC)


def parcel(id_: str, at: int, *lines: str) -> dict[str, Any]:
    return {
        "logisticsId": id_,
        "deliverCompany": "顺丰速运",
        "deliverNumber": f"SF{id_}",
        "lineIds": list(lines),
        "shipTime": AT + at,
    }


def events(payload: dict[str, Any]) -> list[tuple[str, int]]:
    found = order_observations(payload) if "itemList" in payload else after_sale_observations(payload)
    return [(item.event, int(item.at.timestamp()) - AT) for item in found]


def test_an_order_becomes_a_fact_that_its_declaration_admits() -> None:
    """R35: marked, whatever it says; money in fen, times aware, ids text."""
    fact = order_from_huiju(ORDER)
    assert ("HJ1", "huiju", "to_ship", "marked") == tuple(
        fact[name] for name in ("channel_order_id", "channel", "status", "payment_kind")
    )
    assert (moment(0), moment(30), moment(60)) == (fact["created_at"], fact["paid_at"], fact["updated_at"])
    assert {"id": "B7788", "name": "买家丁"} == fact["buyer"]
    assert ("收货人丁", "610000") == (fact["consignee"]["name"], fact["consignee"]["postcode"])
    assert {"id": "L2", "count": 1, "price": 29800, "shipped": False} == fact["lines"][1]
    facts = load(find_manifest()).vocabulary.facts
    assert () == admit(facts["order"].type, fact | {"id": "1"})[1]
    assert () == admit(facts["after_sale"].type, after_sale_from_huiju(AFTER_SALE) | {"id": "1"})[1]
    shipment = shipments_from_huiju({**ORDER, "logisticsList": [parcel("1", 70, "L1")]})[0]
    assert () == admit(facts["shipment"].type, shipment)[1]


def test_what_a_payload_does_not_tell_is_absent() -> None:
    bare = {"orderId": "HJ1", "updateTime": AT, "orderStatus": 77, "buyerName": "", "payTime": None}
    wanted = {
        "channel": "huiju",
        "channel_order_id": "HJ1",
        "payment_kind": "marked",
        "updated_at": moment(0),
    }
    assert wanted == order_from_huiju(bare)
    bare = {"afterSaleOrderId": "AS1", "updateTime": AT, "afterSaleStatus": 99, "afterSaleType": "gift"}
    assert {"channel", "channel_after_sale_id", "updated_at", "version"} == set(after_sale_from_huiju(bare))
    assert [] == order_observations({"orderId": "HJ1", "updateTime": AT})
    assert {"status": None} == reported_order({"orderId": "HJ1", "updateTime": AT}).data


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"orderId": ""}, "orderId"),
        ({"updateTime": None}, "updateTime"),
        ({"updateTime": "gestern"}, "updateTime"),
        ({"totalAmount": -1}, "totalAmount"),
        ({"itemList": [{"count": 1}]}, "itemList[0].lineId"),
        ({"itemList": "L1"}, "itemList"),
    ],
)
def test_a_value_that_cannot_be_read_exactly_is_named(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(PayloadError) as caught:
        order_from_huiju({**ORDER, **changes})
    assert path == caught.value.path


def test_nothing_about_buyer_or_consignee_lies_in_the_open_part() -> None:
    """R25, R26, R29, R31: nor does a key that nobody knows, wherever it stands; the rest of the payload is not lost."""
    for payload in (ORDER, AFTER_SALE):
        open_part, private = parted(payload)
        written = json.dumps(open_part, ensure_ascii=False)
        for secret in ("丁", "1398", "梧桐", "7788", "门卫", "6100", "老王", "9151", "成都", "四川", "锦江"):
            assert secret not in written, secret
        read = order_from_huiju if payload is ORDER else after_sale_from_huiju
        assert read(payload) == read({**open_part, **private})
    assert "91510000MA" == parted(ORDER)[1]["taxNumber"]


def test_every_field_of_the_profile_is_either_open_or_private_on_purpose() -> None:
    """A field that is added to the profile is private until someone decides otherwise."""
    records = load_profile().records
    private = {
        "order": {
            "buyerId", "buyerName", "buyerMessage", "userName", "telNumber", "provinceName", "cityName", "countyName",
            "detailInfo", "postalCode", "deliverCompany", "deliverNumber",
        },
        "after_sale": {"reason", "contactName", "contactTel", "buyerId", "buyerName"},
        "order_line": set(),
        "parcel": set(),
    }  # fmt: skip
    known = {
        "order": huiju_orders.OPEN_ORDER | {"itemList", "logisticsList"},
        "after_sale": huiju_orders.OPEN_AFTER_SALE,
        "order_line": huiju_orders.OPEN_LINE,
        "parcel": huiju_orders.OPEN_PARCEL,
    }
    for name, open_keys in known.items():
        assert set(records[name]) == open_keys | private[name], name
        assert not open_keys & private[name]


def test_an_order_tells_when_it_left() -> None:
    """R30: a first part that left before the rest is told apart; parcels that are added later are no second shipment."""
    whole = {**ORDER, "orderStatus": "shipped", "updateTime": AT + 900}
    assert [] == events(ORDER)
    assert [("order_shipped", 70)] == events({**whole, "logisticsList": [parcel("1", 70, "L1", "L2")]})
    parts = [parcel("1", 70, "L1"), parcel("2", 90, "L2")]
    assert [("order_partly_shipped", 70), ("order_shipped", 90)] == events({**whole, "logisticsList": parts})
    same = [parcel("1", 70, "L1"), parcel("2", 70, "L2")]
    assert [("order_shipped", 70)] == events({**whole, "logisticsList": same})
    later = [parcel("1", 70, "L1", "L2"), parcel("2", 500, "L2")]
    assert [("order_shipped", 70)] == events({**whole, "orderStatus": "done", "logisticsList": later})
    part = {**ORDER, "orderStatus": "partly_shipped", "logisticsList": parts[:1]}
    assert [("order_partly_shipped", 70)] == events(part)
    assert [("order_shipped", 65)] == events({**whole, "shipTime": AT + 65})
    assert [("order_shipped", 900)] == events(whole)


def test_an_after_sale_tells_what_led_to_where_it_stands() -> None:
    """R32; one that shipping closed has nothing of its own to tell (R30)."""
    asked = ("refund_requested", 100)
    stories: dict[tuple[str, str, str | None], list[tuple[str, int]]] = {
        ("refund_only", "requested", None): [asked, ("refund_requested", 300)],
        ("refund_only", "rejected", None): [asked, ("rejected", 300)],
        ("return_refund", "waiting_return", None): [asked, ("return_agreed", 300)],
        ("return_refund", "waiting_receipt", None): [asked, ("goods_returned", 300)],
        ("return_refund", "return_rejected", None): [asked, ("return_rejected", 300)],
        ("refund_only", "succeeded", None): [asked, ("agreed", 300)],
        ("exchange", "succeeded", None): [asked, ("return_received", 300)],
        ("refund_only", "closed", "buyer"): [asked, ("withdrawn", 300)],
        ("return_refund", "closed", "timeout"): [asked, ("timed_out", 300)],
        ("refund_only", "closed", "shipment"): [asked],
    }
    for (kind, status, closed_by), wanted in stories.items():
        payload = {
            **AFTER_SALE,
            "afterSaleType": kind,
            "afterSaleStatus": status,
            "closedBy": closed_by,
            "updateTime": AT + 300,
        }
        assert wanted == events(payload), (kind, status)
        assert {"kind": kind, "status": status, "closed_by": closed_by} == reported_after_sale(payload).data
    assert [asked] == events(AFTER_SALE)


def test_the_same_thing_told_twice_has_the_same_name() -> None:
    first = {item.id for item in after_sale_observations(AFTER_SALE)}
    again = {item.id for item in after_sale_observations({**AFTER_SALE, "refundAmount": 1})}
    assert first == again == {f"AS1:refund_requested:{AT + 100}"}
