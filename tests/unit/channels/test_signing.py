"""Huiju's signature against a known vector and against lines of its own."""

from __future__ import annotations

import hashlib
import random

from channels.huiju import HuijuCredentials, load_profile
from channels.huiju.envelope import wrap
from channels.huiju.signing import same, sign

VECTOR = {
    "appId": "demoapp",
    "startUpdateTime": "1645000000",
    "endUpdateTime": "1645001800",
    "pageNum": "1",
    "pageSize": "50",
    "requestId": "0123456789abcdef0123456789abcdef",
    "timestamp": "1645001900123",
    "nonceStr": "8157b6",
}


def test_the_published_recipe_gives_the_known_signature() -> None:
    assert sign(VECTOR, "demosecret") == "CE269AFC92960057696D207EE8A9F5FD"


def test_a_signature_made_by_other_lines_equals_the_clients() -> None:
    """Nothing of the client's signing is used on this side, Chinese text and nested values included."""
    credentials = HuijuCredentials("demoapp", "demosecret", "demo-data-key")
    params = {"title": "围巾 & 手套=1", "skuList": '[{"price":1}]', "remark": ""}
    body = wrap(params, credentials, load_profile(), now_ms=1645001900123, rng=random.Random(3))

    text = ""
    for name in sorted(set(body) - {"sign"}):
        text += name + "=" + body[name] + "&"
    theirs = hashlib.md5((text + "appSecret=demosecret").encode("utf-8")).hexdigest().upper()

    assert theirs == body["sign"]


def test_neither_the_order_of_parameters_nor_an_old_signature_counts() -> None:
    shuffled = dict(reversed(VECTOR.items())) | {"sign": "old"}
    assert sign(VECTOR, "demosecret") == sign(shuffled, "demosecret")


def test_empty_values_are_signed_unless_the_profile_says_otherwise() -> None:
    with_empty = VECTOR | {"remark": ""}
    assert sign(with_empty, "demosecret") != sign(VECTOR, "demosecret")
    assert sign(with_empty, "demosecret", skip_empty=True) == sign(VECTOR, "demosecret")


def test_every_request_has_its_own_id_and_nonce_of_the_known_lengths() -> None:
    rng = random.Random(1)
    credentials = HuijuCredentials("demoapp", "demosecret", "demo-data-key")
    bodies = [wrap({}, credentials, load_profile(), now_ms=1, rng=rng) for _ in range(200)]
    assert {32} == {len(body["requestId"]) for body in bodies}
    assert {6} == {len(body["nonceStr"]) for body in bodies}
    assert 200 == len({(body["requestId"], body["nonceStr"]) for body in bodies})


def test_signatures_are_compared_whole() -> None:
    assert same("AB", "AB")
    assert not same("AB", "ab")
    assert not same("AB", "签名")
