"""The sessions of this project: the same ones for a developer and for `.ci/run`.

Every session runs in the environment that `make` keeps in `.venv`; none makes one of its own, so none needs a network.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nox

ROOMS = ("engine", "mappings", "channels", "pipeline", "api", "cli")
STRICT = ("engine", "mappings")
CHECKED = (*(room for room in ROOMS if room not in STRICT), "bench")

nox.needs_version = ">=2025"
nox.options.default_venv_backend = "none"
nox.options.sessions = ("lint", "types", "docs", "build", "property", "tests")


def python(session: nox.Session, *arguments: str) -> None:
    """Run a module or a script with the interpreter of this environment."""
    session.run(sys.executable, *arguments)


@nox.session
def lint(session: nox.Session) -> None:
    """Hold the code to the house style."""
    python(session, "-m", "ruff", "check", ".")
    python(session, "-m", "ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types: strictly where rules are read and facts are made, without that strictness elsewhere."""
    python(session, "-m", "mypy", "--strict", *STRICT)
    python(session, "-m", "mypy", *CHECKED, "tools", "noxfile.py")


@nox.session
def docs(session: nox.Session) -> None:
    """See that what is generated is what would be generated now."""
    python(session, "tools/generated.py", "--check")


@nox.session
def build(session: nox.Session) -> None:
    """Build the wheel, and run the command from it in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        python(session, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder)
        (wheel,) = Path(folder).glob("*.whl")
        python(session, "tools/try_wheel.py", str(wheel), *ROOMS)


@nox.session(name="property")
def properties(session: nox.Session) -> None:
    """Look for counterexamples to the laws; `--hypothesis-profile=full` looks longer."""
    python(session, "-m", "pytest", "tests/property", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run all other tests and the doctests, and measure which branches they take: those that measure a pace one by one, the rest side by side."""
    coverage = [*(f"--cov={room}" for room in ROOMS), "--cov-branch"]
    # Migrations are loaded by Alembic alone, within a migration.
    rest = ["--ignore=tests/property", "--ignore-glob=*/migrations/*", "--doctest-modules", "tests", *ROOMS]
    python(session, "-m", "pytest", "-m", "alone", *coverage, "--cov-report=", *rest)
    # By file, since what is set up once for a file is not to be set up, and found empty, in two processes; the long files come first.
    beside = ["-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder", "-m", "not soak and not alone"]
    python(session, "-m", "pytest", *beside, *coverage, "--cov-append", *rest, *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """Run the long tests: fifty kills over an upload of five hundred products, random histories of orders, on both databases."""
    python(session, "-m", "pytest", "-m", "soak", "tests", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the evaluator against a hand-written floor and against other engines."""
    python(session, "-m", "bench", *session.posargs)
