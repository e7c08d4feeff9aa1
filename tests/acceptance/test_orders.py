"""Orders and after-sales by the command, with the sandbox a process of its own: as docs/howto/orders.md shows it (R20, R23, R27, R30)."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).with_name("shelfgate")
PAGE = ROOT / "docs" / "howto" / "orders.md"
ORDER, OTHER = "HJ2022031000000002", "HJ2022031100000004"
SETTINGS = {
    "SHELFGATE_PASSWORD": "long-enough-4711",
    "SHELFGATE_NEW_PASSWORD": "long-enough-4711",
    "SHELFGATE_HUIJU_APP_ID": "hj-acceptance",
    "SHELFGATE_HUIJU_APP_SECRET": "0123456789abcdef0123456789abcdef",
    "SHELFGATE_HUIJU_DATA_KEY": "fedcba9876543210fedcba9876543210",
    "SHELFGATE_YOUZAN_CLIENT_ID": "yz-acceptance",
    "SHELFGATE_YOUZAN_CLIENT_SECRET": "0123456789abcdef0123456789abcdef",
}
# What each command of the page that is refused ends with; all others end with 0.
CODES = {"orders act": 1, "after-sales reject": 1, 'orders ship --waybill "SF 1000"': 2}


@dataclass
class Desk:
    """Type commands in a folder, with the demo shop bound to the sandbox."""

    folder: Path
    huiju: str

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *words],
            cwd=self.folder,
            env={**os.environ, **SETTINGS, "SHELFGATE_HUIJU_URL": self.huiju},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )

    def sandbox(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        address = self.huiju.partition("/openapi")[0] + "/_sandbox/" + path
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(address, data), timeout=10) as reply:
            found: dict[str, Any] = json.load(reply)
        return found


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("orders")
    log = folder / "sandbox.log"
    with log.open("wb") as out:
        words = [
            "sandbox",
            "--examples",
            str(ROOT / "examples"),
            "--huiju-port",
            "0",
            "--youzan-port",
            "0",
        ]
        process = subprocess.Popen([COMMAND, *words], cwd=ROOT, env={**os.environ, **SETTINGS}, stdout=out)
    try:
        deadline = time.monotonic() + 60
        while "Ctrl-C" not in (shown := log.read_text(encoding="utf-8")):
            assert process.poll() is None, shown
            assert time.monotonic() < deadline, shown
            time.sleep(0.05)
        (huiju,) = re.findall(r"惠聚沙箱 +(\S+)", shown)
        desk = Desk(folder, huiju)
        (folder / "rules").symlink_to(ROOT / "rules")
        (folder / "rulesets.yaml").symlink_to(ROOT / "rulesets.yaml")
        for words in (
            ["shops", "add", str(ROOT / "examples" / "shop.yaml")],
            ["users", "add", "amy", "--role", "senior_admin", "--name", "王小美"],
            ["bind", "--user", "amy"],
        ):
            assert 0 == desk.run(*words).returncode
        yield desk
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)


def shown_commands() -> list[tuple[str, list[str]]]:
    """Give each command that the page shows with the lines that it shows as its answer."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ shelfgate "):
                found.append((line.removeprefix("$ shelfgate "), []))
            else:
                found[-1][1].append(line)
    return found


def test_the_page_shows_what_the_commands_print(desk: Desk) -> None:
    """R20, R23, R27, R30: every command of the page in its order; … stands for whatever is there."""
    assert "AS900000001" == desk.sandbox("act/request", {"order_id": ORDER, "reason": "拍错了"})["id"]
    commands = shown_commands()
    assert len(commands) >= 10
    for text, lines in commands:
        done = desk.run(*shlex.split(text))
        wanted = [
            code for words, code in CODES.items() if all(part in text for part in re.split(r" (?=--)", words))
        ]
        assert (wanted or [0]) == [done.returncode], (text, done.stdout)
        pattern = "\n".join(".*" if line == "…" else re.escape(line).replace("…", ".*") for line in lines)
        assert re.search(f"^{pattern}$", done.stdout.rstrip("\n"), re.MULTILINE | re.DOTALL), (
            text,
            done.stdout,
        )
    state = desk.sandbox("state")
    assert [("order_deliver", ORDER), ("logistics_update", ORDER)] == [
        (what, about) for _, what, about in state["effects"]
    ]
    assert ["ZT2000000000001"] == [
        parcel["deliverNumber"] for parcel in state["orders"][ORDER]["logisticsList"]
    ]
    assert ("closed", "shipment") == tuple(
        state["after_sales"]["AS900000001"][key] for key in ("afterSaleStatus", "closedBy")
    )


