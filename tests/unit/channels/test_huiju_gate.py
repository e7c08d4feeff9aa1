"""What the Huiju sandbox lets in: only what is well-formed, timely, signed, new and not too much. All over a socket."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from channels.errors import BusinessRefusal, ClockRefused, CredentialsRefused, RateLimited
from channels.huiju import HuijuClient, load_profile
from channels.huiju.envelope import wrap
from channels.sandbox import Sandbox, SandboxConfig, Seed
from channels.wire import Retry

Clock = Callable[[], float]


def body(sandbox: Sandbox, now: float, **params: str) -> dict[str, str]:
    """Return a good request."""
    return wrap(
        params,
        sandbox.huiju.credentials,
        load_profile(),
        now_ms=int(now * 1000),
        rng=random.Random(str(params)),
    )


def post(sandbox: Sandbox, path: str, request: Any) -> dict[str, Any]:
    """Send a request as it is and return the reply."""
    reply = httpx.post(sandbox.huiju.base_url + path, json=request)
    assert 200 == reply.status_code
    return dict(reply.json())


def code_of(name: str) -> int:
    return int(load_profile().codes[name].value)


def test_a_good_request_is_answered(sandbox: Sandbox, clock: Clock) -> None:
    reply = post(sandbox, "/system/time", body(sandbox, clock()))
    assert 0 == reply["code"]
    assert abs(reply["data"]["timestamp"] / 1000 - clock()) < 5


@pytest.mark.parametrize("off", [-301, 301, -86400])
def test_a_wrong_clock_is_refused(sandbox: Sandbox, clock: Clock, off: int) -> None:
    with (
        HuijuClient(
            sandbox.huiju.credentials, base_url=sandbox.huiju.base_url, clock=lambda: clock() + off
        ) as client,
        pytest.raises(ClockRefused) as caught,
    ):
        client.system_time()
    assert ("none", False) == (caught.value.effect, caught.value.retryable)
    assert str(code_of("bad_timestamp")) == caught.value.code


def test_a_clock_that_is_off_within_tolerance_is_let_in(sandbox: Sandbox, clock: Clock) -> None:
    with HuijuClient(
        sandbox.huiju.credentials, base_url=sandbox.huiju.base_url, clock=lambda: clock() - 290
    ) as client:
        assert client.system_time() > 0


def test_a_timestamp_in_seconds_is_refused(sandbox: Sandbox, clock: Clock) -> None:
    """Milliseconds for the envelope and seconds for windows stand in one request; mixing them up must not pass."""
    request = wrap({}, sandbox.huiju.credentials, load_profile(), now_ms=int(clock()), rng=random.Random(1))
    assert code_of("bad_timestamp") == post(sandbox, "/system/time", request)["code"]


def test_a_wrong_key_is_refused(sandbox: Sandbox, clock: Clock) -> None:
    wrong = replace(sandbox.huiju.credentials, app_secret="another-secret")
    with (
        HuijuClient(wrong, base_url=sandbox.huiju.base_url, clock=clock) as client,
        pytest.raises(CredentialsRefused, match="签名错误"),
    ):
        client.system_time()


def test_an_unknown_shop_is_refused(sandbox: Sandbox, clock: Clock) -> None:
    wrong = replace(sandbox.huiju.credentials, app_id="hj-nobody")
    with (
        HuijuClient(wrong, base_url=sandbox.huiju.base_url, clock=clock) as client,
        pytest.raises(CredentialsRefused, match="hj-nobody"),
    ):
        client.system_time()


def test_a_replayed_request_is_refused_and_has_no_second_effect(
    sandbox: Sandbox, clock: Clock, huiju: HuijuClient, product: dict[str, Any]
) -> None:
    huiju.products.add(product, idempotency_key="k")
    sku = huiju.stock.query(sandbox.huiju.state.listed["403680077"])[0]["skuId"]
    request = body(sandbox, clock(), skuId=sku, changeType="2", stock="3")
    first, second = (post(sandbox, "/stock/update", request) for _ in range(2))
    assert (0, code_of("replayed_nonce")) == (first["code"], second["code"])
    assert 8 == huiju.stock.query(sandbox.huiju.state.listed["403680077"])[0]["stock"]


def test_a_changed_parameter_breaks_the_signature(sandbox: Sandbox, clock: Clock) -> None:
    request = body(sandbox, clock(), orderId="HJ1") | {"orderId": "HJ2"}
    assert code_of("bad_sign") == post(sandbox, "/order/detail", request)["code"]


@pytest.mark.parametrize("name", ["requestId", "appId", "timestamp", "nonceStr", "sign"])
def test_an_envelope_with_a_part_missing_is_refused_by_name(
    sandbox: Sandbox, clock: Clock, name: str
) -> None:
    request = body(sandbox, clock())
    del request[name]
    reply = post(sandbox, "/system/time", request)
    assert code_of("bad_request") == reply["code"]
    assert name in reply["msg"]


@pytest.mark.parametrize("request_", [{"pageNum": 1}, {"order": {"id": "1"}}, ["a"], "text", None])
def test_a_body_that_is_not_flat_text_is_refused(sandbox: Sandbox, request_: Any) -> None:
    assert code_of("bad_request") == post(sandbox, "/system/time", request_)["code"]


def test_a_value_of_the_wrong_type_is_refused_by_name(sandbox: Sandbox, clock: Clock) -> None:
    request = body(
        sandbox, clock(), startUpdateTime="yesterday", endUpdateTime="1", pageNum="1", pageSize="50"
    )
    reply = post(sandbox, "/order/list/increment", request)
    assert (code_of("bad_request"), True) == (reply["code"], "startUpdateTime" in reply["msg"])


def test_a_missing_parameter_is_refused_by_name(huiju: HuijuClient) -> None:
    with pytest.raises(BusinessRefusal, match="deliverNumber"):
        huiju.call("order_deliver", {"orderId": "HJ1", "deliverCompany": "顺丰速运"})


def test_an_unknown_path_is_refused(sandbox: Sandbox, clock: Clock) -> None:
    assert code_of("unknown_path") == post(sandbox, "/product/burn", body(sandbox, clock()))["code"]


def test_too_many_requests_are_refused_with_the_time_to_wait(
    seed: Seed, config: SandboxConfig, clock: Clock
) -> None:
    with (
        Sandbox(seed, config=replace(config, huiju_per_second=5), clock=lambda: 1646920800.0) as sandbox,
        HuijuClient(
            sandbox.huiju.credentials,
            base_url=sandbox.huiju.base_url,
            clock=lambda: 1646920800.0,
            retry=Retry(attempts=1),
        ) as client,
    ):
        for _ in range(5):
            client.system_time()
        with pytest.raises(RateLimited) as caught:
            client.system_time()
    error = caught.value
    assert (429, 1.0, "none", True) == (error.http, error.retry_after, error.effect, error.retryable)


def test_personal_fields_are_ciphertext_on_the_wire_and_nowhere_else_plain(
    sandbox: Sandbox, clock: Clock
) -> None:
    request = body(sandbox, clock(), orderId="HJ2")
    text = httpx.post(f"{sandbox.huiju.base_url}/order/detail", json=request).text
    order = httpx.Response(200, text=text).json()["data"]["order"]
    for plain in ("收货人甲", "13800138000", "四川省", "成都市", "锦江区", "示例路1号", "买家甲", "顺丰速运"):
        assert plain not in text
    assert "610000" == order["postalCode"]


def test_a_nonce_is_forgotten_only_after_the_timestamp_would_no_longer_be_let_in(
    seed: Seed, config: SandboxConfig, clock: Clock
) -> None:
    """Otherwise a request could be replayed in between."""
    limits = load_profile().limits
    assert limits["nonce_memory_seconds"].value >= 2 * limits["timestamp_tolerance_seconds"].value
    now = [clock()]
    with Sandbox(seed, config=config, clock=lambda: now[0]) as sandbox:
        request = body(sandbox, now[0] + 300)
        assert 0 == post(sandbox, "/system/time", request)["code"]
        now[0] += 599
        assert code_of("replayed_nonce") == post(sandbox, "/system/time", request)["code"]
        now[0] += 2
        assert code_of("bad_timestamp") == post(sandbox, "/system/time", request)["code"]
