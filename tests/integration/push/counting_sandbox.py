"""Run the sandboxes as a process of their own, and note when which request came in.

`python counting_sandbox.py CONFIG LOG`: prints Huiju's address as the first line, runs until it is told to stop.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from channels.huiju import HuijuCredentials
from channels.sandbox import Sandbox, SandboxConfig, Seed
from channels.sandbox.faults import FaultInjector, FaultPlan


def main(config: str, log: str) -> None:
    wanted = json.loads(config)
    seed = Seed(reference=wanted["reference"])
    identity = HuijuCredentials(*wanted["credentials"])
    with (
        Path(log).open("a", encoding="utf-8", buffering=1) as lines,
        Sandbox(seed, config=SandboxConfig(huiju=identity, huiju_per_second=wanted["per_second"])) as sandbox,
    ):
        sandbox.huiju.faults.set(FaultPlan.from_json(wanted["faults"]))
        note(sandbox.huiju.faults, lines.write)
        print(sandbox.huiju.base_url, flush=True)
        threading.Event().wait()


def note(faults: FaultInjector, write: object) -> None:
    """Note each request as it comes in: the first thing that is asked about one is whether it goes wrong."""
    draw = faults.draw

    def noting(path: str) -> object:
        write(f"{time.time():.6f} {path}\n")  # type: ignore[operator]
        return draw(path)

    faults.draw = noting  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    main(*sys.argv[1:])
