"""`shelfgate products`: fetch a shop's products from Youzan and keep them; write them out for `shelfgate check`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click

from cli._options import channel_option, load_rules, pick_channel, rules_option
from cli._progress import Bar
from cli._store import opened, pick_shop, shop_option, store_option
from pipeline.clients import youzan_client
from pipeline.products import Pulled, payloads, pull_products
from pipeline.store import Store

SHOWN = 10


@click.command("products")
@shop_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="写到文件，每行一个商品的原始返回"
)
@click.option("--cached", is_flag=True, help="不读取有赞，用上次读取的")
@click.option("--progress/--no-progress", default=None, help="进度条；不写时只在终端上显示")
@store_option
@channel_option
@rules_option
def COMMAND(  # noqa: N802 - the name under which the command is found
    shop_id: str | None,
    output: Path | None,
    cached: bool,
    progress: bool | None,
    address: str,
    channel: str | None,
    rules: Path | None,
) -> None:
    """读取有赞在售商品并保存。写出的文件可以给 shelfgate check --products 用。

    有赞应用的身份用环境变量 SHELFGATE_YOUZAN_CLIENT_ID、SHELFGATE_YOUZAN_CLIENT_SECRET 给出，地址可用 SHELFGATE_YOUZAN_URL 改。
    """
    picked = pick_channel(load_rules(rules), channel)
    with opened(address) as store, Bar(shown=progress) as bar:
        shop = pick_shop(store, picked.name, shop_id)["id"]
        if not cached:
            tell(fetch(store, shop, None, bar))
        if output is not None:
            click.echo(f"已写到 {output}：{_write(store, shop, output)} 个商品")


def fetch(store: Store, shop_id: str, ids: Sequence[str] | None, bar: Bar) -> Pulled:
    """Fetch products with the credentials of the environment."""
    with closing(youzan_client(store, shop_id)) as client:
        return pull_products(store, client, shop_id, ids, bar.show)


def tell(pulled: Pulled) -> None:
    """Say what came of fetching."""
    click.echo(f"从有赞读取了 {pulled.kept} 个商品", err=True)
    if pulled.missing:
        more = " …" if len(pulled.missing) > SHOWN else ""
        click.echo(
            f"有赞里没有 {len(pulled.missing)} 个：{'、'.join(pulled.missing[:SHOWN])}{more}", err=True
        )
    for product_id, why in list(pulled.unreadable.items())[:SHOWN]:
        click.echo(f"商品 {product_id} 的信息无法读取：{why}", err=True)


def _write(store: Store, shop_id: str, output: Path) -> int:
    count = 0
    try:
        with output.open("w", encoding="utf-8", newline="\n") as lines:
            for _, payload in payloads(store, shop_id):
                count += 1
                lines.write(json.dumps(payload, ensure_ascii=False, separators=(",", ":")) + "\n")
    except OSError as error:
        raise click.BadParameter(f"写不了 {output}：{error.strerror}", param_hint="--output") from error
    return count
