"""Replies that the caller may have already: sent with an ETag, and not sent again while it is the same."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask import Response, request

from api.routes import JSON


def with_etag(data: Any) -> Response:
    """Give JSON data with its ETag; nothing but 304 where the caller has it already, as `If-None-Match` tells."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    etag = hashlib.sha256(body).hexdigest()[:32]
    has_it = request.if_none_match.contains_weak(etag)
    response = Response(status=304) if has_it else Response(body, content_type=JSON)
    response.set_etag(etag)
    response.headers["Cache-Control"] = "no-cache"
    return response
