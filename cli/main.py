"""The command `shelfgate`: each file of this folder that holds a `COMMAND` is one command, found by its name."""

from __future__ import annotations

import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import click

import cli
from engine.errors import ShelfgateError

BAD_USAGE = 2
INTERRUPTED = 130


class Commands(click.Group):
    """Find commands by file, and load only the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands by name."""
        del ctx
        names = (module.name for module in iter_modules(cli.__path__))
        return sorted(name.replace("_", "-") for name in names if name != "main" and not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"cli.{cmd_name.replace('-', '_')}").COMMAND
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; Ctrl-C ends it with a code of its own, as 1 would mean that something is rejected."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("\n已中断", err=True)
            sys.exit(INTERRUPTED)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was typed; say which one it is like where there is none."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from engine.suggest import did_you_mean

            hint = did_you_mean(args[0], self.list_commands(ctx), listed="可用命令")
            raise click.UsageError(f"没有命令 {args[0]!r}；{hint}", ctx) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="shelfgate")
def shelfgate() -> None:
    """按 YAML 规则检查要上架到渠道的商品，并说明每一处原因。"""


def main() -> None:
    """Run the command; an error that Shelfgate raises on purpose is shown in words and ends with exit code 2."""
    try:
        shelfgate()
    except ShelfgateError as error:
        from cli._advice import advice

        lines = [error.message.rstrip("\n"), advice(error)]
        click.echo("\n".join(filter(None, lines)), err=True)
        sys.exit(BAD_USAGE)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        click.echo(f"{name}读写失败：{error.strerror or error}", err=True)
        sys.exit(BAD_USAGE)
