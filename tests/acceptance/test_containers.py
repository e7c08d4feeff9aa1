"""Dockerfile, compose.yaml and the metrics page hold what they say; no container engine runs here, so that no image is built."""

from __future__ import annotations

import ast
import json
import re
import shlex
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from gunicorn.config import KNOWN_SETTINGS

from api.measures import REQUESTS
from cli.main import Commands
from engine.rulebook import find_manifest
from pipeline.live_rules import LiveRules
from pipeline.measures import CHANNEL_ERRORS, DECISIONS, FINDINGS, registry_of
from pipeline.store import migrate, open_store

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
GUIDE = (ROOT / "docs" / "howto" / "run.md").read_text(encoding="utf-8")
METRICS = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
OPTION = re.compile(r"--[a-z][a-z-]*")


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.*)$", DOCKERFILE, re.MULTILINE)


def options_of(*path: str) -> set[str]:
    """Give the options of one of our commands."""
    command: click.Command | None = Commands("shelfgate")
    for word in path:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), word)
        assert command is not None, path
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


def test_every_path_that_is_copied_is_there() -> None:
    copied = [line.split() for line in instructions("COPY") if not line.startswith("--from")]
    paths = [path for words in copied for path in words[:-1]]
    assert [] == [path for path in paths if not (ROOT / path).exists()]
    (packages,) = re.findall(
        r"^packages = (\[.*\])$", (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE
    )
    assert set(ast.literal_eval(packages)) | {"rules", "rulesets.yaml", "constraints.txt"} <= set(paths)


def test_the_image_is_not_run_as_root_and_takes_what_is_pinned() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER shelfgate$", last, re.MULTILINE)
    (install,) = [line for line in instructions("RUN") if "uv pip install" in line]
    assert "--constraint constraints.txt" in install
    assert '".[server,postgres,gunicorn]"' in install


def test_gunicorn_knows_each_option_that_it_is_given() -> None:
    known = {option for setting in KNOWN_SETTINGS for option in setting.cli or ()}
    (command,) = [json.loads(line) for line in instructions("CMD") if line.startswith("[")][-1:]
    assert "gunicorn" == command[0]
    assert [] == [word for word in command if word.startswith("--") and word not in known]
    assert "api.wsgi:app()" == command[-1]


def test_compose_runs_our_own_commands() -> None:
    assert {"database", "service", "worker"} == set(COMPOSE["services"])
    worker = COMPOSE["services"]["worker"]
    assert 2 == worker["deploy"]["replicas"]
    assert "shelfgate" == worker["command"][0]
    given = {word for word in worker["command"] if word.startswith("--")}
    assert given <= options_of(worker["command"][1])


def test_compose_sets_only_what_is_read_and_holds_no_secret() -> None:
    sources = [
        path.read_text("utf-8") for room in ("api", "pipeline", "cli") for path in (ROOT / room).rglob("*.py")
    ]
    read = set(re.findall(r'"(SHELFGATE_[A-Z_]+|PROMETHEUS_[A-Z_]+)"', "\n".join(sources)))
    for name in ("service", "worker"):
        own = COMPOSE["services"][name]["environment"]
        assert set(own) <= read
        secret = {key: value for key, value in own.items() if re.search("KEY|SECRET|STORE", key)}
        assert all(re.search(r"\$\{\w+:\?", value) for value in secret.values())


@pytest.mark.parametrize("line", re.findall(r"^\$ ((?:.*\\\n)*.*)", GUIDE, re.MULTILINE))
def test_the_commands_of_the_guide_exist_with_their_options(line: str) -> None:
    words = shlex.split(line.replace("\\\n", " ").replace("$(", " ").replace(")", " "), comments=True)
    if "shelfgate" not in words:
        return
    words = words[words.index("shelfgate") + 1 :]
    group = words[0] in ("shops", "users", "tokens", "keys")
    path = words[: 2 if group else 1]
    assert {word for word in words if OPTION.fullmatch(word)} <= options_of(*path)


def test_the_options_that_the_guide_names_exist() -> None:
    """The table names the counterpart of each setting among the options of `serve`."""
    named = {option for cell in re.findall(r"\| `(--[a-z-]+)` \|$", GUIDE, re.MULTILINE) for option in [cell]}
    assert named
    assert named <= options_of("serve")


def test_the_page_of_metrics_lists_what_there_is(tmp_path: Path) -> None:
    rows = re.findall(r"^\| `(shelfgate_\w+)` \| (\w+) \|([^|]*)\|", METRICS, re.MULTILINE)
    listed = {
        (name.removesuffix("_total"), kind): re.findall(r"`(\w+)`", labels) for name, kind, labels in rows
    }
    with closing(open_store(f"sqlite:///{tmp_path / 'store.db'}")) as store:
        migrate(store)
        told = list(registry_of(store, LiveRules(find_manifest(ROOT))).collect())
    assert set(listed) == {(item.name, item.type) for item in told if item.name.startswith("shelfgate_")}
    for counted in (REQUESTS, DECISIONS, FINDINGS, CHANNEL_ERRORS):
        assert list(counted._labelnames) == listed[counted._name, counted._type]
