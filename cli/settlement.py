"""`shelfgate settlement`: what a shop's orders of a span count for Youzan's settlement, and what they don't (R35)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, time
from pathlib import Path

import click

from cli._options import Moment, channel_option, load_rules, pick_channel, rules_option
from cli._orders import show_json
from cli._store import opened, pick_shop, shop_option, store_option
from engine.wording import said
from pipeline.orders.settlement import settlement


@click.command("settlement")
@click.option("--since", type=Moment(time(0)), required=True, help="从哪一天（或哪一刻）起付款的")
@click.option("--until", type=Moment(time(0)), required=True, help="到哪一天（或哪一刻）为止，不含")
@shop_option
@click.option("--json", "as_json", is_flag=True, help="输出 JSON；金额以分为单位")
@store_option
@channel_option
@rules_option
def COMMAND(  # noqa: N802 - the name under which the command is found
    since: datetime,
    until: datetime,
    shop_id: str | None,
    as_json: bool,
    address: str,
    channel: str | None,
    rules: Path | None,
) -> None:
    """一段时间里付款、仍然有效的订单的结算数；标记支付的钱不经过有赞，另计。"""
    if since >= until:
        raise click.UsageError("--since 应早于 --until；--until 那一天不含在内")
    with opened(address) as store:
        shop = pick_shop(store, pick_channel(load_rules(rules), channel).name, shop_id)["id"]
        found = settlement(store, shop, since, until)
    if as_json:
        show_json(asdict(found))
        return
    click.echo(f"计入有赞结算：{found.orders} 个订单，{said(found.total, 'fen')}")
    click.echo(f"标记支付，不计入：{found.marked_orders} 个订单，{said(found.marked_total, 'fen')}")
    if found.unknown:
        click.echo(f"以上订单里有 {found.unknown} 个，渠道没有给出金额，按 0 元计")
