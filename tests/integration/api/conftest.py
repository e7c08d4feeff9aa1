"""The service over both databases, with two shops that hold the same things, and people of every role in each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from api.app import create_app
from api.services import Services
from channels.huiju import HuijuCredentials
from channels.sandbox import Sandbox, SandboxConfig, read_seed
from channels.youzan import YouzanClient, YouzanCredentials
from engine.rulebook import find_manifest
from pipeline.clients import HUIJU_URL, YOUZAN_CLIENT_ID, YOUZAN_CLIENT_SECRET, YOUZAN_RATE, YOUZAN_URL
from pipeline.live_rules import LiveRules
from pipeline.secrets import Vault, new_key
from pipeline.store import Store
from tests.integration.api.conforming import watch
from tests.integration.api.front import OTHER, Front, add_people
from tests.integration.demo_shop import EXAMPLES, ROOT, SHOP, plant, reference

KEY = new_key()
IDENTITY = {"app_id": "hj00000001", "app_secret": "huiju-app-secret-1f2e", "data_key": "huiju-data-key-9c8b"}


@contextmanager
def no_youzan(store: Store, shop_id: str) -> Iterator[YouzanClient | None]:
    """Give no client: products are taken as they are kept."""
    yield None


@pytest.fixture(scope="session")
def rules() -> LiveRules:
    """Give the rules of the project; they do not change while the tests run."""
    return LiveRules(find_manifest(ROOT), look=3600)


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing answer where the channel is, unless a test asks for `outside`: no test calls the real one."""
    monkeypatch.setenv(HUIJU_URL, "http://127.0.0.1:9/openapi/v1")


@pytest.fixture
def vault() -> Vault:
    return Vault([KEY])


@pytest.fixture
def services(store: Store, vault: Vault, rules: LiveRules) -> Services:
    """Give what the app works with: two bound shops, `SHOP` and `OTHER`, each with people of all roles."""
    for shop_id, name in ((SHOP, "青禾集市"), (OTHER, "山野杂货")):
        sealed = vault.seal(json.dumps(IDENTITY), shop_id=shop_id, field="bindings.credentials.huiju")
        plant(store, shop_id, name, sealed)
        add_people(store, shop_id)
    return Services(store, vault, rules, youzan=no_youzan)


@pytest.fixture
def front(services: Services) -> Iterator[Front]:
    """Give the service, and ways to call it; in the end, whatever it answered must be as the document says."""
    app = create_app(services, {"TESTING": False})
    differences = watch(app, services.rules.current())
    yield Front(app, services)
    assert [] == differences


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Give both outside systems on sockets, as the environment names them; both shops are the same there."""
    youzan = YouzanCredentials("yz-client", "yz-secret", SHOP)
    config = SandboxConfig(huiju=HuijuCredentials(**IDENTITY), youzan=youzan, huiju_per_second=5000)
    with Sandbox(read_seed(EXAMPLES, reference()), config=config) as running:
        for name, value in (
            (HUIJU_URL, running.huiju.base_url),
            (YOUZAN_URL, running.youzan.base_url),
            (YOUZAN_CLIENT_ID, youzan.client_id),
            (YOUZAN_CLIENT_SECRET, youzan.client_secret),
            (YOUZAN_RATE, "1000"),
        ):
            monkeypatch.setenv(name, value)
        yield running
