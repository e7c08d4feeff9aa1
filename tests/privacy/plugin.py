"""Fail the run where something personal was put out that may not be; `tests/conftest.py` registers it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.privacy.watch import Watch, watch_commands, watch_log, watch_service

HANDED_ON = "privacy"
"""Under which name a process that runs a part of the tests hands on what it saw."""

PLANTED = "test_planted_"
"""Beginning of the names of the tests that plant leaks on purpose, in runs of their own; what they do is no output of the product."""


class Privacy:
    """Watch from the beginning of the run to its end.

    Attributes:
        watch: What was seen.
    """

    def __init__(self) -> None:
        self.watch = Watch()
        self._notes = Path(tempfile.mkdtemp(prefix="shelfgate-leaks-"))
        self._ends: list[Callable[[], None]] = []
        self._has_workers = False

    def pytest_sessionstart(self) -> None:
        """Begin to watch."""
        self._ends = [
            watch_service(self.watch),
            watch_log(self.watch),
            watch_commands(self.watch, self._notes / "leaks"),
        ]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Look at what was written, and fail the run where there are leaks."""
        for end in self._ends:
            end()
        factory: Any = getattr(session.config, "_tmp_path_factory", None)
        if factory is not None and factory._basetemp is not None and not self._has_workers:
            self.watch.look_at_folder(factory.getbasetemp(), lambda path: PLANTED in str(path))
        self.watch.read_notes(self._notes / "leaks")
        for file in self._notes.iterdir():
            file.unlink()
        self._notes.rmdir()
        self.watch.leaks = {leak for leak in self.watch.leaks if PLANTED not in leak.test}
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[HANDED_ON] = self.watch.as_data()
        elif self.watch.leaks:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a process saw that ran a part of the tests."""
        self._has_workers = True
        if found := getattr(node, "workeroutput", {}).get(HANDED_ON):
            self.watch.add(found)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell the leaks, and at how much was looked."""
        looked = ", ".join(f"{count:,} {output}" for output, count in self.watch.looked.items())
        terminalreporter.write_line(f"looked for what is personal in: {looked}")
        if self.watch.leaks:
            terminalreporter.section(f"{len(self.watch.leaks)} leaks of what is personal", red=True)
            for leak in sorted(self.watch.leaks)[:100]:
                terminalreporter.write_line(str(leak))
