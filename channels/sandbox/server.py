"""Serve a WSGI application on loopback, and let its transport fail on request."""

from __future__ import annotations

import io
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from channels.sandbox.faults import Fault, FaultInjector

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ADMIN = "/_sandbox"
log = logging.getLogger("channels.sandbox")


class FaultyApp:
    """Stand between the socket and an application, and spoil what the injector says.

    Args:
        app: The application.
        faults: Decides what goes wrong.
        too_many: Makes the reply of a rate-limited request, in the channel's own words.
    """

    def __init__(self, app: WSGIApplication, faults: FaultInjector, too_many: Callable[[], Response]) -> None:
        self._app = app
        self._faults = faults
        self._too_many = too_many

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, well or badly."""
        path = str(environ.get("PATH_INFO", ""))
        if path.startswith(ADMIN):
            return self._app(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        fault = self._faults.draw(path)
        if fault is Fault.LATENCY:
            time.sleep(self._faults.seconds())
        elif fault is Fault.DROPPED:
            raise _hang_up(environ)
        elif fault is Fault.SERVER_ERROR:
            return Response("<h1>503 Service Unavailable</h1>", 503)(environ, start_response)
        elif fault is Fault.RATE_LIMITED:
            return self._too_many()(environ, start_response)

        reply = self._handle(environ, body)
        if fault is Fault.DELIVERED_TWICE:
            reply = self._handle(environ, body)
        elif fault is Fault.REPLY_LOST:
            raise _hang_up(environ)
        elif fault is Fault.REPLY_CUT:
            raise _hang_up(environ, reply.get_data())
        elif fault is Fault.ERROR_AFTER_EFFECT:
            reply = Response("<h1>502 Bad Gateway</h1>", 502)
        elif fault is Fault.REPLY_GARBLED:
            reply = Response(
                "<html><body>请稍候…</body></html>", 200, content_type="text/html; charset=utf-8"
            )
        return reply(environ, start_response)

    def _handle(self, environ: WSGIEnvironment, body: bytes) -> Response:
        """Let the application handle the request as if it had just arrived."""
        return Response.from_app(self._app, {**environ, "wsgi.input": io.BytesIO(body)}, buffered=True)


def _hang_up(environ: WSGIEnvironment, unfinished: bytes = b"") -> ConnectionError:
    """Close the connection, after the first half of a reply where one is given, and return what stops the handler."""
    connection: socket.socket = environ["werkzeug.socket"]
    try:
        if unfinished:
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(unfinished)}\r\n\r\n"
            connection.sendall(head.encode() + unfinished[: len(unfinished) // 2])
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        log.debug("连接已先行断开")
    return ConnectionAbortedError("sandbox fault")


class _QuietHandler(WSGIRequestHandler):
    """Handle requests without a line per request on standard error; keep connections open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Note a request without its query, which holds tokens."""
        log.debug("%s %s %s", self.command, self.path.partition("?")[0], code)

    def log(self, type: str, message: str, *args: Any) -> None:
        """Note whatever else the server has to say."""
        log.debug(message, *args)


class LoopbackServer:
    """Run an application on its own thread, a thread per connection.

    Args:
        app: The application.
        host: Address to listen on.
        port: Port to listen on, 0 for any free one.
    """

    def __init__(self, app: WSGIApplication, host: str = "127.0.0.1", port: int = 0) -> None:
        self._server: BaseWSGIServer = make_server(
            host, port, app, threaded=True, request_handler=_QuietHandler
        )
        self._thread = threading.Thread(target=self._serve, name=f"sandbox-{self._server.port}", daemon=True)
        self.address = f"http://{host}:{self._server.port}"

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.01)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(timeout=5)
        self._server.server_close()
