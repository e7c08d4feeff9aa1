"""Serve the app on a socket from this process; told to stop, let what is under way come to its end first.

The server is waitress. Its own way to stop drops requests that wait for a thread and replies that are not sent yet, so the loop around
its sockets is ours: it goes on, without taking new connections, until the last reply is out.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from waitress import create_server, wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer

from mappings.sheet_file import MOST_BYTES
from pipeline.crew import Crew

log = logging.getLogger("api.serving")

THREADS = 64
"""Requests answered at a time, so that as many progress streams as are let in leave room for others."""

MOST_CONNECTIONS = 1000
"""Connections open at a time; those beyond wait to be taken."""

MOST_BODY = MOST_BYTES + 1_000_000
"""Bytes of a body that are taken in at all: the largest sheet and what is sent around it. Each route has its own limit below this."""

LOOK = 1.0
"""Seconds between two looks whether to stop, where no signal wakes the loop."""

SILENCE = 0.3
"""Seconds without a word after which a connection is taken to have no request on its way here."""

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Server:
    """Hold the sockets.

    Args:
        app: What answers.
        host: Address or name to listen on.
        port: Port to listen on; 0 for any that is free.
        threads: Requests answered at a time, ≥ 1.
        proxied: Whether a proxy's `X-Forwarded-For` is let through to the app.

    Raises:
        OSError: The port can't be had.
    """

    def __init__(
        self, app: App, *, host: str, port: int, threads: int = THREADS, proxied: bool = False
    ) -> None:
        self._watched: dict[int, Any] = {}
        self._server = create_server(
            app,
            map=self._watched,
            host=host,
            port=port,
            threads=threads,
            connection_limit=MOST_CONNECTIONS,
            max_request_body_size=MOST_BODY,
            asyncore_use_poll=True,
            ident=None,
            clear_untrusted_proxy_headers=not proxied,
        )

    @property
    def address(self) -> str:
        """Give where it is reached."""
        server = self._listening()[0]
        host = f"[{server.effective_host}]" if ":" in server.effective_host else server.effective_host
        return f"http://{host}:{server.effective_port}"

    def wake(self) -> None:
        """Have the loop look at once whether to stop; may be called from a signal's handler."""
        for server in self._listening():
            server.pull_trigger()

    def run(self, stop: threading.Event) -> None:
        """Answer requests until told to stop."""
        while not stop.is_set():
            self._turn(LOOK)

    def drain(self, seconds: float) -> int:
        """Take no more connections, answer every request that has come in, and close.

        Args:
            seconds: How long at the most.

        Returns:
            Requests that were cut off.
        """
        end = time.monotonic() + seconds
        for server in self._listening():
            known = -1
            while known != (known := len(self._watched)):  # whoever has connected is let in, one each time
                server.handle_accept()
            wasyncore.dispatcher.close(server)  # its own `close` would close what wakes the loop, too
        while (channels := self._channels()) and time.monotonic() < end:
            for channel in channels:
                _hasten(channel)
            self._turn(0.05)
        cut_off = sum(1 for channel in channels if not _idle(channel))
        self._server.task_dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._watched, ignore_all=True)
        return cut_off

    def _turn(self, timeout: float) -> None:
        wasyncore.loop(timeout=timeout, use_poll=True, map=self._watched, count=1)

    def _listening(self) -> list[BaseWSGIServer]:
        return [item for item in list(self._watched.values()) if isinstance(item, BaseWSGIServer)]

    def _channels(self) -> list[HTTPChannel]:
        return [item for item in list(self._watched.values()) if isinstance(item, HTTPChannel)]


def _idle(channel: HTTPChannel) -> bool:
    """Say whether nothing is under way on a connection: no request, no half of one, no reply left to send."""
    return not channel.requests and channel.request is None and not channel.total_outbufs_len


def _hasten(channel: HTTPChannel) -> None:
    """Close a connection that is idle; have the others closed after their reply, and their clients told so."""
    if _idle(channel) and time.time() - channel.last_activity > SILENCE:
        channel.will_close = True
    for request in list(channel.requests):
        request.headers["CONNECTION"] = "close"


def serve(
    server: Server, crew: Crew, stop: threading.Event, grace: float, close_streams: Callable[[], None]
) -> bool:
    """Answer requests and work in the background until told to stop, then bring both to an end.

    Args:
        server: What answers.
        crew: What works in the background.
        stop: Ends both when set.
        grace: Seconds that this may take at the most.
        close_streams: Ends replies that would go on for long.

    Returns:
        Whether it ended because it was told to, and not because a part of the crew failed.
    """
    crew.start()
    server.run(stop)
    end = time.monotonic() + grace
    log.info("停止：不再接受新的请求，最多再等 %.0f 秒", grace)
    close_streams()
    if cut_off := server.drain(grace):
        log.warning("%d 个请求没有来得及答复", cut_off)
    crew.end(end - time.monotonic())
    log.info("已停止")
    return not crew.failed
