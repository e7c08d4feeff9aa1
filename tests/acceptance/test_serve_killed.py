"""`kill -9` of `shelfgate serve` under load: whatever was accepted comes to its end after a restart, and nothing is sent twice (R16, R19)."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from channels.sandbox import Sandbox
from tests.acceptance.served import (
    House,
    added,
    furnish,
    rows_that_pass,
    sandbox_for,
    send,
    sheet,
    wait_until,
)

KILLS = 3
SHEETS = 20
ROWS = 2
"""Rows of a sheet; no product is in two sheets."""

HOLDS = ("--lease", "6", "--check-hold", "3")
"""Short, as it is killed so often."""


@pytest.fixture
def house(tmp_path: Path) -> House:
    return furnish(tmp_path)


@pytest.fixture
def sandbox(house: House) -> Iterator[Sandbox]:
    with sandbox_for(house) as running:
        yield running


def test_no_upload_that_was_accepted_is_lost_and_no_product_listed_twice(
    house: House, sandbox: Sandbox
) -> None:
    """Sheets keep coming while the service is killed at random moments; those that got no answer are sent again."""
    rng = random.Random(7)
    rows = rows_that_pass()
    left = [sheet(rows[start : start + ROWS]) for start in range(0, SHEETS * ROWS, ROWS)]
    products = {row[0] for row in rows[: SHEETS * ROWS]}
    assert SHEETS * ROWS == len(products)
    accepted: list[str] = []
    unfinished = 0
    for kill in range(KILLS):
        with house.serve(*HOLDS) as served:
            wanted = len(left) - SHEETS // KILLS if kill < KILLS - 1 else 0

            def post(served: Any = served, wanted: int = wanted) -> None:
                with served.client() as client:
                    while len(left) > wanted:
                        try:
                            accepted.append(send(client, left[0]))
                        except httpx.HTTPError:
                            return  # killed; what got no answer is sent again to the next one
                        left.pop(0)

            sending = threading.Thread(target=post)
            sending.start()
            threading.Event().wait(rng.uniform(0.3, 1.2))
            assert -signal.SIGKILL == served.end(signal.SIGKILL)
            sending.join()
    with house.serve(*HOLDS) as served, served.client() as client:
        while left:
            accepted.append(send(client, left.pop(0)))
        for upload in dict.fromkeys(accepted):
            unfinished += client.get(f"/v1/uploads/{upload}").json()["state"] not in ("done", "failed")
            wait_until(
                lambda upload=upload: client.get(f"/v1/uploads/{upload}").json()["state"] == "done", 120
            )  # type: ignore[misc]
        assert 0 == served.end()
    print(f"\n{len(set(accepted))} uploads accepted, {unfinished} unfinished after {KILLS} kills")
    assert SHEETS == len(set(accepted))
    assert dict.fromkeys(products, 1) == dict(added(sandbox))
