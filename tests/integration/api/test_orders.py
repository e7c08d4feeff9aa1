"""Orders and after-sales over HTTP: shown as the rules allow, refused with the reason and what to do instead (R20–R32, R35)."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from channels.sandbox import Sandbox
from channels.sandbox.huiju.seed import order_of
from pipeline.orders.intake import begin_alone, end_alone
from pipeline.sending.lanes import Lanes
from pipeline.sending.sendings import find_sending
from pipeline.sending.worker import Worker
from pipeline.store import BindingRow, OutboxItem
from tests.integration.api.front import OTHER, Front, diagnostics
from tests.integration.demo_shop import SHOP
from tests.integration.push.orders.conftest import SECRETS, order_fact

NOWHERE = "HJ999999"
SHIP = {"parcels": [{"carrier": "顺丰速运", "waybill": "SF100200300"}]}


@dataclass
class Counter:
    """Sell on the marketplace, and work on what was sold."""

    front: Front
    sandbox: Sandbox

    @property
    def client(self) -> FlaskClient:
        return self.front.service()

    def sell(self) -> str:
        """Let a buyer order, take it in, and give the channel's number."""
        state = self.sandbox.huiju.state
        with state.lock:
            record = order_of(order_fact(len(state.orders) + 1, updated_at=datetime.now(UTC)))
            state.orders[record["orderId"]] = record
        self.take_in()
        return str(record["orderId"])

    def take_in(self) -> Any:
        answer = self.client.post("/v1/sync?days=0")
        assert 200 == answer.status_code, answer.text
        return answer.json

    def ask(self, order_id: str, **how: Any) -> str:
        """Let the buyer ask for a refund, and take it in."""
        after_sale_id = self.sandbox.huiju.buyer.request(order_id, **how)
        self.take_in()
        return after_sale_id

    def act(self, path: str, action: str, body: Any = None, client: FlaskClient | None = None) -> Any:
        return (client or self.client).post(f"{path}/actions/{action}", json=body or {})

    def work(self, item_id: str) -> None:
        services = self.front.services
        lanes = Lanes(services.store, services.vault, base_url=self.sandbox.huiju.base_url, per_second=2000)
        end = time.monotonic() + 20

        def over() -> bool:
            return find_sending(services.store, SHOP, item_id).is_over or time.monotonic() > end

        Worker(lanes, services.rules.current(), threads=1).run(threading.Event(), over)


@pytest.fixture
def counter(front: Front, outside: Sandbox) -> Counter:
    counter = Counter(front, outside)
    counter.take_in()
    return counter


def state(answer: Any, action: str) -> Any:
    return next(item for item in answer.json["actions"] if item["action"] == action)


def test_an_order_is_taken_in_found_shown_shipped_and_its_outcome_is_told(counter: Counter) -> None:
    """R20, R27: the waybill reaches the channel."""
    order_id = counter.sell()
    assert {"orders_new": 0, "left_out": {}}.items() <= counter.take_in().items()
    page = counter.client.get("/v1/orders?source=huiju&status=to_ship").json
    assert [order_id] == [item["order"]["channel_order_id"] for item in page["items"]]
    answer = counter.act(f"/v1/orders/{order_id}", "ship", SHIP)
    assert (202, "ship", "queued") == (answer.status_code, answer.json["action"], answer.json["state"])
    where = answer.headers["Location"]
    assert f"/v1/outbox/{answer.json['item_id']}" == where
    assert [answer.json["item_id"]] == [
        item["item_id"] for item in counter.client.get("/v1/outbox").json["items"]
    ]
    counter.work(answer.json["item_id"])
    assert ("done", "") == tuple(counter.client.get(where).json[name] for name in ("state", "error"))
    assert [] == counter.client.get("/v1/outbox").json["items"]
    shown = counter.client.get(f"/v1/orders/{order_id}").json
    assert ("shipped", ["SF100200300"]) == (
        shown["order"]["status"],
        [parcel["waybill"] for parcel in shown["shipments"]],
    )
    assert shown["events"]
    there = counter.sandbox.huiju.state.snapshot()["orders"][order_id]
    assert ["SF100200300"] == [parcel["deliverNumber"] for parcel in there["logisticsList"]]


