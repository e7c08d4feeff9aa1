"""The walls of docs/architecture.md: who may import whom, what a folder may hold, and how long a module may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# For each room: the other rooms that it may import.
MAY_IMPORT = {
    "engine": set(),
    "channels": set(),
    "mappings": {"engine"},
    "pipeline": {"channels", "mappings", "engine"},
    "api": {"pipeline", "mappings", "engine"},
    "cli": {"pipeline", "channels", "mappings", "engine"},
}
# The one door in a wall: the command that starts the service needs the service.
DOORS = {("cli/serve.py", "api")}
# Beyond the rooms: folders of the project that no room may lean on.
OUTSIDE = {"bench", "tests", "tools"}

SHEETS = {"openpyxl", "xlsxwriter", "python_calamine"}
SERVICE = {"flask", "httpx", "waitress"}
DATABASE = {"sqlalchemy", "alembic", "psycopg", "sqlite3"}
# For each room: the libraries that have no business in it.
FOREIGN = {
    "engine": SHEETS | SERVICE | DATABASE,
    "channels": SHEETS | DATABASE,
    "mappings": SERVICE | DATABASE,
    "pipeline": {"flask"},
    "api": DATABASE | {"httpx"},
    "cli": DATABASE | {"httpx"},
}
LONGEST_MODULE = 400


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield each import of a module as its line and the top-level name that it reaches for.

    Args:
        tree: A parsed module; relative imports stay in its own room and are not told.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, name.name.split(".")[0]) for name in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield node.lineno, module.split(".")[0]
            case ast.Call(
                func=ast.Name(id="__import__" | "import_module") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(module)), *_],
            ):
                yield node.lineno, module.split(".")[0]


def breaches(root: Path) -> list[str]:
    """List every import under a root that goes through a wall, as `file:line imports name`."""
    found = []
    for room, allowed in MAY_IMPORT.items():
        forbidden = (MAY_IMPORT.keys() - allowed - {room}) | OUTSIDE | FOREIGN[room]
        for file in sorted((root / room).rglob("*.py")):
            shown = file.relative_to(root).as_posix()
            for line, name in imports(ast.parse(file.read_text(encoding="utf-8"))):
                if name in forbidden and (shown, name) not in DOORS:
                    found.append(f"{shown}:{line} imports {name}")
    return found


def strangers(root: Path) -> list[str]:
    """List everything in `rules/` that is not YAML."""
    files = (file for file in sorted((root / "rules").rglob("*")) if not file.is_dir())
    return [file.relative_to(root).as_posix() for file in files if file.suffix != ".yaml"]


def long_modules(root: Path) -> list[str]:
    """List every module that is longer than a reader holds in mind, as `file: lines`."""
    found = []
    for folder in (*MAY_IMPORT, "bench", "tools"):
        for file in sorted((root / folder).rglob("*.py")):
            length = len(file.read_text(encoding="utf-8").splitlines())
            if length > LONGEST_MODULE:
                found.append(f"{file.relative_to(root).as_posix()}: {length}")
    return found


def build(root: Path, files: dict[str, str]) -> Path:
    """Write files, given as path and text, under a root."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_no_import_goes_through_a_wall() -> None:
    assert breaches(ROOT) == []


def test_the_rules_folder_holds_nothing_but_yaml() -> None:
    assert strangers(ROOT) == []


def test_no_module_is_longer_than_a_reader_holds_in_mind() -> None:
    assert long_modules(ROOT) == []


def test_every_room_is_there_to_be_looked_at() -> None:
    """A room that was renamed would otherwise pass by being empty."""
    assert [room for room in MAY_IMPORT if not any((ROOT / room).rglob("*.py"))] == []


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("engine/plan.py", "import mappings", "engine/plan.py:1 imports mappings"),
        ("engine/plan.py", "from pipeline.store import tables", "engine/plan.py:1 imports pipeline"),
        ("engine/plan.py", "def later():\n    import flask", "engine/plan.py:2 imports flask"),
        ("engine/deep/er.py", "import httpx", "engine/deep/er.py:1 imports httpx"),
        ("engine/plan.py", "from openpyxl.cell import Cell", "engine/plan.py:1 imports openpyxl"),
        ("engine/plan.py", "import json, xlsxwriter", "engine/plan.py:1 imports xlsxwriter"),
        (
            "engine/plan.py",
            "from python_calamine import load_workbook",
            "engine/plan.py:1 imports python_calamine",
        ),
        ("engine/plan.py", "import sqlalchemy as sa", "engine/plan.py:1 imports sqlalchemy"),
        (
            "engine/plan.py",
            "import importlib\nimportlib.import_module('api.app')",
            "engine/plan.py:2 imports api",
        ),
        ("engine/plan.py", "__import__('tests.strategies')", "engine/plan.py:1 imports tests"),
        ("channels/wire.py", "from engine.errors import ShelfgateError", "channels/wire.py:1 imports engine"),
        ("mappings/rows.py", "import channels.youzan", "mappings/rows.py:1 imports channels"),
        ("mappings/rows.py", "import pipeline", "mappings/rows.py:1 imports pipeline"),
        ("pipeline/outbox.py", "import api", "pipeline/outbox.py:1 imports api"),
        ("pipeline/outbox.py", "import cli.main", "pipeline/outbox.py:1 imports cli"),
        ("api/orders.py", "import channels", "api/orders.py:1 imports channels"),
        ("api/orders.py", "from sqlalchemy import select", "api/orders.py:1 imports sqlalchemy"),
        ("api/orders.py", "from cli import main", "api/orders.py:1 imports cli"),
        ("cli/check.py", "from api import create_app", "cli/check.py:1 imports api"),
        ("cli/check.py", "from bench import inputs", "cli/check.py:1 imports bench"),
    ],
)
def test_an_import_through_a_wall_is_named_with_its_line(
    tmp_path: Path, file: str, text: str, expected: str
) -> None:
    assert breaches(build(tmp_path, {file: text})) == [expected]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (
            "engine/plan.py",
            "from engine.errors import ShelfgateError\nfrom . import source\nimport re2, yaml",
        ),
        ("mappings/rows.py", "import engine.plan\nfrom python_calamine import load_workbook"),
        ("pipeline/outbox.py", "import channels, engine, mappings, sqlalchemy"),
        ("api/orders.py", "import pipeline, engine, mappings, flask"),
        ("cli/check.py", "import pipeline, channels, engine, mappings, click"),
        ("cli/serve.py", "from api import create_app"),
    ],
)
def test_what_a_room_may_import_is_let_through(tmp_path: Path, file: str, text: str) -> None:
    assert breaches(build(tmp_path, {file: text})) == []


def test_a_script_among_the_rules_is_a_stranger(tmp_path: Path) -> None:
    files = {"rules/huiju/eligibility.yaml": "", "rules/huiju/eligibility.py": "", "rules/facts/.notes": ""}
    assert strangers(build(tmp_path, files)) == ["rules/facts/.notes", "rules/huiju/eligibility.py"]


def test_a_module_may_have_four_hundred_lines_and_no_more(tmp_path: Path) -> None:
    files = {"engine/full.py": "pass\n" * 400, "engine/over.py": "pass\n" * 401}
    assert long_modules(build(tmp_path, files)) == ["engine/over.py: 401"]
