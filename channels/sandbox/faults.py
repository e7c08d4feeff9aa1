"""Decide which requests go wrong, and how; seeded, so that a bad day can be had again."""

from __future__ import annotations

import random
import threading
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    """Name what can go wrong. The first group happens before the request is handled, the second after it."""

    LATENCY = "latency"
    SERVER_ERROR = "server_error"
    DROPPED = "dropped"
    RATE_LIMITED = "rate_limited"

    ERROR_AFTER_EFFECT = "error_after_effect"
    REPLY_LOST = "reply_lost"
    REPLY_CUT = "reply_cut"
    REPLY_GARBLED = "reply_garbled"
    DELIVERED_TWICE = "delivered_twice"

    PAGE_SHUFFLED = "page_shuffled"
    PAGE_REPEATED = "page_repeated"
    PAGE_SHIFTED = "page_shifted"


PAGE_FAULTS = frozenset({Fault.PAGE_SHUFFLED, Fault.PAGE_REPEATED, Fault.PAGE_SHIFTED})


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Say how often what goes wrong.

    Attributes:
        rates: Fault to probability 0..1. The transport faults share one draw per request, so their sum is ≤ 1;
            so do the page faults, per page.
        seed: Seed of the draws.
        paths: Only requests whose path holds one of these texts; all where empty.
        most: How many faults at most, None without bound.
        latency: Seconds that a slow request is held back, from and to.
    """

    rates: Mapping[Fault, float] = field(default_factory=dict)
    seed: int = 0
    paths: tuple[str, ...] = ()
    most: int | None = None
    latency: tuple[float, float] = (0.05, 0.5)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> FaultPlan:
        """Read a plan from JSON.

        Raises:
            ValueError: An unknown fault, or a number out of range.
        """
        rates = {Fault(name): float(rate) for name, rate in dict(body.get("rates") or {}).items()}
        if any(not 0 <= rate <= 1 for rate in rates.values()):
            raise ValueError("概率应在 0～1 之间")
        low, high = body.get("latency") or (0.05, 0.5)
        most = body.get("most")
        return cls(
            rates,
            int(body.get("seed") or 0),
            tuple(map(str, body.get("paths") or ())),
            int(most) if most is not None else None,
            (float(low), float(high)),
        )


class FaultInjector:
    """Draw faults by a plan, or as asked for the next requests. Safe to share between threads."""

    def __init__(self, plan: FaultPlan | None = None) -> None:
        self._lock = threading.Lock()
        self._asked: deque[tuple[Fault, str]] = deque()
        self.counts: Counter[Fault] = Counter()
        self.set(plan or FaultPlan())

    def set(self, plan: FaultPlan) -> None:
        """Follow another plan from now on; what was asked for by ``next`` is forgotten, the counts stay."""
        with self._lock:
            self._plan = plan
            self._rng = random.Random(plan.seed)
            self._drawn = 0
            self._asked.clear()

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self.set(FaultPlan())

    def next(self, faults: Iterable[Fault | str], path: str = "") -> None:
        """Let the next requests whose path holds the text go wrong, one fault each, whatever the plan says."""
        with self._lock:
            self._asked.extend((Fault(fault), path) for fault in faults)

    def draw(self, path: str) -> Fault | None:
        """Return what goes wrong on the way with this request, or None."""
        return self._draw(path, page=False)

    def draw_page(self, path: str) -> Fault | None:
        """Return what goes wrong with this page of a listing, or None."""
        return self._draw(path, page=True)

    def seconds(self) -> float:
        """Return how long a slow request is held back."""
        with self._lock:
            return self._rng.uniform(*self._plan.latency)

    def shuffle(self, rows: list[Any]) -> None:
        """Put rows into another order."""
        with self._lock:
            self._rng.shuffle(rows)

    @property
    def total(self) -> int:
        """Return how many faults there have been."""
        with self._lock:
            return self.counts.total()

    def _draw(self, path: str, *, page: bool) -> Fault | None:
        with self._lock:
            fault = self._asked_for(path, page) or self._planned(path, page)
            if fault is not None:
                self.counts[fault] += 1
            return fault

    def _asked_for(self, path: str, page: bool) -> Fault | None:
        for place, (fault, text) in enumerate(self._asked):
            if (fault in PAGE_FAULTS) == page and text in path:
                del self._asked[place]
                return fault
        return None

    def _planned(self, path: str, page: bool) -> Fault | None:
        plan = self._plan
        if plan.most is not None and self._drawn >= plan.most:
            return None
        if plan.paths and not any(text in path for text in plan.paths):
            return None
        point = self._rng.random()
        for fault, rate in plan.rates.items():
            if (fault in PAGE_FAULTS) != page:
                continue
            point -= rate
            if point < 0:
                self._drawn += 1
                return fault
        return None


def page_of(rows: list[Any], number: int, size: int, path: str, faults: FaultInjector) -> list[Any]:
    """Return one page of a listing, spoilt where a fault is due.

    Args:
        rows: The whole listing in order.
        number: Page, from 1.
        size: Rows per page.
        path: Of the request.
        faults: Decides.
    """
    start = (number - 1) * size
    fault = faults.draw_page(path)
    if fault is Fault.PAGE_SHIFTED:
        start += 1 if start == 0 else -1
    page = rows[start : start + size]
    if fault is Fault.PAGE_SHUFFLED:
        faults.shuffle(page)
    if fault is Fault.PAGE_REPEATED and page:
        page = [page[0], *page]
    return page
