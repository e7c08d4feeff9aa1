"""`shelfgate drift`: what has changed in Youzan since the listing, as a list of things to carry over (R33)."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

import click

from cli._listed import as_lines, collect, listed_options, show_json
from cli._options import as_of_option, channel_option, load_rules, now, pick_channel, rules_option
from cli._store import opened, pick_shop, shop_option, store_option
from pipeline.clients import youzan_client
from pipeline.drift import refresh_products

SOURCE = "R33"


@click.command("drift")
@shop_option
@listed_options
@store_option
@as_of_option
@channel_option
@rules_option
def COMMAND(  # noqa: N802 - the name under which the command is found
    shop_id: str | None,
    product_ids: tuple[str, ...],
    cached: bool,
    as_json: bool,
    address: str,
    as_of: datetime | None,
    channel: str | None,
    rules: Path | None,
) -> None:
    """对比已上架商品上架时与现在的样子，列出要搬到渠道后台的改动。

    有赞里的改动不会同步到渠道。退出码：0 没有要处理的；1 有。
    """
    rulebook = load_rules(rules)
    picked = pick_channel(rulebook, channel)
    with opened(address) as store:
        shop = pick_shop(store, picked.name, shop_id)["id"]
        if not cached:
            with youzan_client(store, shop) as client:
                refresh_products(store, client, shop, picked.name, timedelta(0))
        found = collect(store, rulebook, picked.name, shop, as_of or now(), product_ids)
    told = [item for item in found if item.findings(SOURCE)]
    if as_json:
        show_json(told, SOURCE)
    else:
        for item in told:
            days = item.fact.get("days_changed")
            age = "" if days is None else f"，有赞最近改动于 {days} 天前" if days else "，有赞今天改动过"
            click.echo(
                f"{item.fact['product_id']}  {item.title}（渠道商品 {item.fact['channel_product_id']}{age}）"
            )
            as_lines(item, SOURCE)
        click.echo(f"已上架 {len(found)} 个商品，{len(told)} 个有改动")
    sys.exit(1 if told else 0)
