"""What staff see of orders and after-sales: all that the rules let through, nothing else, with every action's verdict (R20–R32)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.decision import plain
from pipeline.orders.after_sales import AfterSaleUnknown, count_after_sales, list_after_sales, show_after_sale
from pipeline.orders.after_sales import Wanted as WantedAfterSales
from pipeline.orders.orders import OrderUnknown, Wanted, count_orders, list_orders, show_order
from pipeline.orders.shown import Shown
from pipeline.store import Order

SHOP = "38405005"


def listed(office: Any, limit: int = 50, **wanted: Any) -> list[Shown]:
    return list_orders(
        office.store, office.rulebook, office.vault, Wanted(**{"shop_id": SHOP} | wanted), limit
    )


def numbers(office: Any, **wanted: Any) -> list[str]:
    found = [item.fact["channel_order_id"] for item in listed(office, **wanted)]
    assert len(found) == count_orders(office.store, Wanted(**{"shop_id": SHOP} | wanted))
    return found


def after_sales(office: Any, limit: int = 50, **wanted: Any) -> list[Shown]:
    return list_after_sales(
        office.store, office.rulebook, office.vault, WantedAfterSales(**{"shop_id": SHOP} | wanted), limit
    )


def written(shown: Shown | list[Shown]) -> str:
    """Write everything that leaves, as a page or an answer would."""
    some = shown if isinstance(shown, list) else [shown]
    return json.dumps(
        [
            [
                plain(item.fact),
                item.verdict.as_data(),
                repr(item.sendings),
                plain(list(item.shipments)),
                repr(item.events),
            ]
            for item in some
        ],
        ensure_ascii=False,
    )


def test_the_buyer_is_anonymous_wherever_an_order_is_shown(office: Any, secrets: tuple[str, ...]) -> None:
    """R25, R26, R31: name replaced, id gone, before it leaves."""
    order_id = office.place()
    request = office.ask(order_id)
    office.sync()
    for shown in (
        office.order(order_id),
        *listed(office),
        office.after_sale(request),
        *after_sales(office),
    ):
        assert {"name": "匿名用户"} == shown.fact["buyer"]
        for secret in (secrets[3], secrets[4]):
            assert secret not in written(shown)


def test_who_ships_sees_the_consignee_and_nobody_else(office: Any, secrets: tuple[str, ...]) -> None:
    """R26, R29: shown with a single order; on no line of a list, and in no after-sale."""
    order_id = office.place()
    request = office.ask(order_id)
    office.sync()
    assert office.order(order_id).fact["consignee"]["name"].startswith(secrets[0])
    elsewhere = written(listed(office)) + written(after_sales(office)) + written(office.after_sale(request))
    assert [] == [secret for secret in secrets[:3] if secret in elsewhere]
    assert all(
        "consignee" not in {**item.fact, **item.fact.get("order", {})}
        for item in [*listed(office), *after_sales(office)]
    )


def test_an_after_sale_shows_neither_contact_nor_countdown(office: Any) -> None:
    """R28, R29: by the rules, in list and single view alike."""
    request = office.ask(office.place(), reason="拍错了")
    office.sync()
    for shown in (office.after_sale(request), *after_sales(office)):
        assert "auto_handle_at" not in shown.fact
        assert {"name": "匿名用户", "phone": "***"} == shown.fact["contact"]
        assert "拍错了" == shown.fact["reason"]
        assert ("hidden", "hidden") == tuple(
            shown.verdict.action(name).state for name in ("view_countdown", "view_contact")
        )


def test_every_action_is_listed_always(office: Any) -> None:
    """R21–R24, R26, R30, R32: with its state, its rule and the reason."""
    order_id = office.place()
    request = office.ask(order_id)
    office.sync()
    facts = office.rulebook.vocabulary.facts
    for about, found in (
        ("order", [office.order(order_id), *listed(office)]),
        ("after_sale", [office.after_sale(request), *after_sales(office)]),
    ):
        for shown in found:
            assert facts[about].action_names() == tuple(state.action for state in shown.verdict.actions)
            assert all(state.reason for state in shown.verdict.actions if state.state != "enabled")
    assert "enabled" == listed(office)[0].verdict.action("ship").state
    assert office.order(order_id).verdict.actions == listed(office)[0].verdict.actions


def test_a_marked_payment_is_shown_so(office: Any) -> None:
    """R35."""
    office.place()
    office.sync()
    assert "marked" == listed(office)[0].fact["payment_kind"]


def test_orders_are_found_by_source_state_time_product_and_words(office: Any) -> None:
    """R20: and the count is of all that are found."""
    now = datetime.now(UTC)
    first = office.place(1, created_at=now - timedelta(days=2))
    second = office.place(2, lines=1, created_at=now - timedelta(days=1))
    third = office.place(3, status="shipped", shipped_at=now, lines=3, created_at=now)
    office.sync()
    with office.store.write() as session:
        other = session.query(Order).filter(Order.channel_order_id == second).one()
        other.channel = "youzan"
        other.status = "done"
    office.rulebook = with_youzan(office.rulebook)
    assert [third, second, first] == numbers(office)
    assert [third, first] == numbers(office, channel="huiju")
    assert [second] == numbers(office, channel="youzan")
    assert [third, second] == numbers(office, statuses=("shipped", "done"))
    assert [second, first] == numbers(office, until=now - timedelta(hours=1))
    assert [second] == numbers(office, since=now - timedelta(days=1, hours=1), until=now - timedelta(hours=1))
    assert [third, first] == numbers(office, product_id="403000002")
    assert [] == numbers(office, product_id="40300000")
    assert [first] == numbers(office, text="000001")
    waybill = office.order(third).shipments[0]["waybill"]
    assert [third] == numbers(office, text=waybill)
    assert [] == numbers(office, text=waybill[:-1])
    assert [] == numbers(office, text="%")


def with_youzan(rulebook: Any) -> Any:
    """Let the shop's own orders be judged by the same rules."""
    huiju = rulebook.channels["huiju"]
    return replace(rulebook, channels={**rulebook.channels, "youzan": huiju})


