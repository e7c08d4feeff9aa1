"""What is counted for Prometheus of the requests; what else there is comes from `pipeline.measures`."""

from __future__ import annotations

from flask import Flask
from prometheus_client import Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from api.services import Services
from pipeline.measures import registry_of, series

REQUESTS = Histogram(
    "shelfgate_request_seconds",
    "Time to answer, by route, method and status",
    ("route", "method", "status"),
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
EXTENSION = "shelfgate.measures"
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


def install(app: Flask, services: Services) -> None:
    """Let an app tell what is counted."""
    app.extensions[EXTENSION] = registry_of(services.store, services.rules)


def observe(route: str, method: str, status: int, seconds: float) -> None:
    """Count one request; methods that nobody knows count as one, so that nobody can make up ever more of them."""
    labels = (route or "none", method if method in METHODS else "other", str(status))
    series(REQUESTS, labels).observe(seconds)


def exposition(app: Flask) -> tuple[bytes, str]:
    """Give everything in Prometheus's text form, and its media type."""
    return generate_latest(app.extensions[EXTENSION]), CONTENT_TYPE_LATEST
