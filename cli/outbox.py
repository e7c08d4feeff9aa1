"""`shelfgate outbox`: what is on its way to the channels or has come to nothing, and letting go what waits for a person."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import get_args

import click

from cli._options import channel_option, load_rules, pick_channel, rules_option
from cli._orders import show_json
from cli._store import opened, pick_shop, shop_option, sign_in_as, store_option, user_option
from pipeline.sending.releasing import release_sending
from pipeline.sending.sendings import list_sendings
from pipeline.store import ItemState
from pipeline.uploads.receiving import moment


@click.group("outbox")
def COMMAND() -> None:  # noqa: N802 - the name under which the command is found
    """查看发往渠道的操作，放行等人处理的。"""


@COMMAND.command("list")
@shop_option
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(get_args(ItemState)),
    help="发件的状态，可写多个；不写时列出没有完成的",
)
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="最多列出多少")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
@store_option
@channel_option
@rules_option
def list_(
    shop_id: str | None,
    states: tuple[ItemState, ...],
    limit: int,
    as_json: bool,
    address: str,
    channel: str | None,
    rules: Path | None,
) -> None:
    """列出发件，最近的在前：是什么、从什么时候起、试了几次、最后的错误。"""
    picked = pick_channel(load_rules(rules), channel)
    with opened(address) as store:
        found = list_sendings(store, pick_shop(store, picked.name, shop_id)["id"], states, limit)
    if as_json:
        show_json([asdict(item) for item in found])
        return
    for item in found:
        click.echo(f"{item.item_id}  {moment(item.since)}  {item.kind}  {item.subject}  {item}")
    click.echo(f"共 {len(found)} 件")


@COMMAND.command("release")
@click.argument("item_id")
@user_option
@store_option
def release(item_id: str, login: str | None, password_file: Path | None, address: str) -> None:
    """放行一件等人处理的发件：先到渠道查它是否已经生效，没有才再发；由 shelfgate worker 完成。"""
    with opened(address) as store:
        actor = sign_in_as(store, login, password_file)
        released = release_sending(store, actor, item_id)
    click.echo(f"已放行 {released.item_id}（{released.kind} {released.subject}）")
