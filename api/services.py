"""What the service works with, made once when it starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from flask import Flask, current_app

from engine.rulebook import Channel, Rulebook
from pipeline.clients import Youzan, youzan_client
from pipeline.live_rules import LiveRules
from pipeline.secrets import Vault
from pipeline.store import Store

EXTENSION = "shelfgate"


@dataclass(frozen=True, slots=True)
class Settings:
    """Set what differs between installations.

    Attributes:
        secure_cookies: The service is reached by https only; cookies are then sent by no other way.
        most_streams: Progress streams open at a time in this process, ≥ 0; each holds a thread.
        stream_seconds: How long one stream stays open at the most, s; its reader comes again by itself.
        trusted_proxies: Proxies in front of the service, ≥ 0: as many of the last addresses in `X-Forwarded-For` are theirs to write.
    """

    secure_cookies: bool = False
    most_streams: int = 48
    stream_seconds: float = 300.0
    trusted_proxies: int = 0


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Services:
    """Hold what every request may need.

    Attributes:
        store: Where everything is kept.
        vault: What seals credentials and what is known of buyers.
        rules: The rules in force.
        youzan: Makes the client of a shop at Youzan.
        settings: What differs between installations.
        now: Gives the moment now; aware.
    """

    store: Store
    vault: Vault
    rules: LiveRules
    youzan: Youzan = youzan_client
    settings: Settings = Settings()
    now: Callable[[], datetime] = _now

    def install(self, app: Flask) -> None:
        """Hand them to an app."""
        app.extensions[EXTENSION] = self


def services() -> Services:
    """Give what the app of this request works with."""
    return cast("Services", current_app.extensions[EXTENSION])


def default_channel(rulebook: Rulebook) -> Channel:
    """Give the first channel of the manifest."""
    return next(iter(rulebook.channels.values()))
