"""What is done around every request: it is named, its reply is completed, measured and logged.

Plain WSGI: a hook of the framework that adds a dozen headers costs several times as much, with every request of every service.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import request
from structlog.contextvars import bind_contextvars, clear_contextvars

from api import measures

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger("api")

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What every reply carries."""

OF_PAGES = {
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""What pages carry beside it; to a program it says nothing (OWASP, REST Security Cheat Sheet)."""

_USUAL = {name.lower(): (name, value) for name, value in {**HEADERS, "Cache-Control": "no-store"}.items()}
_USUAL_OF_PAGES = _USUAL | {name.lower(): (name, value) for name, value in OF_PAGES.items()}
"""What a reply carries that does not say otherwise itself, by its name in lower case."""

_ID = "shelfgate.request_id"


def request_id() -> str:
    """Give the name of this request, 16 hex digits, by which its log lines and its reply are told to be its own."""
    return str(request.environ.get(_ID, ""))


class Around:
    """Wrap an app.

    Args:
        app: What answers.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the app does."""
        began = time.perf_counter()
        environ[_ID] = name = f"{random.getrandbits(64):016x}"
        clear_contextvars()
        bind_contextvars(request_id=name)

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], object]:
            said = {name.lower(): value for name, value in headers}
            usual = _USUAL_OF_PAGES if said.get("content-type", "").startswith("text/html") else _USUAL
            more = [header for lower, header in usual.items() if lower not in said]
            code, seconds = int(status[:3]), time.perf_counter() - began
            route, method = request.url_rule.rule if request.url_rule else "", environ["REQUEST_METHOD"]
            measures.observe(route, method, code, seconds)
            about = {"method": method, "route": route, "status": code, "ms": round(seconds * 1000, 1)}
            log.info("请求", extra={"fields": about})
            return start_response(status, [*headers, *more, ("X-Request-Id", name)], exc_info)

        return self._app(environ, start)
