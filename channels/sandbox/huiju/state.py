"""Everything the Huiju sandbox knows. Records carry the keys of the profile, enum members by name, plain text."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from channels.huiju.profile import Profile
from channels.sandbox.huiju.people import FIRST

Record = dict[str, Any]


class Refused(Exception):
    """Say that the sandbox declines, by the name of a code in the profile.

    Attributes:
        code: Name of the code.
        detail: What in particular, "" where the code's title says it all.
        data: Sent along with the refusal.
    """

    def __init__(self, code: str, detail: str = "", data: Record | None = None) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.data = data


@dataclass
class HuijuState:
    """Hold one shop's side of the marketplace; whoever reads or writes holds ``lock``.

    Attributes:
        profile: Limits and codes.
        clock: Seconds since the epoch.
        products: Product id to product.
        listed: Youzan product id to Huiju product id; one to one (R15).
        added: Idempotency key to (content, product id).
        orders, after_sales: By id.
        reference: Table name to rows, keyed as in the profile's records.
        people: Number of the next person who buys something.
        effects: Every write that took effect, in order: (request id, endpoint, id of what it touched).
    """

    profile: Profile
    clock: Callable[[], float]
    products: dict[str, Record] = field(default_factory=dict)
    listed: dict[str, str] = field(default_factory=dict)
    added: dict[str, tuple[str, str]] = field(default_factory=dict)
    orders: dict[str, Record] = field(default_factory=dict)
    after_sales: dict[str, Record] = field(default_factory=dict)
    reference: dict[str, list[Record]] = field(default_factory=dict)
    effects: list[tuple[str, str, str]] = field(default_factory=list)
    people: int = FIRST
    lock: threading.RLock = field(default_factory=threading.RLock)
    _last: int = 0

    def now(self) -> int:
        """Return the time in seconds since the epoch."""
        return int(self.clock())

    def number(self) -> str:
        """Return a number that was not given out before, as text."""
        self._last += 1
        return f"{900000000 + self._last}"

    def next_person(self) -> int:
        """Return the number of somebody who has bought nothing so far."""
        self.people += 1
        return self.people - 1

    def order(self, order_id: str) -> Record:
        """Return an order, or refuse."""
        try:
            return self.orders[order_id]
        except KeyError:
            raise Refused("order_missing", order_id) from None

    def after_sale(self, after_sale_id: str) -> Record:
        """Return an after-sale, or refuse."""
        try:
            return self.after_sales[after_sale_id]
        except KeyError:
            raise Refused("after_sale_missing", after_sale_id) from None

    def touch(self, record: Record) -> None:
        """Mark a record as updated now."""
        record["updateTime"] = self.now()

    def snapshot(self) -> Record:
        """Return a copy of everything, as plain data."""
        with self.lock:
            return copy.deepcopy(
                {
                    "products": self.products,
                    "listed": self.listed,
                    "orders": self.orders,
                    "after_sales": self.after_sales,
                    "reference": self.reference,
                    "effects": self.effects,
                }
            )
