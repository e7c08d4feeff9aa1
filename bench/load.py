"""Put load on a service from a process of its own: wrk where it is installed, a few threads of Python otherwise.

`python -m bench.load ADDRESS FILE TOKEN SECONDS CONNECTIONS` is the latter.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

WRK = shutil.which("wrk")
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


@dataclass(frozen=True, slots=True)
class Load:
    """Hold what a load met with.

    Attributes:
        requests: Requests that were answered.
        failed: Those of them that were not answered with 2xx, or not at all.
        seconds: How long it took, s.
        p50, p99: Latency, s.
    """

    requests: int
    failed: int
    seconds: float
    p50: float
    p99: float


def post(address: str, body: bytes, token: str, folder: Path, seconds: float, connections: int = 16) -> Load:
    """Post the same body over and over on some connections at once.

    Args:
        address: The whole address.
        body: JSON.
        token: Sent as bearer.
        folder: Where to put files.
        seconds: How long, s.
        connections: How many at once, ≥ 1.
    """
    (folder / "body.json").write_bytes(body)
    if WRK is None:
        words = [sys.executable, "-m", "bench.load", address, str(folder / "body.json"), token]
        run = subprocess.run(
            [*words, str(seconds), str(connections)], capture_output=True, text=True, check=True
        )
        return Load(*json.loads(run.stdout))
    script = folder / "post.lua"
    script.write_text(_SCRIPT.format(body=folder / "body.json", token=token), encoding="utf-8")
    words = [WRK, "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency", "-s", str(script)]
    run = subprocess.run([*words, address], capture_output=True, text=True, check=True)
    return _read(run.stdout)


_SCRIPT = """
local file = io.open("{body}", "rb")
wrk.method, wrk.body = "POST", file:read("*a")
wrk.headers["Content-Type"], wrk.headers["Authorization"] = "application/json", "Bearer {token}"
"""


def _read(printed: str) -> Load:
    """Read what wrk prints."""
    took = re.search(r"(\d+) requests in ([0-9.]+)(us|ms|s|m)", printed)
    latency = {
        share: float(value) * UNITS[unit]
        for share, value, unit in re.findall(r"(50|99)%\s+([0-9.]+)(us|ms|s|m)\b", printed)
    }
    refused = sum(int(count) for count in re.findall(r"Non-2xx or 3xx responses: (\d+)", printed))
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", printed)
    failed = refused + sum(map(int, broken.groups()) if broken else ())
    if took is None or len(latency) < 2:
        raise RuntimeError(f"wrk gave no figures:\n{printed}")
    return Load(int(took[1]), failed, float(took[2]) * UNITS[took[3]], latency["50"], latency["99"])


class Probe:
    """Ask one at a time, at an even pace, from a thread; note how long each answer takes.

    Args:
        address: The whole address.
        body: JSON.
        token: Sent as bearer.
        every: Seconds between two requests.
    """

    def __init__(self, address: str, body: bytes, token: str, every: float) -> None:
        self.took: list[float] = []
        self.failed = 0
        self._parts = urlsplit(address)
        self._body = body
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        self._every = every

    def run(self, seconds: float, ended: threading.Event | None = None) -> None:
        """Ask for some time, or until told to end."""
        end = time.monotonic() + seconds
        line = http.client.HTTPConnection(self._parts.netloc, timeout=60)
        while time.monotonic() < end and not (ended is not None and ended.is_set()):
            began = time.perf_counter()
            line.request("POST", self._parts.path, self._body, self._headers)
            reply = line.getresponse()
            reply.read()
            took = time.perf_counter() - began
            self.took.append(took)
            self.failed += reply.status >= 300
            time.sleep(max(0.0, self._every - took))
        line.close()


def percentiles(took: list[float]) -> tuple[float, float]:
    """Give the median and the 99th percentile."""
    cuts = quantiles(took, n=100, method="inclusive")
    return cuts[49], cuts[98]


def main() -> None:
    """Put load on a service with threads, and print what it met with."""
    address, file, token, seconds, connections = sys.argv[1:]
    probes = [Probe(address, Path(file).read_bytes(), token, 0.0) for _ in range(int(connections))]
    threads = [threading.Thread(target=probe.run, args=(float(seconds),)) for probe in probes]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = [value for probe in probes for value in probe.took]
    failed = sum(probe.failed for probe in probes)
    print(json.dumps([len(took), failed, time.monotonic() - began, *percentiles(took)]))


if __name__ == "__main__":
    main()
