"""Check an upload: rows in, decisions and outbox items out, chunk by chunk, each chunk a transaction of its own (R16, R19).

What is kept of a chunk is kept as a whole: its rows, their decisions, their claims to a listing and what is to be sent. So the check may
end anywhere, be taken up anywhere, by any process and by several at once: rows that are kept are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import select

from channels.youzan import YouzanClient
from engine.decision import Decision
from engine.diagnostics import Diagnostic
from engine.errors import ShelfgateError
from engine.rulebook import Channel, Rulebook
from engine.tables import Tables
from mappings.sheet import SheetError, SheetRow, UploadSheet, open_upload
from pipeline.checking import Checker
from pipeline.measures import count_rows
from pipeline.products import payload_texts, product_of, pull_products
from pipeline.reference import LISTINGS, load_reference
from pipeline.shops import shop_fact
from pipeline.store import Product, Store, StoreBusy, Upload, UploadRow, database_now
from pipeline.store.types import json_text
from pipeline.uploads.again import Done, done_before, left_alone
from pipeline.uploads.receiving import FINISHED, find_upload, received_file
from pipeline.uploads.rows import Decided, keep_rows, reason_of
from pipeline.uploads.sending import Sending
from pipeline.uploads.state import Progress, advance, fail, progress

CHUNK = 500
"""Rows that are decided and kept at a time: what a crash can cost, and how long a writer is alone on SQLite."""

FRESH = timedelta(minutes=10)
"""Age up to which a product that is kept is taken for what Youzan has now."""

TRIES = 5
"""Times that a chunk is kept again where other writers were in the way."""

Fact = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Checking:
    """Hold what an upload is checked with.

    Attributes:
        store: Where everything is kept.
        rulebook: The rules.
        channel: The channel, as the rules name it.
        youzan: The shop's client; None to take products as they are kept.
        sending: Makes what puts a row that passed on its way, of the reference data and the moment asked for.
        fresh: Age up to which a product that is kept is not fetched again.
        on_progress: Called with how many rows are decided and how many there are.
    """

    store: Store
    rulebook: Rulebook
    channel: Channel
    youzan: YouzanClient | None
    sending: Callable[[Tables, datetime], Sending]
    fresh: timedelta = FRESH
    on_progress: Callable[[int, int], None] = lambda _done, _total: None


def check_upload(checking: Checking, upload_id: str) -> Progress:
    """Check an upload from its beginning, or from where an earlier check has come to.

    Args:
        checking: What it is checked with.
        upload_id: The upload.

    Returns:
        The counts. Where the file can't be read they say why: the upload has failed.

    Raises:
        UploadUnknown: There is no such upload.
        NoReference: The shop's reference data was never pulled.
        ChannelFailed: Youzan could not be reached; the check may be taken up later.
    """
    store = checking.store
    upload = _begin(store, upload_id)
    if upload.state == "checking":
        try:
            _check(checking, upload)
        except SheetError as error:
            fail(store, upload_id, _said(error))
    return progress(store, upload_id)


def _begin(store: Store, upload_id: str) -> Upload:
    """Set the moment that all its decisions are made for; an upload that has it keeps it."""
    with store.write() as session:
        upload = find_upload(session, upload_id, lock=True)
        now = database_now(session)
        if upload.state == "received":
            upload.state, upload.as_of = "checking", now
        elif upload.state not in ("checking", *FINISHED):
            advance(session, upload_id)
    return upload


def _check(checking: Checking, upload: Upload) -> None:
    """Read the file twice, which is quick: once for what rows must know of each other, once to decide them chunk by chunk.

    Raises:
        SheetError: The file can't be read; nothing of it is kept then.
    """
    store = checking.store
    name, content = received_file(store, upload.id)
    seen = _Counted(open_upload(content, name).rows)
    assert upload.as_of is not None
    tables = _tables(store, upload)
    shop = shop_fact(store, upload.channel, upload.shop_id)
    checker = Checker(checking.rulebook, checking.channel, upload.as_of, tables, shop)
    decide_fact = checker.decider(seen)
    with store.write() as session:
        find_upload(session, upload.id, lock=True).row_total = seen.count
    listed = done_before(store, upload.id)
    alone = left_alone(open_upload(content, name).rows, listed) if listed else {}
    sheet = open_upload(content, name)
    decide = _Decider(checking, checker, decide_fact, checking.sending(tables, upload.as_of), upload, sheet)
    done = 0
    while chunk := list(islice(sheet.rows, CHUNK)):
        _keep_chunk(checking, upload.id, _left(store, upload.id, chunk), alone, decide)
        done += len(chunk)
        checking.on_progress(done, seen.count)
    with store.write() as session:
        held = find_upload(session, upload.id, lock=True)
        if held.state == "checking":
            held.state = "checked"
        advance(session, upload.id)


def _keep_chunk(
    checking: Checking,
    upload_id: str,
    chunk: Sequence[SheetRow],
    alone: dict[int, Done],
    decide: _Decider,
) -> None:
    """Decide the rows of a chunk, then keep those that no other process has kept meanwhile."""
    if not chunk:
        return
    left = [row for row in chunk if row.number not in alone]
    decided = [decide.left_alone(row, alone[row.number]) for row in chunk if row.number in alone]
    decided += decide(left) if left else []
    decided.sort(key=_number)
    for attempt in range(1, TRIES + 1):
        try:
            with checking.store.write() as session:
                upload = find_upload(session, upload_id, lock=True)
                if upload.state != "checking":
                    return
                known = set(session.scalars(_numbers(upload_id, decided[0].number, decided[-1].number)))
                new = [item for item in decided if item.number not in known]
                if new:
                    keep_rows(session, upload, new, decide.sending, database_now(session))
        except StoreBusy:
            if attempt == TRIES:
                raise
        else:
            count_rows(item.checked.decisions for item in new)
            return


class _Counted:
    """Give rows and count them.

    Attributes:
        count: Rows given so far.
    """

    def __init__(self, rows: Iterable[SheetRow]) -> None:
        self.count = 0
        self._rows = rows

    def __iter__(self) -> Iterator[SheetRow]:
        for row in self._rows:
            self.count += 1
            yield row


class _Decider:
    """Decide rows of one upload, with their products as Youzan has them now."""

    def __init__(
        self,
        checking: Checking,
        checker: Checker,
        decide: Callable[[Fact], tuple[Decision, ...]],
        sending: Sending,
        upload: Upload,
        sheet: UploadSheet,
    ) -> None:
        self.sending = sending
        self._checking = checking
        self._checker = checker
        self._upload = upload
        self._sheet = sheet
        self._decide = decide

    def __call__(self, rows: Sequence[SheetRow]) -> list[Decided]:
        """Decide rows; each id is looked up once."""
        ids = list(dict.fromkeys(row.row["product_id"] for row in rows if "product_id" in row.row))
        unreadable = self._refresh(ids)
        found = dict(payload_texts(self._checking.store, self._upload.shop_id, ids))
        return [self._one(row, found, unreadable) for row in rows]

    def left_alone(self, row: SheetRow, done: Done) -> Decided:
        """Take a row whose product is listed already for what it is."""
        checked = self._checker.checked(self._sheet, row._replace(problems=()), ())
        return Decided(
            checked, row, "listed", done.remark(row.row), channel_product_id=done.channel_product_id
        )

    def _refresh(self, ids: list[str]) -> dict[str, str]:
        """Fetch the products that are not kept, or were fetched too long ago; give those that can't be read."""
        client, store = self._checking.youzan, self._checking.store
        if client is None or not ids:
            return {}
        with store.read() as session:
            since = database_now(session) - self._checking.fresh
            fresh = select(Product.id).where(
                Product.shop_id == self._upload.shop_id, Product.id.in_(ids), Product.fetched_at >= since
            )
            known = set(session.scalars(fresh))
        wanted = [item_id for item_id in ids if item_id not in known]
        return pull_products(store, client, self._upload.shop_id, wanted).unreadable if wanted else {}

    def _one(self, row: SheetRow, found: dict[str, str], unreadable: dict[str, str]) -> Decided:
        product_id = row.row.get("product_id", "")
        product = product_of(found[product_id]) if product_id in found else None
        fact: Fact = {"shop": self._checker.shop, "row": row.row}
        if product is not None:
            fact["product"] = product
        elif product_id in found:
            problem = _unreadable(row, unreadable.get(product_id, ""))
            checked = self._checker.checked(self._sheet, row._replace(problems=(*row.problems, problem)), ())
            return Decided(checked, row, "rejected", reason_of(checked))
        checked = self._checker.checked(self._sheet, row, self._decide(fact))
        if checked.outcome != "accepted":
            return Decided(checked, row, checked.outcome, reason_of(checked))
        try:
            payload, kept = self.sending.payload(fact), json_text(product)
        except ShelfgateError as error:
            return Decided(checked, row, "rejected", error.message)
        return Decided(checked, row, "queued", "", kept, payload)


