"""Act on orders and after-sales: judged by the same rules that draw the buttons, then put on the way to the channel (R21–R24, R27, R30, R32).

An action is judged on the state now, with the order held, and done or refused now. A refusal enqueues nothing and is never kept for later;
what is allowed is kept for sending in the same transaction. Every try leaves an entry in the audit trail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from engine.actions import ActionState
from engine.errors import ShelfgateError
from engine.flows import CommandResult
from engine.rulebook import Rulebook
from engine.suggest import did_you_mean
from pipeline.actors import Actor
from pipeline.audit import audit_entry
from pipeline.keyed_requests import Hold, note_made
from pipeline.orders.after_sales import AfterSaleUnknown, find_after_sale
from pipeline.orders.facts import after_sale_facts, order_facts, shipment_facts
from pipeline.orders.orders import OrderUnknown, find_order
from pipeline.orders.requests import Decide, EditLogistics, Payload, RequestInvalid, Ship
from pipeline.orders.rules import About, OrderRules
from pipeline.secrets import Vault
from pipeline.sending.jobs import KINDS
from pipeline.sending.outbox import Subject, enqueue
from pipeline.store import AfterSale, Order, Store, database_now

MAY_ACT = frozenset({"senior_admin", "admin", "operator"})
"""Roles that may act on orders; a viewer only looks."""

Request = Ship | EditLogistics | Decide
REQUESTS: Mapping[str, type[Request]] = {"ship": Ship, "edit_logistics": EditLogistics}
"""The form of what is asked for, by action; on after-sales it is `Decide`."""


class ActorRefused(ShelfgateError):
    """Refuse an action for who asks.

    Attributes:
        actor_id: Who asks.
    """

    def __init__(self, message: str, actor_id: str) -> None:
        super().__init__(message)
        self.actor_id = actor_id


class ActionUnknown(ShelfgateError):
    """Report that there is no such action.

    Attributes:
        action: What was asked for.
    """

    def __init__(self, action: str, known: tuple[str, ...]) -> None:
        super().__init__(f"没有操作 {action}；{did_you_mean(action, known, listed='可用的操作')}")
        self.action = action


class ActionRefused(ShelfgateError):
    """Refuse an action as the rules say, or the lack of a call at the channel.

    Attributes:
        state: The state of the action: rule, reason, what blocks it, what to do instead.
    """

    def __init__(self, state: ActionState) -> None:
        instead = "；".join(item.effect for item in state.instead)
        super().__init__(f"不能{state.title}：{state.reason}" + (f"（改为：{instead}）" if instead else ""))
        self.state = state


@dataclass(frozen=True, slots=True)
class Accepted:
    """Say that an action is on its way.

    Attributes:
        item_id: The item of the outbox that carries it; its outcome is `pipeline.sending.sendings.find_sending`.
        order_id, after_sale_id: What it is about; the after-sale empty for an order.
        action: The action.
        title: Its Chinese title.
    """

    item_id: str
    order_id: str
    after_sale_id: str
    action: str
    title: str


def act_on_order(
    store: Store,
    rulebook: Rulebook,
    vault: Vault,
    actor: Actor,
    order_id: str,
    action: str,
    request: Request,
    hold: Hold | None = None,
) -> Accepted:
    """Ask for an action on an order of the actor's shop.

    Args:
        store: Where orders are kept.
        rulebook: The rules.
        vault: What opens what is private: a rule may look at it.
        actor: Who asks; only their own shop's orders are known to them.
        order_id: The order, by its own id or the channel's.
        action: One of the actions of the fact `order`.
        request: What is asked for; `Decide()` for actions that take nothing.
        hold: The request's hold on its idempotency key, with which the item is kept: where the request dies before it has answered,
            `Hold.made` tells the next one under the key of it.

    Raises:
        KeyInUse: The request took so long that another one has its key.
        ActorRefused: The actor may not act.
        OrderUnknown: The shop has no such order.
        ActionUnknown: There is no such action.
        ActionRefused: The rules refuse it, or the channel has no call for it.
        RequestInvalid: The request is not filled in as it must be.
    """
    return _act(_Attempt(store, rulebook, vault, actor, "order", order_id, action, hold), request)


def act_on_after_sale(
    store: Store,
    rulebook: Rulebook,
    vault: Vault,
    actor: Actor,
    after_sale_id: str,
    action: str,
    request: Request,
    hold: Hold | None = None,
) -> Accepted:
    """Ask for an action on an after-sale of the actor's shop.

    Args:
        store: As for `act_on_order`, like the others.
        rulebook: The rules.
        vault: What opens what is private.
        actor: Who asks.
        after_sale_id: The after-sale, by its own id or the channel's.
        action: One of the actions of the fact `after_sale`.
        request: Remark and reason code.
        hold: As for `act_on_order`.

    Raises:
        AfterSaleUnknown: The shop has no such after-sale.
        ShelfgateError: As for `act_on_order`.
    """
    return _act(_Attempt(store, rulebook, vault, actor, "after_sale", after_sale_id, action, hold), request)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One try at an action."""

    store: Store
    rulebook: Rulebook
    vault: Vault
    actor: Actor
    about: About
    id: str
    action: str
    hold: Hold | None


