"""What has to be so after every step of a history: shop, marketplace and model say the same, and nothing was done twice or lost."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from channels.sandbox.huiju.state import Record
from engine.actions import ActionState
from engine.flows import FlowMatcher, Observation, fold, matcher
from mappings.channels.huiju_orders import reported_after_sale, reported_order
from pipeline.orders.actions import Accepted
from pipeline.store import AfterSale, Event, Order
from tests.integration.push.orders.histories import BACK_OFFICE, DECISION, OVER, REACHED, Scene, Sent
from tests.integration.push.orders.marketplace import allowed
from tests.reference import durable_rules

EFFECTS = {
    "order_deliver": "order.ship",
    "logistics_update": "order.edit_logistics",
    "after_sale_audit": "after_sale.",
}
HEARD_OF = {
    "rejected": "rejected",
    "waiting_return": "return_agreed",
    "waiting_receipt": "goods_returned",
    "return_rejected": "return_rejected",
}
"""The event that tells of a state."""


def there(scene: Scene) -> dict[str, object]:
    """Give the states as the marketplace has them."""
    with scene.state.lock:
        found: dict[str, object] = {id_: row["orderStatus"] for id_, row in scene.state.orders.items()}
        closers = {
            id_: (row["afterSaleStatus"], row["closedBy"]) for id_, row in scene.state.after_sales.items()
        }
    return found | closers


def follow(scene: Scene, *, late: bool = False) -> None:
    """Let the model have what our calls did, each once and asked for, and see how they ended.

    Args:
        scene: The scene.
        late: An outcome may have been recorded long after the call.
    """
    done, scene.seen_effects = scene.state.effects[scene.seen_effects :], len(scene.state.effects)
    for mark, endpoint, about in done:
        if mark != BACK_OFFICE:
            _carried_out(scene, endpoint, about)
    assert scene.model.states() == there(scene)
    for id_, order in scene.model.orders.items():
        parcels = {
            row["deliverNumber"]: tuple(row["lineIds"]) for row in scene.state.orders[id_]["logisticsList"]
        }
        assert order.parcels == parcels
    items = {item.id: item for item in scene.items()}
    assert set(scene.sent) == set(items), "an item was lost, or nobody asked for it"
    for id_, sent in scene.sent.items():
        if items[id_].state != sent.state:
            sent.state = items[id_].state
            _ended(scene, sent, late=late)


def _carried_out(scene: Scene, endpoint: str, about: str) -> None:
    asked = [
        sent
        for sent in scene.sent.values()
        if sent.about == about and sent.kind.startswith(EFFECTS[endpoint]) and sent.state not in OVER
    ]
    assert len(asked) == 1, f"{endpoint} of {about}: asked for {len(asked)} times and not answered"
    sent = asked[0]
    if sent.action == "ship":
        assert sent.effects < len(sent.parcels), f"{about} was shipped twice"
        scene.model.deliver(about, *sent.parcels[sent.effects])
    elif sent.action == "edit_logistics":  # to say it twice does no harm
        lines = tuple(_parcel(scene, about, sent.payload["logisticsId"])["lineIds"])
        scene.model.rename(about, lines, sent.payload["deliverNumber"])
    else:
        assert sent.effects == 0, f"{sent.action} of {about} was done twice"
        row = scene.model.after_sales[about]
        meant_for = (sent.payload["status"], sent.payload["version"])
        assert meant_for == (row.status, str(row.changed_at)), f"{sent} hit a later state"
        scene.model.decide(about, DECISION.get(sent.action, sent.action))
    sent.effects += 1


def _parcel(scene: Scene, order_id: str, parcel_id: str) -> Record:
    (found,) = (
        row for row in scene.state.orders[order_id]["logisticsList"] if row["logisticsId"] == parcel_id
    )
    return found


def _ended(scene: Scene, sent: Sent, *, late: bool) -> None:
    """See that what is done has been done, and that what is refused could not be."""
    if sent.state == "done":
        if sent.action == "ship":
            assert sent.effects == len(sent.parcels)
        elif sent.action == "edit_logistics":
            assert sent.effects >= 1
        else:
            reached = {state[0] for state in scene.model.past[sent.about] if isinstance(state, tuple)}
            assert sent.effects == 1 or reached & set(REACHED[sent.action]), f"{sent} was never done"
    elif sent.state == "refused":
        if sent.action == "ship":
            lines = set(sent.parcels[sent.effects][1])
            rest = set(scene.model.shippable(sent.about))
            assert not rest or not lines <= rest, f"{sent} could have been shipped"
        elif sent.action == "edit_logistics":
            assert scene.model.orders[sent.about].status not in ("partly_shipped", "shipped")
        elif sent.effects == 0 and not late:
            row = scene.model.after_sales[sent.about]
            moved = (row.status, str(row.changed_at)) != (sent.payload["status"], sent.payload["version"])
            action = DECISION.get(sent.action, sent.action)
            assert moved or scene.model.decision(sent.about, action) is None, f"{sent} could have been done"
    else:
        assert sent.state != "failed", f"{sent} failed"


def heard(scene: Scene, *, at_once: bool = False) -> dict[str, Any]:
    """See that the shop knows of nothing that never was, forgets no event, and never goes back.

    Args:
        scene: The scene.
        at_once: Several read at the same time: of two changes of one second, either may be the last word until the next intake.
    """
    states = scene.office.states()
    for id_, state in states.items():
        past = scene.model.past[id_]
        if state == ("closed", "shipment") and ("closed", "buyer") in past:
            # Withdrawn before the goods left, which the shop has not heard yet: it is right that it is closed, and the next intake says by whom.
            state = ("closed", "buyer")
        first = 0 if at_once else scene.heard.get(id_, 0)
        assert state in past[first:], (
            f"{id_} is {state}, after it has been {past[:first]}; there it was {past}"
        )
        scene.heard[id_] = past.index(state, first)
    ages = scene.ages()
    assert all(ages[id_] >= at for id_, at in scene.newest.items()), (
        "an older word took the place of a newer one"
    )
    scene.newest = ages
    ids = scene.event_ids()
    assert scene.kept <= ids, f"forgotten: {scene.kept - ids}"
    scene.kept = ids
    for id_, row in scene.model.after_sales.items():
        # R30, whichever of the two is heard of first; within one second, by which the marketplace counts, its own word is awaited.
        by_shipment = (row.status, row.closed_by) == ("closed", "shipment") and row.asked_at < row.changed_at
        at_a_stroke = "partly_shipped" not in scene.model.past[row.order]
        if id_ in states and by_shipment and at_a_stroke and states[row.order] in ("shipped", "done"):
            assert states[id_] == ("closed", "shipment")
    return states


def up_to_date(scene: Scene) -> None:
    """See that after an intake the shop knows everything as it is, and has an event for it."""
    assert scene.model.states() == heard(scene)
    for id_, row in scene.model.after_sales.items():
        wanted = {f"{id_}:refund_requested:{row.asked_at}"}
        event = {"buyer": "withdrawn", "timeout": "timed_out"}.get(
            row.closed_by or "", HEARD_OF.get(row.status, "")
        )
        if row.status == "succeeded":
            event = "agreed" if row.kind == "refund_only" else "return_received"
        wanted |= {f"{id_}:{event}:{row.changed_at}"} if event else set()
        assert wanted <= scene.kept, f"never heard of: {wanted - scene.kept}"
    for id_, order in scene.model.orders.items():
        shipped = {event for event in scene.kept if event.startswith(f"{id_}:order_shipped:")}
        whole = {f"{id_}:order_shipped:{order.left_at}"} if order.status in ("shipped", "done") else set()
        assert whole == shipped, "an order leaves once"


def expected(scene: Scene, states: dict[str, Any], id_: str, action: str) -> bool:
    """Say whether staff may act, by the model's rules and what the shop has heard."""
    waiting = [sent for sent in scene.sent.values() if sent.state not in OVER]
    if id_ in scene.model.orders:
        mine = {row_id for row_id, row in scene.model.after_sales.items() if row.order == id_}
        ours = {sent.action for sent in waiting if sent.about == id_}
        ours |= {"agree" for sent in waiting if sent.about in mine and sent.action == "agree"}
        return allowed(action, states[id_], "", "", ours, ships=False)
    row = scene.model.after_sales[id_]
    ours = {sent.action for sent in waiting if sent.about == id_}
    ships = any(sent.about == row.order and sent.action == "ship" for sent in waiting)
    return allowed(action, states[row.order], row.kind, states[id_][0], ours, ships)


