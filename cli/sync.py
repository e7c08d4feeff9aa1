"""`shelfgate sync`: take in what has changed of a shop's orders and after-sales (R20)."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import click

from cli._options import channel_option, load_rules, pick_channel, rules_option
from cli._progress import Bar
from cli._store import find_vault, opened, pick_shop, shop_option, store_option
from pipeline.clients import huiju_client
from pipeline.orders.intake import LOOK_BACK, sync

MOST_NAMED = 10
"""Records that were left out that are named on the screen."""


@click.command("sync")
@shop_option
@click.option(
    "--days",
    type=click.IntRange(0, 365),
    default=LOOK_BACK.days,
    show_default=True,
    help="第一次收取时往回看多少天；超过渠道允许的按渠道的",
)
@click.option("--progress/--no-progress", "shown", default=None, help="进度条；不写时只在终端上显示")
@store_option
@channel_option
@rules_option
def COMMAND(  # noqa: N802 - the name under which the command is found
    shop_id: str | None,
    days: int,
    shown: bool | None,
    address: str,
    channel: str | None,
    rules: Path | None,
) -> None:
    """收取渠道的订单和售后单：从上次收到的地方接着收，重复运行不会重复收下。

    收货信息、买家和留言加密保存。定时收取用 shelfgate worker。
    """
    rulebook = load_rules(rules)
    picked = pick_channel(rulebook, channel)
    with opened(address) as store, Bar(shown=shown) as bar:
        shop, vault = pick_shop(store, picked.name, shop_id)["id"], find_vault()
        with closing(huiju_client(store, vault, shop)) as client:
            found = sync(
                store,
                client,
                rulebook,
                vault,
                shop,
                picked.name,
                look_back=timedelta(days=days),
                on_progress=bar.show,
            )
    click.echo(f"已收取：{found}")
    for record_id, why in list(found.left_out.items())[:MOST_NAMED]:
        click.echo(f"注意：{record_id or '（没有编号）'} 没有收下，{why}", err=True)
