"""The app for a WSGI server that manages processes, such as gunicorn: `gunicorn … 'api.wsgi:app()'`. Settings come from the environment.

Nothing runs in the background here: what is checked and sent is the work of `shelfgate worker`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from flask import Flask

from api.app import create_app
from api.services import Services, Settings
from api.streams import streams_of
from engine.rulebook import find_manifest
from pipeline.clients import SettingsUnusable
from pipeline.live_rules import LiveRules
from pipeline.logs import configure_logs
from pipeline.secrets import DEFAULT_KEY_FILE, open_vault
from pipeline.store import DEFAULT_STORE, STORE, migrate, open_store

RULES = "SHELFGATE_RULES"
SECURE_COOKIES = "SHELFGATE_SECURE_COOKIES"
TRUSTED_PROXIES = "SHELFGATE_TRUSTED_PROXIES"


def app(environment: Mapping[str, str] | None = None) -> Flask:
    """Make the app, once in each process: the server calls this after it has forked.

    Args:
        environment: Holds the settings; the process's own if None.

    Raises:
        ShelfgateError: A setting can't be used, the rules have mistakes, the store can't be opened, or there is no key.
    """
    environment = os.environ if environment is None else environment
    configure_logs()
    rules = environment.get(RULES)
    live = LiveRules(find_manifest(Path(rules) if rules else None))
    store = open_store(environment.get(STORE) or DEFAULT_STORE)
    migrate(store)
    vault = open_vault(environment, DEFAULT_KEY_FILE)
    made = create_app(Services(store, vault, live, settings=settings_from(environment)))
    _close_streams_on_stop(made)
    return made


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Read the settings.

    Raises:
        SettingsUnusable: One of them can't be read.
    """
    secure = environment.get(SECURE_COOKIES) or "0"
    if secure not in ("0", "1"):
        raise SettingsUnusable(f"环境变量 {SECURE_COOKIES} 应是 0 或 1，现在是 {secure!r}", (SECURE_COOKIES,))
    proxies = environment.get(TRUSTED_PROXIES) or "0"
    if not (proxies.isascii() and proxies.isdigit() and len(proxies) < 3):
        raise SettingsUnusable(
            f"环境变量 {TRUSTED_PROXIES} 应是反向代理的层数，例如 1，现在是 {proxies!r}", (TRUSTED_PROXIES,)
        )
    return Settings(secure_cookies=secure == "1", trusted_proxies=int(proxies))


def _close_streams_on_stop(made: Flask) -> None:
    """End progress streams when the server is told to stop; otherwise it would wait for them as long as it waits at all."""
    before = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        streams_of(made).close()
        if callable(before):
            before(number, frame)

    if callable(before):  # the server's own, which is set before the app is made
        signal.signal(signal.SIGTERM, stop)
