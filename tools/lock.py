"""Write `constraints.txt`: one exact version, with hashes, of everything this project may install.

The resolution holds for every Python from 3.11 on and for Linux and macOS alike. It names no package index,
so that whoever installs uses the index that their own machine is set to.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
HEADING = (
    "# Written by `make lock` from pyproject.toml. Exact versions, all extras; edit pyproject.toml instead.\n"
)


def command(*, upgrade: bool) -> list[str]:
    """Spell the uv command that resolves everything.

    Args:
        upgrade: Take the newest versions, instead of keeping those in `constraints.txt` where they still fit.

    Returns:
        Program and arguments; the program writes to `constraints.txt`.
    """
    words = (
        f"{sys.executable} -m uv pip compile pyproject.toml --all-extras --universal --python-version 3.11"
    )
    quiet = "--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet"
    return [
        *words.split(),
        *quiet.split(),
        *(["--upgrade"] if upgrade else []),
        "--output-file",
        CONSTRAINTS.name,
    ]


def main() -> None:
    """Resolve, write and put the heading back."""
    subprocess.run(command(upgrade="--upgrade" in sys.argv[1:]), cwd=ROOT, check=True)
    text = CONSTRAINTS.read_text(encoding="utf-8")
    if "://" in text:
        sys.exit("constraints.txt names an address; it must hold versions and hashes only")
    CONSTRAINTS.write_text(HEADING + text, encoding="utf-8")


if __name__ == "__main__":
    main()
