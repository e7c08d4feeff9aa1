"""A client of the service that does not give up: it repeats what got no answer, and looks whether what it was told stays true."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

ENDINGS = frozenset({"rejected", "undetermined", "listed", "refused_by_channel", "failed"})
"""States of a row that are outcomes."""

FINISHED = frozenset({"done", "done_with_failures", "failed"})
LOOK = 0.7


@dataclass
class Merchant:
    """Upload sheets and follow them while everything is killed. Used by several threads at once.

    Attributes:
        address: The service.
        token: What it shows.
        answers: How often it got which status; None for a request that got no answer.
        repeats: Requests that it sent again.
        longest: Longest time that it took until an upload was answered 202, s.
        broken: What it was told that did not stay true.
    """

    address: str
    token: str
    answers: Counter[int | None] = field(default_factory=Counter)
    repeats: int = 0
    longest: float = 0.0
    broken: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def upload(self, key: str, content: bytes) -> str:
        """Send a sheet under a key until it is answered 202, and give the upload's id."""
        began = time.monotonic()
        files = {"file": (f"{key}.xlsx", content)}
        reply = self.ask("POST", "/v1/uploads", files=files, headers={"Idempotency-Key": key})
        assert 202 == reply.status_code, reply.text
        with self._lock:
            self.longest = max(self.longest, time.monotonic() - began)
        return str(reply.json()["id"])

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask until there is an answer other than: not now."""
        first = True
        while True:
            with self._lock:
                self.repeats += not first
            first = False
            try:
                with self._client() as client:
                    reply = client.request(method, path, **more)
            except httpx.TransportError:
                self._count(None)
                time.sleep(0.1 + 0.2 * random.random())
                continue
            self._count(reply.status_code)
            if reply.status_code != 503 and not in_progress(reply):
                return reply
            time.sleep(float(reply.headers["Retry-After"]))

    def is_up(self) -> bool:
        """Say whether the service answers."""
        try:
            with self._client() as client:
                return client.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def state(self, upload: str) -> dict[str, Any]:
        reply = self.ask("GET", f"/v1/uploads/{upload}")
        assert 200 == reply.status_code, f"an upload that was answered 202 is gone: {reply.text}"
        found: dict[str, Any] = reply.json()
        return found

    def rows(self, upload: str) -> list[dict[str, Any]]:
        """Give all rows of an upload, page by page."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            reply = self.ask("GET", f"/v1/uploads/{upload}/rows", params={"limit": "500", **cursor})
            assert 200 == reply.status_code, reply.text
            page = reply.json()
            found += page["items"]
            if not page.get("next"):
                return found
            cursor = {"cursor": page["next"]}

    def follow(self, upload: str, stop: threading.Event) -> None:
        """Look at an upload again and again: neither it nor a row of it vanishes, and no outcome changes."""
        known: dict[int, tuple[str, str | None]] = {}
        while not stop.wait(LOOK):
            rows = self.rows(upload)
            if gone := known.keys() - {row["number"] for row in rows}:
                self.broken.append(f"rows {sorted(gone)} had an outcome and are gone")
            for row in rows:
                now = (row["state"], row["channel_product_id"])
                before = known.get(row["number"])
                if before is not None and before != now:
                    self.broken.append(f"row {row['number']} was {before} and is {now}")
                if row["state"] in ENDINGS:
                    known[row["number"]] = now

    def _client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token}", "Connection": "close"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=30, trust_env=False)

    def _count(self, status: int | None) -> None:
        with self._lock:
            self.answers[status] += 1


def in_progress(reply: httpx.Response) -> bool:
    """Say whether the first request of this key is still taken to be under way."""
    return reply.status_code == 409 and reply.json()["type"].endswith("/in-progress")