def test_pages_follow_one_another_without_gap_or_overlap(office: Any) -> None:
    """Several orders were made in the same second."""
    now = datetime.now(UTC)
    placed = {office.place(number, created_at=now - timedelta(seconds=number // 3)) for number in range(11)}
    office.sync()
    seen: list[str] = []
    before = None
    while page := listed(office, limit=4, before=before):
        seen += [item.fact["channel_order_id"] for item in page]
        before = page[-1].id
    assert (11, placed) == (len(seen), set(seen))
    created = [item.fact["created_at"] for item in listed(office)]
    assert sorted(created, reverse=True) == created


def test_after_sales_are_found_by_state_kind_order_and_number(office: Any) -> None:
    shipped = office.place(1, status="shipped", shipped_at=datetime.now(UTC))
    waiting = office.place(2, lines=3)
    back = office.ask(shipped, kind="return_refund")
    pending = office.ask(waiting)
    office.sync()

    def found(**wanted: Any) -> set[str]:
        some = {item.fact["channel_after_sale_id"] for item in after_sales(office, **wanted)}
        assert len(some) == count_after_sales(office.store, WantedAfterSales(**{"shop_id": SHOP} | wanted))
        return some

    assert {back, pending} == found() == found(statuses=("requested",)) == found(channel="huiju")
    assert {back} == found(kinds=("return_refund", "exchange")) == found(order_id=shipped)
    assert {pending} == found(order_id=office.order(waiting).id) == found(product_id="403000003")
    assert {pending} == found(text=pending) == found(text=waiting)
    assert set() == found(statuses=("closed",)) == found(channel="youzan") == found(text="_")
    later = datetime.now(UTC) + timedelta(hours=1)
    assert {back, pending} == found(until=later)
    assert set() == found(since=later)


def test_another_shops_records_are_never_shown(office: Any) -> None:
    """R20: neither listed, nor found by either of their ids."""
    order_id = office.place()
    request = office.ask(order_id)
    office.sync()
    own = (office.order(order_id).id, office.after_sale(request).id)
    assert [] == listed(office, shop_id="999")
    assert [] == after_sales(office, shop_id="999")
    known = (office.store, office.rulebook, office.vault, "999")
    for id_ in (order_id, own[0], "nothing"):
        with pytest.raises(OrderUnknown) as caught:
            show_order(*known, id_)
        assert (f"没有订单 {id_}；", id_) == (caught.value.message[: len(id_) + 6], caught.value.order_id)
    for id_ in (request, own[1]):
        with pytest.raises(AfterSaleUnknown):
            show_after_sale(*known, id_)
    assert own == (office.order(own[0]).id, office.after_sale(own[1]).id)


def test_what_has_happened_is_told_in_its_order(office: Any) -> None:
    """R30: with the channel's times, and the words of the rules."""
    order_id = office.place()
    request = office.ask(order_id)
    office.sync()
    office.work(office.ship(order_id))
    told = [(item.title, item.after_sale_id) for item in office.order(order_id).events]
    assert [("买家申请售后", request), ("订单已发货", "")] == told
    assert told == [(item.title, item.after_sale_id) for item in office.after_sale(request).events]
    assert [("ship", "done")] == [(item.action, item.state) for item in office.order(order_id).sendings]
    assert () == listed(office)[0].sendings
