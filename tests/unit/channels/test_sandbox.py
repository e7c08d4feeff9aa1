"""A sandbox as a whole: its seed, its steering from outside, its life as a command."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from channels.huiju import HuijuClient, HuijuCredentials
from channels.sandbox import Sandbox, SandboxConfig, Seed, read_seed, serve
from channels.sandbox.seed import item_of
from channels.youzan import YouzanClient

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def test_a_seed_is_read_from_the_files_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "products.jsonl").write_text('{"item_id": 1}\n\n{"data": {"item_id": 2}}\n', encoding="utf-8")
    (tmp_path / "brands.jsonl").write_text('{"id": "1", "name": "品牌"}\n', encoding="utf-8")
    seed = read_seed(tmp_path)
    assert [1, 2] == [item_of(product)["item_id"] for product in seed.products]
    assert ([{"id": "1", "name": "品牌"}], [], []) == (
        seed.reference["brands"],
        seed.reference["categories"],
        seed.orders,
    )


def test_a_broken_line_of_a_seed_is_named(tmp_path: Path) -> None:
    (tmp_path / "orders.jsonl").write_text('{"id": "1"}\n[1]\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"orders\.jsonl 第 2 行"):
        read_seed(tmp_path)


@pytest.mark.parametrize("product", [{}, {"data": {}}, {"response": {"item": {"title": "x"}}}])
def test_a_product_without_an_id_is_refused(product: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="item_id"):
        item_of(product)


def test_an_older_product_payload_is_found_in_its_envelope() -> None:
    assert {"item_id": 3} == item_of({"response": {"item": {"item_id": 3}}})


def test_times_move_together_and_keep_their_distances(seed: Seed) -> None:
    latest = datetime(2026, 1, 2, tzinfo=UTC).timestamp()
    moved = seed.moved_to(latest)
    before = [datetime.fromisoformat(order["updated_at"]) for order in seed.orders]
    after = [datetime.fromisoformat(order["updated_at"]) for order in moved.orders]
    assert latest == max(after).timestamp()
    assert {after[0] - before[0]} == {new - old for old, new in zip(before, after, strict=True)}
    assert "2022-03-10T11:00:00Z" == seed.orders[0]["created_at"], "the first seed is left as it was"


def test_a_time_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="时区"):
        Sandbox(
            Seed(
                orders=[
                    {"id": "1", "channel": "huiju", "status": "to_ship", "updated_at": "2022-03-01T00:00:00"}
                ]
            )
        )


def test_the_demo_shop_lives_on_both_systems() -> None:
    """Seeded from examples/: every product, order and after-sale can be read back over the wire."""
    seed = read_seed(EXAMPLES).moved_to(time.time() - 60)
    config = SandboxConfig(huiju_per_second=5000, youzan_per_second=5000)
    with (
        Sandbox(seed, config=config) as sandbox,
        HuijuClient(sandbox.huiju.credentials, base_url=sandbox.huiju.base_url) as huiju,
        YouzanClient(sandbox.youzan.credentials, base_url=sandbox.youzan.base_url) as youzan,
    ):
        for product in seed.products:
            item_id = item_of(product)["item_id"]
            assert item_id == youzan.items.detail(str(item_id))["item_id"]
        for order in seed.orders:
            if order["channel"] == "huiju":
                assert order["status"] == huiju.orders.get(order["channel_order_id"])["orderStatus"]
            else:
                assert order["id"] == youzan.trades.get(order["id"])["full_order_info"]["order_info"]["tid"]
        for after_sale in seed.after_sales:
            if after_sale["channel"] == "huiju":
                shown = huiju.after_sales.get(after_sale["id"])
                assert after_sale["status"] == shown["afterSaleStatus"]
                assert shown["orderId"] == huiju.orders.get(shown["orderId"])["orderId"]
            else:
                assert after_sale["order_id"] == youzan.refunds.get(after_sale["id"])["tid"]


def test_the_increments_of_now_hold_what_the_seed_was_moved_to(seed: Seed) -> None:
    now = int(time.time())
    with (
        Sandbox(seed.moved_to(now - 60)) as sandbox,
        HuijuClient(sandbox.huiju.credentials, base_url=sandbox.huiju.base_url) as huiju,
    ):
        orders = [order["orderId"] for window in huiju.orders.updated(now - 3600, now) for order in window]
    assert ["HJ1", "HJ2", "HJ3"] == sorted(orders)


def test_credentials_are_made_up_anew_for_every_sandbox() -> None:
    with Sandbox() as first, Sandbox() as second:
        assert first.huiju.credentials != second.huiju.credentials
        assert first.youzan.credentials != second.youzan.credentials
        assert first.addresses() != second.addresses()


def test_a_snapshot_is_a_copy(sandbox: Sandbox) -> None:
    sandbox.snapshot()["huiju"]["orders"]["HJ1"]["orderStatus"] = "closed"
    assert "to_ship" == sandbox.huiju.state.orders["HJ1"]["orderStatus"]


class TestAdmin:
    def url(self, sandbox: Sandbox, path: str) -> str:
        return f"{sandbox.huiju.server.address}/_sandbox/{path}"

    def test_state_is_shown_as_plain_data_without_tokens(
        self, sandbox: Sandbox, youzan: YouzanClient
    ) -> None:
        youzan.logistics.carriers()
        text = httpx.get(f"{sandbox.youzan.server.address}/_sandbox/state").text
        assert "403680077" in json.loads(text)["items"]
        assert not any(token in text for token in sandbox.youzan.state.tokens)

    def test_faults_can_be_asked_for_and_called_off(self, sandbox: Sandbox, huiju: HuijuClient) -> None:
        httpx.post(self.url(sandbox, "next"), json={"faults": ["server_error"], "path": "/order/detail"})
        huiju.orders.get("HJ1")
        assert {"server_error": 1} == httpx.get(self.url(sandbox, "faults")).json()
        httpx.post(self.url(sandbox, "faults"), json={"rates": {"server_error": 1}, "most": 2})
        huiju.orders.get("HJ1")
        assert {"server_error": 3} == httpx.post(self.url(sandbox, "faults"), json={}).json()

    @pytest.mark.parametrize(
        ("path", "body"), [("faults", {"rates": {"fire": 1}}), ("next", {"faults": ["fire"]})]
    )
    def test_an_unknown_fault_is_refused(self, sandbox: Sandbox, path: str, body: dict[str, Any]) -> None:
        reply = httpx.post(self.url(sandbox, path), json=body)
        assert (422, True) == (reply.status_code, "fire" in reply.json()["error"])

    def test_a_buyer_can_be_played_from_outside(
        self, sandbox: Sandbox, huiju: HuijuClient, product: dict[str, Any]
    ) -> None:
        huiju.products.add(product, idempotency_key="k")
        placed = httpx.post(
            self.url(sandbox, "act/place_order"), json={"out_product_id": "403680077"}
        ).json()["id"]
        asked = httpx.post(self.url(sandbox, "act/request"), json={"order_id": placed}).json()["id"]
        assert placed == huiju.after_sales.get(asked)["orderId"]

    @pytest.mark.parametrize(
        ("act", "body", "status"),
        [("pay", {"order_id": "HJ1"}, 422), ("pay", {}, 422), ("steal", {}, 404)],
    )
    def test_what_can_not_be_done_is_said(
        self, sandbox: Sandbox, act: str, body: dict[str, Any], status: int
    ) -> None:
        reply = httpx.post(self.url(sandbox, f"act/{act}"), json=body)
        assert (status, True) == (reply.status_code, bool(reply.json()["error"]))

    def test_a_product_can_be_edited_in_youzan_from_outside(
        self, sandbox: Sandbox, youzan: YouzanClient
    ) -> None:
        """R33: what changes there after the listing."""
        url = f"{sandbox.youzan.server.address}/_sandbox/act/edit_item"
        httpx.post(url, json={"item_id": "403680077", "changes": {"title": "新名字"}})
        assert "新名字" == youzan.items.detail("403680077")["title"]


def test_the_command_says_how_to_reach_the_systems_and_stops_when_told(seed: Seed) -> None:
    said: list[str] = []
    stop, ready = threading.Event(), threading.Event()

    def show(line: str) -> None:
        said.append(line)
        if "停止" in line:
            ready.set()

    run = threading.Thread(target=serve, args=(seed,), kwargs={"show": show, "until": stop})
    run.start()
    assert ready.wait(10)
    words = [line.split() for line in said]
    shown = {row[0]: row[1] for row in words if len(row) == 2}
    credentials = HuijuCredentials(shown["appId"], shown["appSecret"], shown["dataKey"])
    with HuijuClient(credentials, base_url=shown["惠聚沙箱"]) as client:
        assert "收货人甲" == client.orders.get("HJ1")["userName"]
    stop.set()
    run.join(10)
    assert not run.is_alive()
    with pytest.raises(httpx.ConnectError):
        httpx.get(shown["有赞沙箱"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_sandbox_in_a_process_of_its_own_ends_cleanly_when_asked(number: signal.Signals) -> None:
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from channels.sandbox import serve; serve(show=lambda line: print(line, flush=True))",
        ],
        cwd=EXAMPLES.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while "停止" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(number)
        assert 0 == process.wait(10)
        assert "" == process.stderr.read()
