"""How calls are tried again: what is safe is tried, what is not comes up at once."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from typing import Any

import pytest

from channels.errors import EffectUnknown, NotSent, RateLimited, StateChanged, UnreadableReply
from channels.huiju import HuijuClient
from channels.redact import Redactor
from channels.sandbox import Fault, FaultPlan, Sandbox
from channels.wire import Retry, Wire
from channels.youzan import YouzanClient

BEFORE = [Fault.SERVER_ERROR, Fault.DROPPED]
AFTER = [Fault.ERROR_AFTER_EFFECT, Fault.REPLY_LOST, Fault.REPLY_CUT, Fault.REPLY_GARBLED]


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def effects(sandbox: Sandbox) -> list[str]:
    return [endpoint for _, endpoint, _ in sandbox.huiju.state.effects]


@pytest.mark.parametrize("fault", [*BEFORE, *AFTER, Fault.DELIVERED_TWICE, Fault.RATE_LIMITED])
def test_a_reading_call_gets_over_three_faults_of_a_kind(
    sandbox: Sandbox, huiju: HuijuClient, fault: Fault
) -> None:
    sandbox.huiju.faults.next([fault] * 3)
    assert "HJ1" == huiju.orders.get("HJ1")["orderId"]


@pytest.mark.parametrize("fault", [*BEFORE, *AFTER])
def test_the_fourth_fault_of_four_tries_comes_up(sandbox: Sandbox, huiju: HuijuClient, fault: Fault) -> None:
    sandbox.huiju.faults.next([fault] * 4)
    with pytest.raises(EffectUnknown):
        huiju.orders.get("HJ1")


@pytest.mark.parametrize("fault", [*BEFORE, *AFTER])
def test_a_writing_call_whose_effect_is_unknown_is_never_sent_again_by_itself(
    sandbox: Sandbox, huiju: HuijuClient, naps: list[float], fault: Fault
) -> None:
    sandbox.huiju.faults.next([fault])
    with pytest.raises(EffectUnknown) as caught:
        huiju.orders.deliver("HJ1", "顺丰速运", "SF1000000001")
    assert ("unknown", True, []) == (caught.value.effect, caught.value.retryable, naps)
    assert (["order_deliver"] if fault in AFTER else []) == effects(sandbox)


def test_a_request_that_arrives_twice_takes_effect_once_and_is_said_to_be_unknown(
    sandbox: Sandbox, huiju: HuijuClient
) -> None:
    """The second arrival is refused for its nonce; taking that refusal for a failure would lose the first."""
    sandbox.huiju.faults.next([Fault.DELIVERED_TWICE])
    with pytest.raises(EffectUnknown, match="重复投递"):
        huiju.orders.deliver("HJ1", "顺丰速运", "SF1000000001")
    assert ["order_deliver"] == effects(sandbox)


def test_without_a_nonce_a_second_arrival_looks_like_a_change_of_state(
    sandbox: Sandbox, youzan: YouzanClient
) -> None:
    """Youzan answers the second arrival with 已发货; so that answer must not be taken for "nothing happened"."""
    youzan.logistics.carriers()
    sandbox.youzan.faults.next([Fault.DELIVERED_TWICE])
    with pytest.raises(StateChanged) as caught:
        youzan.logistics.ship("E202203101200000000000004", "7", "SF1000000001")
    assert ("102570019", "unknown") == (caught.value.code, caught.value.effect)
    assert [("youzan.logistics.online.confirm", "E202203101200000000000004")] == sandbox.youzan.state.effects


def test_a_rate_limit_is_waited_out_for_writing_calls_too(
    sandbox: Sandbox, huiju: HuijuClient, naps: list[float]
) -> None:
    sandbox.huiju.faults.next([Fault.RATE_LIMITED] * 2)
    huiju.orders.deliver("HJ1", "顺丰速运", "SF1000000001")
    assert ["order_deliver"] == effects(sandbox)
    assert all(nap >= 1 for nap in naps), "Retry-After of the sandbox is one second"


def test_a_slow_reply_beyond_the_timeout_leaves_the_effect_unknown(
    sandbox: Sandbox, clock: Callable[[], float], start: int
) -> None:
    sandbox.huiju.faults.set(FaultPlan({Fault.LATENCY: 1.0}, latency=(0.4, 0.4), most=1))
    with (
        HuijuClient(
            sandbox.huiju.credentials, base_url=sandbox.huiju.base_url, clock=clock, timeout=0.1
        ) as client,
        pytest.raises(EffectUnknown, match="ReadTimeout"),
    ):
        client.orders.deliver("HJ1", "顺丰速运", "SF1000000001")


def test_nobody_listening_means_nothing_was_sent(naps: list[float]) -> None:
    with (
        Wire(
            "huiju",
            f"http://127.0.0.1:{closed_port()}",
            redact=Redactor([]),
            sleep=naps.append,
            rng=random.Random(1),
            retry=Retry(attempts=3, first=1, factor=2, jitter=0.5),
        ) as wire,
        pytest.raises(NotSent) as caught,
    ):
        wire.post("/x", dict, lambda reply: reply, repeatable=False)
    assert ("none", True, None) == (caught.value.effect, caught.value.retryable, caught.value.http)
    assert 2 == len(naps)
    assert 0.5 <= naps[0] <= 1 <= naps[1] <= 2


@pytest.mark.parametrize("address", ["ftp://127.0.0.1", "no address", "http://[::1"])
def test_an_address_that_is_none_is_not_tried_again(address: str, naps: list[float]) -> None:
    with (
        Wire("huiju", address, redact=Redactor([]), sleep=naps.append) as wire,
        pytest.raises(NotSent) as caught,
    ):
        wire.post("/x", dict, lambda reply: reply, repeatable=True)
    assert (False, []) == (caught.value.retryable, naps)


def test_the_throttle_is_asked_before_every_try_and_every_try_is_signed_anew(
    sandbox: Sandbox, clock: Callable[[], float]
) -> None:
    asked: list[float] = []
    with HuijuClient(
        sandbox.huiju.credentials,
        base_url=sandbox.huiju.base_url,
        clock=clock,
        sleep=lambda seconds: None,
        throttle=lambda: asked.append(clock()),
    ) as client:
        sandbox.huiju.faults.next([Fault.REPLY_LOST] * 2)
        client.system_time()
    assert 3 == len(asked)


def test_a_channel_that_asks_for_more_patience_than_we_have_gets_its_refusal_handed_on(
    naps: list[float],
) -> None:
    def refuse(reply: Any) -> Any:
        raise RateLimited("huiju", "later", retry_after=31)

    with (
        Sandbox() as sandbox,
        Wire("huiju", sandbox.huiju.base_url, redact=Redactor([]), sleep=naps.append) as wire,
        pytest.raises(RateLimited) as caught,
    ):
        wire.post("/system/time", dict, refuse, repeatable=True)
    assert (31, []) == (caught.value.retry_after, naps)


def test_waits_grow_to_a_bound_and_are_spread() -> None:
    retry = Retry(first=1, factor=2, longest=5, jitter=0.5)
    rng = random.Random(1)
    waits = [[retry.wait(attempt, rng) for _ in range(100)] for attempt in (1, 2, 3, 9)]
    assert [(True, True)] * 4 == [
        (most / 2 <= min(row) and max(row) <= most, len(set(row)) > 90)
        for most, row in zip((1, 2, 4, 5), waits, strict=True)
    ]


def test_errors_say_channel_status_code_and_trace_in_one_line() -> None:
    error = UnreadableReply("huiju", "回复不是 JSON", http=200, code="unreadable", trace="abc")
    assert "[huiju HTTP 200 unreadable abc] 回复不是 JSON" == str(error)
    assert "[huiju] 未发出" == str(NotSent("huiju", "未发出"))
