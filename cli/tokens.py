"""`shelfgate tokens`: what services show to the API (R5)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import cast, get_args

import click

from cli._store import opened, sign_in_as, store_option, user_option
from engine.wording import SHANGHAI
from pipeline.callers import LONGEST_LIFE, SCOPES, TokenLine, list_tokens, make_token, revoke_token
from pipeline.people import ROLE_TITLES
from pipeline.store import Role


@click.group("tokens")
def COMMAND() -> None:  # noqa: N802 - the name under which the command is found
    """管理服务访问接口用的令牌。"""


@COMMAND.command("new")
@click.argument("name")
@click.option("--role", type=click.Choice(get_args(Role)), required=True, help="服务以什么角色访问")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(sorted(SCOPES)),
    multiple=True,
    required=True,
    help="可以做什么，可写多个",
)
@click.option(
    "--days",
    type=click.IntRange(1, LONGEST_LIFE.days),
    default=90,
    show_default=True,
    help="有效几天",
)
@user_option
@store_option
def new(
    name: str,
    role: str,
    scopes: tuple[str, ...],
    days: int,
    login: str | None,
    password_file: Path | None,
    address: str,
) -> None:
    """为本店生成一个令牌，NAME 写明给哪个服务用。令牌的值只显示这一次，单独一行，写在标准输出上。"""
    with opened(address) as store:
        actor = sign_in_as(store, login, password_file)
        line, value = make_token(store, actor, name, cast("Role", role), scopes, timedelta(days=days))
    click.echo(f"已生成令牌 {line.id}，到 {_day(line)} 为止；请保存好下面的值，以后不再显示", err=True)
    click.echo(value)


@COMMAND.command("list")
@user_option
@store_option
def show(login: str | None, password_file: Path | None, address: str) -> None:
    """列出本店的令牌，不含它们的值。"""
    with opened(address) as store:
        actor = sign_in_as(store, login, password_file)
        for line in list_tokens(store, actor.shop_id):
            state = "已作废" if line.revoked_at else f"到 {_day(line)}"
            scopes = "、".join(line.scopes)
            click.echo(f"{line.id}\t{line.name}\t{ROLE_TITLES[line.role]}\t{scopes}\t{state}")


@COMMAND.command("revoke")
@click.argument("token_id", metavar="ID")
@user_option
@store_option
def revoke(token_id: str, login: str | None, password_file: Path | None, address: str) -> None:
    """作废一个令牌；正在运行的服务最多过几秒就不再认它。"""
    with opened(address) as store:
        revoke_token(store, sign_in_as(store, login, password_file), token_id)
    click.echo(f"已作废令牌 {token_id}")


def _day(line: TokenLine) -> str:
    return line.expires_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
