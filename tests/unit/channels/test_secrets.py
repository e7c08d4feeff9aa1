"""Secrets never show: not in logs at the lowest level, not in errors, tracebacks, or what objects say of themselves."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import replace

import pytest

from channels.errors import ChannelError, CredentialsRefused
from channels.huiju import HuijuClient
from channels.redact import Redactor
from channels.sandbox import Fault, Sandbox
from channels.wire import Reply, Retry
from channels.youzan import YouzanClient
from channels.youzan.envelope import unwrap

Clock = Callable[[], float]


@pytest.fixture
def everything(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Log everything, of every library, and give it as text."""
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "channels", "werkzeug"):
        caplog.set_level(logging.DEBUG, logger=name)
    return lambda: "\n".join(
        f"{record.name} {record.getMessage()} {record.__dict__}" for record in caplog.records
    )


def errors_of(call: Callable[[], object]) -> str:
    """Return everything that an error shows, its whole chain included."""
    try:
        call()
    except ChannelError as error:
        shown = "".join(traceback.format_exception(error))
        cause: BaseException | None = error
        while cause is not None:
            shown += f"{cause!r} {cause.args!r} {getattr(cause, '__dict__', '')}"
            cause = cause.__cause__
        return shown
    return ""


FAULTS = [
    Fault.DROPPED,
    Fault.REPLY_LOST,
    Fault.REPLY_CUT,
    Fault.REPLY_GARBLED,
    Fault.SERVER_ERROR,
    Fault.RATE_LIMITED,
]


def test_the_youzan_client_shows_neither_its_secret_nor_its_token(
    sandbox: Sandbox, youzan: YouzanClient, everything: Callable[[], str]
) -> None:
    youzan.items.detail("403680077")
    token = next(iter(sandbox.youzan.state.tokens))
    shown = errors_of(lambda: youzan.items.detail("1"))
    for fault in FAULTS:
        sandbox.youzan.faults.next([fault] * 6)
        shown += errors_of(youzan.logistics.carriers)
    sandbox.youzan.state.expire_tokens()
    sandbox.youzan.faults.next([Fault.SERVER_ERROR] * 6, "/auth/token")
    shown += errors_of(youzan.logistics.carriers)
    youzan.logistics.carriers()
    tokens = {token, *sandbox.youzan.state.tokens}
    shown += everything() + repr(youzan) + repr(sandbox.youzan.credentials) + repr(vars(youzan))
    assert "HTTP Request: POST" in shown, "httpx does log, so that this test sees something"
    assert "/api/youzan.item.detail.get/1.0.1" in shown
    for secret in (sandbox.youzan.credentials.client_secret, *tokens):
        assert secret not in shown
    assert 2 == len(tokens)


def test_the_huiju_client_shows_neither_secret_nor_data_key_nor_anyones_data(
    sandbox: Sandbox, huiju: HuijuClient, clock: Clock, everything: Callable[[], str]
) -> None:
    known = sandbox.huiju.credentials
    huiju.orders.get("HJ1")
    shown = errors_of(lambda: huiju.orders.get("HJ99"))
    for fault in FAULTS:
        sandbox.huiju.faults.next([fault] * 4)
        shown += errors_of(lambda: huiju.orders.get("HJ1"))
    for wrong in (replace(known, app_secret="wrong-app-secret"), replace(known, data_key="wrong-data-key")):
        with HuijuClient(
            wrong, base_url=sandbox.huiju.base_url, clock=clock, retry=Retry(attempts=1)
        ) as client:
            shown += errors_of(lambda client=client: client.orders.get("HJ1")) + repr(wrong)  # type: ignore[misc]
    shown += everything() + repr(huiju) + repr(known) + repr(vars(huiju))
    assert "HTTP Request: POST" in shown
    for secret in (
        known.app_secret,
        known.data_key,
        "wrong-app-secret",
        "wrong-data-key",
        "13800138000",
        "示例路",
    ):
        assert secret not in shown


def test_what_a_channel_echoes_is_blanked_in_the_error() -> None:
    reply = Reply(200, {"error_response": {"code": 40010, "msg": "token abcd1234 无效"}}, None)
    with pytest.raises(CredentialsRefused) as caught:
        unwrap(reply, Redactor(["abcd1234"]))
    assert "token *** 无效" == caught.value.message


def test_longer_secrets_are_blanked_before_shorter_ones_that_they_hold() -> None:
    redact = Redactor(["abcd", "abcdefgh"])
    redact.add("token-1")
    assert "*** and *** and *** and abc" == redact("abcdefgh and abcd and token-1 and abc")
    assert "Redactor(3 secrets)" == repr(redact)


def test_very_short_secrets_do_not_blank_ordinary_words() -> None:
    assert "a b" == Redactor(["a", ""])("a b")
