"""Credentials show their names and nothing else."""

from __future__ import annotations

from urllib.parse import quote_plus

import pytest

from pipeline.credentials import (
    Credentials,
    CredentialsIncomplete,
    CredentialsRejected,
    ProbeAnswer,
    check_complete,
    try_on_channel,
)

FIELDS = ("app_id", "app_secret", "data_key")
GOOD = Credentials({"app_id": "1234", "app_secret": "S3cr3t/+ 密钥", "data_key": 'demo"data"key'})


class Answering:
    """Answer as told."""

    fields = FIELDS

    def __init__(self, answer: ProbeAnswer | Exception) -> None:
        self.answer = answer

    def __call__(self, credentials: object) -> ProbeAnswer:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_credentials_print_their_names_only() -> None:
    assert "Credentials(app_id, app_secret, data_key)" == repr(GOOD) == str(GOOD) == f"{GOOD}"
    assert {"app_id", "app_secret", "data_key"} == set(GOOD)
    assert 3 == len(GOOD)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("bad secret S3cr3t/+ 密钥!", "bad secret ***!"),
        (f"https://x/?s={quote_plus('S3cr3t/+ 密钥')}&a=1234", "https://x/?s=***&a=***"),
        ('{"dataKey": "demo\\"data\\"key"}', '{"dataKey": "***"}'),
        ("S3cr3t/+ \\u5bc6\\u94a5", "***"),
        ("nothing of it", "nothing of it"),
    ],
)
def test_values_are_blotted_out_of_a_text_in_whatever_form(text: str, hidden: str) -> None:
    assert hidden == GOOD.hidden_in(text)


def test_a_value_of_three_characters_does_not_blot_out_half_of_the_text() -> None:
    assert "error in app" == Credentials({"app_id": "a"}).hidden_in("error in app")


@pytest.mark.parametrize(
    ("values", "said", "fields"),
    [
        ({"app_id": "1"}, "缺少 app_secret、data_key", ("app_secret", "data_key")),
        ({**GOOD, "app_secret": ""}, "缺少 app_secret", ("app_secret",)),
        ({**GOOD, "token": "x"}, "不认识的字段 token；需要的是 app_id、app_secret、data_key", ("token",)),
        ({**GOOD, "app_secret": "hush-hush\n"}, "app_secret 前后有空白字符", ("app_secret",)),
        ({**GOOD, "app_id": "\u3000hush-hush"}, "app_id 前后有空白字符", ("app_id",)),
    ],
)
def test_credentials_that_cannot_be_right_are_refused_by_field(
    values: dict[str, str], said: str, fields: tuple[str, ...]
) -> None:
    with pytest.raises(CredentialsIncomplete, match=said) as caught:
        check_complete(Credentials(values), FIELDS)
    assert fields == caught.value.fields
    assert "hush" not in caught.value.message


def test_credentials_as_copied_are_complete() -> None:
    check_complete(GOOD, FIELDS)
    try_on_channel(GOOD, Answering(ProbeAnswer(accepted=True)))


@pytest.mark.parametrize(
    ("answer", "said", "retryable"),
    [
        (
            ProbeAnswer(accepted=False, reason="签名错误 1234"),
            r"渠道不接受这组凭据：签名错误 \*\*\*；凭据未保存",
            False,
        ),
        (ProbeAnswer(accepted=False, reason="busy", retryable=True), "暂时无法向渠道验证凭据：busy", True),
        (OSError('no route, dataKey=demo"data"key'), r"OSError：no route, dataKey=\*\*\*；凭据未保存", True),
    ],
)
def test_what_the_channel_says_is_passed_on_without_the_values(
    answer: ProbeAnswer | Exception, said: str, retryable: bool
) -> None:
    with pytest.raises(CredentialsRejected, match=said) as caught:
        try_on_channel(GOOD, Answering(answer))
    assert retryable is caught.value.retryable
    assert caught.value.__context__ is None
