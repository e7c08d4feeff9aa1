"""The app for gunicorn takes its settings from the environment, and says which of them it can't read; addresses behind proxies."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import request

from api.app import create_app
from api.services import Services, Settings
from api.streams import streams_of
from api.wsgi import app, settings_from
from engine.rulebook import find_manifest
from pipeline.clients import SettingsUnusable
from pipeline.live_rules import LiveRules
from pipeline.secrets import KEYS, KeyMissing, Vault, new_key
from pipeline.store import STORE, migrate, open_store

ROOT = Path(__file__).parents[3]


def test_settings_come_from_the_environment() -> None:
    assert Settings() == settings_from({})
    given = {"SHELFGATE_SECURE_COOKIES": "1", "SHELFGATE_TRUSTED_PROXIES": "2"}
    assert Settings(secure_cookies=True, trusted_proxies=2) == settings_from(given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SHELFGATE_SECURE_COOKIES", "yes"),
        ("SHELFGATE_TRUSTED_PROXIES", "-1"),
        ("SHELFGATE_TRUSTED_PROXIES", "１"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsUnusable, match=name) as caught:
        settings_from({name: value})
    assert (name,) == caught.value.names


@pytest.fixture
def on_sigterm() -> Iterator[list[int]]:
    """Note what the server's own way to stop was called with."""
    called: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: called.append(number))
    yield called
    signal.signal(signal.SIGTERM, before)


def test_streams_close_when_the_server_is_told_to_stop(on_sigterm: list[int], tmp_path: Path) -> None:
    made = app({STORE: f"sqlite:///{tmp_path / 'store.db'}", KEYS: new_key(), "SHELFGATE_RULES": str(ROOT)})
    assert 200 == made.test_client().get("/readyz").status_code
    signal.raise_signal(signal.SIGTERM)
    assert [signal.SIGTERM] == on_sigterm
    assert streams_of(made)._stopping.is_set()


def test_without_a_key_there_is_no_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KeyMissing):
        app({STORE: f"sqlite:///{tmp_path / 'store.db'}", "SHELFGATE_RULES": str(ROOT)})


@pytest.mark.parametrize(
    ("proxies", "sent", "expected"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "127.0.0.1"),
    ],
)
def test_the_address_is_what_the_last_trusted_proxy_saw(
    proxies: int, sent: str, expected: str, tmp_path: Path
) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    migrate(store)
    rules = LiveRules(find_manifest(ROOT))
    made = create_app(Services(store, Vault([new_key()]), rules, settings=Settings(trusted_proxies=proxies)))
    seen: list[str | None] = []
    made.before_request(lambda: seen.append(request.remote_addr))
    made.test_client().get("/healthz", headers={"X-Forwarded-For": sent})
    assert [expected] == seen
    store.close()