def noted(scene: Scene, results: list[ActionState | Accepted]) -> list[Accepted]:
    """Note what was accepted as being on its way, and give it; what was refused is to have left nothing."""
    accepted = [item for item in results if isinstance(item, Accepted)]
    items = {item.id: item for item in scene.items()}
    for item in accepted:
        scene.sent[item.item_id] = Sent(items[item.item_id].kind, items[item.item_id].payload)
    assert set(items) == set(scene.sent), "a refusal left an item"
    scene.told["done"] += len(accepted)
    scene.told["refused"] += len(results) - len(accepted)
    return accepted


def audited(scene: Scene) -> None:
    """See that every try of staff stands in the audit trail, with what came of it at once."""
    outcomes = Counter(outcome for action, outcome, _ in scene.office.audit() if action != "release")
    answered = sum(sent.state == "done" for sent in scene.sent.values())
    assert scene.told["done"] + answered <= outcomes["done"]
    assert scene.told["refused"] <= outcomes["refused"]


class SecondOpinion:
    """Fold the histories that were played with durable-rules, where it can be imported, and compare with what the store holds."""

    def __init__(self, scene: Scene) -> None:
        self.ruleset = scene.office.rulebook.ruleset("huiju/after-sale")
        self.matcher: FlowMatcher | None = None
        if durable_rules.THERE:
            self.matcher = matcher(self.ruleset, datetime.now(UTC), "durable")
        self.compared = 0

    def __call__(self, scene: Scene) -> None:
        """Compare every order of the store."""
        if self.matcher is None:
            return
        with scene.office.store.read() as session:
            orders = session.scalars(select(Order)).all()
            after_sales = session.scalars(select(AfterSale)).all()
            events = session.scalars(select(Event)).all()
        told: dict[str, list[Observation]] = defaultdict(list)
        for event in events:
            told[event.channel_order_id].append(
                Observation(
                    event.event_id, event.kind, event.happened_at, event.channel_after_sale_id or "", dict(event.data) or None
                )
            )  # fmt: skip
        for order in orders:
            mine = [row for row in after_sales if row.order_id == order.id]
            reports = [reported_order(order.payload), *(reported_after_sale(row.payload) for row in mine)]
            before = {"id": order.id, "channel": order.channel, "status": "to_ship"}
            case = fold(self.ruleset, self.matcher, before, [*told[order.channel_order_id], *reports])
            found = {
                id_: (fact.get("status"), fact.get("closed_by")) for id_, fact in case.after_sales.items()
            }
            assert (
                order.status,
                {row.channel_after_sale_id: (row.status, row.closed_by) for row in mine},
            ) == (
                case.order["status"],
                found,
            )
            self.compared += 1