@dataclass(frozen=True, slots=True)
class _Held:
    """The rows that a try is about, held, and what is known of them."""

    order: Order
    after_sale: AfterSale | None
    fact: dict[str, Any]

    @property
    def subject(self) -> str:
        return (
            self.order.channel_order_id if self.after_sale is None else self.after_sale.channel_after_sale_id
        )


def _act(attempt: _Attempt, request: Request) -> Accepted:
    """Judge, and put on the way or refuse; what is refused is told once its entry is kept."""
    failure: ShelfgateError
    with attempt.store.write() as session:
        now = database_now(session)
        channel, subject = "", attempt.id
        try:
            if attempt.actor.role not in MAY_ACT:
                raise ActorRefused("只读成员不能处理订单；请由管理员或运营处理", attempt.actor.id)
            held = _hold(session, attempt)
            channel, subject = held.order.channel, held.subject
            rules = OrderRules(attempt.rulebook, channel, now)
            result = _judged(rules, attempt, held.fact)
            payload = _payload(attempt, held, request)
            return _accept(session, attempt, held, result, payload, now)
        except (
            ActorRefused,
            OrderUnknown,
            AfterSaleUnknown,
            ActionUnknown,
            ActionRefused,
            RequestInvalid,
        ) as error:
            failure = error
        detail = {"rule": failure.state.rule} if isinstance(failure, ActionRefused) else {}
        session.add(
            audit_entry(
                attempt.actor, channel, attempt.action, subject, "refused", now,
                reason=failure.message, detail=detail,
            )
        )  # fmt: skip
    raise failure


def _hold(session: Session, attempt: _Attempt) -> _Held:
    """Hold the order, and with it all its after-sales, and read what is known now."""
    shop_id = attempt.actor.shop_id
    if attempt.about == "order":
        order = find_order(session, shop_id, attempt.id, lock=True)
        (fact,) = order_facts(session, attempt.vault, [order])
        return _Held(order, None, fact)
    order_id = find_after_sale(session, shop_id, attempt.id).order_id
    order = find_order(session, shop_id, order_id, lock=True)
    after_sale = find_after_sale(session, shop_id, attempt.id)
    session.refresh(after_sale)
    (fact,) = after_sale_facts(session, attempt.vault, [after_sale])
    return _Held(order, after_sale, fact)


def _judged(rules: OrderRules, attempt: _Attempt, fact: dict[str, Any]) -> CommandResult:
    """Ask the rules; give their answer where it is a yes for which the channel has a call."""
    known = tuple(state.action for state in rules.judge(attempt.about, fact).actions)
    if attempt.action not in known:
        raise ActionUnknown(attempt.action, known)
    result = rules.command(attempt.about, fact, attempt.action)
    if not result.done:
        raise ActionRefused(result.state)
    if len(result.calls) != 1 or result.calls[0] not in KINDS:
        reason = "渠道没有这个操作的接口，请到渠道后台处理"
        reason_en = "The channel has no interface for this action; do it in the channel's back office"
        raise ActionRefused(replace(result.state, state="disabled", reason=reason, reason_en=reason_en))
    return result


def _payload(attempt: _Attempt, held: _Held, request: Request) -> Payload:
    """Make what is sent of what is asked for."""
    wanted = REQUESTS.get(attempt.action, Decide)
    if not isinstance(request, wanted):
        raise TypeError(f"{attempt.action} takes a {wanted.__name__}, got a {type(request).__name__}")
    if isinstance(request, Decide):
        return request.payload(held.fact)
    return request.payload(held.fact, shipment_facts(held.order))


def _accept(
    session: Session, attempt: _Attempt, held: _Held, result: CommandResult, payload: Payload, now: datetime
) -> Accepted:
    """Keep the call for sending, with who asked for it."""
    order, after_sale, actor = held.order, held.after_sale, attempt.actor
    ids = {"orderId": order.channel_order_id}
    if after_sale is not None:
        ids["afterSaleOrderId"] = after_sale.channel_after_sale_id
    else:
        known = (item["id"] for item in held.fact.get("after_sales", ()) if item.get("status") == "requested")
        rows = [session.get_one(AfterSale, id_) for id_ in known]
        payload = payload | {"requests": sorted(row.channel_after_sale_id for row in rows)}
    asked_by = {"id": actor.id, "name": actor.name, "role": actor.role}
    subject = Subject(
        result.calls[0],
        order.channel,
        order.shop_id,
        held.subject,
        order_id=order.id,
        after_sale_id=after_sale.id if after_sale is not None else None,
    )
    item_id = enqueue(session, subject, {**ids, **payload, "actor": asked_by}, now)
    if attempt.hold is not None:
        note_made(session, attempt.hold, item_id)
    entry = audit_entry(
        actor, order.channel, attempt.action, held.subject, "done", now,
        detail={"step": "accepted", "item_id": item_id, **{k: v for k, v in payload.items() if k != "remark"}},
    )  # fmt: skip
    session.add(entry)
    return Accepted(
        item_id,
        order.id,
        after_sale.id if after_sale is not None else "",
        attempt.action,
        result.state.title,
    )
