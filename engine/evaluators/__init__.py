"""The evaluators: each turns a plan into something that decides facts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Protocol

from engine.evaluators import durable, record
from engine.plan import Decide, Plan
from engine.tables import Batch, Tables


class Compiled(Protocol):
    """Be a plan that an evaluator has compiled."""

    def bind(self, tables: Tables, batch: Batch | None, day: date) -> Decide:
        """Give a function from a fact to the positions of the rules in force that it does not surely pass, ascending."""
        ...


class Evaluator(Protocol):
    """Be the module of an evaluator."""

    NAME: str

    def unsupported(self, plan: Plan, /) -> tuple[str, ...]:
        """Name what of a plan it can't do; empty where it can do all."""
        ...

    def compile_plan(self, plan: Plan) -> Compiled:
        """Compile a plan that it can do."""
        ...


EVALUATORS: tuple[Evaluator, ...] = (record, durable)
FLOW_EVALUATORS: Mapping[str, Evaluator] = {evaluator.NAME: evaluator for evaluator in EVALUATORS}
