"""Replies that break the interface's promise: never taken for success, never for an empty list, never a stray exception."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from channels.errors import (
    AlreadyListed,
    BusinessRefusal,
    ChannelError,
    EffectUnknown,
    LimitExceeded,
    RateLimited,
    UnreadableReply,
)
from channels.huiju import HuijuClient, HuijuCredentials
from channels.sandbox.server import LoopbackServer
from channels.wire import Retry
from channels.youzan import YouzanClient, YouzanCredentials

GRANT = {"success": True, "code": 200, "data": {"access_token": "token-abcd", "expires": 4102444800000}}
NOON = datetime(2022, 3, 10, 12, tzinfo=UTC)


class Parrot:
    """A real server that gives one reply to everything.

    Attributes:
        reply: What it says; text is sent as it is.
        status: HTTP status.
        headers: Further headers.
        grant: What it says to a request for a token.
        heard: Paths of the requests so far.
    """

    def __init__(self) -> None:
        self.reply: Any = {}
        self.status = 200
        self.headers: dict[str, str] = {}
        self.grant: Any = GRANT
        self.heard: list[str] = []
        self.server = LoopbackServer(self.app)

    def app(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        request.get_data()
        self.heard.append(request.path)
        body = self.grant if request.path == "/auth/token" else self.reply
        text = body if isinstance(body, str) else json.dumps(body)
        reply = Response(text, self.status, headers=self.headers, content_type="application/json")
        return reply(environ, start_response)


@pytest.fixture
def parrot() -> Iterator[Parrot]:
    parrot = Parrot()
    parrot.server.start()
    yield parrot
    parrot.server.stop()


@pytest.fixture
def huiju(parrot: Parrot) -> Iterator[HuijuClient]:
    credentials = HuijuCredentials("app", "secret-1", "data-key-1")
    with HuijuClient(credentials, base_url=parrot.server.address, retry=Retry(attempts=1)) as client:
        yield client


@pytest.fixture
def youzan(parrot: Parrot) -> Iterator[YouzanClient]:
    credentials = YouzanCredentials("client", "secret-1", "1")
    with YouzanClient(credentials, base_url=parrot.server.address, retry=Retry(attempts=1)) as client:
        yield client


class TestHuiju:
    @pytest.mark.parametrize(
        "reply",
        [
            {},
            [],
            "null",
            "<html>",
            "",
            {"code": 0},
            {"code": 0, "data": None},
            {"code": 0, "data": []},
            {"code": 0, "data": {}},
            {"code": 0, "data": {"orderList": []}},
            {"code": 0, "data": {"totalCount": 3}},
            {"code": 0, "data": {"totalCount": "many", "orderList": []}},
            {"code": 0, "data": {"totalCount": -1, "orderList": []}},
            {"code": 0, "data": {"totalCount": 0, "orderList": {}}},
        ],
    )
    def test_a_listing_that_is_none_is_not_taken_for_an_empty_one(
        self, parrot: Parrot, huiju: HuijuClient, reply: Any
    ) -> None:
        parrot.reply = reply
        with pytest.raises(UnreadableReply) as caught:
            next(huiju.orders.updated(1, 2))
        assert 32 == len(caught.value.trace), "our own request id, to be found again at the channel"

    def test_a_listing_may_give_its_total_as_text(self, parrot: Parrot, huiju: HuijuClient) -> None:
        parrot.reply = {"code": 0, "data": {"totalCount": "0", "orderList": []}}
        assert [] == next(huiju.orders.updated(1, 2))

    def test_a_write_without_a_clear_answer_has_an_unknown_effect(
        self, parrot: Parrot, huiju: HuijuClient
    ) -> None:
        parrot.reply = {"code": 0, "data": {}}
        with pytest.raises(UnreadableReply, match="productId") as caught:
            huiju.products.add({"outProductId": "1"}, idempotency_key="k")
        assert "unknown" == caught.value.effect

    @pytest.mark.parametrize("reply", [{"code": 0}, {"code": 0, "data": None}, {"code": 0, "data": {}}])
    def test_a_write_that_is_answered_with_bare_success_was_done(
        self, parrot: Parrot, huiju: HuijuClient, reply: Any
    ) -> None:
        """What the real replies of these interfaces hold is not known; success is known."""
        parrot.reply = reply
        assert "" == huiju.orders.deliver("HJ1", "顺丰速运", "SF1000000001")
        assert {} == huiju.after_sales.agree("AS1")
        assert huiju.stock.set("1", 5) is None

    def test_an_unknown_code_is_a_refusal_in_the_channels_own_words(
        self, parrot: Parrot, huiju: HuijuClient
    ) -> None:
        parrot.reply = {"code": 987654, "msg": "请联系客服"}
        with pytest.raises(BusinessRefusal, match="请联系客服") as caught:
            huiju.system_time()
        assert ("987654", False) == (caught.value.code, caught.value.retryable)

    def test_a_refusal_without_words_says_so(self, parrot: Parrot, huiju: HuijuClient) -> None:
        parrot.reply = {"code": 43002}
        with pytest.raises(AlreadyListed, match="没有说明原因") as caught:
            huiju.products.add({"outProductId": "1"}, idempotency_key="k")
        assert "" == caught.value.product_id

    def test_a_busy_channel_leaves_the_effect_unknown(self, parrot: Parrot, huiju: HuijuClient) -> None:
        parrot.reply = {"code": 50000, "msg": "系统繁忙"}
        with pytest.raises(EffectUnknown) as caught:
            huiju.system_time()
        assert caught.value.retryable

    @pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("soon", None), ("-3", 0.0)])
    def test_a_gateways_own_429_is_a_rate_limit(
        self, parrot: Parrot, huiju: HuijuClient, header: str, seconds: float | None
    ) -> None:
        parrot.reply, parrot.status, parrot.headers = "too many", 429, {"Retry-After": header}
        with pytest.raises(RateLimited) as caught:
            huiju.system_time()
        assert seconds == caught.value.retry_after

    @pytest.mark.parametrize("status", [301, 403, 404])
    def test_a_page_of_some_proxy_is_unreadable(
        self, parrot: Parrot, huiju: HuijuClient, status: int
    ) -> None:
        parrot.reply, parrot.status, parrot.headers = (
            "<h1>Moved</h1>",
            status,
            {"Location": "http://127.0.0.1:1/"},
        )
        with pytest.raises(UnreadableReply) as caught:
            huiju.system_time()
        assert status == caught.value.http

    def test_what_the_profile_does_not_know_is_passed_on_untouched(
        self, parrot: Parrot, huiju: HuijuClient
    ) -> None:
        order = {
            "orderId": "1",
            "orderStatus": 77,
            "brandNew": {"a": [1]},
            "itemList": ["odd", None],
            "userName": None,
        }
        parrot.reply = {"code": 0, "data": {"order": order}}
        assert order == huiju.orders.get("1")


Call = Callable[[YouzanClient], Any]


class TestYouzan:
    @pytest.mark.parametrize(
        ("call", "reply"),
        [
            (lambda y: y.items.on_sale(), {"response": {"count": 3}}),
            (lambda y: y.items.on_sale(), {"response": {"items": []}}),
            (lambda y: next(y.trades.updated(NOON, NOON)), {"success": True, "data": {"total_results": "1"}}),
            (lambda y: y.refunds.updated(1, 2), {"success": True, "data": {}}),
            (lambda y: y.logistics.carriers(), {"response": {}}),
            (lambda y: y.logistics.freight_templates(), {"response": {"items": []}}),
            (lambda y: y.trades.get("E1"), {"success": True, "data": [1]}),
            (lambda y: y.trades.get("E1"), "<html>"),
        ],
    )
    def test_a_listing_that_is_none_is_not_taken_for_an_empty_one(
        self, parrot: Parrot, youzan: YouzanClient, call: Call, reply: Any
    ) -> None:
        parrot.reply = reply
        with pytest.raises(UnreadableReply):
            call(youzan)

    def test_an_empty_listing_may_leave_its_rows_out(self, parrot: Parrot, youzan: YouzanClient) -> None:
        parrot.reply = {"response": {"count": 0}}
        assert [] == youzan.items.on_sale()

    @pytest.mark.parametrize(
        ("reply", "kind"),
        [({"response": {"is_success": False}}, BusinessRefusal), ({"response": {}}, UnreadableReply)],
    )
    def test_a_write_that_does_not_say_it_was_done_was_not(
        self, parrot: Parrot, youzan: YouzanClient, reply: Any, kind: type[ChannelError]
    ) -> None:
        parrot.reply = reply
        with pytest.raises(kind):
            youzan.refunds.agree("1", 1)
        with pytest.raises(kind):
            youzan.logistics.ship("E1", "7", "SF1")

    @pytest.mark.parametrize(
        "grant", [{"success": True, "data": {}}, {"success": True, "data": [1]}, {"success": True}, "<html>"]
    )
    def test_a_grant_without_a_token_is_unreadable(
        self, parrot: Parrot, youzan: YouzanClient, grant: Any
    ) -> None:
        parrot.grant = grant
        with pytest.raises(UnreadableReply):
            youzan.logistics.carriers()
        assert ["/auth/token"] == parrot.heard

    def test_a_token_without_an_expiry_is_kept(self, parrot: Parrot, youzan: YouzanClient) -> None:
        parrot.grant = {"success": True, "data": {"access_token": "token-abcd"}}
        parrot.reply = {"response": {"allExpress": []}}
        for _ in range(3):
            youzan.logistics.carriers()
        assert 1 == parrot.heard.count("/auth/token")

    def test_a_token_that_is_refused_twice_is_given_up(self, parrot: Parrot, youzan: YouzanClient) -> None:
        parrot.reply = {"gw_err_resp": {"err_code": 4203, "err_msg": "Token 不存在"}}
        with pytest.raises(ChannelError, match="Token 不存在"):
            youzan.logistics.carriers()
        assert (2, 2) == (parrot.heard.count("/auth/token"), len(parrot.heard) - 2)

    def test_a_crowded_second_is_said_to_be_one(self, parrot: Parrot, youzan: YouzanClient) -> None:
        parrot.reply = {"success": True, "data": {"total": 3001, "refunds": []}}
        with pytest.raises(LimitExceeded, match="3000"):
            youzan.refunds.updated(5, 6)
        parrot.reply = {"success": True, "data": {"total_results": 10001, "full_order_info_list": []}}
        with pytest.raises(LimitExceeded, match="10000"):
            next(youzan.trades.updated(NOON, NOON))

    def test_clients_say_who_they_are_and_no_more(self, youzan: YouzanClient, huiju: HuijuClient) -> None:
        assert "YouzanClient(client_id='client', kdt_id='1')" == repr(youzan)
        assert "HuijuClient(app_id='app')" == repr(huiju)
