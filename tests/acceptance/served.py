"""A service to try from outside: the command itself as a process of its own, on a store with the demo shop."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import xlsxwriter

from channels.huiju import HuijuCredentials
from channels.sandbox import Sandbox, SandboxConfig, read_seed
from channels.youzan import YouzanCredentials
from mappings.sheet_columns import UPLOAD_COLUMNS
from pipeline.actors import Actor
from pipeline.callers import make_token, scopes_of
from pipeline.secrets import KEYS, Vault, new_key
from pipeline.store import migrate, open_store
from tests.integration.demo_shop import EXAMPLES, ROOT, SHOP, plant, reference

BIN = Path(sys.executable).parent
NOWHERE = "http://127.0.0.1:9"
IDENTITY = {"app_id": "hj00000001", "app_secret": "huiju-app-secret-1f2e", "data_key": "huiju-data-key-9c8b"}


@dataclass
class House:
    """Hold a folder with rules and a store, and start what serves it.

    Attributes:
        folder: The working folder; its rules may be edited.
        store: Address of the store.
        token: A token of an administrator's role with all its scopes.
        own: Further environment.
    """

    folder: Path
    store: str
    token: str
    own: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SHELFGATE_")}
        return {**kept, "SHELFGATE_STORE": self.store, **self.own}

    @contextmanager
    def serve(self, *options: str) -> Iterator[Served]:
        """Run `shelfgate serve` on a free port; it does not outlive the block."""
        words = [BIN / "shelfgate", "serve", "--port", "0", *options]
        with self.run(*words) as served:
            line = served.output.readline()
            found = re.search(r"http://\S+?(?=，)", line)
            assert found is not None, (line, served.log())
            served.address = found[0]
            yield served

    @contextmanager
    def run(self, *words: str | Path, log: str = "log.txt") -> Iterator[Served]:
        """Run a process; it does not outlive the block."""
        with (self.folder / log).open("ab") as errors:
            process = subprocess.Popen(
                words,
                cwd=self.folder,
                env=self.environment(),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert process.stdout is not None
        served = Served(process, self.folder / log, self.token)
        try:
            yield served
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


@dataclass
class Served:
    """Hold a process that serves."""

    process: subprocess.Popen[str]
    file: Path
    token: str
    address: str = ""

    @property
    def output(self) -> Any:
        return self.process.stdout

    def log(self) -> str:
        return self.file.read_text(encoding="utf-8")

    def client(self, **more: Any) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=30, trust_env=False, **more)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and give the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


def furnish(folder: Path, address: str = "") -> House:
    """Make a folder with rules of its own, and a store with the demo shop in it: an empty one that is there, or one in the folder."""
    shutil.copytree(ROOT / "rules", folder / "rules")
    shutil.copy(ROOT / "rulesets.yaml", folder)
    address, key = address or f"sqlite:///{folder / 'store.db'}", new_key()
    sealed = Vault([key]).seal(json.dumps(IDENTITY), shop_id=SHOP, field="bindings.credentials.huiju")
    with closing(open_store(address)) as store:
        migrate(store)
        plant(store, credentials=sealed)
        by = Actor("u1", "王小美", "senior_admin", SHOP)
        _, token = make_token(store, by, "test", "admin", scopes_of("admin"), timedelta(days=1))
    own = {
        KEYS: key,
        "SHELFGATE_HUIJU_URL": NOWHERE,
        "SHELFGATE_YOUZAN_URL": NOWHERE,
        "SHELFGATE_YOUZAN_CLIENT_ID": "yz",
        "SHELFGATE_YOUZAN_CLIENT_SECRET": "0123456789abcdef",
    }
    return House(folder, address, token, own)


@contextmanager
def sandbox_for(house: House) -> Iterator[Sandbox]:
    """Run the sandbox, and have the house's processes call it."""
    config = SandboxConfig(
        huiju=HuijuCredentials(**IDENTITY),
        youzan=YouzanCredentials("yz", "0123456789abcdef", SHOP),
        huiju_per_second=5000,
    )
    with Sandbox(read_seed(EXAMPLES, reference()), config=config) as running:
        house.own |= {
            "SHELFGATE_HUIJU_URL": running.huiju.base_url,
            "SHELFGATE_YOUZAN_URL": running.youzan.base_url,
        }
        yield running


def added(sandbox: Sandbox) -> Counter[str]:
    """Count how often each product was listed on the channel, by its Youzan id."""
    address = sandbox.huiju.base_url.partition("/openapi")[0]
    effects = httpx.get(f"{address}/_sandbox/state", timeout=10, trust_env=False).json()["effects"]
    return Counter(about for _, what, about in effects if what == "product_add")


def rows_that_pass() -> list[list[str]]:
    """Give rows of the example that pass and that the channel takes, as text."""
    page = openpyxl.load_workbook(EXAMPLES / "上架表.xlsx").worksheets[0]
    lines = (EXAMPLES / "expected.csv").read_text(encoding="utf-8").splitlines()[1:]
    good = [int(line.split(",")[0]) for line in lines if line.split(",")[2:5] == ["accepted", "", ""]]
    found = [["" if cell.value is None else cell.value for cell in page[number][:8]] for number in good]
    plain = [row for row in found if all(isinstance(value, str) for value in row)]
    return [row for row in plain if row[0].isdigit() and row[0].isascii()]


def sheet(rows: Sequence[Sequence[str]]) -> bytes:
    """Write rows as a workbook to upload."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        page = book.add_worksheet("上架商品")
        for number, row in enumerate([[column.title for column in UPLOAD_COLUMNS], *rows]):
            page.write_row(number, 0, row)
    return out.getvalue()


def send(client: httpx.Client, content: bytes) -> str:
    """Upload a workbook, and give the upload's id."""
    reply = client.post("/v1/uploads", files={"file": ("上架.xlsx", content)})
    assert 202 == reply.status_code, reply.text
    return str(reply.json()["id"])


def wait_until(done: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"not after {seconds} s"
        time.sleep(0.05)
