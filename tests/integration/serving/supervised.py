"""Processes that are started again whenever they end, as whoever runs a service has it."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from tests.acceptance.served import House, wait_until

LOOK = 0.1
PAUSE = 0.5
"""Seconds until a process that ended by itself is started again."""


@dataclass
class _Kept:
    """Hold a process.

    Attributes:
        said: Bytes of its log when it started.
        killed: It was killed on purpose.
    """

    words: tuple[str | Path, ...]
    process: subprocess.Popen[bytes]
    said: int
    killed: bool = False


@dataclass
class Supervisor:
    """Keep processes running.

    Attributes:
        house: The folder and the environment that they run in.
        kills: How often each was killed.
        ended: Names and exit codes of processes that ended otherwise, in order.
    """

    house: House
    kills: Counter[str] = field(default_factory=Counter)
    ended: list[tuple[str, int]] = field(default_factory=list)
    _kept: dict[str, _Kept] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)

    def keep(self, name: str, *words: str | Path) -> None:
        """Start a process and keep it running; what it says goes to a log of its name."""
        with self._lock:
            self._kept[name] = self._start(name, words)

    def kill(self, name: str) -> None:
        """Kill a process as `kill -9` does."""
        with self._lock:
            kept = self._kept[name]
            if kept.process.poll() is None:
                kept.killed = True
                self.kills[name] += 1
                kept.process.kill()
                kept.process.wait()

    def is_at_work(self) -> bool:
        """Say whether all have begun: each has logged something since it started."""
        with self._lock:
            return all(self._log(name).stat().st_size > kept.said for name, kept in self._kept.items())

    def end(self) -> dict[str, int]:
        """Tell all to end, once they are at work, and give their exit codes."""
        wait_until(self.is_at_work)
        self._stop.set()
        self._thread.join()
        for kept in self._kept.values():
            kept.process.send_signal(signal.SIGTERM)
        return {name: kept.process.wait(timeout=60) for name, kept in self._kept.items()}

    def __enter__(self) -> Supervisor:
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        for kept in self._kept.values():
            with suppress(ProcessLookupError):
                kept.process.kill()
            kept.process.wait()

    def _watch(self) -> None:
        while not self._stop.wait(LOOK):
            with self._lock:
                over = [(name, kept) for name, kept in self._kept.items() if kept.process.poll() is not None]
            for name, kept in over:
                if not kept.killed:
                    self.ended.append((name, kept.process.returncode))
                    self._stop.wait(PAUSE)
                with self._lock:
                    self._kept[name] = self._start(name, kept.words)

    def _log(self, name: str) -> Path:
        return self.house.folder / f"{name}.log"

    def _start(self, name: str, words: tuple[str | Path, ...]) -> _Kept:
        with self._log(name).open("ab") as log:
            said = log.tell()
            process = subprocess.Popen(
                words,
                cwd=self.house.folder,
                env=self.house.environment(),
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        return _Kept(words, process, said)
