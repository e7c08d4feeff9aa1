"""The HTTP face of the Youzan sandbox: status 200 always, each version in its own envelope."""

from __future__ import annotations

import copy
import uuid
from typing import Any

from flask import Flask, request
from werkzeug.wrappers import Response

from channels.sandbox.faults import FaultInjector
from channels.sandbox.limiter import Limiter
from channels.sandbox.youzan.apis import APIS
from channels.sandbox.youzan.state import Record, Refused, YouzanState
from channels.youzan.token import YouzanCredentials

_GATEWAY = frozenset({4005, 4101, 4201, 4203})


class YouzanApp:
    """Answer requests.

    Args:
        state: What there is.
        credentials: The one application and shop that are known.
        faults: Spoils pages.
        per_second: Calls per second and shop before 4101.
    """

    def __init__(
        self, state: YouzanState, credentials: YouzanCredentials, faults: FaultInjector, per_second: float
    ) -> None:
        self._state = state
        self._credentials = credentials
        self._faults = faults
        self._limiter = Limiter(per_second, state.clock)
        self.flask = Flask("youzan-sandbox", static_folder=None)
        self.flask.json.ensure_ascii = False  # type: ignore[attr-defined]  # DefaultJSONProvider has it, its base hasn't
        self.flask.add_url_rule("/auth/token", "token", self._token, methods=["POST"])
        self.flask.add_url_rule("/api/<api>/<version>", "call", self._call, methods=["POST"])

    def _token(self) -> Response:
        body = request.get_json(force=True, silent=True)
        known = self._credentials
        if not isinstance(body, dict) or body.get("authorize_type") != "silent":
            return self._json({"success": False, "code": 1000, "data": None, "message": "参数错误"})
        if body.get("client_id") != known.client_id or body.get("client_secret") != known.client_secret:
            return self._json({"success": False, "code": 1103, "data": None, "message": "Client 不存在"})
        if str(body.get("grant_id")) != known.kdt_id:
            return self._json({"success": False, "code": 1104, "data": None, "message": "店铺未授权"})
        with self._state.lock:
            grant = self._state.grant()
        return self._json({"success": True, "code": 200, "message": None, "data": grant})

    def _call(self, api: str, version: str) -> Response:
        trace = f"yz7-{uuid.uuid4().hex[:16]}"
        try:
            versions, handler = APIS.get(api, ((), None))
            if handler is None or version not in versions:
                raise Refused(4005)
            self._check_token(version)
            if self._limiter.wait() > 0:
                raise Refused(4101)
            params = request.get_json(force=True, silent=True)
            with self._state.lock:
                payload = copy.deepcopy(
                    handler(self._state, params if isinstance(params, dict) else {}, self._faults)
                )
        except Refused as refused:
            return self._json(_refusal(refused, version, trace))
        if _old(version):
            return self._json({"response": payload})
        return self._json({"trace_id": trace, "code": 200, "success": True, "message": None, "data": payload})

    def _check_token(self, version: str) -> None:
        """Refuse a request without a good token; only the query counts."""
        token = request.args.get("access_token", "")
        if not token:
            raise Refused(4201)
        with self._state.lock:
            good = self._state.tokens.get(token, 0.0) > self._state.clock()
        if not good:
            raise Refused(40010 if _old(version) else 4203)

    def too_many(self) -> Response:
        """Return the refusal of a request that comes too soon, as the published notice shows it."""
        return self._json({"msg": "请求太频繁", "code": 4101})

    def _json(self, body: Record) -> Response:
        return Response(self.flask.json.dumps(body), content_type="application/json; charset=utf-8")


def _old(version: str) -> bool:
    """Return whether a version answers in the first envelope, as the published samples of 3.0.0 and 4.0.0 do."""
    return version in ("3.0.0", "4.0.0")


def _refusal(refused: Refused, version: str, trace: str) -> dict[str, Any]:
    if refused.code == 40010:
        error = {"code": 40010, "msg": refused.message, "sub_code": 10000, "sub_msg": "", "sub_data": ""}
        return {"error_response": error}
    if refused.code in _GATEWAY:
        return {"gw_err_resp": {"trace_id": trace, "err_msg": refused.message, "err_code": refused.code}}
    if _old(version):
        return {"error_response": {"code": refused.code, "msg": refused.message}}
    return {"trace_id": trace, "code": refused.code, "success": False, "message": refused.message}