def test_the_commands_speak_json_and_leave_the_sending_to_a_worker(desk: Desk) -> None:
    """R27, R32: refused, with all that the rules say; accepted, and on its way."""
    request = desk.sandbox("act/request", {"order_id": OTHER, "kind": "return_refund"})["id"]
    desk.sandbox("act/request", {"order_id": OTHER})
    assert 0 == desk.run("sync").returncode
    listed = json.loads(desk.run("after-sales", "list", "--order", OTHER, "--json").stdout)
    assert {OTHER} == {item["order"]["channel_order_id"] for item in listed}
    refused = desk.run("after-sales", "agree", request, "--user", "amy", "--json")
    told = json.loads(refused.stdout)
    assert (1, False, "huiju/after-sale/return-first") == (
        refused.returncode,
        told["done"],
        told["refused"]["rule"],
    )
    accepted = desk.run("after-sales", "agree-return", request, "--user", "amy", "--no-wait", "--json")
    told = json.loads(accepted.stdout)
    assert (0, False, "queued") == (accepted.returncode, told["done"], told["sending"]["state"])
    assert "after_sale.agree_return" in desk.run("outbox", "list").stdout
    shown = json.loads(desk.run("after-sales", "show", request, "--json").stdout)
    assert ["agree_return"] == shown["pending"]
    again = desk.run("after-sales", "agree-return", request, "--user", "amy")
    assert (1, True) == (again.returncode, "等渠道答复后再操作" in again.stdout)
    worker = subprocess.Popen(
        [COMMAND, "worker", "--sync-every", "0"],
        cwd=desk.folder,
        env={**os.environ, **SETTINGS, "SHELFGATE_HUIJU_URL": desk.huiju},
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while "waiting_return" != desk.sandbox("state")["after_sales"][request]["afterSaleStatus"]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        worker.send_signal(signal.SIGTERM)
        assert 0 == worker.wait(timeout=30)
    shown = json.loads(desk.run("after-sales", "show", request, "--json").stdout)
    assert ("waiting_return", []) == (shown["status"], shown["pending"])


def test_several_parcels_are_written_one_by_one(desk: Desk) -> None:
    """R27; the order has changed just now, so that it is taken in however far back the first intake looks."""
    desk.sandbox("act/request", {"order_id": OTHER})
    assert 0 == desk.run("sync").returncode
    assert 2 == desk.run("orders", "ship", OTHER, "--user", "amy", "--parcel", "顺丰速运").returncode
    assert 2 == desk.run("orders", "ship", OTHER, "--user", "amy").returncode
    lines = [line["id"] for line in json.loads(desk.run("orders", "show", OTHER, "--json").stdout)["lines"]]
    parcels = [f"顺丰速运：SF000{place}：{line}" for place, line in enumerate(lines)]
    words = [word for parcel in parcels for word in ("--parcel", parcel)]
    done = desk.run("orders", "ship", OTHER, "--user", "amy", *words)
    assert 0 == done.returncode, done.stdout
    found = desk.sandbox("state")["orders"][OTHER]
    assert [(f"SF000{place}", [line]) for place, line in enumerate(lines)] == [
        (parcel["deliverNumber"], parcel["lineIds"]) for parcel in found["logisticsList"]
    ]


def test_marked_payments_are_left_out_of_the_settlement(desk: Desk) -> None:
    """R35: the figures add up to what the channel says of those orders that are here, were paid and stand."""
    assert 0 == desk.run("sync").returncode
    listed = json.loads(desk.run("orders", "list", "--limit", "500", "--json").stdout)
    here = {item["channel_order_id"] for item in listed}
    span = ("--since", "2022-03-01", "--until", "2122-03-01")
    found = json.loads(desk.run("settlement", *span, "--json").stdout)
    paid = [
        order
        for id_, order in desk.sandbox("state")["orders"].items()
        if id_ in here and order["orderStatus"] not in ("wait_pay", "closed")
    ]
    assert len(paid) > 1
    assert found == {
        "orders": 0,
        "total": 0,
        "marked_orders": len(paid),
        "marked_total": sum(order["totalAmount"] for order in paid),
        "unknown": 0,
    }
    backwards = desk.run("settlement", "--since", "2022-04-01", "--until", "2022-03-01")
    assert (2, True) == (backwards.returncode, "--since 应早于 --until" in backwards.stdout)


def test_an_order_that_is_not_known_is_said_so(desk: Desk) -> None:
    done = desk.run("orders", "show", "HJ1")
    assert 2 == done.returncode
    assert [
        "没有订单 HJ1；请在订单列表里核对，新的要先收取",
        "列出订单：shelfgate orders list；收取新的：shelfgate sync",
    ] == done.stdout.splitlines()
