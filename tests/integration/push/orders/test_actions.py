"""Acting on orders and after-sales, through rules, outbox and worker to the marketplace and back (R23, R27, R30, R32)."""

from __future__ import annotations

from typing import Any


def test_shipping_an_order_with_an_open_refund_request_closes_the_request_once(office: Any) -> None:
    """R30, R27: the marketplace has the waybill, the request is closed by the shipment."""
    order_id = office.place()
    request = office.ask(order_id)
    office.sync()
    assert ("requested", None) == office.state(request)
    sent = office.work(office.ship(order_id, "SF-2022-01"))
    assert sent is not None
    assert ("done", "") == (sent.state, sent.error)
    assert [("SF-2022-01", ["L10", "L11"])] == office.parcels(order_id)
    assert ([order_id], ("closed", "shipment")) == (office.effects("order_deliver"), office.state(request))
    assert "shipped" == office.order(order_id).fact["status"]
    assert office.there() == office.states()
