"""Run a step in a process of its own, and tell what it cost: steps that share a process share their memory's peak."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run(module: str, step: str, folder: Path, more: Sequence[str] = ()) -> float:
    """Run `python -m MODULE STEP FOLDER …` and give its CPU seconds, from its start to its end.

    Args:
        module: The module; its `__main__` part takes the words.
        step: The step.
        folder: What the step works on; what it prints goes to a file there.
        more: Further words.

    Raises:
        RuntimeError: The step failed.
    """
    words = [sys.executable, "-m", module, step, str(folder), *more]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    log = folder / "log.txt"
    to_log = [
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    process = os.posix_spawn(words[0], words, environment, file_actions=to_log)
    _, status, usage = os.wait4(process, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError(f"the step {step!r} failed:\n{log.read_text(encoding='utf-8')}")
    return usage.ru_utime + usage.ru_stime


def peak() -> float:
    """Give the peak memory of this process in MB; what Linux tells the parent counts the parent's memory before the start too."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1e3
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage / (1e6 if sys.platform == "darwin" else 1e3)
