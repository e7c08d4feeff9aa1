"""The files that others made and browsers get from us are those that are pinned, to the byte, and come with their licence."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "api" / "static"
OURS = {"assets.json", "shelfgate.css", "shelfgate.js", "shelfgate.svg", "swagger/start.js"}


def read(name: str) -> Any:
    return json.loads((ROOT / name).read_text(encoding="utf-8"))


def test_every_file_of_others_is_as_the_manifest_says() -> None:
    manifest = read("api/static/assets.json")
    listed = {name: digest for package in manifest.values() for name, digest in package["files"].items()}
    found = {path.relative_to(STATIC).as_posix(): path for path in STATIC.rglob("*") if path.is_file()}
    assert listed == {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in found.items()
        if name not in OURS
    }


def test_the_manifest_the_pins_and_the_lock_name_the_same_versions() -> None:
    pins = read("package.json")["devDependencies"]
    locked = read("package-lock.json")["packages"]
    assert pins == {name: package["version"] for name, package in read("api/static/assets.json").items()}
    assert pins == {name: locked[f"node_modules/{name}"]["version"] for name in pins}
    assert all(item["integrity"].startswith("sha512-") for name, item in locked.items() if name)


def test_the_lock_names_no_registry() -> None:
    for name in ("package.json", "package-lock.json", ".npmrc"):
        assert not re.search(r"https?://|resolved\b\"|registry\s*=", (ROOT / name).read_text("utf-8")), name


def test_the_licence_comes_along() -> None:
    assert "Apache License" in (STATIC / "swagger" / "LICENSE").read_text("utf-8")
