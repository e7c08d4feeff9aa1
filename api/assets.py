"""Styles, scripts and pictures: read once, served under an address that holds their hash, and kept by browsers for a year."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Flask, Response, request

from api.problems import Problem

FOLDER = Path(__file__).with_name("static")
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""What is served, by extension; other files of the folder are not."""

FOR_GOOD = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


@dataclass(frozen=True, slots=True)
class Asset:
    """Hold one file.

    Attributes:
        version: Hash of its content, hex.
    """

    content: bytes
    media_type: str
    version: str


def install(app: Flask) -> None:
    """Let an app serve them, and its templates name them by `asset(name)`."""
    app.add_url_rule("/static/<path:name>", "static", send)
    app.jinja_env.globals["asset"] = address


@cache
def assets() -> Mapping[str, Asset]:
    """Give everything that is served, by its path in the folder; a name that is not among them leads nowhere."""
    found = {}
    for path in sorted(FOLDER.rglob("*")):
        if media_type := MEDIA_TYPES.get(path.suffix):
            content = path.read_bytes()
            version = hashlib.sha256(content).hexdigest()[:32]
            found[path.relative_to(FOLDER).as_posix()] = Asset(content, media_type, version)
    return found


def address(name: str) -> str:
    """Give the address of a file, which changes with its content."""
    return f"/static/{name}?v={assets()[name].version}"


def send(name: str) -> Response:
    """Send a file, or nothing but 304 where the browser has it; only an address with its hash is kept for good.

    Raises:
        Problem: There is no such file.
    """
    asset = assets().get(name)
    if asset is None:
        raise Problem("not-found", f"没有文件 {name}")
    response = Response(asset.content, content_type=asset.media_type)
    response.set_etag(asset.version)
    response.headers["Cache-Control"] = FOR_GOOD if request.args.get("v") == asset.version else ASK_AGAIN
    response.make_conditional(request)
    return response
