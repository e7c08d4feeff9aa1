"""`shelfgate stock`: the channel's stock beside Youzan's, with a warning before it oversells (R34)."""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import click

from cli._listed import as_lines, collect, listed_options, show_json
from cli._options import as_of_option, channel_option, load_rules, now, pick_channel, rules_option
from cli._progress import Bar
from cli._store import find_vault, opened, pick_shop, shop_option, store_option
from pipeline.clients import huiju_client, youzan_client
from pipeline.drift import refresh_products
from pipeline.stock import refresh_stock

SOURCE = "R34"


@click.command("stock")
@shop_option
@listed_options
@click.option("--all", "everything", is_flag=True, help="没有提醒的商品也列出")
@store_option
@as_of_option
@channel_option
@rules_option
def COMMAND(  # noqa: N802 - the name under which the command is found
    shop_id: str | None,
    product_ids: tuple[str, ...],
    cached: bool,
    as_json: bool,
    everything: bool,
    address: str,
    as_of: datetime | None,
    channel: str | None,
    rules: Path | None,
) -> None:
    """并排列出已上架商品在渠道和有赞的库存，超卖之前提醒。

    渠道的订单不扣减有赞库存，渠道库存由商家自己维护。退出码：0 没有提醒；1 有。
    """
    rulebook = load_rules(rules)
    picked = pick_channel(rulebook, channel)
    with opened(address) as store:
        shop = pick_shop(store, picked.name, shop_id)["id"]
        if not cached:
            with youzan_client(store, shop) as youzan:
                refresh_products(store, youzan, shop, picked.name, timedelta(0))
            with closing(huiju_client(store, find_vault(), shop)) as client, Bar() as bar:
                read = refresh_stock(store, client.stock, shop, picked.name, bar.show)
            if read.gone:
                click.echo(
                    f"渠道上已没有这些商品：{'、'.join(read.gone[:10])}（共 {len(read.gone)} 个）", err=True
                )
        found = collect(store, rulebook, picked.name, shop, as_of or now(), product_ids)
    warned = [item for item in found if item.findings(SOURCE)]
    if as_json:
        show_json(found if everything else warned, SOURCE)
    else:
        for item in found if everything else warned:
            stock = item.fact["stock"]
            own, theirs = stock.get("youzan", "未知"), stock.get("channel", "未知")
            click.echo(f"{item.fact['product_id']}  {item.title}  有赞 {own}  渠道 {theirs}")
            for sku in item.fact["skus"]:
                click.echo(
                    f"    {sku['name']}  有赞 {sku.get('youzan', '未知')}  渠道 {sku.get('channel', '未知')}"
                )
            as_lines(item, SOURCE)
        click.echo(f"已上架 {len(found)} 个商品，{len(warned)} 个有提醒")
    sys.exit(1 if warned else 0)
