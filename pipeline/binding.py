"""Bind a shop to a channel: who may, with credentials that the channel has accepted, sealed and never shown again (R4–R6)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from sqlalchemy.orm import Session

from engine.errors import ShelfgateError
from pipeline.actors import Actor
from pipeline.audit import audit_entry
from pipeline.credentials import Credentials, Probe, check_complete, try_on_channel
from pipeline.secrets import Vault
from pipeline.store import (
    AuditEntry,
    AuditOutcome,
    BindingRow,
    Shop,
    Store,
    StoreConflict,
    database_now,
)

Action = Literal["bind", "replace_credentials", "unbind"]
TITLES: dict[Action, str] = {"bind": "绑定", "replace_credentials": "更换凭据", "unbind": "解绑"}


class Verdict(Protocol):
    """Answer whether an action may be done."""

    @property
    def allowed(self) -> bool:
        """True only where the rules say so; an undecided question is a no."""

    @property
    def reason(self) -> str:
        """Why not; empty where allowed."""


class May(Protocol):
    """Ask the rules (`rules/<channel>/access.yaml`) whether an actor may do an action."""

    def __call__(self, actor: Actor, action: Action) -> Verdict:
        """Give the rules' answer."""


@dataclass(frozen=True, slots=True)
class Binding:
    """Describe a binding without its credentials.

    Attributes:
        bound_by: Id of the actor who entered the credentials.
        bound_at: When they were entered; aware.
        tried_at: When the channel last accepted them; aware.
    """

    shop_id: str
    channel: str
    bound_by: str
    bound_at: datetime
    tried_at: datetime


class BindingRefused(ShelfgateError):
    """Refuse an action that the actor may not do.

    Attributes:
        action: What was asked for.
        actor_id: Who asked.
    """

    def __init__(self, message: str, action: Action, actor_id: str) -> None:
        super().__init__(message)
        self.action = action
        self.actor_id = actor_id


class BindingStateError(ShelfgateError):
    """Report that the shop is unknown, already bound, or not bound: another action is the right one.

    Attributes:
        shop_id: The shop.
        channel: The channel.
    """

    def __init__(self, message: str, shop_id: str, channel: str) -> None:
        super().__init__(message)
        self.shop_id = shop_id
        self.channel = channel


def bind(
    store: Store,
    vault: Vault,
    may: May,
    probe: Probe,
    actor: Actor,
    shop_id: str,
    channel: str,
    credentials: Credentials,
) -> Binding:
    """Bind a shop that isn't bound yet.

    Args:
        store: Where bindings are kept.
        vault: What seals the credentials.
        may: The rules' answer to who may do what.
        probe: What tries the credentials on the channel; called only for an actor who may bind.
        actor: Who asks.
        shop_id: The shop.
        channel: The channel.
        credentials: What the actor entered.

    Returns:
        The binding, without its credentials.

    Raises:
        BindingRefused: Where the actor may not.
        BindingStateError: Where the shop is unknown or bound already.
        CredentialsIncomplete: Where a field is missing, unknown, empty or has white space around it.
        CredentialsRejected: Where the channel does not accept them, or can't be reached.
    """
    return _enter(_Attempt(store, actor, shop_id, channel, "bind"), vault, may, probe, credentials)


def replace_credentials(
    store: Store,
    vault: Vault,
    may: May,
    probe: Probe,
    actor: Actor,
    shop_id: str,
    channel: str,
    credentials: Credentials,
) -> Binding:
    """Replace a bound shop's credentials; the old ones stay until the channel has accepted the new ones.

    Args:
        store: As for `bind`, like all the others.
        vault: What seals the credentials.
        may: The rules' answer.
        probe: What tries the credentials.
        actor: Who asks.
        shop_id: The shop.
        channel: The channel.
        credentials: What the actor entered.

    Returns:
        The binding as it is now.

    Raises:
        BindingStateError: Where the shop is unknown or isn't bound.
        ShelfgateError: As for `bind`.
    """
    return _enter(
        _Attempt(store, actor, shop_id, channel, "replace_credentials"), vault, may, probe, credentials
    )


def unbind(store: Store, may: May, actor: Actor, shop_id: str, channel: str) -> None:
    """Forget a shop's credentials; what was listed and ordered stays.

    Args:
        store: Where bindings are kept.
        may: The rules' answer to who may do what.
        actor: Who asks.
        shop_id: The shop.
        channel: The channel.

    Raises:
        BindingRefused: Where the actor may not.
        BindingStateError: Where the shop is unknown or isn't bound.
    """
    attempt = _Attempt(store, actor, shop_id, channel, "unbind")
    with attempt.audited():
        attempt.check_allowed(may)
        with store.write() as session:
            row = attempt.bound_row(session, lock=True)
            session.delete(row)
            session.add(attempt.entry(session, "done"))


