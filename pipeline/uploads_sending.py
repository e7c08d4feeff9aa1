"""Put the rows of an upload that passed on their way, many at a time: one by one it would take longer than to decide them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from engine.errors import ShelfgateError
from engine.rulebook import Channel
from engine.tables import Tables
from pipeline.jobs.add_product import AddProduct
from pipeline.outbox import Subject, idempotency_key
from pipeline.push import ListingSending, enqueue_listing
from pipeline.store import OutboxItem, Upload, insert_for, new_id

Fact = dict[str, Any]


class Sending(Protocol):
    """Put listings that passed on their way to the channel."""

    def payload(self, fact: Fact) -> Fact:
        """Make what is sent.

        Raises:
            ShelfgateError: The listing lacks what the channel needs; the message says what.
        """

    def enqueue_all(
        self, session: Session, upload: Upload, rows: Sequence[tuple[int, str, Fact]], now: datetime
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


class UploadSending(ListingSending):
    """Send listings as `pipeline.push` does, many at a time."""

    def enqueue_all(
        self, session: Session, upload: Upload, rows: Sequence[tuple[int, str, Fact]], now: datetime
    ) -> Mapping[int, str]:
        """Keep all that is new at once; what was sent before in the same words is taken up again one by one."""
        values: dict[int, dict[str, Any]] = {}
        for number, product_id, payload in rows:
            key = idempotency_key(
                Subject(AddProduct.KIND, upload.channel, upload.shop_id, product_id, upload.id, number),
                payload,
            )
            values[number] = {
                "id": new_id(),
                "kind": AddProduct.KIND,
                "channel": upload.channel,
                "shop_id": upload.shop_id,
                "idempotency_key": key,
                "payload": payload,
                "state": "queued",
                "due": now,
                "fencing": 0,
                "attempts": 0,
                "last_error": {"doubtful": True} if upload.corrects is not None else None,
                "upload_id": upload.id,
                "row_number": number,
                "created_at": now,
                "updated_at": now,
            }
        if not values:
            return {}
        insert = insert_for(session, OutboxItem).on_conflict_do_nothing(index_elements=["idempotency_key"])
        # In order of their keys, so that two uploads never wait for each other.
        ordered = sorted(values.values(), key=lambda row: row["idempotency_key"])
        kept = set(session.scalars(insert.returning(OutboxItem.idempotency_key), ordered))
        refused: dict[int, str] = {}
        for number, product_id, payload in rows:
            if values[number]["idempotency_key"] not in kept:
                try:
                    enqueue_listing(session, upload, number, product_id, payload, now)
                except ShelfgateError as error:
                    refused[number] = error.message
        return refused


def listing_sending(channel: Channel) -> Callable[[Tables, datetime], Sending]:
    """Make the function that a channel's listings are sent by: its mapping rules fill in what a row leaves open."""
    mapping = channel.about("mapping", "listing")
    return lambda tables, as_of: UploadSending(mapping, tables, as_of)
