"""A marketplace in a few lines: what orders and after-sales become, by whoever acts. No code of the product is in it.

The random histories are compared with it. It knows nothing of arrivals, windows, workers or databases: only what has happened there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

OPEN = ("requested", "rejected", "waiting_return", "return_rejected")
"""States in which a buyer may withdraw; goods on their way back are not withdrawn."""

DECISIONS = {
    ("requested", "reject"): "rejected",
    ("waiting_receipt", "confirm_return"): "succeeded",
    ("waiting_receipt", "reject_return"): "return_rejected",
}
BUYER_ACTS = {
    "withdraw": (OPEN, "closed", "buyer"),
    "time_out": (("waiting_return",), "closed", "timeout"),
    "return_goods": (("waiting_return",), "waiting_receipt", None),
    "ask_again": (("rejected", "return_rejected"), "requested", None),
}
ORDER_ACTS = {
    "pay": ("wait_pay", "to_ship"),
    "cancel": ("wait_pay", "closed"),
    "receive": ("shipped", "done"),
}


@dataclass
class Order:
    """An order: what state it is in, which lines have left, in which parcels."""

    status: str
    lines: dict[str, bool]
    parcels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    left_at: int = 0


@dataclass
class AfterSale:
    """An after-sale: what is asked for, and where it stands since when."""

    order: str
    kind: str
    asked_at: int
    changed_at: int
    status: str = "requested"
    closed_by: str | None = None


@dataclass
class Marketplace:
    """All of them, and every state that each has been in."""

    now: int
    orders: dict[str, Order] = field(default_factory=dict)
    after_sales: dict[str, AfterSale] = field(default_factory=dict)
    past: dict[str, list[object]] = field(default_factory=dict)

    def states(self) -> dict[str, object]:
        found: dict[str, object] = {id_: order.status for id_, order in self.orders.items()}
        return found | {id_: (row.status, row.closed_by) for id_, row in self.after_sales.items()}

    def place(self, order_id: str, lines: list[str], status: str) -> None:
        self.orders[order_id] = Order(status, dict.fromkeys(lines, False))
        self._remember()

    def order_acts(self) -> list[tuple[str, str]]:
        """Give what buyers can do with orders now, but for asking for something."""
        return [
            (act, id_)
            for act, (before, _) in ORDER_ACTS.items()
            for id_, order in self.orders.items()
            if order.status == before
        ]

    def move_order(self, act: str, order_id: str) -> None:
        self.orders[order_id].status = ORDER_ACTS[act][1]
        self._remember()

    def may_be_asked_about(self) -> list[str]:
        return [id_ for id_, order in self.orders.items() if order.status not in ("wait_pay", "closed")]

    def ask(self, after_sale_id: str, order_id: str, kind: str) -> None:
        """A request is a new one, whatever has become of those before."""
        assert after_sale_id not in self.after_sales
        self.after_sales[after_sale_id] = AfterSale(order_id, kind, self.now, self.now)
        self._remember()

    def buyer_acts(self) -> list[tuple[str, str]]:
        """Give what buyers and time can do with after-sales now."""
        return [
            (act, id_)
            for act, (before, _, _) in BUYER_ACTS.items()
            for id_, row in self.after_sales.items()
            if row.status in before
        ]

    def move_after_sale(self, act: str, after_sale_id: str) -> None:
        before, after, by = BUYER_ACTS[act]
        assert self.after_sales[after_sale_id].status in before
        self._set(after_sale_id, after, by)

    def shippable(self, order_id: str) -> tuple[str, ...]:
        """Give the lines that can still be shipped."""
        order = self.orders[order_id]
        if order.status not in ("to_ship", "partly_shipped"):
            return ()
        return tuple(line for line, left in order.lines.items() if not left)

    def deliver(self, order_id: str, waybill: str, lines: tuple[str, ...]) -> None:
        """Ship lines, all that are left where none is named; shipping closes what asks for the money alone (R30)."""
        order = self.orders[order_id]
        rest = self.shippable(order_id)
        lines = lines or rest
        assert lines
        assert set(lines) <= set(rest), f"{lines} of {order_id} have left, or can't"
        assert waybill not in order.parcels
        order.parcels[waybill] = lines
        order.lines |= dict.fromkeys(lines, True)
        order.status = "shipped" if all(order.lines.values()) else "partly_shipped"
        order.left_at = self.now
        for id_, row in self.after_sales.items():
            if row.order == order_id and (row.kind, row.status) == ("refund_only", "requested"):
                self._set(id_, "closed", "shipment")
        self._remember()

    def rename(self, order_id: str, lines: tuple[str, ...], waybill: str) -> None:
        """Correct the waybill of the parcel that holds these lines."""
        order = self.orders[order_id]
        assert order.status in ("partly_shipped", "shipped")
        (before,) = (number for number, held in order.parcels.items() if held == lines)
        del order.parcels[before]
        order.parcels[waybill] = lines

    def decision(self, after_sale_id: str, action: str) -> str | None:
        """Say where a decision would lead now; None where it can't be taken."""
        row = self.after_sales[after_sale_id]
        if (row.status, action) == ("requested", "agree"):
            return "succeeded" if row.kind == "refund_only" else "waiting_return"
        waits = self.orders[row.order].status == "to_ship" and row.kind == "refund_only"
        return None if waits and action == "reject" else DECISIONS.get((row.status, action))

    def decisions(self) -> list[tuple[str, str]]:
        actions = ("agree", "reject", "confirm_return", "reject_return")
        return [(action, id_) for id_ in self.after_sales for action in actions if self.decision(id_, action)]

    def decide(self, after_sale_id: str, action: str) -> None:
        after = self.decision(after_sale_id, action)
        assert after, f"{action} of {after_sale_id} can't be"
        order = self.orders[self.after_sales[after_sale_id].order]
        if after == "succeeded" and order.status == "to_ship":
            order.status = "closed"
        self._set(after_sale_id, after)

    def _set(self, after_sale_id: str, status: str, closed_by: str | None = None) -> None:
        row = self.after_sales[after_sale_id]
        row.status, row.closed_by, row.changed_at = status, closed_by, self.now
        self._remember()

    def _remember(self) -> None:
        for id_, state in self.states().items():
            past = self.past.setdefault(id_, [])
            if not past or past[-1] != state:
                past.append(state)


def allowed(action: str, order: str, kind: str, after_sale: str, ours: set[str], ships: bool) -> bool:
    """Say whether staff may act, by what the shop has heard so far (R21–R24, R27, R30, R32).

    Args:
        action: The action.
        order: State of the order.
        kind, after_sale: Kind and state of the after-sale; empty for an action on the order.
        ours: Actions on the same record that the marketplace has not answered; for an order, also `agree` on its after-sales.
        ships: Whether the shipping of the order is among what has not been answered.
    """
    if ours or (after_sale and ships):
        return False
    if action == "ship":
        return order in ("to_ship", "partly_shipped")
    if action == "edit_logistics":
        return order == "shipped"
    if action == "agree":
        return (kind, after_sale) == ("refund_only", "requested")
    if action == "agree_return":
        return kind != "refund_only" and after_sale == "requested"
    if action == "reject":
        return after_sale == "requested" and not (kind == "refund_only" and order == "to_ship")
    if action in ("confirm_return", "reject_return"):
        return after_sale == "waiting_receipt"
    return False
