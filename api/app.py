"""Make the service's app: resources and pages found by their files, every request checked the same way, every error a problem document."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_wtf.csrf import CSRFError, CSRFProtect
from structlog.contextvars import bind_contextvars
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix

from api import assets, console, measures, streams
from api.access import KnownTokens, caller_of_request, let_in
from api.around import Around, request_id
from api.bodies import read_json
from api.pages import pages
from api.problems import BY_STATUS, Problem, problem_of, respond
from api.resources import resources
from api.routes import JSON, Ask, Reply, Resource, Route, written
from api.schemas import Checker
from api.services import Services
from engine.errors import ShelfgateError
from engine.facts import shown
from pipeline import keyed_requests
from pipeline.store import StoreError
from pipeline.validating import ShopTables

log = logging.getLogger("api")

IDEMPOTENCY_KEY = "Idempotency-Key"
LONGEST_KEY = 200
LONGEST_ID = 200
"""Characters of a parameter of the path; nothing that is there has a longer id or name."""

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def create_app(services: Services, config: Mapping[str, Any] | None = None) -> Flask:
    """Make the app.

    Args:
        services: What it works with.
        config: Flask settings that replace the app's own.

    Returns:
        A WSGI app.
    """
    app = Flask("api", static_folder=None)
    app.session_interface = _Sessions()
    newest, *older = services.vault.derived("cookies")
    app.config.update(
        SECRET_KEY=newest,
        SECRET_KEY_FALLBACKS=older,
        SESSION_COOKIE_NAME="shelfgate_csrf",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=services.settings.secure_cookies,
        MAX_CONTENT_LENGTH=1_000_000,
        MAX_FORM_MEMORY_SIZE=1_000_000,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )
    app.config.update(config or {})
    # Else `//v1` is answered by a redirect to whatever host the caller names.
    app.url_map.merge_slashes = False
    services.install(app)
    app.wsgi_app = Around(app.wsgi_app)  # type: ignore[method-assign]
    if proxies := services.settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=0)  # type: ignore[method-assign]
    gate = _Gate(CSRFProtect(app))
    app.register_error_handler(Exception, _failed)
    for resource in (*resources(), *pages()):
        for route in resource.routes:
            app.add_url_rule(
                route.rule,
                f"{resource.name}.{route.name}",
                gate.view(route, resource),
                methods=[route.method],
            )
    assets.install(app)
    app.extensions["shelfgate.tokens"] = gate.tokens
    app.extensions["shelfgate.tables"] = ShopTables(services.store)
    app.extensions[streams.EXTENSION] = streams.Streams(services.store, services.settings)
    measures.install(app, services)
    return app


class _Sessions(SecureCookieSessionInterface):
    """Make nothing ready to read a cookie where none was sent, as no service sends one."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        return super().open_session(app, request)


class _Gate:
    """See every request through: who asks, whether they may, whether it is what the route takes, and whether it was asked before."""

    def __init__(self, csrf: CSRFProtect) -> None:
        self.tokens = KnownTokens()
        self._csrf = csrf

    def view(self, route: Route, resource: Resource) -> Callable[..., Response]:
        """Make the function that answers a route's requests."""
        checker = (
            Checker(route.body, resource.schemas) if route.body is not None and not route.reads else None
        )
        limits = {name: Checker(schema, {}) for name, schema in route.path_schemas.items()}

        def answer(**values: str) -> Response:
            request.max_content_length = route.most
            caller = caller_of_request(self.tokens) if route.scope or route.signed_in else None
            let_in(route, caller)
            if caller is not None:
                bind_contextvars(shop_id=caller.actor.shop_id, caller=caller.key)
            if route.method in UNSAFE and (caller is None or caller.by == "session"):
                _from_here()
                if caller is not None:
                    self._csrf.protect()
            for name, value in values.items():
                mistakes = limits[name].mistakes(value) if name in limits else []
                if mistakes or "\0" in value or len(value) > LONGEST_ID:
                    raise Problem("not-found", f"没有 {name} 为 {shown(value)} 的内容", mistakes)
            if named := {name: value for name, value in values.items() if name.endswith("_id")}:
                bind_contextvars(**named)
            ask = Ask(caller, route.read_query(request.args))
            if checker is not None and route.media == JSON:
                ask.body = read_json(route.most)
                if mistakes := checker.mistakes(ask.body):
                    raise Problem("invalid", f"请求内容有 {len(mistakes)} 处不对", mistakes)
            if (
                route.acts
                and caller is not None
                and (key := request.headers.get(IDEMPOTENCY_KEY)) is not None
            ):
                return _once(route, ask, values, key)
            return _answered(route, ask, values)

        return answer


