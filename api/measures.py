"""What is counted for Prometheus: requests, decisions, the queue, and what the channels answered."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask
from prometheus_client import REGISTRY, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from api.services import Services
from pipeline.queue import queue_by_channel

REQUESTS = Histogram(
    "shelfgate_request_seconds",
    "Time to answer, by route, method and status",
    ("route", "method", "status"),
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
EXTENSION = "shelfgate.measures"
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


class _FromStore(Collector):
    """Read from the store at each scrape what all processes share, so that all of them tell the same."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        """Give the queue's depth and age by channel and state, and whether the rules on disk are in force."""
        depth = GaugeMetricFamily("shelfgate_queue_items", "Items to send", labels=("channel", "state"))
        age = GaugeMetricFamily(
            "shelfgate_queue_oldest_seconds", "Age of the oldest item", labels=("channel", "state")
        )
        for line in queue_by_channel(self._services.store):
            depth.add_metric((line.channel, line.state), line.items)
            age.add_metric((line.channel, line.state), line.oldest_seconds)
        yield depth
        yield age
        bad = GaugeMetricFamily(
            "shelfgate_rules_bad_edit",
            "1 while the rule files on disk have mistakes and the last good ones are in force",
        )
        bad.add_metric((), 1 if self._services.rules.bad_edit else 0)
        yield bad


def install(app: Flask, services: Services) -> None:
    """Let an app tell what the store knows."""
    registry = CollectorRegistry()
    registry.register(_FromStore(services))
    app.extensions[EXTENSION] = registry


def observe(route: str, method: str, status: int, seconds: float) -> None:
    """Count one request; methods that nobody knows count as one, so that nobody can make up ever more of them."""
    REQUESTS.labels(route or "none", method if method in METHODS else "other", str(status)).observe(seconds)


def exposition(app: Flask) -> tuple[bytes, str]:
    """Give everything in Prometheus's text form, and its media type."""
    return generate_latest(REGISTRY) + generate_latest(app.extensions[EXTENSION]), CONTENT_TYPE_LATEST
