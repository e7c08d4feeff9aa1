"""Answer a request that is repeated with its idempotency key as it was answered the first time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from engine.errors import ShelfgateError
from pipeline.callers import Caller
from pipeline.store import KeyedRequest, Store, StoreError, database_now, insert_for

SILENCE = timedelta(seconds=10)
"""How long a request may say nothing that holds a key; after that it is taken to have died with its process."""

TELL_EVERY = 2.0
"""Seconds after which a request that still runs says so, again and again."""

KEPT = timedelta(days=2)
"""How long answers are kept."""


class KeyInUse(ShelfgateError):
    """Report that the request that holds the key is still under way: ask again in a moment."""


class KeyMisused(ShelfgateError):
    """Refuse a key that was used for another request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold an answer as it was given.

    Attributes:
        location: Its `Location`; None where it has none.
    """

    status: int
    body: bytes
    media_type: str
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Name a key and the request that holds it.

    Attributes:
        started_at: When the request began: a later one that has taken the key over is another.
        made: Id of what an earlier request under the key had made when it died; None for nothing.
    """

    shop_id: str
    caller: str
    key: str
    started_at: datetime
    made: str | None = None


def begin(store: Store, caller: Caller, key: str, fingerprint: str) -> Answer | Hold:
    """Begin a request, or give the answer that it was given before.

    Args:
        store: Where keys are kept.
        caller: Who asks; keys of others are others.
        key: The idempotency key.
        fingerprint: Hash of the request.

    Returns:
        The answer of before; or a hold on the key where the request is to be carried out, and then ended with `finish` or `forget`.

    Raises:
        KeyInUse: The first request is still under way.
        KeyMisused: The key was used for a different request.
    """
    mine = {"shop_id": caller.actor.shop_id, "caller": caller.key, "key": key}
    with store.write() as session:
        now = database_now(session)
        session.execute(delete(KeyedRequest).where(KeyedRequest.started_at < now - KEPT))
        known = _known(session, mine, fingerprint, now)
        if known is None:
            return Hold(**mine, started_at=now)
        if known.fingerprint != fingerprint:
            raise KeyMisused("这个 Idempotency-Key 已用于另一个请求；请为新的请求换一个")
        if known.status is not None:
            return Answer(known.status, known.body or b"", known.media_type or "", known.location)
        if now - known.alive_at < SILENCE:
            raise KeyInUse("同一个请求正在处理；请稍后用同一个 Idempotency-Key 再问")
        known.started_at = known.alive_at = now
        made = known.made
    return Hold(**mine, started_at=now, made=made)


@contextmanager
def alive(store: Store, hold: Hold) -> Iterator[None]:
    """Say now and then that the request is still under way, for as long as the block runs, however long that is."""
    ended = threading.Event()

    def tell() -> None:
        while not ended.wait(TELL_EVERY):
            with suppress(StoreError), store.write() as session:
                now = database_now(session)
                session.execute(update(KeyedRequest).where(*_held(hold)).values(alive_at=now))

    teller = threading.Thread(target=tell, name="alive", daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()


def note_made(session: Session, hold: Hold, made: str) -> None:
    """Keep what a request makes along with it: whoever takes its key over, should it die, finds it and makes no second one.

    Args:
        session: The session of `Store.write()` in which it is made.
        hold: The request's hold on its key.
        made: Id of what is made.

    Raises:
        KeyInUse: Another request has taken the key over; what this one makes is not to be kept.
    """
    changed = update(KeyedRequest).where(*_held(hold)).values(made=made).returning(KeyedRequest.key)
    if session.scalars(changed).one_or_none() is None:
        raise KeyInUse("这个 Idempotency-Key 已由后来的同一个请求接手；请稍后再问")


def finish(store: Store, hold: Hold, answer: Answer) -> None:
    """Keep the answer of a request that was carried out; not where it took so long that another has taken its key over."""
    with store.write() as session:
        session.execute(update(KeyedRequest).where(*_held(hold)).values(**asdict(answer)))


def forget(store: Store, hold: Hold) -> None:
    """Free the key of a request that came to nothing on the way, so that it may be tried again; what it had made is still known then."""
    with store.write() as session:
        session.execute(delete(KeyedRequest).where(*_held(hold), KeyedRequest.made.is_(None)))
        long_ago = database_now(session) - SILENCE
        session.execute(update(KeyedRequest).where(*_held(hold)).values(alive_at=long_ago))


def _known(session: Session, mine: dict[str, str], fingerprint: str, now: datetime) -> KeyedRequest | None:
    """Give the request that has the key already; None where the key was free, and is now held."""
    insert = insert_for(session, KeyedRequest).values(
        fingerprint=fingerprint, started_at=now, alive_at=now, **mine
    )
    wanted = select(KeyedRequest).filter_by(**mine).with_for_update()
    while session.scalars(insert.on_conflict_do_nothing().returning(KeyedRequest.key)).one_or_none() is None:
        if (
            known := session.scalars(wanted).one_or_none()
        ) is not None:  # else it was freed in this very moment
            return known
    return None


def _held(hold: Hold) -> tuple[ColumnElement[bool], ...]:
    return (
        KeyedRequest.shop_id == hold.shop_id,
        KeyedRequest.caller == hold.caller,
        KeyedRequest.key == hold.key,
        KeyedRequest.started_at == hold.started_at,
        KeyedRequest.status.is_(None),
    )
