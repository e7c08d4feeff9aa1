"""The demo shop in a store: bound, with reference data and products kept, as if they had been pulled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.rulebook import Rulebook, find_manifest, load
from pipeline.actors import Actor
from pipeline.store import Listing, Store, Upload, UploadRow, database_now
from pipeline.store.types import json_text
from pipeline.uploads.check import Checking, check_upload
from pipeline.uploads.receiving import Received, receive
from pipeline.uploads.state import Progress, advance
from tests.integration import demo_shop
from tests.integration.demo_shop import EXAMPLES, ROOT, SHOP, plant

AMY = Actor("u1", "王小美", "operator", SHOP)

Fact = dict[str, Any]


@dataclass
class NotedSending:
    """Note what would be sent; what is sent, and how, is another part's to show."""

    sent: list[tuple[str, int, str]] = field(default_factory=list)

    def payload(self, fact: Fact) -> str:
        return json_text({"title": fact["product"]["title"]})

    def enqueue_all(
        self, session: Session, upload: Upload, rows: Sequence[tuple[int, str, str]], now: datetime
    ) -> dict[int, str]:
        for number, product_id, _ in sorted(rows, key=lambda row: row[0]):
            self.enqueue(upload.id, number, product_id)
        return {}

    def enqueue(self, upload_id: str, number: int, product_id: str) -> None:
        self.sent.append((upload_id, number, product_id))


@dataclass
class Desk:
    """Work on the demo shop's uploads."""

    store: Store
    rulebook: Rulebook
    sending: NotedSending = field(default_factory=NotedSending)

    def checking(self, **changes: Any) -> Checking:
        chosen = {"sending": lambda _tables, _as_of: self.sending, "youzan": None} | changes
        return Checking(self.store, self.rulebook, self.rulebook.channels["huiju"], **chosen)

    def receive(self, content: bytes, name: str = "上架.xlsx", actor: Actor = AMY) -> Received:
        return receive(self.store, actor, SHOP, "huiju", name, content)

    def check(self, content: bytes, name: str = "上架.xlsx", **changes: Any) -> str:
        received = self.receive(content, name)
        check_upload(self.checking(**changes), received.upload_id)
        return received.upload_id

    def progress(self, upload_id: str) -> Progress:
        from pipeline.uploads.state import progress

        return progress(self.store, upload_id)

    def rows(self, upload_id: str) -> dict[int, UploadRow]:
        with self.store.read() as session:
            wanted = select(UploadRow).where(UploadRow.upload_id == upload_id).order_by(UploadRow.number)
            return {row.number: row for row in session.scalars(wanted)}

    def states(self, upload_id: str) -> dict[int, str]:
        return {number: row.state for number, row in self.rows(upload_id).items()}

    def list_all(self, upload_id: str, refused: Sequence[int] = ()) -> None:
        """Let the channel list every queued row, but for some that it refuses."""
        with self.store.write() as session:
            now = database_now(session)
            wanted = select(UploadRow).where(UploadRow.upload_id == upload_id, UploadRow.state == "queued")
            for row in session.scalars(wanted):
                listing = session.scalars(
                    select(Listing).where(
                        Listing.product_id == row.product_id, Listing.upload_id == upload_id
                    )
                ).one()
                if row.number in refused:
                    row.state, row.reason = "refused_by_channel", "标题含有违禁词"
                    row.answer = {"code": "10020", "message": "标题含有违禁词"}
                    session.delete(listing)
                    continue
                row.state, row.channel_product_id = "listed", f"88{row.product_id}"
                listing.state, listing.channel_product_id, listing.listed_at = (
                    "listed",
                    f"88{row.product_id}",
                    now,
                )
            advance(session, upload_id)


@pytest.fixture(scope="session")
def rulebook() -> Rulebook:
    return load(find_manifest(ROOT))


@pytest.fixture
def desk(store: Store, rulebook: Rulebook) -> Desk:
    plant(store)
    return Desk(store, rulebook)


@pytest.fixture(scope="session")
def example() -> bytes:
    return (EXAMPLES / "上架表.xlsx").read_bytes()


@pytest.fixture(scope="session")
def good_rows() -> list[list[str]]:
    """Give the rows of the example that pass, plainly written."""
    return demo_shop.good_rows()


@pytest.fixture(scope="session")
def sheet() -> Callable[[Sequence[Sequence[str]]], bytes]:
    """Give a function that writes rows of an upload as a workbook."""
    return demo_shop.sheet
