"""What `constraints.txt` promises: one exact, hashed version of everything, from whatever index a machine uses."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[^ ]+)(?: ; (?P<marker>[^\\]+))? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


def lines() -> list[str]:
    """Read the pins, without comments."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


def pins() -> dict[str, str]:
    """Read the pinned version of each package."""
    return {match["name"]: match["version"] for match in map(PIN.fullmatch, lines()) if match}


def requirements() -> list[Requirement]:
    """Read what pyproject.toml asks for: to build, to run, and for every extra."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = declared["project"]
    extras = [text for extra in project["optional-dependencies"].values() for text in extra]
    return [
        Requirement(text)
        for text in (*declared["build-system"]["requires"], *project["dependencies"], *extras)
    ]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Load tools/environment.py, which is a script and in no package."""
    spec = importlib.util.spec_from_file_location("environment", ROOT / "tools" / "environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "environment", module)
    spec.loader.exec_module(module)
    return module


def test_every_line_is_an_exact_version_or_a_hash() -> None:
    """So no line can name an index, a host or a folder of one machine."""
    assert [line for line in lines() if not PIN.fullmatch(line) and not HASH.fullmatch(line)] == []


def test_every_requirement_is_pinned_to_a_version_that_it_allows() -> None:
    pinned = pins()
    unmet = [
        str(requirement)
        for requirement in requirements()
        if not requirement.specifier.contains(
            pinned.get(canonicalize_name(requirement.name), "0"), prereleases=True
        )
        or canonicalize_name(requirement.name) not in pinned
    ]
    assert unmet == []


def test_the_compiled_package_is_parted_from_the_others_with_its_hashes(
    environment: ModuleType, tmp_path: Path
) -> None:
    """Without a compiler the others are still installed, each against its hash."""
    pinned = tmp_path / "constraints.txt"
    one, two, three = (f"    --hash=sha256:{digit * 64}\n" for digit in "123")
    pinned.write_text(
        f"# heading\nclick==8 \\\n{one}durable-rules==2 \\\n{two}flask==3 ; marker \\\n{three}", "utf-8"
    )
    assert environment.split(pinned) == (
        f"durable-rules==2 \\\n{two}",
        f"click==8 \\\n{one}flask==3 ; marker \\\n{three}",
    )


def test_the_two_parts_of_our_own_pins_are_the_whole(environment: ModuleType) -> None:
    compiled, ready = environment.split(ROOT / "constraints.txt")
    assert sorted(lines()) == sorted((compiled + ready).splitlines())
    assert compiled.startswith("durable-rules==")
