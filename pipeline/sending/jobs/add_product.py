"""List a product once, and write the outcome back to row, listing and upload (R15, R16)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from channels.errors import AlreadyListed, ChannelError, UnreadableReply
from channels.huiju import HuijuClient
from mappings.channels.huiju import differences
from pipeline.sending.jobs.job import Tools
from pipeline.sending.outbox import Hold
from pipeline.sending.retrying import Ending
from pipeline.store import Listing, OutboxItem, RowState, UploadRow, insert_for, new_id
from pipeline.uploads.state import advance

LOOKS = 3
"""Tries of a look-up before it counts as failed: it does nothing, and without it nothing may be sent."""

ROW_STATES: Mapping[str, RowState] = {
    "queued": "queued",
    "done": "listed",
    "refused": "refused_by_channel",
    "failed": "failed",
    "held": "failed",
}


class AddProduct:
    """List a product once."""

    KIND: ClassVar[str] = "product.add"

    def __init__(self, tools: Tools) -> None:
        """Need nothing of what there is."""

    def perform(self, client: HuijuClient, hold: Hold) -> Ending:
        """List it, unless a look-up shows that it has been; a channel that says so is asked which product that is."""
        item = hold.item
        if hold.doubtful and (found := _look_up(client, item)) is not None:
            return _found(item, found)
        try:
            reply = client.products.add(item.payload, idempotency_key=item.idempotency_key)
        except AlreadyListed as error:
            hold.doubtful = True
            found = _look_up(client, item)
            if found is None:
                raise UnreadableReply(
                    error.channel, f"{error.message}，但查询不到该商品", code=error.code, trace=error.trace
                ) from None
            return _found(item, found)
        return Ending("done", answer=dict(reply))

    def record(self, session: Session, item: OutboxItem, ending: Ending, now: datetime) -> None:
        """Write the outcome to the listing, the row and the upload."""
        product_id = item.payload["outProductId"]
        channel_product_id = (ending.answer or {}).get("productId")
        mine = (
            Listing.channel == item.channel, Listing.shop_id == item.shop_id, Listing.product_id == product_id
        )  # fmt: skip
        if channel_product_id is not None:
            values: dict[str, Any] = {
                "state": "listed",
                "channel_product_id": channel_product_id,
                "listed_at": now,
            }
            if ending.state != "done":  # it was on the channel before: no row of ours put it there
                values |= {"upload_id": None, "row_number": None, "snapshot": None}
            new = {"id": new_id(), "channel": item.channel, "shop_id": item.shop_id, "product_id": product_id}
            insert = insert_for(session, Listing).values(**new, created_at=now, **values)
            session.execute(
                insert.on_conflict_do_update(index_elements=["channel", "shop_id", "product_id"], set_=values)
            )
        elif ending.state in ("refused", "failed"):
            session.execute(delete(Listing).where(*mine, Listing.state == "reserved"))
        if item.upload_id is None:
            return
        told = ending.error if ending.reason else None
        if ending.state == "done":
            told = {key: value for key, value in (ending.answer or {}).items() if key != "skuList"}
        row = {
            "state": ROW_STATES[ending.state],
            "reason": ending.reason or None,
            "answer": told,
            "updated_at": now,
        }
        if ending.state == "done":
            row["channel_product_id"] = channel_product_id
        session.execute(
            update(UploadRow)
            .where(UploadRow.upload_id == item.upload_id, UploadRow.number == item.row_number)
            .values(**row)
        )
        if ending.state != "queued":
            advance(session, item.upload_id)


def _look_up(client: HuijuClient, item: OutboxItem) -> dict[str, Any] | None:
    """Find the product on the channel; a look-up without a clear answer is made again, as it does nothing."""
    for _ in range(LOOKS - 1):
        try:
            return client.products.find(item.payload["outProductId"])
        except ChannelError as error:
            if error.effect != "unknown":
                raise
    return client.products.find(item.payload["outProductId"])


def _found(item: OutboxItem, found: dict[str, Any]) -> Ending:
    """Take a product on the channel for what was sent, unless its content says otherwise."""
    answer = {"productId": str(found["productId"]), "found": True}
    other = differences(item.payload, found)
    if not other:
        return Ending("done", answer=answer)
    reason = (
        f"该商品已在渠道上架（{answer['productId']}），{'、'.join(other)}与这一行不同；"
        "一个商品只能上架一次，要修改请到渠道后台"
    )
    return Ending("refused", reason, answer=answer, error={"code": "already_listed", "message": reason})
