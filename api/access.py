"""Who asks, and whether they may: told by a token or a session, once for each request."""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock

from flask import request

from api.problems import Problem
from api.routes import Route
from api.services import services
from pipeline.callers import Caller, caller_of_session, caller_of_token

COOKIE = "shelfgate_session"
REMEMBERED = 5.0
"""Seconds for which a token is known without asking the store: so long one that is revoked elsewhere may still open."""

MOST_REMEMBERED = 1000
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="shelfgate"'}


class KnownTokens:
    """Remember tokens for a moment, so that a service that asks often does not ask the store each time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[str, tuple[float, Caller]] = OrderedDict()

    def find(self, value: str) -> Caller | None:
        """Give who holds a token; None where it opens nothing."""
        now = time.monotonic()
        with self._lock:
            found = self._known.get(value)
        if found is not None and now - found[0] < REMEMBERED:
            return found[1]
        caller = caller_of_token(services().store, value)
        with self._lock:
            self._known.pop(value, None)
            if caller is not None:
                self._known[value] = (now, caller)
                while len(self._known) > MOST_REMEMBERED:
                    self._known.popitem(last=False)
        return caller

    def forget(self) -> None:
        """Forget all, as when one was revoked here."""
        with self._lock:
            self._known.clear()


def caller_of_request(tokens: KnownTokens) -> Caller | None:
    """Give who asks; None for nobody known.

    Raises:
        Problem: A token was sent that opens nothing: it is never passed over.
    """
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, value = header.partition(" ")
        caller = tokens.find(value.strip()) if scheme.lower() == "bearer" and value.strip() else None
        if caller is None:
            raise Problem("not-signed-in", "令牌无效、已过期或已作废；请换一个", headers=CHALLENGE)
        return caller
    cookie = request.cookies.get(COOKIE)
    return caller_of_session(services().store, cookie) if cookie else None


def let_in(route: Route, caller: Caller | None) -> None:
    """Let a caller in who may ask for what a route gives.

    Raises:
        Problem: They may not.
    """
    if route.scope is None and not route.signed_in:
        return
    if caller is None:
        raise Problem("not-signed-in", "请登录，或在 Authorization 里带上令牌", headers=CHALLENGE)
    if route.signed_in and caller.by != "session":
        raise Problem("forbidden", "这个地址只给登录的人用，令牌不行")
    if route.scope is not None and route.scope not in caller.scopes:
        raise Problem("forbidden", f"没有权限 {route.scope}；请由管理员给出这个权限，或换一个账号")
