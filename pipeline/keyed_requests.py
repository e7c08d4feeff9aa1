"""Answer a request that is repeated with its idempotency key as it was answered the first time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from engine.errors import ShelfgateError
from pipeline.callers import Caller
from pipeline.store import KeyedRequest, Store, database_now, insert_for

LONGEST_RUN = timedelta(minutes=2)
"""How long a request may take that holds a key; after that it is taken to have died with its process."""

KEPT = timedelta(days=2)
"""How long answers are kept."""


class KeyInUse(ShelfgateError):
    """Report that the request that holds the key is still under way: ask again in a moment."""


class KeyMisused(ShelfgateError):
    """Refuse a key that was used for another request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold an answer as it was given."""

    status: int
    body: bytes
    media_type: str


def begin(store: Store, caller: Caller, key: str, fingerprint: str) -> Answer | None:
    """Begin a request, or give the answer that it was given before.

    Args:
        store: Where keys are kept.
        caller: Who asks; keys of others are others.
        key: The idempotency key.
        fingerprint: Hash of the request.

    Returns:
        The answer of before; None where the request is to be carried out, and then ended with `finish` or `forget`.

    Raises:
        KeyInUse: The first request is still under way.
        KeyMisused: The key was used for a different request.
    """
    with store.write() as session:
        now = database_now(session)
        session.execute(delete(KeyedRequest).where(KeyedRequest.started_at < now - KEPT))
        values = {"fingerprint": fingerprint, "started_at": now, **_mine(caller, key)}
        insert = insert_for(session, KeyedRequest).values(**values).on_conflict_do_nothing()
        if session.scalars(insert.returning(KeyedRequest.key)).one_or_none() is not None:
            return None
        known = _find(session, caller, key)
        if known.fingerprint != fingerprint:
            raise KeyMisused("这个 Idempotency-Key 已用于另一个请求；请为新的请求换一个")
        if known.status is not None:
            return Answer(known.status, known.body or b"", known.media_type or "")
        if now - known.started_at < LONGEST_RUN:
            raise KeyInUse("同一个请求正在处理；请稍后用同一个 Idempotency-Key 再问")
        known.started_at = now
    return None


def finish(store: Store, caller: Caller, key: str, answer: Answer) -> None:
    """Keep the answer of a request that was carried out."""
    with store.write() as session:
        values = {"status": answer.status, "body": answer.body, "media_type": answer.media_type}
        session.execute(update(KeyedRequest).filter_by(**_mine(caller, key)).values(**values))


def forget(store: Store, caller: Caller, key: str) -> None:
    """Free the key of a request that came to nothing on the way, so that it may be tried again."""
    with store.write() as session:
        session.execute(
            delete(KeyedRequest).filter_by(**_mine(caller, key)).where(KeyedRequest.status.is_(None))
        )


def _mine(caller: Caller, key: str) -> dict[str, str]:
    return {"shop_id": caller.actor.shop_id, "caller": caller.key, "key": key}


def _find(session: Session, caller: Caller, key: str) -> KeyedRequest:
    mine = _mine(caller, key)
    return session.get_one(KeyedRequest, (mine["shop_id"], mine["caller"], mine["key"]), with_for_update=True)
