"""Orders and after-sales as staff may see them: masked by the rules, with the verdict on every action, before they leave `pipeline`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.actions import Verdict
from pipeline.orders.rules import About, OrderRules
from pipeline.sending.sendings import Sending, sending_of
from pipeline.store import OutboxItem

Fact = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Happened:
    """Tell one thing that has happened, by the channel's word and clock.

    Attributes:
        event: Its name, such as `order_shipped`.
        title: Its Chinese title.
        at: When; aware.
        after_sale_id: The channel's id of the after-sale that it is about; empty for the order.
    """

    event: str
    title: str
    at: datetime
    after_sale_id: str


@dataclass(frozen=True, slots=True)
class Shown:
    """Hold an order or an after-sale as it may be seen.

    Attributes:
        id: Its own id.
        fact: The fact, masked and without what is hidden.
        verdict: Every action, with its state and reason, whatever it is.
        sendings: What was asked of the channel about it and is not done, the oldest first; for a single record, everything.
        shipments: The parcels of an order, for a single one.
        events: What has happened, the oldest first, for a single one.
    """

    id: str
    fact: Fact
    verdict: Verdict
    sendings: tuple[Sending, ...] = ()
    shipments: tuple[Fact, ...] = ()
    events: tuple[Happened, ...] = ()


def shown(rules: OrderRules, about: About, fact: Fact, items: Iterable[OutboxItem]) -> Shown:
    """Show a single record with all that belongs to it.

    Args:
        rules: The rules of its channel.
        about: What it is.
        fact: The raw fact.
        items: What was asked of the channel about it.
    """
    verdict = rules.judge(about, fact)
    return Shown(fact["id"], verdict.shown(fact), verdict, tuple(sending_of(item) for item in items))


def shown_in_list(rules: OrderRules, about: About, fact: Fact, items: Iterable[OutboxItem]) -> Shown:
    """Show a record as one line of a list: who ships needs the consignee, who looks through a list does not."""
    lean = _without_consignee(fact)
    if about == "after_sale":
        lean["order"] = _without_consignee(fact["order"])
    return shown(rules, about, lean, (item for item in items if item.state != "done"))


def _without_consignee(fact: Fact) -> Fact:
    return {name: value for name, value in fact.items() if name != "consignee"}