@pytest.mark.parametrize(
    ("action", "source"),
    [("small_payout", "R21"), ("view_snapshot", "R22"), ("refund", "R23"), ("edit_consignee", "R24"), ("view_buyer", "R26"), ("contact_buyer", "R26"), ("leave_message", "R26")],
)  # fmt: skip
def test_what_the_rules_forbid_is_shown_and_refused_with_the_same_words(
    counter: Counter, action: str, source: str
) -> None:
    order_id = counter.sell()
    shown = state(counter.client.get(f"/v1/orders/{order_id}"), action)
    answer = counter.act(f"/v1/orders/{order_id}", action)
    assert (409, "/v1/problems/action-refused") == (answer.status_code, answer.json["type"])
    assert shown == answer.json["action"]
    assert source in shown["source"]
    assert shown["state"] != "enabled"
    assert shown["reason"] in answer.json["detail"]
    assert [] == counter.client.get("/v1/outbox").json["items"]


def test_a_refund_request_before_shipping_is_not_rejected_but_closed_by_shipping(counter: Counter) -> None:
    """R30: refused with shipping named as the way, which then closes the request."""
    order_id = counter.sell()
    request = counter.ask(order_id)
    refused = counter.act(f"/v1/after-sales/{request}", "reject", {"remark": "不同意"})
    assert 409 == refused.status_code
    assert "ship" in [item["action"] for item in refused.json["action"]["instead"]]
    shipped = counter.act(f"/v1/orders/{order_id}", "ship", SHIP)
    counter.work(shipped.json["item_id"])
    counter.take_in()
    found = counter.client.get(f"/v1/after-sales/{request}").json["after_sale"]
    assert ("closed", "shipment") == (found["status"], found["closed_by"])


def test_an_after_sale_is_agreed_to_from_here(counter: Counter) -> None:
    """R32."""
    request = counter.ask(counter.sell())
    answer = counter.act(f"/v1/after-sales/{request}", "agree")
    assert 202 == answer.status_code, answer.text
    counter.work(answer.json["item_id"])
    assert "done" == counter.client.get(answer.headers["Location"]).json["state"]


def test_buyer_contact_and_countdown_leave_the_server_in_no_answer(counter: Counter) -> None:
    """R25, R26, R28, R29, R31: for every role; the consignee is shown with a single order alone, for who ships it."""
    order_id = counter.sell()
    request = counter.ask(order_id)
    name, phone, address, *buyer = SECRETS
    for role in ("senior_admin", "operator", "viewer"):
        client = counter.front.browser(role)
        paths = ("/v1/orders", f"/v1/orders/{order_id}", "/v1/after-sales", f"/v1/after-sales/{request}")
        answers = [client.get(path) for path in paths]
        assert [200] * 4 == [answer.status_code for answer in answers]
        for answer in answers:
            assert not [value for value in buyer[:2] if value in answer.text]
            assert '"auto_handle_at":' not in answer.text
        assert "consignee" not in answers[0].json["items"][0]["order"]
        assert answers[1].json["order"]["consignee"]["name"].startswith(name)
        for answer in (answers[0], answers[2]):
            assert not [value for value in (name, phone, address) if value in answer.text]
        contact = answers[3].json["after_sale"]["contact"]
        assert not [value for value in contact.values() for secret in SECRETS if secret in value]


def test_lists_are_filtered_and_paged(counter: Counter) -> None:
    orders = [counter.sell(), counter.sell(), counter.sell()]
    request = counter.ask(orders[0])
    client = counter.client

    def numbers(query: str) -> list[str]:
        items = client.get(f"/v1/orders?{query}").json["items"]
        return [item["order"]["channel_order_id"] for item in items]

    assert sorted(orders) == sorted(numbers(""))
    assert [] == numbers("status=closed")
    assert [] == numbers("until=2020-01-01T00:00:00Z")
    assert [orders[1]] == numbers(f"text={orders[1]}")
    first = client.get("/v1/orders?limit=2").json
    rest = client.get(f"/v1/orders?limit=2&cursor={first['next']}").json
    seen = [item["order"]["channel_order_id"] for item in first["items"] + rest["items"]]
    assert (sorted(orders), None) == (sorted(seen), rest["next"])
    found = client.get(f"/v1/after-sales?order={orders[0]}&status=requested&kind=refund_only").json["items"]
    assert [request] == [item["after_sale"]["channel_after_sale_id"] for item in found]
    assert [] == client.get(f"/v1/after-sales?order={orders[1]}").json["items"]
    for query in ("status=x", "limit=0", "shop=1", "cursor=1", "since=yesterday"):
        assert [422, 422] == [
            client.get(f"/v1/{name}?{query}").status_code for name in ("orders", "after-sales")
        ]


