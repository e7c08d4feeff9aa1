"""Install a wheel into an environment of its own and run the command from an empty folder.

The libraries it depends on are lent by the environment that this runs in, so that no network is needed;
the project's own packages come from the wheel alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from pathlib import Path

PROOF = "import {room}, sys; sys.exit(not {room}.__file__.startswith(sys.prefix))"


def top_level(wheel: Path) -> set[str]:
    """List the names that a wheel puts into an environment.

    Args:
        wheel: The built file.

    Returns:
        Importable names, without the wheel's own record of itself.
    """
    with zipfile.ZipFile(wheel) as archive:
        names = {name.split("/")[0] for name in archive.namelist()}
    return {name for name in names if not name.endswith(".dist-info")}


def install(wheel: Path, folder: Path) -> Path:
    """Make an environment that holds the wheel, and lend it this one's libraries.

    Args:
        wheel: The built file.
        folder: Where the environment goes.

    Returns:
        The environment's folder of commands.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    commands = folder / "bin"
    offline = ["--quiet", "--no-index", "--no-deps", "--disable-pip-version-check"]
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(commands / "python"), "install", *offline, str(wheel)],
        check=True,
    )
    (site,) = folder.glob("lib/python*/site-packages")
    # A path in a .pth file is searched, but .pth files found there are not read: the editable install stays out.
    (site / "lent.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return commands


def main() -> None:
    """Try the wheel named on the command line; the other arguments are the names it must hold, and no others."""
    wheel, expected = Path(sys.argv[1]).resolve(), set(sys.argv[2:])
    if top_level(wheel) != expected:
        sys.exit(f"The wheel holds {sorted(top_level(wheel))}, and should hold {sorted(expected)}")
    with tempfile.TemporaryDirectory() as folder:
        commands = install(wheel, Path(folder) / "environment")
        empty = Path(folder) / "empty"
        empty.mkdir()
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        for room in sorted(expected):
            proof = [str(commands / "python"), "-c", PROOF.format(room=room)]
            subprocess.run(proof, check=True, cwd=empty, env=clean)
        subprocess.run([str(commands / "shelfgate"), "rules", "lint"], check=True, cwd=empty, env=clean)


if __name__ == "__main__":
    main()
