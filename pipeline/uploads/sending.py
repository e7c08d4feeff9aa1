"""Put the rows of an upload that passed on their way, many at a time: one by one it would take longer than to decide them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import ShelfgateError
from engine.mapping import MappingSession
from engine.rulebook import Channel
from engine.rules import Ruleset
from engine.tables import Tables
from mappings.channels.huiju import product_payload
from pipeline.sending.jobs.add_product import AddProduct
from pipeline.sending.outbox import Subject, key_of
from pipeline.sending.push import enqueue_listing
from pipeline.store import OutboxItem, Upload, insert_many, new_id
from pipeline.store.types import json_text

Fact = dict[str, Any]


class Sending(Protocol):
    """Put listings that passed on their way to the channel."""

    def payload(self, fact: Fact) -> str:
        """Make what is sent, as canonical JSON: the text costs a fraction of what the data would, kept for thousands of rows.

        Raises:
            ShelfgateError: The listing lacks what the channel needs, or holds what can't be kept; the message says what.
        """

    def enqueue_all(
        self, session: Session, upload: Upload, rows: Sequence[tuple[int, str, str]], now: datetime
    ) -> Mapping[int, str]:
        """Keep rows for sending, within the transaction in which they and their claims to a listing are kept.

        Args:
            session: A session of `Store.write()`.
            upload: The upload.
            rows: Number, product and payload of each.
            now: The time by `database_now`.

        Returns:
            Why a row can't be sent now, by its number; empty where all can.
        """


class UploadSending:
    """Send listings as `pipeline.sending.push` does, many at a time.

    Args:
        mapping: The mapping rules of the channel; None to take rows as they are.
        tables: The channel's reference data.
        as_of: The moment asked for; aware.
    """

    def __init__(self, mapping: Ruleset | None, tables: Tables, as_of: datetime) -> None:
        self._session = MappingSession(mapping, tables, as_of) if mapping is not None else None

    def payload(self, fact: Fact) -> str:
        """Make what is sent, as canonical JSON.

        Raises:
            ListingIncomplete: The listing lacks what the channel needs.
            StoreRefused: It holds what can't be kept, such as half of a surrogate pair.
        """
        mapped = self._session.map(fact).mapped if self._session is not None else ()
        return json_text(product_payload(fact, mapped), sort_keys=True)

    def enqueue_all(
        self, session: Session, upload: Upload, rows: Sequence[tuple[int, str, str]], now: datetime
    ) -> Mapping[int, str]:
        """Keep all that is new at once; what was sent before in the same words is taken up again one by one."""
        items: list[tuple[str, str, str, int]] = []
        for number, product_id, payload in rows:
            subject = Subject(AddProduct.KIND, upload.channel, upload.shop_id, product_id, upload.id, number)
            items.append((key_of(subject, payload.encode()), new_id(), payload, number))
        items.sort()  # by their keys, so that two uploads never wait for each other
        common = {
            "kind": AddProduct.KIND,
            "channel": upload.channel,
            "shop_id": upload.shop_id,
            "state": "queued",
            "due": now,
            "fencing": 0,
            "attempts": 0,
            "last_error": json_text({"doubtful": True}) if upload.corrects is not None else None,
            "upload_id": upload.id,
            "created_at": now,
            "updated_at": now,
        }
        names = ("idempotency_key", "id", "payload", "row_number")
        kept = insert_many(session, OutboxItem, common, names, items, unless_taken=["idempotency_key"])
        refused: dict[int, str] = {}
        if kept < len(items):
            ids = [item[1] for item in items]
            new = set(session.scalars(select(OutboxItem.row_number).where(OutboxItem.id.in_(ids))))
            for number, product_id, payload in rows:
                if number not in new:
                    try:
                        enqueue_listing(session, upload, number, product_id, json.loads(payload), now)
                    except ShelfgateError as error:
                        refused[number] = error.message
        return refused


def listing_sending(channel: Channel) -> Callable[[Tables, datetime], Sending]:
    """Make the function that a channel's listings are sent by: its mapping rules fill in what a row leaves open."""
    mapping = channel.about("mapping", "listing")
    return lambda tables, as_of: UploadSending(mapping, tables, as_of)
