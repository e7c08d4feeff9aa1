"""The steps of `bench.uploads`, each a process of its own: `python -m bench.upload_steps STEP FOLDER [ADDRESS]`.

A step leaves what it cost in the folder, as JSON: CPU and wall-clock seconds of the part that counts, without starting Python, and the
peak memory of the whole process.
"""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from time import perf_counter, process_time
from types import FrameType
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from bench import bare, sheets
from bench.data import sample
from bench.process import ROOT, peak
from channels.sandbox.seed import item_of
from engine.mapping import MappingSession
from engine.rulebook import find_manifest, load
from engine.session import Session
from mappings.reference import read_reference
from mappings.sheet import open_upload
from mappings.sheet_rows import RowReader
from pipeline.actors import Actor
from pipeline.clients import youzan_client
from pipeline.products import payload_texts, product_of
from pipeline.shops import save_shop
from pipeline.store import (
    BindingRow,
    Product,
    ReferenceSnapshot,
    Store,
    Upload,
    database_now,
    insert_many,
    migrate,
    open_store,
)
from pipeline.store.types import json_text
from pipeline.uploads.check import Checking, check_upload
from pipeline.uploads.receiving import receive
from pipeline.uploads.report import upload_workbook
from pipeline.uploads.rows import reason_of
from pipeline.uploads.sending import UploadSending, listing_sending
from pipeline.uploads.state import progress

COST = "cost.json"
CHANNEL = "huiju"
TICKS = 20
INTERVAL = 0.005
"""CPU seconds between two looks at what is being done."""

PARTS: tuple[tuple[str, tuple[Callable[..., Any], ...]], ...] = (
    ("reading the file", (open_upload, RowReader.read)),
    ("products out of the store", (payload_texts,)),
    ("products from JSON into facts", (product_of,)),
    ("rules", (Session.decide, MappingSession.map)),
    ("what is sent, as JSON", (UploadSending.payload,)),
    ("rows and snapshots as JSON", (json_text,)),
    ("reasons in words", (reason_of,)),
    ("bulk inserts", (insert_many,)),
    ("commits", (Transaction.commit,)),
)
"""What the time goes to, by the outermost of these functions that is being run."""


def prepare(folder: Path, address: str) -> None:
    """Fill a database with the shop, its reference data and, where there is a catalogue in the folder, its products."""
    world, _ = sample(1)
    with opened(address) as store:
        migrate(store)
        save_shop(store, CHANNEL, world.shop)
        shop_id = world.shop["id"]
        with store.write() as session:
            now = database_now(session)
            session.add(
                BindingRow(
                    shop_id=shop_id, channel=CHANNEL, credentials="sealed", bound_by="u1", bound_at=now, tried_at=now
                )
            )  # fmt: skip
            for kind, rows in read_reference(sheets.REFERENCE).items():
                if kind != "listings":
                    session.add(
                        ReferenceSnapshot(
                            channel=CHANNEL, shop_id=shop_id, kind=kind, hash=kind, row_count=len(rows), rows=rows,
                            taken_at=now, checked_at=now,
                        )
                    )  # fmt: skip
        with (folder / sheets.CATALOGUE).open("rb") as lines:
            items = {str(item["item_id"]): json_text(item) for item in map(item_of, map(json.loads, lines))}
        with store.write() as session:
            common = {"shop_id": shop_id, "title": "", "hash": "", "fetched_at": database_now(session)}
            insert_many(session, Product, common, ("id", "payload"), list(items.items()))
    note(folder, {})


def calamine(folder: Path) -> None:
    """Read the cells and do nothing with them."""
    with counted(folder):
        sheets.read_alone(folder)


def rows(folder: Path) -> None:
    """Read the rows as the check does."""
    with counted(folder):
        for _ in open_upload(folder / sheets.SHEET).rows:
            pass


def facts(folder: Path) -> None:
    """Read the rows, and the products as facts."""
    with counted(folder):
        sheets.read_into_facts(folder)


def check(folder: Path, address: str, source: str = "") -> None:
    """Check the upload; products are taken as they are kept, or fetched where a source is named: the one that the environment says."""
    with opened(address) as store:
        checking, upload_id = ready(folder, store, fetch=bool(source))
        with nullcontext() if checking.youzan is None else checking.youzan, counted(folder) as found:
            done = check_upload(checking, upload_id)
            found["rows"] = {state: count for state, count in done.rows.items() if count}
        start = perf_counter()
        for _ in range(TICKS):
            progress(store, upload_id)
        found["tick"] = (perf_counter() - start) / TICKS
    note(folder, found)


def parts(folder: Path, address: str) -> None:
    """Check the upload, and look every few milliseconds at what is being done."""
    codes = {function.__code__: name for name, functions in PARTS for function in functions}
    seen: Counter[str] = Counter()

    def look(_signal: int, frame: FrameType | None) -> None:
        name = "the rest"
        while frame is not None:
            name = codes.get(frame.f_code, name)
            frame = frame.f_back
        seen[name] += 1

    with opened(address) as store:
        checking, upload_id = ready(folder, store)
        signal.signal(signal.SIGPROF, look)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
        check_upload(checking, upload_id)
        signal.setitimer(signal.ITIMER_PROF, 0)
    note(folder, {"parts": {name: count / seen.total() for name, count in seen.most_common()}})


def floor(folder: Path, address: str) -> None:
    """Put what the check has kept into the same tables once more, with nothing but the driver."""
    with opened(address) as store, bare.taken_out(store) as insert, counted(folder):
        insert()


def report(folder: Path, address: str) -> None:
    """Write the report."""
    with opened(address) as store:
        channel = load(find_manifest(ROOT)).channels[CHANNEL]
        with store.read() as session:
            upload_id = session.scalars(select(Upload.id)).one()
        with counted(folder):
            upload_workbook(store, upload_id, channel)


def ready(folder: Path, store: Store, *, fetch: bool = False) -> tuple[Checking, str]:
    """Receive the upload and make ready to check it."""
    with store.read() as session:
        shop_id = session.scalars(select(BindingRow.shop_id)).one()
    rulebook = load(find_manifest(ROOT))
    channel = rulebook.channels[CHANNEL]
    actor = Actor("u1", "王小美", "operator", shop_id)
    content = (folder / sheets.SHEET).read_bytes()
    upload_id = receive(store, actor, shop_id, CHANNEL, sheets.SHEET, content).upload_id
    client = youzan_client(store, shop_id) if fetch else None
    return Checking(store, rulebook, channel, client, listing_sending(channel)), upload_id


@contextmanager
def opened(address: str) -> Iterator[Store]:
    """Open the store and close it at the end."""
    store = open_store(address)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def counted(folder: Path) -> Iterator[dict[str, Any]]:
    """Note what the block costs; what it puts into the record is noted along with it."""
    found: dict[str, Any] = {}
    cpu, wall = process_time(), perf_counter()
    yield found
    found |= {"cpu": process_time() - cpu, "wall": perf_counter() - wall, "peak": peak()}
    note(folder, found)


def note(folder: Path, found: dict[str, Any]) -> None:
    """Leave what was found for whoever started the step."""
    (folder / COST).write_text(json.dumps(found), encoding="utf-8")


STEPS: dict[str, Callable[..., None]] = {
    step.__name__: step for step in (prepare, calamine, rows, facts, check, parts, floor, report)
}

if __name__ == "__main__":
    STEPS[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
