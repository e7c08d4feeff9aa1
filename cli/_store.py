"""What commands share that work on the store: where it lives, the key, the shop, and who asks."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from engine.rulebook import Rulebook
from engine.tables import Tables
from pipeline.actors import Actor
from pipeline.checking import Checker
from pipeline.people import sign_in
from pipeline.secrets import DEFAULT_KEY_FILE, KEY_FILE, KEYS, Vault, open_vault, write_key_file
from pipeline.shops import list_shops, shop_fact
from pipeline.store import DEFAULT_STORE, STORE, Store, migrate, open_store

PASSWORD = "SHELFGATE_PASSWORD"  # the name of the variable
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
Command = TypeVar("Command", bound=Callable[..., Any])


def store_option(command: Command) -> Command:
    """Add `--store`, and `--debug`, which shows what goes on; neither shows a secret."""
    text = f"数据库地址；不写时用环境变量 {STORE}，再没有时为当前文件夹的 shelfgate.db"
    command = click.option(
        "--debug", is_flag=True, callback=_log, expose_value=False, help="把过程记到错误输出"
    )(command)
    return click.option("--store", "address", envvar=STORE, default=DEFAULT_STORE, help=text)(command)


def shop_option(command: Command) -> Command:
    """Add `--shop`."""
    return click.option("--shop", "shop_id", default=None, help="店铺 ID；只登记了一家时可以不写")(command)


def user_option(command: Command) -> Command:
    """Add `--user` and where the password comes from; never the password itself, which others could read off the process list."""
    text = f"放登录密码的文件；不写时用环境变量 {PASSWORD}，再没有时在终端上问"
    command = click.option("--password-file", type=_FILE, default=None, help=text)(command)
    return click.option("--user", "login", default=None, help="操作人的登录名（shelfgate users add 添加）")(
        command
    )


@contextmanager
def opened(address: str) -> Iterator[Store]:
    """Open the store, bring it up to date, and close it at the end."""
    store = open_store(address)
    try:
        migrate(store)
        yield store
    finally:
        store.close()


def find_vault(*, make: bool = False) -> Vault:
    """Find the key: in the environment, else in the working folder.

    Args:
        make: Whether to make a key file in the working folder where there is no key anywhere.
    """
    if make and not os.environ.get(KEYS) and not os.environ.get(KEY_FILE) and not DEFAULT_KEY_FILE.exists():
        key_id = write_key_file(DEFAULT_KEY_FILE)
        click.echo(
            f"已生成密钥文件 {DEFAULT_KEY_FILE}（密钥 {key_id}）；请另行备份，丢失后只能重新填写身份信息",
            err=True,
        )
    return open_vault(key_file=DEFAULT_KEY_FILE)


def pick_shop(store: Store, channel: str, shop_id: str | None) -> dict[str, Any]:
    """Give the shop named as a fact, or the only one there is."""
    if shop_id is not None:
        return shop_fact(store, channel, shop_id)
    shops = list_shops(store, channel)
    if len(shops) == 1:
        return shops[0]
    names = "、".join(shop["id"] for shop in shops[:10])
    raise click.UsageError(
        f"登记了 {len(shops)} 家店铺，请用 --shop 写明是哪一家：{names}"
        if shops
        else "还没有登记店铺；请先运行 shelfgate shops add 店铺文件"
    )


def sign_in_as(store: Store, login: str | None, password_file: Path | None) -> Actor:
    """Let the person in who asks."""
    if login is None:
        raise click.UsageError("请用 --user 写明操作人的登录名；没有时先运行 shelfgate users add 添加")
    return sign_in(store, login, read_secret(f"{login} 的密码", PASSWORD, password_file))


def read_secret(title: str, variable: str, file: Path | None = None, *, confirm: bool = False) -> str:
    """Read a secret from a file, the environment, or the terminal without showing it.

    Args:
        title: What is asked for.
        variable: Name of the environment variable.
        file: A file that holds nothing else.
        confirm: Whether it is to be typed twice.
    """
    if file is not None:
        return file.read_text(encoding="utf-8").strip("\r\n")
    if value := os.environ.get(variable):
        return value
    if not sys.stdin.isatty():
        raise click.UsageError(f"没有得到{title}：请设置环境变量 {variable}，或在终端上运行")
    answer: str = click.prompt(title, hide_input=True, confirmation_prompt=confirm, err=True)
    return answer


def checker_for(
    rulebook: Rulebook, channel: str, as_of: Any, tables: dict[str, Any], shop: dict[str, Any]
) -> Checker:
    """Make the checker of a shop."""
    return Checker(rulebook, rulebook.channels[channel], as_of, Tables(tables), shop)


def _log(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """Show what is logged; without the option nothing is: what a person should know, the command itself says."""
    if value:
        logging.basicConfig(level=logging.DEBUG, force=True)
    elif not logging.getLogger().handlers:
        logging.getLogger().addHandler(logging.NullHandler())
