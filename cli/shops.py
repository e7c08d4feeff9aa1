"""`shelfgate shops`: register the shops that list on a channel."""

from __future__ import annotations

from pathlib import Path

import click

from cli._options import channel_option, load_rules, pick_channel, read_fact, rules_option
from cli._store import opened, store_option
from pipeline.shops import list_shops, save_shop

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group("shops")
def COMMAND() -> None:  # noqa: N802 - the name under which the command is found
    """登记店铺。"""


@COMMAND.command("add")
@click.argument("file", type=_FILE)
@store_option
@channel_option
@rules_option
def add(file: Path, address: str, channel: str | None, rules: Path | None) -> None:
    """登记店铺，或更新已登记的店铺。FILE 写店铺（YAML 或 JSON），例如 examples/shop.yaml。

    店铺是否已绑定不从文件里取：只有 shelfgate bind 能绑定。
    """
    rulebook = load_rules(rules)
    fact = read_fact(file, rulebook.vocabulary.facts["shop"])
    with opened(address) as store:
        is_new = save_shop(store, pick_channel(rulebook, channel).name, fact)
    click.echo(f"已{'登记' if is_new else '更新'}店铺 {fact['id']} {fact.get('name', '')}")


@COMMAND.command("list")
@store_option
@channel_option
@rules_option
def show(address: str, channel: str | None, rules: Path | None) -> None:
    """列出已登记的店铺。"""
    rulebook = load_rules(rules)
    picked = pick_channel(rulebook, channel)
    with opened(address) as store:
        for shop in list_shops(store, picked.name):
            bound = "已绑定" if shop["bound"] else "未绑定"
            click.echo(f"{shop['id']}\t{shop['name']}\t{shop['edition']}\t{picked.title}{bound}")
