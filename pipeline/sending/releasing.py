"""Let go of what waits for a person: on the word of someone who may act, with an entry in the audit trail."""

from __future__ import annotations

from engine.errors import ShelfgateError
from pipeline.actors import Actor
from pipeline.audit import audit_entry
from pipeline.orders.actions import MAY_ACT, ActorRefused
from pipeline.sending.push import release
from pipeline.sending.sendings import STATE_TITLES, Sending, SendingUnknown, sending_of
from pipeline.store import OutboxItem, Store, database_now


class NotHeld(ShelfgateError):
    """Report that an item does not wait for a person.

    Attributes:
        item_id: The item.
    """

    def __init__(self, sending: Sending) -> None:
        super().__init__(f"发件 {sending.item_id} 现在是{STATE_TITLES[sending.state]}，不用放行")
        self.item_id = sending.item_id


def release_sending(store: Store, actor: Actor, item_id: str) -> Sending:
    """Let an item of the actor's shop go on; what it may have done already is looked up first.

    Raises:
        ActorRefused: The actor may not.
        SendingUnknown: The shop has no such item.
        NotHeld: It does not wait for a person.
    """
    if actor.role not in MAY_ACT:
        raise ActorRefused("只读成员不能放行；请由管理员或运营处理", actor.id)
    with store.write() as session:
        item = session.get(OutboxItem, item_id)
        if item is None or item.shop_id != actor.shop_id:
            raise SendingUnknown(item_id)
        now = database_now(session)
        if not release(session, item_id, now):
            raise NotHeld(sending_of(item))
        session.add(audit_entry(actor, item.channel, "release", item_id, "done", now))
        return sending_of(item)
