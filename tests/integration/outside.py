"""The sandboxes as a process of their own, which is never killed, looked at from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

ROOT = Path(__file__).parents[2]


@dataclass
class Outside:
    """Look at a sandbox process from outside.

    Attributes:
        base_url: Huiju's address.
        youzan_url: Youzan's address.
        log: Where the process notes Huiju's requests.
    """

    base_url: str
    youzan_url: str
    log: Path

    def requests(self) -> list[tuple[float, str]]:
        """Give when each request came in, in seconds since the epoch, and the end of its path."""
        lines = (line.split(" ") for line in self.log.read_text(encoding="utf-8").splitlines())
        return sorted(
            (float(moment), path.removeprefix(urlsplit(self.base_url).path)) for moment, path in lines
        )

    def counts(self) -> Counter[str]:
        return Counter(path for _, path in self.requests())

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(self._steering("state"), timeout=30, trust_env=False).json()
        return found

    def added(self) -> Counter[str]:
        """Count how often each product was put on the channel."""
        return Counter(what for _, endpoint, what in self.state()["effects"] if endpoint == "product_add")

    def set_faults(self, plan: Mapping[str, Any]) -> None:
        """Let Huiju's requests go wrong by another plan from now on."""
        httpx.post(self._steering("faults"), json=plan, timeout=30, trust_env=False).raise_for_status()

    def _steering(self, what: str) -> str:
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}/_sandbox/{what}"


@contextmanager
def sandbox_process(
    folder: Path,
    reference: Mapping[str, Sequence[Any]],
    identity: Sequence[str],
    *,
    youzan: Sequence[str] = ("yz", "0123456789abcdef", "38405005"),
    products: Path | None = None,
    per_second: float = 5000,
    faults: Mapping[str, Any] | None = None,
) -> Iterator[Outside]:
    """Run the sandboxes as a process that does not outlive the block.

    Args:
        folder: Where requests are noted.
        reference: Huiju's reference data.
        identity: The shop's API identity at Huiju.
        youzan: Application and shop at Youzan.
        products: Folder with `products.jsonl`, what Youzan knows; nothing where None.
        per_second: The rate limit of both.
        faults: What goes wrong at Huiju.
    """
    config = {
        "reference": reference, "credentials": identity, "youzan": youzan, "products": str(products or ""),
        "per_second": per_second, "faults": faults or {},
    }  # fmt: skip
    log = folder / "requests.log"
    log.touch()
    script = Path(__file__).with_name("counting_sandbox.py")
    with subprocess.Popen(
        [sys.executable, str(script), json.dumps(config), str(log)],
        stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            yield Outside(process.stdout.readline().strip(), process.stdout.readline().strip(), log)
        finally:
            process.kill()
