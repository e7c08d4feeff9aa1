"""Send listings: from a row that passed to an item of the outbox, and what becomes of one that waits for a person (R15, R16)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.sending.jobs.add_product import AddProduct
from pipeline.sending.outbox import Payload, Subject, enqueue
from pipeline.store import Listing, OutboxItem, Upload, UploadRow


def enqueue_listing(
    session: Session, upload: Upload, number: int, product_id: str, payload: Payload, now: datetime
) -> str:
    """Keep a row's listing for sending and give the item's id.

    A row that corrects one of before is looked up before it is sent: that one may have arrived after all.
    """
    subject = Subject(AddProduct.KIND, upload.channel, upload.shop_id, product_id, upload.id, number)
    return enqueue(session, subject, payload, now, doubtful=upload.corrects is not None)


def release(session: Session, item_id: str, now: datetime) -> bool:
    """Let an item go on that waited for a person; what it may have done already is looked up first.

    Args:
        session: A session of `Store.write()`.
        item_id: The item.
        now: The time by `database_now`.

    Returns:
        False where it does not wait, or isn't there.
    """
    known = session.get(OutboxItem, item_id)
    if known is None:
        return False
    upload = session.get(Upload, known.upload_id, with_for_update=True) if known.upload_id else None
    item = session.get_one(OutboxItem, item_id, with_for_update=True, populate_existing=True)
    if item.state != "held":
        return False
    item.state, item.due, item.attempts, item.updated_at = "queued", now, 0, now
    item.last_error = {"doubtful": True}
    if upload is not None:
        row = session.get_one(UploadRow, (upload.id, item.row_number))
        row.state, row.reason, row.updated_at = "queued", None, now
        if upload.state in ("done", "done_with_failures"):
            upload.state, upload.finished_at = "pushing", None
    session.flush()
    return True


def give_way(session: Session, channel: str, shop_id: str, product_ids: Sequence[str]) -> set[str]:
    """Give up the claims of listings that wait for a person, so that rows sent anew may have them.

    The item stays on record as failed. The channel refuses a second product of the same id in any case.

    Args:
        session: A session of `Store.write()`.
        channel: The channel.
        shop_id: The shop.
        product_ids: The products of the rows sent anew.

    Returns:
        The products whose claim is free now.
    """
    held = (
        select(OutboxItem, Listing)
        .join(
            Listing,
            (Listing.upload_id == OutboxItem.upload_id) & (Listing.row_number == OutboxItem.row_number),
        )
        .where(
            Listing.channel == channel,
            Listing.shop_id == shop_id,
            Listing.product_id.in_(product_ids),
            Listing.state == "reserved",
            OutboxItem.state == "held",
        )
    )
    free = set()
    for item, listing in session.execute(held.with_for_update()):
        item.state = "failed"
        free.add(listing.product_id)
        session.delete(listing)
    session.flush()
    return free
