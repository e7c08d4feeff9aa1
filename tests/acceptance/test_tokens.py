"""`shelfgate tokens`: an administrator makes one, lists those of the shop, revokes it; its value is shown once and kept nowhere (R5)."""

from __future__ import annotations

import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.callers import caller_of_token
from pipeline.store import open_store
from tests.acceptance.served import BIN, House, furnish
from tests.integration.demo_shop import SHOP

PASSWORD = "long-enough-4711"


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = furnish(tmp_path)
    house.own |= {"SHELFGATE_PASSWORD": PASSWORD, "SHELFGATE_NEW_PASSWORD": PASSWORD}
    run(house, "users", "add", "amy", "--role", "senior_admin")
    run(house, "users", "add", "bob", "--role", "operator", "--user", "amy")
    return house


def run(house: House, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [BIN / "shelfgate", *words], cwd=house.folder, env=house.environment(), capture_output=True, text=True, check=False
    )  # fmt: skip
    assert code == done.returncode, done.stderr
    return done


def test_a_token_is_made_listed_and_revoked(house: House) -> None:
    words = ("tokens", "new", "仓库", "--role", "operator", "--scope", "validate", "--scope", "orders:read")
    made = run(house, *words, "--days", "2", "--user", "amy")
    value = made.stdout.strip()
    assert value.startswith("sg_")
    assert value not in made.stderr
    with closing(open_store(house.store)) as store:
        caller = caller_of_token(store, value)
        assert caller is not None
        assert (SHOP, "operator", {"validate", "orders:read"}) == (
            caller.actor.shop_id,
            caller.actor.role,
            caller.scopes,
        )
        (line,) = [
            line
            for line in run(house, "tokens", "list", "--user", "amy").stdout.splitlines()
            if "仓库" in line
        ]
        assert value not in line
        token_id = line.split("\t")[0]
        assert f"已作废令牌 {token_id}\n" == run(house, "tokens", "revoke", token_id, "--user", "amy").stdout
        assert caller_of_token(store, value) is None
    assert "已作废" in run(house, "tokens", "list", "--user", "amy").stdout


def test_who_is_no_administrator_makes_none(house: House) -> None:
    words = ("tokens", "new", "仓库", "--role", "viewer", "--scope", "validate", "--user", "bob")
    refused = run(house, *words, code=2)
    assert "" == refused.stdout
    assert "不能生成" in refused.stderr


def test_an_unknown_token_is_said_to_be_so(house: House) -> None:
    assert (
        "没有编号为 nothing 的令牌"
        in run(house, "tokens", "revoke", "nothing", "--user", "amy", code=2).stderr
    )
