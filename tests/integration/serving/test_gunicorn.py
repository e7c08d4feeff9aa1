"""Many processes behind one address, on both databases: gunicorn answers, `shelfgate worker` works, and both end when told to."""

from __future__ import annotations

import json
import re
import signal
import socket
from pathlib import Path

import httpx
import pytest

from tests.acceptance.served import (
    BIN,
    House,
    added,
    furnish,
    rows_that_pass,
    sandbox_for,
    send,
    sheet,
    wait_until,
)
from tests.integration.demo_shop import ROOT

WORKERS = 2


@pytest.fixture
def house(address: str, tmp_path: Path) -> House:
    house = furnish(tmp_path, address)
    (tmp_path / "metrics").mkdir()
    house.own |= {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"), "PYTHONPATH": str(ROOT)}
    return house


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


def is_up(client: httpx.Client, path: str = "/healthz") -> bool:
    try:
        return client.get(path).status_code == 200
    except httpx.TransportError:
        return False


def test_uploads_come_to_their_end_metrics_are_added_up_and_all_processes_end(house: House) -> None:
    port, metrics_port = free_port(), free_port()
    words = [
        BIN / "gunicorn", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "64",
        "--workers", str(WORKERS), "--no-control-socket", "--logger-class", "api.gunicorn_logs.Logger", "api.wsgi:app()",
    ]  # fmt: skip
    work = [BIN / "shelfgate", "worker", "--metrics-port", str(metrics_port)]
    rows = rows_that_pass()[:3]
    with (
        sandbox_for(house) as sandbox,
        house.run(*words) as served,
        house.run(*work, log="worker.txt") as worker,
    ):
        served.address = f"http://127.0.0.1:{port}"
        with served.client() as client:
            client.headers["Connection"] = "close"  # so that both processes are asked
            wait_until(lambda: is_up(client))
            upload = send(client, sheet(rows))
            wait_until(lambda: client.get(f"/v1/uploads/{upload}").json()["state"] == "done")
            for _ in range(20):
                assert 200 == client.get("/v1/rulesets").status_code
            counted = client.get("/metrics").text
        with httpx.Client(base_url=f"http://127.0.0.1:{metrics_port}", trust_env=False) as client:
            assert is_up(client, "/metrics")
        with served.client() as client, client.stream("GET", f"/v1/uploads/{upload}/events") as stream:
            assert 200 == stream.status_code
            stream.read()
        assert dict.fromkeys((row[0] for row in rows), 1) == dict(added(sandbox))
        assert (0, 0) == (worker.end(), served.end(signal.SIGTERM))
    (count,) = re.findall(
        r'^shelfgate_request_seconds_count\{method="GET",route="/v1/rulesets",status="200"\} (\S+)$',
        counted,
        re.MULTILINE,
    )
    assert 20.0 == float(count)
    assert "shelfgate_queue_items" in client_names(counted)
    assert 'shelfgate_decisions_total{outcome="accepted",ruleset="huiju/eligibility"} 3.0' in counted
    for name in ("log.txt", "worker.txt"):
        lines = [json.loads(line) for line in (house.folder / name).read_text("utf-8").splitlines()]
        assert {"at", "level", "logger", "message"} <= set.intersection(*(set(line) for line in lines))
    (checked,) = [line for line in lines if line["message"].endswith("检查完")]
    assert upload == checked["upload_id"]


def client_names(text: str) -> set[str]:
    return set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
