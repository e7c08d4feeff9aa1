"""What jobs about orders and after-sales share: looking at the channel, judging what is seen, and writing down the outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from channels.errors import ChannelError, UnreadableReply
from channels.huiju import HuijuClient
from engine.actions import ActionState
from mappings.values import PayloadError
from pipeline.actors import Actor
from pipeline.audit import audit_entry
from pipeline.orders.rules import OrderRules
from pipeline.orders.snapshots import Snapshot, after_sale_snapshot, order_snapshot
from pipeline.orders.taking_in import take_in
from pipeline.sending.jobs.job import Tools
from pipeline.sending.outbox import Hold
from pipeline.sending.retrying import Ending, noted, said
from pipeline.sending.sendings import action_of
from pipeline.store import AuditOutcome, OutboxItem, database_now
from pipeline.store.claims import Settled

OUTCOMES: Mapping[Settled, AuditOutcome] = {"done": "done", "refused": "refused"}
"""Outcomes in the audit trail; all others are failures."""


class OrderJob:
    """Carry an action on an order or an after-sale to the channel.

    An action is done when the channel has been seen to have it: what it says then is taken in along with the outcome, and is what moves
    the state. So an action that may have arrived is looked for, never done twice.
    """

    def __init__(self, tools: Tools) -> None:
        """Take what it works with."""
        self._tools = tools

    def record(self, session: Session, item: OutboxItem, ending: Ending, now: datetime) -> None:
        """Take in what was seen, and note the attempt in the audit trail."""
        if ending.seen:
            take_in(
                session,
                self._tools.vault,
                OrderRules(self._tools.rulebook, item.channel, now),
                item.shop_id,
                [seen for seen in ending.seen if seen.is_order],
                [seen for seen in ending.seen if not seen.is_order],
            )
        if not ending.counts:
            return
        by = item.payload["actor"]
        subject = item.payload.get("afterSaleOrderId") or item.payload["orderId"]
        detail = {"step": "answered", "item_id": item.id, "attempt": item.attempts, "state": ending.state}
        actor = Actor(by["id"], by["name"], by["role"], item.shop_id)
        session.add(
            audit_entry(
                actor,
                item.channel,
                action_of(item.kind),
                subject,
                OUTCOMES.get(ending.state, "failed"),
                now,
                reason=ending.reason,
                detail=detail,
            )
        )

    def look_at_order(self, client: HuijuClient, order_id: str) -> Snapshot:
        """Read an order from the channel."""
        return self._look(order_snapshot, lambda: client.orders.get(order_id))

    def look_at_after_sale(self, client: HuijuClient, after_sale_id: str) -> Snapshot:
        """Read an after-sale from the channel."""
        return self.seen_after_sale(lambda: client.after_sales.get(after_sale_id))

    def seen_after_sale(self, read: Callable[[], Mapping[str, Any]]) -> Snapshot:
        """Take what a call gives for the after-sale as it stands after it."""
        return self._look(after_sale_snapshot, read)

    def order_state(self, order: Snapshot, action: str) -> ActionState:
        """Judge an action on an order as the channel has it now."""
        fact = order.fact | {"id": order.record_id, "pending": [], "after_sales": []}
        return self._rules(order).judge("order", fact).action(action)

    def after_sale_state(self, after_sale: Snapshot, order: Snapshot, action: str) -> ActionState:
        """Judge an action on an after-sale as the channel has it now."""
        of = order.fact | {"id": order.record_id, "pending": []}
        fact = after_sale.fact | {"id": after_sale.record_id, "pending": [], "order": of}
        return self._rules(order).judge("after_sale", fact).action(action)

    def refused(self, hold: Hold, error: ChannelError, state: ActionState | None, *seen: Snapshot) -> Ending:
        """End with a refusal: what the channel says, and what the rules say of the record as it is there now."""
        why = f"；{state.reason}" if state is not None and state.state != "enabled" else ""
        reason = f"{said(error)}{why}"
        return Ending("refused", reason, error=noted(hold, error) | {"message": reason}, seen=seen)

    def _look(
        self, make: Callable[[Mapping[str, Any], datetime], Snapshot], read: Callable[[], Mapping[str, Any]]
    ) -> Snapshot:
        with self._tools.store.read() as session:
            read_at = database_now(session)
        try:
            return make(read(), read_at)
        except PayloadError as error:
            message = f"渠道答复中的 {error.path} 读不了，应为{error.wanted}"
            raise UnreadableReply("huiju", message, code="unreadable") from None

    def _rules(self, order: Snapshot) -> OrderRules:
        return OrderRules(self._tools.rulebook, order.fact["channel"], order.read_at)
