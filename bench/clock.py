"""Time callables against one another in interleaved rounds, so that what disturbs the machine disturbs all of them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import process_time

LEAST_SECONDS = 0.02
"""Shortest pass that is timed; a faster pass is repeated until it takes this long."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Hold what repeated rounds gave.

    Attributes:
        values: One value a round: seconds, or a ratio.
    """

    values: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The median of the rounds."""
        return median(self.values)

    def scaled(self, factor: float) -> Spread:
        """Give every value times a factor."""
        return Spread(tuple(value * factor for value in self.values))

    def over(self, other: Spread) -> Spread:
        """Give the ratio to another, round by round."""
        return Spread(tuple(one / two for one, two in zip(self.values, other.values, strict=True)))

    def ratio(self) -> str:
        """Write as a ratio with its spread."""
        low, high = min(self.values), max(self.values)
        return f"{number(self.middle)}× ({number(low)}–{number(high)})"


def number(value: float) -> str:
    """Write with three significant digits and no exponent.

    >>> [number(0.1234), number(12.34), number(4321.0)]
    ['0.123', '12.3', '4,321']
    """
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def seconds(run: Callable[[], object], least: float = LEAST_SECONDS) -> float:
    """Time one pass in CPU seconds of this process, all its threads together.

    Args:
        run: The pass.
        least: Seconds that the repeats together take at least.
    """
    passes = 1
    while True:
        start = process_time()
        for _ in range(passes):
            run()
        spent = process_time() - start
        if spent >= least:
            return spent / passes
        passes = max(passes * 2, int(passes * least / max(spent, 1e-6)))


def interleaved(
    runs: Mapping[str, Callable[[], object]], rounds: int, least: float = LEAST_SECONDS
) -> dict[str, Spread]:
    """Time several passes, each once a round, one after the other.

    Args:
        runs: The passes by name.
        rounds: How many rounds; the first of each is preceded by one pass that does not count.
        least: Seconds that a timed pass takes at least, by repeating it.

    Returns:
        Seconds a pass, by name.
    """
    found: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, run in runs.items():
                gc.collect()
                found[name].append(seconds(run, least))
    finally:
        gc.enable()
        gc.unfreeze()
    return {name: Spread(tuple(values)) for name, values in found.items()}