def find_binding(store: Store, shop_id: str, channel: str) -> Binding | None:
    """Give a shop's binding; None where it isn't bound, and then the channel's page is not shown (R6)."""
    with store.read() as session:
        row = session.get(BindingRow, (shop_id, channel))
        return None if row is None else _binding(row)


def open_credentials(store: Store, vault: Vault, shop_id: str, channel: str) -> Credentials:
    """Open a bound shop's credentials, for the channel's client and for nothing else.

    Raises:
        BindingStateError: Where the shop isn't bound.
        ShelfgateError: As `Vault.open` says.
    """
    with store.read() as session:
        row = session.get(BindingRow, (shop_id, channel))
    if row is None:
        raise BindingStateError(f"店铺 {shop_id} 尚未绑定 {channel}；请先绑定", shop_id, channel)
    return Credentials(json.loads(vault.open(row.credentials, shop_id=shop_id, field=_field(channel))))


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One try at an action, which leaves an entry in the audit trail however it ends."""

    store: Store
    actor: Actor
    shop_id: str
    channel: str
    action: Action

    @contextmanager
    def audited(self) -> Iterator[None]:
        """Write down a try that fails; one that succeeds is written down along with what it changes."""
        try:
            yield
        except Exception as error:
            outcome: AuditOutcome = "refused" if isinstance(error, BindingRefused) else "failed"
            reason = error.message if isinstance(error, ShelfgateError) else type(error).__name__
            with self.store.write() as session:
                session.add(self.entry(session, outcome, reason))
            raise

    def entry(self, session: Session, outcome: AuditOutcome, reason: str = "") -> AuditEntry:
        """Make the entry for the audit trail."""
        subject = f"{self.shop_id}/{self.channel}"
        return audit_entry(
            self.actor,
            self.channel,
            self.action,
            subject,
            outcome,
            database_now(session),
            shop_id=self.shop_id,
            reason=reason,
        )

    def check_allowed(self, may: May) -> None:
        """Refuse what the actor may not do, before anything else is looked at."""
        if self.actor.shop_id != self.shop_id:
            raise BindingRefused(
                f"不能{TITLES[self.action]}其他店铺；请使用该店铺的账号", self.action, self.actor.id
            )
        verdict = may(self.actor, self.action)
        if verdict.allowed is not True:
            raise BindingRefused(f"不能{TITLES[self.action]}：{verdict.reason}", self.action, self.actor.id)

    def check_state(self, session: Session) -> None:
        """Refuse an action that does not fit what the shop is now."""
        if self.action == "bind":
            self.unbound(session)
        else:
            self.bound_row(session, lock=False)

    def unbound(self, session: Session) -> None:
        """Make sure that there is a shop, and no binding of it."""
        if session.get(Shop, self.shop_id) is None:
            raise self.wrong_state("不存在；请先登记店铺")
        if session.get(BindingRow, (self.shop_id, self.channel)) is not None:
            raise self.wrong_state(f"已绑定 {self.channel}；请改用更换凭据，或先解绑")

    def bound_row(self, session: Session, *, lock: bool) -> BindingRow:
        """Give the binding, locked where it is to be changed."""
        row = session.get(BindingRow, (self.shop_id, self.channel), with_for_update=lock or None)
        if row is None:
            raise self.wrong_state(f"尚未绑定 {self.channel}；请先绑定")
        return row

    def wrong_state(self, what: str) -> BindingStateError:
        """Say what the shop is, and which action is the right one."""
        return BindingStateError(f"店铺 {self.shop_id} {what}", self.shop_id, self.channel)


def _enter(attempt: _Attempt, vault: Vault, may: May, probe: Probe, credentials: Credentials) -> Binding:
    with attempt.audited():
        attempt.check_allowed(may)
        with attempt.store.read() as session:
            attempt.check_state(session)
        check_complete(credentials, probe.fields)
        try_on_channel(credentials, probe)
        sealed = vault.seal(
            json.dumps(dict(credentials)), shop_id=attempt.shop_id, field=_field(attempt.channel)
        )
        try:
            with attempt.store.write() as session:
                return _keep(session, attempt, sealed)
        except StoreConflict:
            raise attempt.wrong_state("的绑定刚刚被其他人更改；请刷新后再试") from None


def _keep(session: Session, attempt: _Attempt, sealed: str) -> Binding:
    now = database_now(session)
    if attempt.action == "bind":
        attempt.unbound(session)
        row = BindingRow(shop_id=attempt.shop_id, channel=attempt.channel)
        session.add(row)
    else:
        row = attempt.bound_row(session, lock=True)
    row.credentials, row.bound_by, row.bound_at, row.tried_at = sealed, attempt.actor.id, now, now
    session.add(attempt.entry(session, "done"))
    return _binding(row)


def _binding(row: BindingRow) -> Binding:
    return Binding(
        shop_id=row.shop_id,
        channel=row.channel,
        bound_by=row.bound_by,
        bound_at=row.bound_at,
        tried_at=row.tried_at,
    )


def _field(channel: str) -> str:
    return f"bindings.credentials.{channel}"
