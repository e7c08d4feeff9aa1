"""Steer a running sandbox from outside: faults, what buyers do, a look at its state. Not part of any real system."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, request
from werkzeug.wrappers import Response

from channels.sandbox.faults import FaultInjector, FaultPlan
from channels.sandbox.server import ADMIN

Act = Callable[..., Any]


def add_admin(
    flask: Flask,
    faults: FaultInjector,
    snapshot: Callable[[], Any],
    acts: Mapping[str, Act],
    refused: type[Exception],
) -> None:
    """Add the steering routes to a sandbox.

    ``GET /_sandbox/state`` everything it holds · ``GET /_sandbox/faults`` counts · ``POST /_sandbox/faults`` a plan
    ``{rates: {fault: probability}, seed, paths, most, latency}``, ``{}`` for none · ``POST /_sandbox/next``
    ``{faults: [fault], path}`` · ``POST /_sandbox/act/<act>`` with the act's arguments.

    Args:
        flask: The application.
        faults: What is steered.
        snapshot: Gives the state as plain data.
        acts: Name to what it does.
        refused: Raised by acts that can't be done.
    """

    def answer(body: Any, status: int = 200) -> Response:
        return Response(flask.json.dumps(body), status, content_type="application/json; charset=utf-8")

    def state() -> Response:
        return answer(snapshot())

    def fault_counts() -> Response:
        return answer({fault.value: count for fault, count in sorted(faults.counts.items())})

    def set_plan() -> Response:
        try:
            faults.set(FaultPlan.from_json(_body()))
        except (ValueError, TypeError) as error:
            return answer({"error": str(error)}, 422)
        return fault_counts()

    def set_next() -> Response:
        body = _body()
        try:
            faults.next(body.get("faults") or [], str(body.get("path") or ""))
        except (ValueError, TypeError) as error:
            return answer({"error": str(error)}, 422)
        return fault_counts()

    def act(name: str) -> Response:
        if name not in acts:
            return answer({"error": f"没有 {name}，可用：{'、'.join(sorted(acts))}"}, 404)
        try:
            return answer({"id": acts[name](**_body())})
        except (refused, TypeError) as error:
            return answer({"error": str(error)}, 422)

    flask.add_url_rule(f"{ADMIN}/state", "state", state, methods=["GET"])
    flask.add_url_rule(f"{ADMIN}/faults", "fault_counts", fault_counts, methods=["GET"])
    flask.add_url_rule(f"{ADMIN}/faults", "set_plan", set_plan, methods=["POST"])
    flask.add_url_rule(f"{ADMIN}/next", "set_next", set_next, methods=["POST"])
    flask.add_url_rule(f"{ADMIN}/act/<name>", "act", act, methods=["POST"])


def _body() -> dict[str, Any]:
    body = request.get_json(force=True, silent=True)
    return body if isinstance(body, dict) else {}