@pytest.mark.parametrize(
    ("action", "body", "pointer"),
    [
        ("ship", {}, "/parcels"),
        ("ship", {"parcels": []}, "/parcels"),
        ("ship", {"parcels": [{"carrier": "顺丰速运"}]}, "/parcels/0/waybill"),
        ("ship", {"parcels": [{"carrier": "顺丰速运", "waybill": "SF 1!"}]}, "/parcels/0/waybill"),
        ("ship", {**SHIP, "remark": "x"}, "/remark"),
        ("refund", {"amount": 1}, "/amount"),
    ],
)
def test_what_is_wrong_with_a_request_is_named_and_nothing_is_sent(
    counter: Counter, action: str, body: Any, pointer: str
) -> None:
    order_id = counter.sell()
    answer = counter.act(f"/v1/orders/{order_id}", action, body)
    assert (422, pointer) == (answer.status_code, diagnostics(answer)[0]["pointer"])
    assert [] == counter.client.get("/v1/outbox").json["items"]


def test_a_request_that_is_repeated_with_its_key_ships_once_and_another_body_is_refused(
    counter: Counter,
) -> None:
    order_id = counter.sell()
    key = {"Idempotency-Key": "ship-1"}
    path = f"/v1/orders/{order_id}/actions/ship"
    one, two = (counter.client.post(path, json=SHIP, headers=key) for _ in range(2))
    assert (202, one.json, "true") == (two.status_code, two.json, two.headers["Idempotent-Replayed"])
    other = {"parcels": [{"carrier": "顺丰速运", "waybill": "SF999"}]}
    assert 422 == counter.client.post(path, json=other, headers=key).status_code
    assert 1 == len(counter.client.get("/v1/outbox").json["items"])


