"""The Youzan client against the sandbox, and against every envelope that Youzan is known to answer in."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from channels.errors import (
    BusinessRefusal,
    ChannelError,
    CredentialsRefused,
    EffectUnknown,
    LimitExceeded,
    Missing,
    RateLimited,
    StateChanged,
    UnreadableReply,
)
from channels.redact import Redactor
from channels.sandbox import Sandbox, SandboxConfig, Seed
from channels.wire import Reply
from channels.youzan import YouzanClient, YouzanCredentials
from channels.youzan.envelope import unwrap

TO_SHIP, SHIPPED, UNPAID = (f"E2022031012000000000000{number:02d}" for number in (4, 5, 6))
REFUND, RETURN = (f"2022031012000000000000{number:02d}" for number in (4, 5))


class TestToken:
    def test_good_credentials_are_granted_a_token(self, sandbox: Sandbox, youzan: YouzanClient) -> None:
        youzan.probe()
        assert 1 == len(sandbox.youzan.state.tokens)

    def test_one_token_serves_many_calls(self, sandbox: Sandbox, youzan: YouzanClient) -> None:
        for _ in range(5):
            youzan.logistics.carriers()
        assert 1 == len(sandbox.youzan.state.tokens)

    def test_many_threads_share_one_token_even_after_it_was_refused(
        self, sandbox: Sandbox, youzan: YouzanClient
    ) -> None:
        with ThreadPoolExecutor(8) as workers:
            list(workers.map(lambda _: youzan.items.detail("403680077"), range(24)))
            assert 1 == len(sandbox.youzan.state.tokens)
            sandbox.youzan.state.expire_tokens()
            list(workers.map(lambda _: youzan.items.detail("403680077"), range(24)))
        assert 1 == len(sandbox.youzan.state.tokens)

    def test_a_token_is_replaced_before_it_expires(
        self, seed: Seed, config: SandboxConfig, clock: Callable[[], float]
    ) -> None:
        now = [clock()]
        with (
            Sandbox(seed, config=replace(config, token_life=3600), clock=lambda: now[0]) as sandbox,
            YouzanClient(
                sandbox.youzan.credentials, base_url=sandbox.youzan.base_url, clock=lambda: now[0]
            ) as client,
        ):
            client.logistics.carriers()
            now[0] += 3600 - 301
            client.logistics.carriers()
            assert 1 == len(sandbox.youzan.state.tokens)
            now[0] += 2
            client.logistics.carriers()
            assert 2 == len(sandbox.youzan.state.tokens)

    @pytest.mark.parametrize("life", [0.2, 60])
    def test_a_very_short_life_does_not_make_every_call_grant(
        self, seed: Seed, config: SandboxConfig, life: float
    ) -> None:
        """Half of a life shorter than the safety margin is used."""
        now = [1646920800.0]
        with (
            Sandbox(seed, config=replace(config, token_life=life), clock=lambda: now[0]) as sandbox,
            YouzanClient(
                sandbox.youzan.credentials, base_url=sandbox.youzan.base_url, clock=lambda: now[0]
            ) as client,
        ):
            client.logistics.carriers()
            now[0] += life * 0.4
            client.logistics.carriers()
            assert 1 == len(sandbox.youzan.state.tokens)
            now[0] += life * 0.2
            client.logistics.carriers()
            assert 2 == len(sandbox.youzan.state.tokens)

    @pytest.mark.parametrize(
        "call",
        [
            lambda client: client.logistics.carriers(),  # 3.0.0 answers 40010
            lambda client: client.items.detail("403680077"),  # 1.0.1 answers with the gateway's 4203
            lambda client: client.logistics.ship(TO_SHIP, "7", "SF1000000001"),
        ],
    )
    def test_a_refused_token_is_replaced_and_the_call_made_once_more(
        self, sandbox: Sandbox, youzan: YouzanClient, call: Callable[[YouzanClient], Any]
    ) -> None:
        youzan.logistics.carriers()
        sandbox.youzan.state.expire_tokens()
        call(youzan)
        assert 1 == len(sandbox.youzan.state.tokens)

    def test_a_wrong_secret_is_refused(self, sandbox: Sandbox) -> None:
        wrong = replace(sandbox.youzan.credentials, client_secret="wrong-secret")
        with (
            YouzanClient(wrong, base_url=sandbox.youzan.base_url) as client,
            pytest.raises(CredentialsRefused, match="Client 不存在"),
        ):
            client.probe()

    def test_a_shop_that_was_not_authorised_is_refused(self, sandbox: Sandbox) -> None:
        wrong = replace(sandbox.youzan.credentials, kdt_id="1")
        with (
            YouzanClient(wrong, base_url=sandbox.youzan.base_url) as client,
            pytest.raises(ChannelError, match="店铺未授权"),
        ):
            client.logistics.carriers()


def got(body: Any, http: int = 200) -> Any:
    """Unwrap a reply."""
    return unwrap(Reply(http, body, None), Redactor([]))


class TestEnvelopes:
    @pytest.mark.parametrize(
        "body",
        [
            {"response": {"a": 1}},
            {"trace_id": "yz7-1", "code": 200, "success": True, "message": None, "data": {"a": 1}},
            {"code": "200", "success": True, "data": {"a": 1}, "request_id": "r"},
        ],
    )
    def test_success_is_taken_out_of_every_envelope(self, body: Any) -> None:
        assert {"a": 1} == got(body)

    @pytest.mark.parametrize(
        ("body", "kind", "code", "trace"),
        [
            (
                {"error_response": {"code": 40010, "msg": "参数 token 无效", "sub_code": 10000}},
                CredentialsRefused,
                "40010",
                "",
            ),
            ({"error_response": {"code": 103011024, "message": "退款记录不存在"}}, Missing, "103011024", ""),
            (
                {"trace_id": "yz7-2", "code": 223014001, "success": False, "message": "不行"},
                BusinessRefusal,
                "223014001",
                "yz7-2",
            ),
            (
                {"gw_err_resp": {"err_code": 4203, "err_msg": "Token 不存在", "trace_id": "yz7-3"}},
                CredentialsRefused,
                "4203",
                "yz7-3",
            ),
            (
                {"gw_err_resp": {"err_code": 4005, "err_msg": "非法的API", "trace_id": "yz7-4"}},
                BusinessRefusal,
                "4005",
                "yz7-4",
            ),
            ({"gw_err_resp": {"err_code": 4101, "err_msg": "请求太频繁"}}, RateLimited, "4101", ""),
            ({"msg": "请求太频繁", "code": 4101}, RateLimited, "4101", ""),
            ({"error_response": {"code": 103010039, "msg": "退款版本号错误"}}, StateChanged, "103010039", ""),
            (
                {"error_response": {"code": 121000100, "msg": "internal error"}},
                EffectUnknown,
                "121000100",
                "",
            ),
            (
                {"success": False, "code": 1103, "data": None, "message": "Client 不存在"},
                CredentialsRefused,
                "1103",
                "",
            ),
            ({"success": True, "code": 200, "data": None}, UnreadableReply, "unreadable", ""),
            ({"response": None}, UnreadableReply, "unreadable", ""),
            ({}, UnreadableReply, "unreadable", ""),
            ([], UnreadableReply, "unreadable", ""),
            (None, UnreadableReply, "unreadable", ""),
        ],
    )
    def test_every_refusal_becomes_one_kind_of_error(
        self, body: Any, kind: type[ChannelError], code: str, trace: str
    ) -> None:
        with pytest.raises(kind) as caught:
            got(body)
        assert ("youzan", 200, code, trace) == (
            caught.value.channel,
            caught.value.http,
            caught.value.code,
            caught.value.trace,
        )

    def test_a_flow_control_page_without_json_is_a_rate_limit(self) -> None:
        with pytest.raises(RateLimited):
            got(None, 429)

    def test_an_unknown_interface_is_refused_before_the_token_is_looked_at(self, sandbox: Sandbox) -> None:
        reply = httpx.post(f"{sandbox.youzan.base_url}/api/youzan.nothing/1.0.0", json={}).json()
        assert 4005 == reply["gw_err_resp"]["err_code"]

    def test_a_token_counts_in_the_query_alone(self, sandbox: Sandbox, youzan: YouzanClient) -> None:
        youzan.logistics.carriers()
        token = next(iter(sandbox.youzan.state.tokens))
        url = f"{sandbox.youzan.base_url}/api/youzan.logistics.express.get/3.0.0"
        reply = httpx.post(
            url, json={"access_token": token}, headers={"Authorization": f"Bearer {token}"}
        ).json()
        assert 4201 == reply["gw_err_resp"]["err_code"]


class TestItems:
    def test_a_product_comes_by_id_or_alias(self, youzan: YouzanClient) -> None:
        assert "围巾" == youzan.items.detail("403680077")["title"]
        assert "手套" == youzan.items.detail(alias="a403680078")["title"]

    def test_a_product_that_does_not_exist_is_missing(self, youzan: YouzanClient) -> None:
        with pytest.raises(Missing):
            youzan.items.detail("1")

    @pytest.mark.parametrize("size", [1, 2, 300])
    def test_the_products_on_sale_come_whole(self, youzan: YouzanClient, size: int) -> None:
        assert [403680077, 403680078, 403680079] == [row["item_id"] for row in youzan.items.on_sale(size)]

    def test_products_off_sale_are_left_out(self, sandbox: Sandbox, youzan: YouzanClient) -> None:
        sandbox.youzan.state.edit_item("403680078", {"is_display": 0})
        assert [403680077, 403680079] == [row["item_id"] for row in youzan.items.on_sale()]

    @pytest.mark.parametrize("size", [0, 301])
    def test_a_page_beyond_the_documented_size_is_not_sent(self, youzan: YouzanClient, size: int) -> None:
        with pytest.raises(LimitExceeded):
            youzan.items.on_sale_page(1, size)


NOON = datetime(2022, 3, 10, 12, tzinfo=UTC)


class TestTrades:
    def test_orders_come_by_update_time_with_money_and_times_as_youzan_writes_them(
        self, youzan: YouzanClient
    ) -> None:
        rows = next(youzan.trades.updated(NOON, NOON + timedelta(seconds=5)))
        infos = [row["full_order_info"]["order_info"] for row in rows]
        assert [(TO_SHIP, "WAIT_SELLER_SEND_GOODS"), (SHIPPED, "WAIT_BUYER_CONFIRM_GOODS")] == [
            (info["tid"], info["status"]) for info in infos
        ]
        assert "2022-03-10 20:00:00" == infos[0]["update_time"]
        assert "298.01" == rows[0]["full_order_info"]["pay_info"]["payment"]

    def test_orders_of_the_channel_do_not_show_among_youzans_own(self, youzan: YouzanClient) -> None:
        with pytest.raises(Missing):
            youzan.trades.get("E202203101200000000000001")

    def test_an_order_comes_with_its_lines(self, youzan: YouzanClient) -> None:
        lines = youzan.trades.get(TO_SHIP)["full_order_info"]["orders"]
        assert [403680077, 403680078] == [line["item_id"] for line in lines]
        assert '"k": "颜色"' in lines[0]["sku_properties_name"]

    def test_small_pages_and_a_status_give_the_same_orders(self, youzan: YouzanClient) -> None:
        end = NOON + timedelta(minutes=1)
        assert list(youzan.trades.updated(NOON, end)) == list(youzan.trades.updated(NOON, end, page_size=1))
        only = next(youzan.trades.updated(NOON, end, status="WAIT_BUYER_PAY"))
        assert [UNPAID] == [row["full_order_info"]["order_info"]["tid"] for row in only]

    def test_a_span_beyond_three_months_is_cut_into_windows_that_meet(self, youzan: YouzanClient) -> None:
        windows = list(youzan.trades.updated(NOON - timedelta(days=200), NOON + timedelta(days=1)))
        assert [0, 0, 3] == [len(window) for window in windows]

    def test_the_old_version_answers_in_the_old_envelope(self, youzan: YouzanClient) -> None:
        page = youzan.trades.sold_page(NOON, NOON + timedelta(hours=1), version="4.0.0")
        assert 3 == page.total

    @pytest.mark.parametrize(
        "bad",
        [{"page_no": 0}, {"page_no": 101}, {"page_size": 0}, {"page_size": 101}],
    )
    def test_pages_beyond_the_documented_limits_are_not_sent(
        self, youzan: YouzanClient, bad: dict[str, int]
    ) -> None:
        with pytest.raises(LimitExceeded):
            youzan.trades.sold_page(NOON, NOON, **bad)  # type: ignore[arg-type]  # only numbers among them

    @pytest.mark.parametrize("days", [-1, 91])
    def test_a_span_beyond_the_documented_limit_is_not_sent(self, youzan: YouzanClient, days: int) -> None:
        with pytest.raises(LimitExceeded):
            youzan.trades.sold_page(NOON, NOON + timedelta(days=days))

    def test_a_window_with_more_orders_than_pages_can_show_is_halved(
        self, sandbox: Sandbox, youzan: YouzanClient
    ) -> None:
        """With one order per page the hundred pages hold a hundred orders; there are 103."""
        model = sandbox.youzan.state.trades[TO_SHIP]
        for number in range(100):
            trade: dict[str, Any] = {"full_order_info": dict(model["full_order_info"])}
            at = f"2022-03-10 20:{number // 60:02d}:{number % 60:02d}"
            info = model["full_order_info"]["order_info"]
            trade["full_order_info"]["order_info"] = {**info, "tid": f"E{number}", "update_time": at}
            sandbox.youzan.state.trades[f"E{number}"] = trade
        windows = list(youzan.trades.updated(NOON, NOON + timedelta(minutes=5), page_size=1))
        assert 1 < len(windows)
        tids = [row["full_order_info"]["order_info"]["tid"] for window in windows for row in window]
        assert (103, 103) == (len(tids), len(set(tids)))


class TestShipping:
    def test_an_order_ships_whole(self, youzan: YouzanClient) -> None:
        youzan.logistics.ship(TO_SHIP, "7", "SF1000000001")
        assert (
            "WAIT_BUYER_CONFIRM_GOODS"
            == youzan.trades.get(TO_SHIP)["full_order_info"]["order_info"]["status"]
        )

    def test_an_order_ships_line_by_line(self, youzan: YouzanClient) -> None:
        youzan.logistics.ship(TO_SHIP, "7", "SF1000000001", ["400"])
        assert (
            "WAIT_SELLER_SEND_GOODS" == youzan.trades.get(TO_SHIP)["full_order_info"]["order_info"]["status"]
        )
        with pytest.raises(StateChanged):
            youzan.logistics.ship(TO_SHIP, "7", "SF1000000001", ["400"])
        youzan.logistics.ship_without_express(TO_SHIP, ["401"])
        trade = youzan.trades.get(TO_SHIP)
        assert "WAIT_BUYER_CONFIRM_GOODS" == trade["full_order_info"]["order_info"]["status"]
        assert 2 == len(trade["delivery_order"])

    @pytest.mark.parametrize(
        ("tid", "carrier", "waybill", "code"),
        [
            (UNPAID, "7", "SF1", "102570003"),
            (SHIPPED, "7", "SF1", "102570019"),
            ("E1", "7", "SF1", "105000016"),
            (TO_SHIP, "7", "单号", "105000003"),
            (TO_SHIP, "999", "SF1", "120000103"),
        ],
    )
    def test_what_can_not_be_shipped_is_refused_by_youzans_code(
        self, youzan: YouzanClient, tid: str, carrier: str, waybill: str, code: str
    ) -> None:
        with pytest.raises(BusinessRefusal) as caught:
            youzan.logistics.ship(tid, carrier, waybill)
        assert code == caught.value.code

    def test_a_line_of_another_order_is_refused(self, youzan: YouzanClient) -> None:
        with pytest.raises(BusinessRefusal) as caught:
            youzan.logistics.ship(TO_SHIP, "7", "SF1", ["500"])
        assert "102570002" == caught.value.code

    def test_carriers_and_freight_templates_come_whole(self, youzan: YouzanClient) -> None:
        assert {"id": 7, "name": "顺丰速运", "display": 1} in youzan.logistics.carriers()
        assert [535943] == [row["id"] for row in youzan.logistics.freight_templates()]


class TestRefunds:
    def version(self, youzan: YouzanClient, refund_id: str) -> int:
        """Read the version that a decision must carry."""
        return int(youzan.refunds.get(refund_id)["version"])

    def test_refunds_come_by_update_time_and_by_order(self, youzan: YouzanClient, start: int) -> None:
        assert [REFUND, RETURN] == [row["refund_id"] for row in youzan.refunds.updated(start, start)]
        assert [] == youzan.refunds.updated(start + 1, start + 2)
        assert 1 == youzan.refunds.search_page(tid=TO_SHIP).total

    def test_a_refund_has_its_money_in_yuan_and_a_version(self, youzan: YouzanClient, start: int) -> None:
        refund = youzan.refunds.get(REFUND)
        assert ("298.01", start * 1000, 1) == (refund["refund_fee"], refund["version"], refund["demand"])

    def test_agreeing_to_a_refund_ends_it(self, youzan: YouzanClient) -> None:
        youzan.refunds.agree(REFUND, self.version(youzan, REFUND))
        assert "SUCCESS" == youzan.refunds.get(REFUND)["status"]

    def test_refusing_a_refund_needs_words(self, youzan: YouzanClient) -> None:
        with pytest.raises(BusinessRefusal):
            youzan.refunds.refuse(REFUND, self.version(youzan, REFUND), "")
        youzan.refunds.refuse(REFUND, self.version(youzan, REFUND), "已发货")
        assert "SELLER_REFUSE_BUYER" == youzan.refunds.get(REFUND)["status"]

    def test_a_decision_on_an_old_version_is_refused_and_changes_nothing(self, youzan: YouzanClient) -> None:
        version = self.version(youzan, REFUND)
        with pytest.raises(StateChanged) as caught:
            youzan.refunds.agree(REFUND, version - 1)
        assert "103010039" == caught.value.code
        assert "WAIT_SELLER_AGREE" == youzan.refunds.get(REFUND)["status"]

    def test_every_decision_makes_a_new_version(self, youzan: YouzanClient) -> None:
        version = self.version(youzan, REFUND)
        youzan.refunds.refuse(REFUND, version, "已发货")
        assert self.version(youzan, REFUND) > version
        with pytest.raises(StateChanged) as caught:
            youzan.refunds.agree(REFUND, self.version(youzan, REFUND))
        assert "102010002" == caught.value.code

    def test_a_return_is_agreed_to_with_an_address(self, youzan: YouzanClient) -> None:
        with pytest.raises(StateChanged):
            youzan.refunds.agree(RETURN, self.version(youzan, RETURN))
        youzan.refunds.agree_return(
            RETURN, self.version(youzan, RETURN), name="仓库", mobile="13800138000", address="示例路 9 号"
        )
        assert "WAIT_BUYER_RETURN_GOODS" == youzan.refunds.get(RETURN)["status"]

    def test_returned_goods_can_be_refused(self, sandbox: Sandbox, youzan: YouzanClient) -> None:
        sandbox.youzan.state.refunds[RETURN]["status"] = "WAIT_SELLER_CONFIRM_GOODS"
        youzan.refunds.refuse_return(RETURN, self.version(youzan, RETURN), "未收到货")
        assert "SELLER_REFUSE_BUYER_RETURN_GOODS" == youzan.refunds.get(RETURN)["status"]

    def test_a_refund_that_does_not_exist_is_missing(self, youzan: YouzanClient) -> None:
        with pytest.raises(Missing):
            youzan.refunds.get("1")

    @pytest.mark.parametrize("bad", [{"page_no": 101, "page_size": 1}, {"page_no": 61, "page_size": 50}])
    def test_pages_beyond_the_documented_limits_are_not_sent(
        self, youzan: YouzanClient, bad: dict[str, int]
    ) -> None:
        with pytest.raises(LimitExceeded):
            youzan.refunds.search_page(**bad)  # type: ignore[arg-type]  # only numbers among them


def test_4101_is_waited_out_up_to_six_times(
    sandbox: Sandbox, youzan: YouzanClient, naps: list[float]
) -> None:
    """Youzan's notice asks for up to six tries with growing pauses."""
    youzan.logistics.carriers()
    sandbox.youzan.faults.next(["rate_limited"] * 5)
    youzan.logistics.ship(TO_SHIP, "7", "SF1000000001")
    assert 5 == len(naps)
    sandbox.youzan.faults.next(["rate_limited"] * 6)
    with pytest.raises(RateLimited) as caught:
        youzan.logistics.carriers()
    assert "4101" == caught.value.code


def test_a_shop_that_calls_too_often_is_told_so(
    seed: Seed, config: SandboxConfig, clock: Callable[[], float]
) -> None:
    now = clock()
    with (
        Sandbox(seed, config=replace(config, youzan_per_second=3), clock=lambda: now) as sandbox,
        YouzanClient(
            YouzanCredentials("yz-client-01", "youzan-client-secret-7a6d", "38405005"),
            base_url=sandbox.youzan.base_url,
            clock=lambda: now,
            sleep=lambda seconds: None,
        ) as client,
    ):
        for _ in range(3):
            client.logistics.carriers()
        with pytest.raises(RateLimited):
            client.items.detail("403680077")
