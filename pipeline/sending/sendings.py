"""What is on its way to a channel, or has come to nothing there, as staff see it: nothing fails in silence (R27, R32)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import ShelfgateError
from pipeline.store import ItemState, OutboxItem, Store, newest_first

ON_ITS_WAY: tuple[ItemState, ...] = ("queued", "sending", "held")
"""States in which the channel has not answered for good: it may have the call already."""

STATE_TITLES: Mapping[ItemState, str] = {
    "queued": "等待提交",
    "sending": "正在提交",
    "done": "已完成",
    "refused": "渠道拒绝",
    "failed": "失败",
    "held": "等人处理",
}


class SendingUnknown(ShelfgateError):
    """Report that the shop has no such item in the outbox.

    Attributes:
        item_id: The id that was asked for.
    """

    def __init__(self, item_id: str) -> None:
        super().__init__(f"没有编号为 {item_id} 的发件；请在发件列表里核对")
        self.item_id = item_id


@dataclass(frozen=True, slots=True)
class Sending:
    """Describe one call to a channel.

    Attributes:
        kind: What it does, such as `order.ship` or `product.add`.
        action: The action that asked for it, such as `ship`.
        subject: The product, order or after-sale, by the channel's or Youzan's id.
        since: When it was asked for; aware.
        attempts: Times that it was tried since a person last released it.
        error: What the channel, or the way to it, last had against it; empty for nothing.
        due: When it is tried next, where it is queued.
    """

    item_id: str
    kind: str
    action: str
    subject: str
    state: ItemState
    since: datetime
    updated_at: datetime
    attempts: int
    error: str
    due: datetime

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state not in ("queued", "sending")

    def __str__(self) -> str:
        """Say state, attempts and last error in one line."""
        tried = f"，已试 {self.attempts} 次" if self.attempts > 1 else ""
        return f"{STATE_TITLES[self.state]}{tried}" + (f"：{self.error}" if self.error else "")


def action_of(kind: str) -> str:
    """Name the action that a kind of call carries out.

    Examples:
        >>> action_of("after_sale.agree_return")
        'agree_return'
    """
    return kind.partition(".")[2]


def sending_of(item: OutboxItem) -> Sending:
    """Describe an item of the outbox."""
    payload, told = item.payload, item.last_error or {}
    subject = payload.get("afterSaleOrderId") or payload.get("orderId") or payload.get("outProductId") or ""
    error = "" if item.state == "done" else str(told.get("message") or "")
    times = (item.created_at, item.updated_at)
    return Sending(
        item.id, item.kind, action_of(item.kind), subject, item.state, *times, item.attempts, error, item.due
    )  # fmt: skip


def sendings_of_orders(session: Session, order_ids: Sequence[str]) -> dict[str, list[OutboxItem]]:
    """Give the items about orders and their after-sales by order, the oldest first."""
    found: dict[str, list[OutboxItem]] = defaultdict(list)
    wanted = select(OutboxItem).where(OutboxItem.order_id.in_(order_ids)).order_by(OutboxItem.id)
    for item in session.scalars(wanted):
        found[str(item.order_id)].append(item)
    return found


def find_sending(store: Store, shop_id: str, item_id: str) -> Sending:
    """Give one item of a shop.

    Raises:
        SendingUnknown: There is none of that id, or it is another shop's.
    """
    with store.read() as session:
        item = session.get(OutboxItem, item_id)
    if item is None or item.shop_id != shop_id:
        raise SendingUnknown(item_id)
    return sending_of(item)


def sending_of_row(store: Store, upload_id: str, number: int) -> Sending | None:
    """Give the latest item that an upload's row asked for; None where it asked for none."""
    wanted = select(OutboxItem).where(OutboxItem.upload_id == upload_id, OutboxItem.row_number == number)
    with store.read() as session:
        item = session.scalars(wanted.order_by(newest_first(OutboxItem.id)).limit(1)).first()
    return None if item is None else sending_of(item)


def list_sendings(
    store: Store,
    shop_id: str,
    states: Sequence[ItemState] = (),
    limit: int = 100,
    before: str | None = None,
) -> list[Sending]:
    """Give a shop's items, the latest first.

    Args:
        store: Where they are kept.
        shop_id: The shop.
        states: Only those in one of these states; where empty, those that are not done.
        limit: Most to give.
        before: Id of the last item seen: only those before it, for the next page.
    """
    query: Any = select(OutboxItem).where(OutboxItem.shop_id == shop_id)
    if before is not None:
        query = query.where(OutboxItem.id < before)
    query = query.where(OutboxItem.state.in_(states) if states else OutboxItem.state != "done")
    with store.read() as session:
        found = session.scalars(query.order_by(newest_first(OutboxItem.id)).limit(limit))
        return [sending_of(item) for item in found]
