"""Put the files that browsers get and others made into `api/static/`, from the packages that `package.json` pins.

Run by `make assets`, after npm has brought the packages; users need neither. What is put there is committed, with a manifest of hashes
that a test holds against the files and the pin.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULES = ROOT / "node_modules"
STATIC = ROOT / "api" / "static"
MANIFEST = STATIC / "assets.json"
TAKEN = {
    "swagger-ui-dist": {
        "swagger-ui.css": "swagger/swagger-ui.css",
        "swagger-ui-bundle.js": "swagger/swagger-ui-bundle.js",
        "swagger-ui-bundle.js.LICENSE.txt": "swagger/swagger-ui-bundle.js.LICENSE.txt",
        "LICENSE": "swagger/LICENSE",
        "NOTICE": "swagger/NOTICE",
    }
}
"""By package, which of its files is taken, and where in `api/static/` it goes."""


def main() -> None:
    """Copy the files, and write down from which version they are and what they hash to."""
    manifest = {}
    for package, files in TAKEN.items():
        home = MODULES / package
        if not home.is_dir():
            sys.exit(f"{package} is not in node_modules: run `make assets`, which has npm bring it")
        for source, target in files.items():
            place = STATIC / target
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(home / source, place)
        version = json.loads((home / "package.json").read_text(encoding="utf-8"))["version"]
        manifest[package] = {"version": version, "files": {name: digest(name) for name in files.values()}}
    MANIFEST.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def digest(name: str) -> str:
    """Hash a file of `api/static/`."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
