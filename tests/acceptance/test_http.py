"""What docs/howto/http.md shows works as shown: each of its commands is run, in its order, against a server on a socket (R4–R8, R15–R27).

The client is curl, which knows nothing of us. What the page leaves to a person, a spreadsheet program and a buyer, is done between its
sections.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest

from api.app import create_app
from api.services import Services
from api.serving import Server
from api.streams import EXTENSION
from channels.huiju import HuijuCredentials
from channels.sandbox import Sandbox, SandboxConfig, read_seed
from channels.youzan import YouzanCredentials
from engine.rulebook import find_manifest
from mappings.reference import read_reference
from pipeline.actors import Actor
from pipeline.callers import make_token, scopes_of
from pipeline.clients import HUIJU_URL, YOUZAN_CLIENT_ID, YOUZAN_CLIENT_SECRET, YOUZAN_URL
from pipeline.live_rules import LiveRules
from pipeline.secrets import Vault, new_key
from pipeline.sending.lanes import Lanes
from pipeline.sending.worker import Worker
from pipeline.shops import save_shop
from pipeline.store import migrate, open_store
from pipeline.uploads.runner import UploadRunner
from tests.integration.demo_shop import EXAMPLES, ROOT, SHOP, good_rows, sheet

PAGE = ROOT / "docs" / "howto" / "http.md"
IDENTITY = {"app_id": "hj00000001", "app_secret": "huiju-app-secret-1f2e", "data_key": "huiju-data-key-9c8b"}
NEEDED = ("bash", "curl", "jq")
ENDED = "<<ended>>"


@dataclass(frozen=True, slots=True)
class Shown:
    """Hold a command of the page and what it prints; `…` stands for anything within a line, alone for any lines."""

    section: str
    command: str
    printed: str

    def fits(self, found: str) -> bool:
        """Whether a command has printed what the page shows."""
        lines = [
            "(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + "\n"
            for line in self.printed.splitlines()
        ]
        return re.fullmatch("".join(lines), found) is not None


def commands() -> list[Shown]:
    """Read the commands of the page."""
    found = []
    for section in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE):
        title = section.partition("\n")[0]
        for block in re.findall(r"^```console\n(.*?)^```", section, re.MULTILINE | re.DOTALL):
            for shown in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command = re.match(r"(?:.*\\\n)*.*\n", shown)
                assert command is not None
                found.append(Shown(title, command[0], shown[command.end() :]))
    return found


@dataclass
class Shell:
    """Type commands into one bash, as a reader of the page does."""

    process: subprocess.Popen[str]

    def run(self, command: str) -> str:
        """Run a command, and give what it printed on both streams."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{command}\necho '{ENDED}'\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line == f"{ENDED}\n":
                break
            lines.append(line)
        return "".join(lines)


@dataclass
class Service:
    """Hold what serves."""

    address: str
    token: str
    sandbox: Sandbox


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Serve a shop that is not bound yet, with the background work in threads beside the server."""
    youzan = YouzanCredentials("yz-acceptance", "0123456789abcdef", SHOP)
    config = SandboxConfig(huiju=HuijuCredentials(**IDENTITY), youzan=youzan)
    seed = read_seed(EXAMPLES, read_reference(EXAMPLES / "惠聚数据.xlsx"))
    with (
        Sandbox(seed, config=config) as sandbox,
        closing(open_store(f"sqlite:///{tmp_path / 'store.db'}")) as store,
    ):
        for name, value in (
            (HUIJU_URL, sandbox.huiju.base_url),
            (YOUZAN_URL, sandbox.youzan.base_url),
            (YOUZAN_CLIENT_ID, youzan.client_id),
            (YOUZAN_CLIENT_SECRET, youzan.client_secret),
        ):
            monkeypatch.setenv(name, value)
        migrate(store)
        save_shop(
            store, "huiju", {"id": SHOP, "name": "青禾集市", "edition": "wsc_ecommerce", "admitted": True}
        )
        owner = Actor("u1", "王小美", "senior_admin", SHOP)
        _, token = make_token(store, owner, "订单系统", "admin", scopes_of("admin"), timedelta(days=1))
        services = Services(store, Vault([new_key()]), LiveRules(find_manifest(ROOT)))
        app = create_app(services)
        server = Server(app, host="127.0.0.1", port=0)
        stop = threading.Event()
        runner = UploadRunner(store, services.rules, services.youzan)
        worker = Worker(Lanes(store, services.vault), services.rules.current(), threads=2)
        threads = [
            threading.Thread(target=run, args=given)
            for run, given in ((server.run, (stop,)), (runner.run, (stop,)), (worker.run, (stop,)))
        ]
        for thread in threads:
            thread.start()
        try:
            yield Service(server.address, token, sandbox)
        finally:
            stop.set()
            app.extensions[EXTENSION].close()
            server.wake()
            for thread in threads:
                thread.join()
            server.drain(5)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        told = f"{', '.join(missing)} not installed; make test says how to get it"
        pytest.fail(told) if os.environ.get("CI") else pytest.skip(told)
    folder = tmp_path / "reader"
    folder.mkdir()
    process = subprocess.Popen(
        ["bash", "--norc"], cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )  # fmt: skip
    try:
        yield Shell(process)
    finally:
        process.kill()
        process.communicate()


def test_every_command_of_the_page_prints_what_it_shows(
    service: Service, shell: Shell, tmp_path: Path
) -> None:
    folder = tmp_path / "reader"
    (folder / "身份.json").write_text(json.dumps(IDENTITY), encoding="utf-8")
    rows = [list(row) for row in good_rows()[:3]]
    rows[1][6] = "1"  # a brand that the shop doesn't have
    (folder / "三月上新.xlsx").write_bytes(sheet(rows))

    def correct() -> None:
        report = folder / "三月上新-结果.xlsx"
        book = openpyxl.load_workbook(report)
        page = book.worksheets[0]
        assert (rows[1][0], "不通过") == (page.cell(2, 1).value, page.cell(2, 9).value.partition("（")[0])
        page.cell(2, 7).value = good_rows()[1][6]
        book.save(report)

    def order() -> None:
        service.sandbox.huiju.buyer.place_order(rows[0][0])

    by_hand: dict[str, Callable[[], object]] = {"6. 更正，再上传": correct, "7. 订单：发货": order}
    section = ""
    for shown in commands():
        if shown.section != section:
            section = shown.section
            by_hand.pop(section, lambda: None)()
        command = shown.command.replace("http://127.0.0.1:8000", service.address)
        printed = shell.run(command.replace("sg_…", service.token))
        assert shown.fits(printed), f"{section}\n$ {shown.command}{printed}"
    assert not by_hand

    made = {path.name for path in folder.iterdir()}
    assert {"惠聚数据.xlsx", "空白模板.xlsx", "上架模板.xlsx", "三月上新-结果.csv"} <= made
    listed = [row[0] for row in rows]
    state = service.sandbox.huiju.state.snapshot()
    assert sorted(listed) == sorted(about for _, what, about in state["effects"] if what == "product_add")
    assert rows[0][0] == openpyxl.load_workbook(folder / "三月上新-结果.xlsx").worksheets[0].cell(3, 1).value
