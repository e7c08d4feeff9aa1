"""The HTTP face of the Huiju sandbox."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.wrappers import Response

from channels.huiju.codec import Codec, unflatten
from channels.huiju.crypto import decrypt, encrypt
from channels.huiju.envelope import HuijuCredentials
from channels.huiju.profile import Endpoint, Profile
from channels.sandbox.faults import FaultInjector
from channels.sandbox.huiju import after_sales, orders, products
from channels.sandbox.huiju.gate import Gate
from channels.sandbox.huiju.lists import REFERENCE, Lists
from channels.sandbox.huiju.state import HuijuState, Record, Refused

Handler = Callable[[HuijuState, Mapping[str, Any], str], Record]


def handlers(faults: FaultInjector) -> dict[str, Handler]:
    """Return what answers each endpoint of the profile."""
    lists = Lists(faults)
    return {
        "system_time": lambda state, params, request_id: {"timestamp": int(state.clock() * 1000)},
        "order_increment": lists.orders,
        "order_detail": orders.detail,
        "order_deliver": orders.deliver,
        "logistics_add": orders.add_parcel,
        "logistics_update": orders.update_parcel,
        "logistics_remove": orders.remove_parcel,
        "after_sale_increment": lists.after_sales,
        "after_sale_detail": after_sales.detail,
        "after_sale_audit": after_sales.audit,
        "product_add": products.add,
        "product_get": products.get,
        "stock_query": products.stock_query,
        "stock_update": products.stock_update,
        **{endpoint: lists.reference(endpoint) for endpoint in REFERENCE},
    }


class HuijuApp:
    """Answer requests as the profile says.

    Args:
        state: What there is.
        credentials: The one shop that is known.
        gate: Lets requests in.
        faults: Spoils pages.
    """

    def __init__(
        self, state: HuijuState, credentials: HuijuCredentials, gate: Gate, faults: FaultInjector
    ) -> None:
        self._state = state
        self._profile = state.profile
        self._gate = gate
        self._handlers = handlers(faults)
        self._by_path = {endpoint.path: endpoint for endpoint in self._profile.endpoints.values()}
        self._codec = Codec(
            self._profile,
            encrypt=lambda text: encrypt(text, credentials.data_key),
            decrypt=lambda cipher: decrypt(cipher, credentials.data_key),
        )
        self.flask = Flask("huiju-sandbox", static_folder=None)
        self.flask.json.ensure_ascii = False  # type: ignore[attr-defined]  # DefaultJSONProvider has it, its base hasn't
        self.prefix = base_path(self._profile)
        self.flask.add_url_rule(f"{self.prefix}/<path:path>", "call", self._call, methods=["POST"])

    def _call(self, path: str) -> Response:
        try:
            data = self._answer("/" + path)
        except Refused as refused:
            return self.refusal(refused)
        names = self._profile.reply
        ok = self._profile.codes["ok"]
        return self._json({names["code"]: ok.value, names["message"]: ok.title, names["data"]: data})

    def _answer(self, path: str) -> Record:
        endpoint = self._by_path.get(path)
        if endpoint is None:
            raise Refused("unknown_path", path)
        params, request_id = self._gate.open(request.get_json(force=True, silent=True))
        payload = self._read(endpoint, params)
        with self._state.lock:
            reply = copy.deepcopy(self._handlers[endpoint.name](self._state, payload, request_id))
        return self._codec.to_wire(reply, endpoint.reply)

    def _read(self, endpoint: Endpoint, params: Mapping[str, str]) -> Record:
        try:
            payload = self._codec.from_wire(unflatten(params, endpoint.request), endpoint.request)
        except ValueError as error:
            raise Refused("bad_request", str(error)) from None
        missing = [
            field.wire
            for field in endpoint.request.values()
            if not field.optional and field.name not in payload
        ]
        if missing:
            raise Refused("bad_request", f"缺少 {'、'.join(missing)}")
        return payload

    def refusal(self, refused: Refused) -> Response:
        """Return a refusal in the channel's envelope; one for rate says when to come again."""
        entry, names = self._profile.codes[refused.code], self._profile.reply
        message = f"{entry.title}：{refused.detail}" if refused.detail else entry.title
        data = self._codec.to_wire(refused.data or {}, self._profile.endpoints["product_add"].reply) or None
        response = self._json({names["code"]: entry.value, names["message"]: message, names["data"]: data})
        if refused.code == "rate_limited":
            response.status_code = 429
            response.headers["Retry-After"] = str(math.ceil((refused.data or {}).get("wait", 1)))
        return response

    def too_many(self) -> Response:
        """Return the refusal of a request that comes too soon."""
        return self.refusal(Refused("rate_limited"))

    def _json(self, body: Record) -> Response:
        return Response(self.flask.json.dumps(body), content_type="application/json; charset=utf-8")


def base_path(profile: Profile) -> str:
    """Return the path part of the channel's address, without a slash at its end."""
    return urlsplit(profile.base_url).path.rstrip("/")
