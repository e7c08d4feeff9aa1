"""Put the rows of an upload that passed on their way, many at a time: one by one it would take longer than to decide them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import ShelfgateError
from engine.rulebook import Channel
from engine.tables import Tables
from pipeline.outbox import Subject, key_of
from pipeline.push import ADD_PRODUCT, ListingSending, enqueue_listing
from pipeline.store import OutboxItem, StoreRefused, Upload, insert_many, new_id
from pipeline.store.types import json_text

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
        refused: dict[int, str] = {}
        items: list[tuple[str, str, str, int]] = []
        for number, product_id, payload in rows:
            try:
                text = json_text(payload, sort_keys=True)
            except StoreRefused as error:
                refused[number] = error.message
                continue
            subject = Subject(ADD_PRODUCT, upload.channel, upload.shop_id, product_id, upload.id, number)
            items.append((key_of(subject, text.encode()), new_id(), text, number))
        items.sort()  # by their keys, so that two uploads never wait for each other
        common = {
            "kind": ADD_PRODUCT,
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
        if kept < len(items):
            ids = [item[1] for item in items]
            new = set(session.scalars(select(OutboxItem.row_number).where(OutboxItem.id.in_(ids))))
            for number, product_id, payload in rows:
                if number in new or number in refused:
                    continue
                try:
                    enqueue_listing(session, upload, number, product_id, payload, now)
                except ShelfgateError as error:
                    refused[number] = error.message
        return refused


def listing_sending(channel: Channel) -> Callable[[Tables, datetime], Sending]:
    """Make the function that a channel's listings are sent by: its mapping rules fill in what a row leaves open."""
    rulesets = channel.rulesets.values()
    mapping = next(
        (item for item in rulesets if item.kind == "mapping" and item.fact.name == "listing"), None
    )
    return lambda tables, as_of: UploadSending(mapping, tables, as_of)
