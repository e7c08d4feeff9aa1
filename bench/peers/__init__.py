"""The engines that the record evaluator is measured against, one file each; the folder is scanned, there is no list to keep.

A peer's file holds `NAME`; `FOREIGN`, whether it is an engine of others; `unsupported(plan, world)`, the ids of the rules that it has no
words for; and `prepare(plan, world)`, which compiles the rest and gives a function from a fact to the ids of the rules that the fact
does not pass. Names that begin with an underscore are helpers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Protocol

from bench.data import World
from engine.plan import Plan

Failing = Callable[[Mapping[str, Any]], frozenset[str]]


class Peer(Protocol):
    """Describe a peer's file."""

    NAME: str
    FOREIGN: bool

    def unsupported(self, plan: Plan, world: World) -> frozenset[str]:
        """Name the rules that the engine has no words for."""

    def prepare(self, plan: Plan, world: World) -> Failing:
        """Compile the rules that it has words for."""


def peers() -> tuple[list[Peer], list[str]]:
    """Give the peers that are installed, and a line for each that is not."""
    found: list[Peer] = []
    absent: list[str] = []
    for name in sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_")):
        try:
            found.append(import_module(f"{__name__}.{name}"))
        except ModuleNotFoundError as error:
            absent.append(f"{name}: skipped, {error.name} is not installed")
    return sorted(found, key=lambda peer: (peer.FOREIGN, peer.NAME)), absent
