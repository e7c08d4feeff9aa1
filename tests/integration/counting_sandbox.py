"""Run the sandboxes as a process of their own, and note when which request came in.

`python counting_sandbox.py CONFIG LOG`: prints Huiju's address, then Youzan's, runs until it is told to stop.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from channels.huiju import HuijuCredentials
from channels.sandbox import Sandbox, SandboxConfig, Seed, read_seed
from channels.sandbox.faults import FaultInjector, FaultPlan
from channels.youzan import YouzanCredentials


def main(config: str, log: str) -> None:
    wanted = json.loads(config)
    reference, products = wanted["reference"], wanted["products"]
    seed = read_seed(Path(products), reference) if products else Seed(reference=reference)
    set_up = SandboxConfig(
        huiju=HuijuCredentials(*wanted["credentials"]),
        youzan=YouzanCredentials(*wanted["youzan"]),
        huiju_per_second=wanted["per_second"],
        youzan_per_second=wanted["per_second"],
    )
    with (
        Path(log).open("a", encoding="utf-8", buffering=1) as lines,
        Sandbox(seed, config=set_up) as sandbox,
    ):
        sandbox.huiju.faults.set(FaultPlan.from_json(wanted["faults"]))
        note(sandbox.huiju.faults, lines.write)
        print(sandbox.huiju.base_url, sandbox.youzan.base_url, sep="\n", flush=True)
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
