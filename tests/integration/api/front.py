"""The service as its callers see it: an app over a real store, with people and services of two shops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.security import generate_password_hash

from api.access import COOKIE
from api.services import Services
from pipeline.actors import Actor
from pipeline.callers import make_token, scopes_of, start_session
from pipeline.people import METHOD
from pipeline.store import Role, Store, User, database_now
from tests.integration.demo_shop import SHOP

OTHER = "38405006"
ROLES: tuple[Role, ...] = ("senior_admin", "admin", "operator", "viewer")
PASSWORD = "long-enough-4711"

Data = Any


@cache
def _hashed_password() -> str:
    """Hash the password once: eight times for each test would be most of its time."""
    return generate_password_hash(PASSWORD, METHOD)


@dataclass
class Front:
    """Call the service as anyone may.

    Attributes:
        app: The app.
        services: What it works with.
    """

    app: Flask
    services: Services
    _tokens: dict[tuple[str, Role, frozenset[str]], str] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        return self.services.store

    def person(self, role: Role, shop_id: str = SHOP) -> Actor:
        """Give the one person of a role; the login is the role and the shop's id, joined by a hyphen."""
        return Actor(f"{role}-{shop_id}", f"{role} 小美", role, shop_id)

    def token(self, role: Role = "operator", shop_id: str = SHOP, scopes: Iterable[str] | None = None) -> str:
        """Give a token of a role; with everything that the role may unless scopes are named."""
        wanted = frozenset(scopes_of(role) if scopes is None else scopes)
        key = (shop_id, role, wanted)
        if key not in self._tokens:
            maker, life = self.person("senior_admin", shop_id), timedelta(days=1)
            self._tokens[key] = make_token(self.store, maker, f"{role} 任务", role, sorted(wanted), life)[1]
        return self._tokens[key]

    def anyone(self) -> FlaskClient:
        """Give a client that nobody knows."""
        return self.app.test_client()

    def service(
        self, role: Role = "operator", shop_id: str = SHOP, scopes: Iterable[str] | None = None
    ) -> FlaskClient:
        """Give a client that sends a token."""
        client = self.app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {self.token(role, shop_id, scopes)}"
        return client

    def browser(self, role: Role = "operator", shop_id: str = SHOP, *, csrf: bool = True) -> FlaskClient:
        """Give a client that has signed in, and sends the CSRF token along unless told not to."""
        client = self.app.test_client()
        client.set_cookie(COOKIE, start_session(self.store, self.person(role, shop_id)))
        if csrf:
            client.environ_base["HTTP_X_CSRF_TOKEN"] = client.get("/v1/session").json["csrf_token"]  # type: ignore[index]
        return client


def add_people(store: Store, shop_id: str) -> None:
    """Give a shop one person of each role."""
    with store.write() as session:
        for role in ROLES:
            session.add(
                User(
                    id=f"{role}-{shop_id}", shop_id=shop_id, login=f"{role}-{shop_id}", name=f"{role} 小美", role=role,
                    password_hash=_hashed_password(), created_at=database_now(session),
                )
            )  # fmt: skip


def diagnostics(answer: Any) -> list[Mapping[str, Any]]:
    """Give what a problem document says is wrong, place by place."""
    return list(answer.json["diagnostics"])
