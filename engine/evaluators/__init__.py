"""The evaluators: each turns a plan into something that decides facts."""

from __future__ import annotations

from engine.evaluators import record

EVALUATORS = (record,)
FLOW_EVALUATORS = ("record", "durable")
