"""What is counted on the way, for Prometheus: decisions by rule, what the channels answered; and what the store knows of the queue."""

from __future__ import annotations

import os
from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from prometheus_client import REGISTRY, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from channels.errors import ChannelError
from engine.decision import Decision
from pipeline.live_rules import LiveRules
from pipeline.sending.queue import queue_by_channel
from pipeline.store import Store

DECISIONS = Counter("shelfgate_decisions", "Decisions by ruleset and outcome", ("ruleset", "outcome"))
FINDINGS = Counter("shelfgate_findings", "Findings by rule and status", ("rule", "status"))
CHANNEL_ERRORS = Counter("shelfgate_channel_errors", "Calls to channels that failed", ("channel", "kind"))

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Variable that names the folder in which processes that serve together add up what they count."""

Labels = tuple[str, str]
Measured = TypeVar("Measured", Counter, Histogram)


def count_decisions(ruleset: str, results: Iterable[Mapping[str, Any]]) -> None:
    """Count answers about facts; those about actions count by the state of each action's rule.

    Args:
        ruleset: Channel and family.
        results: Answers as JSON data, with `outcome` and `findings`, or with `actions`.
    """
    outcomes: Tally[Labels] = Tally()
    findings: Tally[Labels] = Tally()
    for result in results:
        if "actions" in result:
            outcomes[ruleset, "judged"] += 1
            findings.update((item["rule"], item["state"]) for item in result["actions"] if item["rule"])
        else:
            outcomes[ruleset, result["outcome"]] += 1
            findings.update((item["rule"], item["status"]) for item in result["findings"])
    _add(outcomes, findings)


def count_rows(rows: Iterable[Sequence[Decision]]) -> None:
    """Count the decisions about the rows of an upload."""
    decisions = [decision for row in rows for decision in row]
    outcomes: Tally[Labels] = Tally((item.ruleset, item.outcome) for item in decisions)
    findings: Tally[Labels] = Tally(
        (found.rule, found.status) for item in decisions for found in item.findings
    )
    _add(outcomes, findings)


def count_channel_error(error: ChannelError) -> None:
    """Count a call that failed, by what a caller can do about it."""
    CHANNEL_ERRORS.labels(error.channel, type(error).__name__).inc()


def _add(outcomes: Tally[Labels], findings: Tally[Labels]) -> None:
    for labels, count in outcomes.items():
        series(DECISIONS, labels).inc(count)
    for labels, count in findings.items():
        series(FINDINGS, labels).inc(count)


@cache
def series(metric: Measured, labels: tuple[str, ...]) -> Measured:
    """Give the time series of some labels; asking the metric itself takes its lock each time."""
    return metric.labels(*labels)


class _FromStore(Collector):
    """Read from the store at each scrape what all processes share, so that all of them tell the same."""

    def __init__(self, store: Store, rules: LiveRules) -> None:
        self._store = store
        self._rules = rules

    def collect(self) -> Iterator[Metric]:
        """Give the queue's depth and age by channel and state, and whether the rules on disk are in force."""
        depth = GaugeMetricFamily("shelfgate_queue_items", "Items to send", labels=("channel", "state"))
        age = GaugeMetricFamily(
            "shelfgate_queue_oldest_seconds", "Age of the oldest item", labels=("channel", "state")
        )
        for line in queue_by_channel(self._store):
            depth.add_metric((line.channel, line.state), line.items)
            age.add_metric((line.channel, line.state), line.oldest_seconds)
        yield depth
        yield age
        bad = GaugeMetricFamily(
            "shelfgate_rules_bad_edit",
            "1 while the rule files on disk have mistakes and the last good ones are in force",
        )
        bad.add_metric((), 1 if self._rules.bad_edit else 0)
        yield bad


def registry_of(store: Store, rules: LiveRules) -> CollectorRegistry:
    """Give everything that this process can tell; where several serve together, what all of them have counted.

    Args:
        store: Holds the queue.
        rules: The rules in force.
    """
    registry = CollectorRegistry()
    registry.register(_FromStore(store, rules))
    if os.environ.get(FOLDER):
        MultiProcessCollector(registry)
    else:
        registry.register(REGISTRY)
    return registry
