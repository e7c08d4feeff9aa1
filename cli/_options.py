"""What several commands share: the rules to use, the moment asked for, facts from files."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, time
from pathlib import Path
from typing import Any, TypeVar

import click

from engine.constants import read_date, read_datetime
from engine.diagnostics import Diagnostics, render
from engine.facts import admit
from engine.read import read_file
from engine.rulebook import Channel, Rulebook, find_manifest, load
from engine.schemas import plain_data
from engine.suggest import did_you_mean
from engine.vocabulary import Fact
from engine.wording import SHANGHAI
from pipeline.catalogue import InputError

Command = TypeVar("Command", bound=Callable[..., Any])


class Moment(click.ParamType[datetime]):
    """Take a day in Asia/Shanghai or a moment with its zone.

    Args:
        at: The time of day that a day stands for.
    """

    name = "日期"

    def __init__(self, at: time = time(12)) -> None:
        self._at = at

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Turn what was typed into an aware moment."""
        if isinstance(value, datetime):
            return value
        day = read_date(value)
        moment = datetime.combine(day, self._at, SHANGHAI) if day is not None else read_datetime(value)
        if moment is None:
            self.fail(f"{value!r} 不是日期；例如 2022-03-08 或 2022-03-08T09:00:00+08:00", param, ctx)
        return moment


def rules_option(command: Command) -> Command:
    """Add `--rules`."""
    text = "规则清单 rulesets.yaml 或它所在的文件夹；不写时用当前文件夹的，再没有时用随程序安装的"
    return click.option("--rules", type=click.Path(path_type=Path, exists=True), help=text)(command)


def as_of_option(command: Command) -> Command:
    """Add `--as-of`."""
    return click.option("--as-of", type=Moment(), help="以哪一天（或哪一刻）的规则为准；不写时为现在")(
        command
    )


def channel_option(command: Command) -> Command:
    """Add `--channel`."""
    return click.option("--channel", default=None, help="渠道；不写时为清单里的第一个")(command)


def load_rules(rules: Path | None) -> Rulebook:
    """Load the rules to use, and show what is worth a warning."""
    rulebook = load(find_manifest(rules))
    if rulebook.warnings:
        click.echo(render(rulebook.warnings, rulebook.sources), err=True, nl=False)
    return rulebook


def pick_channel(rulebook: Rulebook, name: str | None) -> Channel:
    """Give the channel named, or the first."""
    if name is None:
        return next(iter(rulebook.channels.values()))
    if name not in rulebook.channels:
        raise click.BadParameter(
            f"没有渠道 {name!r}；{did_you_mean(name, rulebook.channels)}", param_hint="--channel"
        )
    return rulebook.channels[name]


def now() -> datetime:
    """Give the moment now, with its zone; the one place where a command looks at the clock."""
    return datetime.now(tz=SHANGHAI)


def read_fact(path: Path, fact: Fact) -> dict[str, Any]:
    """Read one fact from a YAML or JSON file.

    Args:
        path: The file.
        fact: What it should hold.

    Returns:
        The fact.

    Raises:
        InputError: The file can't be read, or does not hold the fact; each mistake is named by path.
    """
    if path.suffix.lower() == ".json":
        try:
            data = json.loads(path.read_bytes())
        except RecursionError as error:
            raise InputError(str(path), "JSON 嵌套太深") from error
        except (OSError, ValueError) as error:
            raise InputError(str(path), f"读不到 JSON：{error}") from error
    else:
        diagnostics = Diagnostics()
        source, root = read_file(path, str(path), diagnostics)
        if diagnostics.failed or root is None:
            raise InputError(str(path), render(diagnostics.in_order(), {str(path): source}))
        data = plain_data(root)
    admitted, problems = admit(fact.type, data)
    if problems:
        lines = [
            f"  {item.path}：{item.message}".replace("  ：", "  ") + (f"（{item.hint}）" if item.hint else "")
            for item in problems
        ]
        raise InputError(str(path), "\n".join([f"不是一个{fact.type.title}：", *lines]))
    found: dict[str, Any] = admitted
    return found