@pytest.mark.parametrize("about", ["orders", "after-sales"])
def test_an_action_whose_request_died_before_it_answered_is_found_again_under_its_key(
    counter: Counter, about: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it, the repeat would be refused: what it asks for is on its way already."""
    order_id = counter.sell()
    path, action, body = f"/v1/orders/{order_id}", "ship", SHIP
    if about == "after-sales":
        path, action, body = f"/v1/after-sales/{counter.ask(order_id)}", "agree", {"remark": ""}
    client, key = counter.client, {"Idempotency-Key": "k1"}
    with monkeypatch.context() as patch:
        patch.setattr("api.order_data.find_sending", lambda *_: 1 / 0)
        assert 500 == client.post(f"{path}/actions/{action}", json=body, headers=key).status_code
    answers = [client.post(f"{path}/actions/{action}", json=body, headers=key) for _ in range(2)]
    assert [202, 202] == [answer.status_code for answer in answers], answers[0].text
    (item,) = client.get("/v1/outbox").json["items"]
    assert [item["item_id"]] * 2 == [answer.json["item_id"] for answer in answers]
    assert 409 == client.post(f"{path}/actions/{action}", json=body).status_code


def test_an_action_that_there_is_not_is_not_found(counter: Counter) -> None:
    answer = counter.act(f"/v1/orders/{counter.sell()}", "shipp")
    assert 404 == answer.status_code
    assert "ship" in answer.json["detail"]


def test_what_waits_for_a_person_is_released(counter: Counter) -> None:
    order_id = counter.sell()
    item_id = counter.act(f"/v1/orders/{order_id}", "ship", SHIP).json["item_id"]
    client = counter.client
    early = client.post(f"/v1/outbox/{item_id}/release")
    assert (409, "/v1/problems/conflict") == (early.status_code, early.json["type"])
    with counter.front.store.write() as session:
        values = {"state": "held", "last_error": {"message": "渠道没有回应"}}
        session.execute(update(OutboxItem).where(OutboxItem.id == item_id).values(**values))
    held = client.get("/v1/outbox?state=held").json["items"]
    assert [(item_id, "渠道没有回应")] == [(item["item_id"], item["error"]) for item in held]
    assert 403 == counter.front.service("viewer").post(f"/v1/outbox/{item_id}/release").status_code
    released = client.post(f"/v1/outbox/{item_id}/release")
    assert (202, "queued") == (released.status_code, released.json["state"])
    counter.work(item_id)
    assert "done" == client.get(f"/v1/outbox/{item_id}").json["state"]


def test_marked_payments_are_left_out_of_the_settlement(counter: Counter) -> None:
    """R35."""
    counter.sell()
    now = datetime.now(UTC)
    span = {"since": (now - timedelta(days=1)).isoformat(), "until": (now + timedelta(days=1)).isoformat()}
    found = counter.client.get("/v1/settlement", query_string=span).json
    assert (0, 0, 1) == (found["orders"], found["total"], found["marked_orders"])
    assert found["marked_total"] > 0
    ever = {"since": "0001-01-01T00:00:00Z", "until": "9999-12-31T23:59:59-12:00"}
    assert found == counter.client.get("/v1/settlement", query_string=ever).json
    never = {"since": "2016-12-31T23:59:60Z", "until": "2017-01-01T00:00:00Z"}
    assert 422 == counter.client.get("/v1/settlement", query_string=never).status_code
    missing = counter.client.get("/v1/settlement")
    assert (422, 2) == (missing.status_code, len(diagnostics(missing)))


def test_nothing_is_known_of_another_shops_orders(counter: Counter) -> None:
    order_id = counter.sell()
    request = counter.ask(order_id)
    item_id = counter.act(f"/v1/orders/{order_id}", "ship", SHIP).json["item_id"]
    theirs = counter.front.service("senior_admin", OTHER)
    for path, none in (
        (f"/v1/orders/{order_id}", f"/v1/orders/{NOWHERE}"),
        (f"/v1/after-sales/{request}", f"/v1/after-sales/{NOWHERE}"),
        (f"/v1/outbox/{item_id}", f"/v1/outbox/{'0' * 32}"),
    ):
        one, two = theirs.get(path), theirs.get(none)
        assert (404, 404) == (one.status_code, two.status_code)
        assert one.json["detail"].replace(path.rpartition("/")[2], "") == two.json["detail"].replace(
            none.rpartition("/")[2], ""
        )
    assert 404 == counter.act(f"/v1/orders/{order_id}", "ship", SHIP, theirs).status_code
    assert 404 == counter.act(f"/v1/after-sales/{request}", "agree", None, theirs).status_code
    assert 404 == theirs.post(f"/v1/outbox/{item_id}/release").status_code
    for path in ("/v1/orders", "/v1/after-sales", "/v1/outbox"):
        assert [] == theirs.get(path).json["items"]


def test_a_viewer_looks_and_does_not_act_and_nobody_does_without_signing_in(counter: Counter) -> None:
    order_id = counter.sell()
    viewer, nobody = counter.front.service("viewer"), counter.front.anyone()
    assert 200 == viewer.get(f"/v1/orders/{order_id}").status_code
    assert 403 == counter.act(f"/v1/orders/{order_id}", "ship", SHIP, viewer).status_code
    assert 403 == viewer.post("/v1/sync").status_code
    reads = (
        "/v1/orders",
        f"/v1/orders/{order_id}",
        "/v1/after-sales",
        "/v1/after-sales/1",
        "/v1/outbox",
        "/v1/settlement",
    )
    assert [401] * 6 == [nobody.get(path).status_code for path in reads]
    posts = (
        f"/v1/orders/{order_id}/actions/ship",
        "/v1/after-sales/1/actions/agree",
        "/v1/sync",
        f"/v1/outbox/{'0' * 32}/release",
    )
    assert [401] * 4 == [nobody.post(path, json={}).status_code for path in posts]
    unsafe = counter.front.browser(csrf=False)
    assert [403] * 4 == [unsafe.post(path, json={}).status_code for path in posts]


def test_a_shop_that_is_not_bound_takes_nothing_in(counter: Counter) -> None:
    with counter.front.store.write() as session:
        session.delete(session.get_one(BindingRow, (SHOP, "huiju")))
    assert 409 == counter.client.post("/v1/sync").status_code


def test_one_intake_of_a_shop_at_a_time(counter: Counter) -> None:
    assert begin_alone(counter.front.store, SHOP, "huiju", timedelta(0))
    answer = counter.client.post("/v1/sync")
    assert (409, "/v1/problems/in-progress") == (answer.status_code, answer.json["type"])
    end_alone(counter.front.store, SHOP, "huiju")
    assert 200 == counter.client.post("/v1/sync").status_code