def _tables(store: Store, upload: Upload) -> Tables:
    """Give the reference data; a product on its way to the channel is no listing yet, the claim to it says who sends it."""
    tables = load_reference(store, upload.shop_id, upload.channel).tables
    listed = [row for row in tables[LISTINGS] if "listed_at" in row]
    return Tables({**tables, LISTINGS: listed})


def _left(store: Store, upload_id: str, chunk: Sequence[SheetRow]) -> list[SheetRow]:
    """Leave out the rows that are kept already."""
    with store.read() as session:
        known = set(session.scalars(_numbers(upload_id, chunk[0].number, chunk[-1].number)))
    return [row for row in chunk if row.number not in known]


def _numbers(upload_id: str, first: int, last: int) -> Any:
    return select(UploadRow.number).where(
        UploadRow.upload_id == upload_id, UploadRow.number.between(first, last)
    )


def _number(item: Decided) -> int:
    return item.number


def _unreadable(row: SheetRow, why: str) -> Diagnostic:
    return Diagnostic(
        "SG0803",
        "error",
        f"商品 {row.row['product_id']} 的有赞数据无法读取{'：' if why else ''}{why}",
        hint="在有赞打开并重新保存该商品后再上传；仍不行请联系有赞",
        cell=row.cells.get("row.product_id"),
    )


def _said(error: SheetError) -> str:
    """Say on a few lines why a file can't be read."""
    lines = [f"{item.message}" + (f"；{item.hint}" if item.hint else "") for item in error.diagnostics]
    return "\n".join(lines[:10])
