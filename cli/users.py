"""`shelfgate users`: the people who may sign in, each with a role in one shop (R5)."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

import click

from cli._options import channel_option, load_rules, pick_channel, rules_option
from cli._store import opened, pick_shop, read_secret, shop_option, sign_in_as, store_option, user_option
from pipeline.people import ROLE_TITLES, add_user, list_users
from pipeline.store import Role

NEW_PASSWORD = "SHELFGATE_NEW_PASSWORD"  # the name of the variable
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group("users")
def COMMAND() -> None:  # noqa: N802 - the name under which the command is found
    """管理可以登录的人。"""


@COMMAND.command("add")
@click.argument("new_login", metavar="LOGIN")
@click.option("--role", type=click.Choice(get_args(Role)), required=True, help="在店铺里的角色")
@click.option("--name", default="", help="显示的姓名；不写时为登录名")
@click.option(
    "--new-password-file",
    type=_FILE,
    default=None,
    help=f"放新用户密码的文件；不写时用环境变量 {NEW_PASSWORD}，再没有时在终端上问",
)
@shop_option
@user_option
@store_option
@channel_option
@rules_option
def add(
    new_login: str,
    role: str,
    name: str,
    new_password_file: Path | None,
    shop_id: str | None,
    login: str | None,
    password_file: Path | None,
    address: str,
    channel: str | None,
    rules: Path | None,
) -> None:
    """添加用户 LOGIN。店铺的第一个用户必须是高级管理员；之后由管理员用 --user 登录后添加。"""
    rulebook = load_rules(rules)
    with opened(address) as store:
        shop = pick_shop(store, pick_channel(rulebook, channel).name, shop_id)
        by = sign_in_as(store, login, password_file) if login is not None else None
        password = read_secret(f"{new_login} 的新密码", NEW_PASSWORD, new_password_file, confirm=True)
        person = add_user(store, by, shop["id"], new_login, name, cast("Role", role), password)
    click.echo(f"已添加{ROLE_TITLES[person.role]} {person.login}（店铺 {person.shop_id}）")


@COMMAND.command("list")
@click.option("--shop", "shop_id", default=None, help="只列出这家店铺的")
@store_option
def show(shop_id: str | None, address: str) -> None:
    """列出用户。"""
    with opened(address) as store:
        for person in list_users(store, shop_id):
            state = "已停用" if person.disabled_at else "可登录"
            click.echo(
                f"{person.login}\t{person.name}\t{ROLE_TITLES[person.role]}\t{person.shop_id}\t{state}"
            )