def _from_here() -> None:
    """Refuse what a page of another site, or of a neighbour under the same domain, has a browser send (Fetch Metadata).

    The cookies' SameSite keeps other sites out, but not neighbours, who may even set a cookie for the CSRF token of their own.

    Raises:
        Problem: The browser says that the request comes from elsewhere; programs say nothing of the kind.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Problem("csrf", "这个请求来自别的网站；请在本站的页面里操作")


def _answered(route: Route, ask: Ask, values: Mapping[str, str]) -> Response:
    given = route.handle(ask, **values)
    return (
        given if isinstance(given, Response) else written(given if isinstance(given, Reply) else Reply(given))
    )


def _once(route: Route, ask: Ask, values: Mapping[str, str], key: str) -> Response:
    """Carry a request out once for its key; the answer to a fault, or to haste, is not kept, so that it may be tried again."""
    if re.fullmatch(f"[!-~]{{1,{LONGEST_KEY}}}", key) is None:
        raise Problem("bad-request", f"{IDEMPOTENCY_KEY} 应是 1 至 {LONGEST_KEY} 个可见的 ASCII 字符")
    store, caller = ask.services.store, ask.who
    hold = keyed_requests.begin(store, caller, key, _fingerprint(ask))
    if isinstance(hold, keyed_requests.Answer):
        response = Response(hold.body, hold.status, content_type=hold.media_type)
        response.headers["Idempotent-Replayed"] = "true"
        if hold.location is not None:
            response.headers["Location"] = hold.location
        return response
    ask.hold, kept = hold, False
    try:
        try:
            with keyed_requests.alive(store, hold):
                response = _answered(route, ask, values)
        except ShelfgateError as error:
            response = respond(problem_of(error))
        except Problem as problem:
            response = respond(problem)
        if response.status_code < 500 and response.status_code != 429:
            kept = True
            answer = keyed_requests.Answer(
                response.status_code, response.get_data(), response.content_type or "", response.location
            )
            with suppress(StoreError):  # it is done: who asked is told so, whether it could be noted or not
                keyed_requests.finish(store, hold, answer)
        return response
    finally:
        if not kept:
            with suppress(StoreError):
                keyed_requests.forget(store, hold)


def _fingerprint(ask: Ask) -> str:
    """Hash a request: method, path, query and body; of a file its bytes."""
    digest = hashlib.sha256(f"{request.method} {request.full_path}\n{ask.body!r}".encode("utf-8", "replace"))
    for name, values in sorted(request.form.lists()) if ask.body is None else ():
        digest.update(f"\n{name}={values!r}".encode("utf-8", "replace"))
    for name, file in sorted(request.files.items(multi=True)) if ask.body is None else ():
        digest.update(f"\n{name} {file.filename!r} ".encode("utf-8", "replace"))
        digest.update(hashlib.sha256(file.stream.read()).digest())
        file.stream.seek(0)
    return digest.hexdigest()


def _failed(error: Exception) -> Response:
    """Tell whatever went wrong: as a page where a person asks, as a problem document otherwise."""
    problem = _problem(error)
    return console.respond(problem) if console.for_people() else respond(problem)


def _problem(error: Exception) -> Problem:
    """Make a problem of whatever went wrong; what is not ours is logged, and not told."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, ShelfgateError):
        return problem_of(error)
    if isinstance(error, CSRFError):
        return Problem("csrf", "请重新打开页面再试；用程序访问时请改用令牌")
    if isinstance(error, RequestEntityTooLarge):
        return Problem("too-large", f"请求超过 {request.max_content_length:,} 字节")
    status = (error.code if isinstance(error, HTTPException) else None) or 500
    if status in BY_STATUS:
        headers = {}
        if isinstance(error, MethodNotAllowed):
            headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return Problem(BY_STATUS[status], _about(status), headers=headers)
    log.error("请求出错", exc_info=error)
    return Problem("fault", f"服务出错，已记入日志；请把编号 {request_id()} 告诉管理员")


def _about(status: int) -> str:
    if status == 404:
        return f"没有地址 {request.path}；接口说明在 /v1/docs"
    if status == 405:
        return f"{request.path} 不支持 {request.method}"
    return "请求无法读取；请核对后重试"
