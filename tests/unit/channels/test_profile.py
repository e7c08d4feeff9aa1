"""The one file that says what Huiju's wire looks like."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from channels.errors import AlreadyListed, ProfileError
from channels.huiju import HuijuClient, load_profile
from channels.huiju.profile import PACKAGED
from channels.huiju.profile_page import count, render
from channels.sandbox import FaultInjector, Sandbox, SandboxConfig, Seed
from channels.sandbox.huiju.app import handlers

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "huiju-profile.md"
RAW: dict[str, Any] = yaml.safe_load(PACKAGED.read_text(encoding="utf-8"))


def written(tmp_path: Path, raw: Any) -> Path:
    """Write a profile to a file of its own, as a merchant would."""
    file = tmp_path / "profile.yaml"
    file.write_text(
        yaml.dump(raw, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False), encoding="utf-8"
    )
    return file


def test_the_profile_that_comes_along_is_sound_and_marks_every_entry() -> None:
    profile = load_profile()
    sourced, assumed = count(profile)
    entries = (
        6  # base_url and envelope
        + len(profile.reply)
        + len(profile.signing)
        + len(profile.encryption)
        + len(profile.limits)
        + len(profile.codes)
        + sum(len(members) for members in profile.enums.values())
        + sum(len(fields) for fields in profile.records.values())
        + sum(1 + len(endpoint.request) + len(endpoint.reply) for endpoint in profile.endpoints.values())
    )
    assert entries == sourced + assumed


def test_the_reference_page_is_in_step_with_the_profile() -> None:
    assert render(load_profile()) == PAGE.read_text(encoding="utf-8")


def test_the_sandbox_answers_every_endpoint_of_the_profile_and_no_other() -> None:
    assert set(load_profile().endpoints) == set(handlers(FaultInjector()))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("limits", "page_size_max", "mark"), "sure", "limits.page_size_max 的 mark 应为 sourced 或 assumed"),
        (("limits", "page_size_max", "mark"), "sourced", "limits.page_size_max 标为 sourced，但 source None"),
        (("limits", "page_size_max", "value"), 0, "limits.page_size_max 应为正整数"),
        (("limits", "page_size_max", "value"), True, "limits.page_size_max 应为正整数"),
        (("limits", "page_size_max", "valeu"), 3, "limits.page_size_max 有不认识的键 valeu"),
        (("limits",), {}, "缺少 limits.timestamp_tolerance_seconds、limits.nonce_memory_seconds"),
        (("endpoints", "product_add", "reply"), {}, "缺少 endpoints.product_add.reply.productId"),
        (("codes", "ok", "kind"), "fine", "codes.ok 的 kind 应为"),
        (("codes", "bad_sign", "value"), 0, "codes 中 0 出现了不止一次"),
        (("signing", "empty_values", "value"), "drop", "signing.empty_values 应为 include、skip 之一"),
        (("records", "order", "orderId", "type"), "id", "records.order.orderId 的 type 应为"),
        (("records", "order", "itemList", "of"), "line", "records.order.itemList 引用了不存在的记录 'line'"),
        (("records", "order", "orderStatus", "enum"), "status", "引用了不存在的枚举 'status'"),
        (("records", "order", "orderId", "wire"), "updateTime", "records.order 中 updateTime 出现了不止一次"),
        (("endpoints", "product_add", "path"), "product/add", "endpoints.product_add 的 path 应以 / 开头"),
        (
            ("endpoints", "product_add", "effect"),
            "both",
            "endpoints.product_add 的 effect 应为 read 或 write",
        ),
        (
            ("endpoints", "product_add", "path"),
            "/product/get",
            "endpoints 的 path 中 /product/get 出现了不止一次",
        ),
        (("enums", "order_status", "done", "value"), 10, "enums.order_status 中 10 出现了不止一次"),
        (("extra",), 1, "文件 有不认识的部分 extra"),
    ],
)
def test_a_mistake_in_a_corrected_profile_is_named(
    tmp_path: Path, path: tuple[str, ...], value: Any, said: str
) -> None:
    raw = copy.deepcopy(RAW)
    node = raw
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    with pytest.raises(ProfileError) as caught:
        load_profile(written(tmp_path, raw))
    assert said in caught.value.message


def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    text = PACKAGED.read_text(encoding="utf-8").replace(
        "limits:\n", "limits:\n  skus_max: {value: 9, mark: assumed}\n"
    )
    file = tmp_path / "profile.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError, match=r"键 skus_max 重复(.|\n)*line 4"):
        load_profile(file)


@pytest.mark.parametrize("text", ["[]", "name: [", "just words", ""])
def test_a_file_that_is_no_profile_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "profile.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError):
        load_profile(file)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"nowhere\.yaml"):
        load_profile(tmp_path / "nowhere.yaml")


def test_a_corrected_profile_changes_client_and_sandbox_and_nothing_else(
    tmp_path: Path,
    seed: Seed,
    config: SandboxConfig,
    clock: Callable[[], float],
    product: dict[str, Any],
    start: int,
) -> None:
    """Real names, codes and values replace the assumed ones; callers see the same payloads as before."""
    raw = copy.deepcopy(RAW)
    raw["records"]["order"]["orderId"]["wire"] = "order_no"
    raw["records"]["order"]["itemList"]["wire"] = "goods"
    raw["enums"]["order_status"]["to_ship"]["value"] = "WAIT_SHIP"
    raw["endpoints"]["product_add"]["path"] = "/goods/create"
    raw["endpoints"]["product_add"]["request"]["outProductId"]["wire"] = "external_id"
    raw["endpoints"]["product_add"]["reply"]["productId"]["wire"] = "goods_id"
    raw["codes"]["already_listed"]["value"] = 777
    raw["reply"]["message"]["wire"] = "errmsg"
    profile = load_profile(written(tmp_path, raw))
    with (
        Sandbox(seed, config=config, profile=profile, clock=clock) as sandbox,
        HuijuClient(
            sandbox.huiju.credentials,
            base_url=sandbox.huiju.base_url,
            profile=profile,
            clock=clock,
            rng=random.Random(1),
        ) as client,
    ):
        order = next(client.orders.updated(start, start + 10))[0]
        assert ("HJ1", "to_ship") == (order["orderId"], order["orderStatus"])
        assert "100" == order["itemList"][0]["lineId"]
        listed = client.products.add(product, idempotency_key="k1")
        with pytest.raises(AlreadyListed) as caught:
            client.products.add(product, idempotency_key="k2")
    assert ("777", listed["productId"]) == (caught.value.code, caught.value.product_id)
    assert "已上架" in caught.value.message
