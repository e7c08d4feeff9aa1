"""Make `.venv`: everything that `constraints.txt` pins, and this project in editable form.

Needs a Python of 3.11 or later and nothing else; it uses uv where there is one, and pip otherwise. The second run
finds its stamp and touches neither the network nor the environment. durable-rules is the one package that is compiled
here: without a C compiler it is left out, which is said in a line, and which is an error where `CI` is set.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "shelfgate.json"
INPUTS = ("constraints.txt", "pyproject.toml", "tools/environment.py", "tools/wheel_rules.py")
COMPILED = "durable-rules"
# The 2020 source calls a function that Python 3.13 took away, and trips over what GCC 14 made errors of warnings.
PATCHES = (
    "-DPyEval_CallObject=PyObject_CallObject",
    "-Wno-error=implicit-function-declaration",
    "-Wno-error=incompatible-pointer-types",
    "-Wno-error=int-conversion",
)


def main() -> None:
    """Bring `.venv` up to date, or say why that can't be done."""
    if sys.version_info < (3, 11):  # noqa: UP036 # whoever starts this may have an older one
        sys.exit(
            f"Shelfgate needs Python 3.11 or later, and this is {sys.version.split()[0]}: make PYTHON=python3.12 …"
        )
    if not works(PYTHON):
        make_venv()
    obstacle = compiler_obstacle()
    wanted = {"inputs": digest(), "compiler": not obstacle}
    stamp = read_stamp()
    if {name: stamp.get(name) for name in wanted} != wanted or (stamp["obstacle"] and in_ci()):
        stamp = {**wanted, "obstacle": fill(obstacle)}
        STAMP.write_text(json.dumps(stamp), encoding="utf-8")
    if stamp["obstacle"]:
        print(
            f"!! {COMPILED} is left out, and with it the `durable` evaluator: {stamp['obstacle']}",
            file=sys.stderr,
        )
        if in_ci():
            sys.exit(1)


def in_ci() -> bool:
    """Tell whether a machine is judging this run, so that nothing may be left out."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def works(python: Path) -> bool:
    """Tell whether an interpreter starts, and is new enough."""
    probe = [str(python), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    return python.exists() and subprocess.run(probe, check=False, capture_output=True).returncode == 0


def make_venv() -> None:
    """Make an empty `.venv` with pip in it."""
    print("Making .venv …", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=False)
    if made.returncode:
        sys.exit("This Python can't make environments; on Debian and Ubuntu: apt install python3-venv")


def compiler_obstacle() -> str:
    """Say what is missing to compile an extension module.

    Returns:
        One line, or the empty text when nothing is missing.
    """
    compiler = (os.environ.get("CC") or "").split(" ")[0]
    if not any(shutil.which(name) for name in (compiler, "cc", "gcc", "clang") if name):
        return "there is no C compiler here (on Debian: apt install gcc python3-dev)"
    where = subprocess.run(
        [str(PYTHON), "-c", "import sysconfig; print(sysconfig.get_path('include'))"],
        check=True,
        capture_output=True,
        text=True,
    )
    if not (Path(where.stdout.strip()) / "Python.h").exists():
        return "there are no Python headers here (on Debian: apt install python3-dev)"
    return ""


def digest() -> str:
    """Hash the files that say what is to be installed, so that a change in any of them is noticed."""
    content = hashlib.sha256()
    for name in INPUTS:
        content.update((ROOT / name).read_bytes() + b"\0")
    return content.hexdigest()


def read_stamp() -> dict[str, object]:
    """Read what the last complete run left, or nothing."""
    try:
        found = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = {}
    return {"obstacle": "", **found}


def fill(obstacle: str) -> str:
    """Install everything into `.venv`.

    Args:
        obstacle: Why nothing can be compiled here; empty when it can.

    Returns:
        Why durable-rules is not installed; empty when it is.
    """
    print("Filling .venv from constraints.txt (the first time takes a minute) …", flush=True)
    STAMP.unlink(missing_ok=True)
    compiled, ready = split(ROOT / "constraints.txt")
    install("--require-hashes", "--no-deps", "--requirement", write("ready.txt", ready))
    install("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    if has_compiled():
        return ""
    if obstacle:
        return obstacle
    flags = " ".join([os.environ.get("CPPFLAGS", ""), *PATCHES]).strip()
    options = (
        "--require-hashes",
        "--no-deps",
        "--no-build-isolation",
        "--requirement",
        write("compiled.txt", compiled),
    )
    try:
        install(*options, environment={"CPPFLAGS": flags})
    except SystemExit as failure:
        print(failure, file=sys.stderr)
    return "" if has_compiled() else "it can't be compiled here, as told above"


def has_compiled() -> bool:
    """Tell whether durable-rules is in `.venv` and loads."""
    probe = [str(PYTHON), "-c", "import durable.lang"]
    return subprocess.run(probe, check=False, capture_output=True).returncode == 0


def split(constraints: Path) -> tuple[str, str]:
    """Part the pins into what is compiled here and what comes ready made.

    Args:
        constraints: Requirements, each one line and its hashes on continued lines.

    Returns:
        The two texts: durable-rules, and all the others.
    """
    compiled: list[str] = []
    ready: list[str] = []
    target = ready
    for line in constraints.read_text(encoding="utf-8").splitlines(keepends=True):
        if not line.startswith((" ", "#")):
            target = compiled if line.startswith(f"{COMPILED}==") else ready
        if not line.startswith("#"):
            target.append(line)
    return "".join(compiled), "".join(ready)


def write(name: str, text: str) -> str:
    """Put a list of requirements into `.venv` and return its path."""
    path = VENV / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def install(*arguments: str, environment: dict[str, str] | None = None) -> None:
    """Install into `.venv`, with uv or, where there is none or it fails, with pip.

    Args:
        arguments: Options that both understand.
        environment: Variables to set beside those of this process.

    Raises:
        SystemExit: When pip fails too; it has said why.
    """
    variables = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **(environment or {})}
    uv = shutil.which("uv", path=os.pathsep.join([os.environ.get("PATH", ""), str(PYTHON.parent)]))
    if uv:
        words = [uv, "pip", "install", "--quiet", "--python", str(PYTHON), *arguments]
        if subprocess.run(words, check=False, cwd=ROOT, env=variables).returncode == 0:
            return
        print("uv could not; trying pip …", flush=True)
    words = [str(PYTHON), "-m", "pip", "install", "-qq", "--use-pep517", *arguments]
    if subprocess.run(words, check=False, cwd=ROOT, env=variables).returncode:
        sys.exit("The packages can't be installed; the first run needs a package index, later runs need none")


if __name__ == "__main__":
    main()
