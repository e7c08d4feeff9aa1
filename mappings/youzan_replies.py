"""Take a Youzan reply out of its envelope.

Three envelopes live side by side (Youzan docs 2018–2024): `{"response": …}` of the 3.x APIs, `{"data": …, "success": true}` of
the 1.x and 4.x ones, and the failures `error_response`, `gw_err_resp` and `"success": false`, all with HTTP status 200.
"""

from __future__ import annotations

from typing import Any

from mappings.values import PayloadError

_FAILURES = ("error_response", "gw_err_resp")


def body_of(payload: object) -> dict[str, Any]:
    """Give the body of a reply; a payload without an envelope is its own body.

    Raises:
        PayloadError: The payload is no object, is the reply of a failed call, or has an envelope without a body.
    """
    if not isinstance(payload, dict):
        raise PayloadError("", payload, "JSON 对象")
    for key in _FAILURES:
        if payload.get(key) is not None:
            raise PayloadError(key, payload[key], "成功的返回；这是一次失败调用的返回，请重新取得")
    if payload.get("success") is False:
        raise PayloadError(
            "message", payload.get("message"), "成功的返回；这是一次失败调用的返回，请重新取得"
        )
    for key in ("response", "data"):
        if key in payload:
            body = payload[key]
            if not isinstance(body, dict):
                raise PayloadError(key, body, "对象")
            return body
    return payload
