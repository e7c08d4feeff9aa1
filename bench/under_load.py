"""Measure the service from outside: what a request costs, and how long it takes while other work goes on in the same process."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from bench.clock import Spread
from bench.data import sample
from bench.load import Load, Probe, percentiles, post
from bench.service import Prepared, Served, echo, prepare, shelfgate
from bench.sheets import SHEET, write

VALIDATE = "/v1/validate/huiju/eligibility"
CONNECTIONS = 16
EVERY = 0.02
"""Seconds between two requests of the probe."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Hold what a request cost.

    Attributes:
        cpu: CPU seconds of the server for each request, a round.
        rate: Requests per second, a round.
        last: What the last round met with.
    """

    cpu: Spread
    rate: Spread
    last: Load


@dataclass(frozen=True, slots=True)
class Latency:
    """Hold what a probe met with.

    Attributes:
        while_: What went on meanwhile.
        requests: How many it made.
        p50, p99, worst: s.
    """

    while_: str
    requests: int
    p50: float
    p99: float
    worst: float


def against_echo(folder: Path, rounds: int, seconds: float) -> tuple[Cost, Cost]:
    """Measure a request that judges one listing, and the echo of the same body, in interleaved rounds.

    Raises:
        RuntimeError: A request failed, or the listing was not accepted.
    """
    prepared = prepare(folder)
    ours: list[tuple[float, Load]] = []
    theirs: list[tuple[float, Load]] = []
    with echo(folder) as bare, shelfgate(prepared, "--no-worker") as served:
        _see_it_is_accepted(served, prepared)
        for path, warm in (("/echo", bare), (VALIDATE, served)):
            _round(warm, path, prepared, folder, 1.0)
        for _ in range(rounds):
            theirs.append(_round(bare, "/echo", prepared, folder, seconds))
            ours.append(_round(served, VALIDATE, prepared, folder, seconds))
    return _cost(ours), _cost(theirs)


def _round(served: Served, path: str, prepared: Prepared, folder: Path, seconds: float) -> tuple[float, Load]:
    before = served.cpu()
    load = post(served.address + path, prepared.body, prepared.token, folder, seconds, CONNECTIONS)
    if load.failed or not load.requests:
        raise RuntimeError(f"{load.failed} of {load.requests} requests to {path} failed")
    return (served.cpu() - before) / load.requests, load


def _cost(rounds: list[tuple[float, Load]]) -> Cost:
    cpu = Spread(tuple(spent for spent, _ in rounds))
    return Cost(cpu, Spread(tuple(load.requests / load.seconds for _, load in rounds)), rounds[-1][1])


def latencies(folder: Path, rows: int, streams: int, seconds: float) -> tuple[list[Latency], float]:
    """Measure how long requests take: alone, with progress streams open, and while a large upload is checked.

    Args:
        folder: An empty folder.
        rows: Rows of the upload.
        streams: Progress streams that are open.
        seconds: How long to probe alone, and with streams.

    Returns:
        The latencies, and how long the check took, s.
    """
    write(folder, rows)
    _, items = sample(rows)
    prepared = prepare(folder, items)
    with shelfgate(prepared, "--no-worker") as served:
        _see_it_is_accepted(served, prepared)
        found = [_probed("nothing else", served, prepared, seconds)]
        upload = _send(served, prepared)
        with _open_streams(served, prepared, upload, streams):
            found.append(_probed(f"{streams} progress streams open", served, prepared, seconds))
    # Now with the background work, which takes the upload up that was sent.
    with shelfgate(prepared) as served:
        took, probe = _while_checking(served, prepared, upload)
    found.append(_latency(f"{rows:,} rows being checked, same process", probe))
    return found, took


def _probed(name: str, served: Served, prepared: Prepared, seconds: float) -> Latency:
    probe = Probe(served.address + VALIDATE, prepared.body, prepared.token, EVERY)
    probe.run(seconds)
    return _latency(name, probe)


def _latency(name: str, probe: Probe) -> Latency:
    if probe.failed:
        raise RuntimeError(f"{probe.failed} of {len(probe.took)} requests failed while: {name}")
    return Latency(name, len(probe.took), *percentiles(probe.took), max(probe.took))


def _while_checking(served: Served, prepared: Prepared, upload: str) -> tuple[float, Probe]:
    """Probe until the upload is checked."""
    probe = Probe(served.address + VALIDATE, prepared.body, prepared.token, EVERY)
    ended = threading.Event()
    probing = threading.Thread(target=probe.run, args=(3600.0, ended))
    began = time.monotonic()
    probing.start()
    while _get(served, prepared, f"/v1/uploads/{upload}")["state"] in ("received", "checking"):
        time.sleep(0.5)
    took = time.monotonic() - began
    ended.set()
    probing.join()
    return took, probe


def _see_it_is_accepted(served: Served, prepared: Prepared) -> None:
    line = _line(served)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {prepared.token}"}
    line.request("POST", VALIDATE, prepared.body, headers)
    answer = json.loads(line.getresponse().read())
    line.close()
    if [result["outcome"] for result in answer.get("results", ())] != ["accepted"]:
        raise RuntimeError(f"the listing that is measured is not accepted: {answer}")


def _send(served: Served, prepared: Prepared) -> str:
    """Upload the sheet, and give the upload's id."""
    boundary = uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{SHEET}"\r\n\r\n'
    body = head.encode() + (prepared.folder / SHEET).read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    line = _line(served)
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    line.request("POST", "/v1/uploads", body, headers | {"Authorization": f"Bearer {prepared.token}"})
    reply = line.getresponse()
    answer = json.loads(reply.read())
    line.close()
    if reply.status != HTTPStatus.ACCEPTED:
        raise RuntimeError(f"the upload was not accepted: {answer}")
    return str(answer["id"])


def _get(served: Served, prepared: Prepared, path: str) -> dict[str, str]:
    line = _line(served)
    line.request("GET", path, headers={"Authorization": f"Bearer {prepared.token}"})
    answer: dict[str, str] = json.loads(line.getresponse().read())
    line.close()
    return answer


@contextmanager
def _open_streams(served: Served, prepared: Prepared, upload: str, count: int) -> Iterator[None]:
    lines: list[http.client.HTTPConnection] = []
    try:
        for _ in range(count):
            line = _line(served)
            line.request(
                "GET", f"/v1/uploads/{upload}/events", headers={"Authorization": f"Bearer {prepared.token}"}
            )
            reply = line.getresponse()
            if reply.status != 200 or not reply.readline():
                raise RuntimeError(f"stream {len(lines) + 1} was not opened: {reply.status}")
            lines.append(line)
        yield
    finally:
        for line in lines:
            line.close()


def _line(served: Served) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(served.address).netloc, timeout=60)
