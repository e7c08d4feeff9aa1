"""A store of the test's own, and a small shop on both sandboxes, reached over sockets like the real systems."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from channels.huiju import HuijuCredentials
from channels.sandbox import Sandbox, SandboxConfig, Seed
from channels.youzan import YouzanCredentials
from mappings.reference import read_reference
from pipeline.clients import HUIJU, HUIJU_URL, YOUZAN_CLIENT_ID, YOUZAN_CLIENT_SECRET, YOUZAN_RATE, YOUZAN_URL
from pipeline.shops import save_shop
from pipeline.store import Store, migrate, open_store

ROOT = Path(__file__).resolve().parents[3]
SHOP = {
    "id": "38405005",
    "name": "青禾集市",
    "edition": "wsc_ecommerce",
    "admitted": True,
    "beta_approved": True,
}
FEW = 12


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "store.db"
    with closing(open_store(f"sqlite:///{path}")) as store:
        migrate(store)
    return path


@pytest.fixture
def store(migrated: Path, tmp_path: Path) -> Iterator[Store]:
    """Give a store that knows the demo shop, and nothing else."""
    shutil.copy(migrated, tmp_path / "store.db")
    with closing(open_store(f"sqlite:///{tmp_path / 'store.db'}")) as opened:
        save_shop(opened, HUIJU, SHOP)
        yield opened


@pytest.fixture(scope="session")
def example_products() -> list[dict[str, Any]]:
    """Give the first products of the demo shop, as Youzan gives them."""
    lines = (ROOT / "examples" / "products.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines[:FEW]]


@pytest.fixture
def sandbox(example_products: list[dict[str, Any]]) -> Iterator[Sandbox]:
    """Give both systems with the demo shop's reference data and its first products."""
    config = SandboxConfig(
        huiju=HuijuCredentials("hj00000001", "huiju-app-secret-1f2e", "huiju-data-key-9c8b"),
        youzan=YouzanCredentials("yz-client-01", "youzan-client-secret-7a6d", SHOP["id"]),
        huiju_per_second=5000,
        youzan_per_second=5000,
    )
    reference = read_reference(ROOT / "examples" / "惠聚数据.xlsx")
    with Sandbox(Seed(example_products, reference), config=config) as running:
        yield running


@pytest.fixture
def settings(sandbox: Sandbox) -> dict[str, str]:
    """Give the environment in which the clients find the sandboxes."""
    return {
        HUIJU_URL: sandbox.huiju.base_url,
        YOUZAN_URL: sandbox.youzan.base_url,
        YOUZAN_CLIENT_ID: sandbox.youzan.credentials.client_id,
        YOUZAN_CLIENT_SECRET: sandbox.youzan.credentials.client_secret,
        YOUZAN_RATE: "5000",
    }
