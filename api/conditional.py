"""Replies that the caller may have already: sent with an ETag, and not sent again while it is the same."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask import Response, request


def with_etag(data: Any) -> Response:
    """Give JSON data with its ETag; nothing but 304 where the caller has it already."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    response = Response(body, content_type="application/json")
    response.set_etag(hashlib.sha256(body).hexdigest()[:32])
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response
