"""`shelfgate reference`: download a shop's reference data (下载惠聚数据, R7) as a workbook, a sheet for each kind."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from cli._options import channel_option, load_rules, now, pick_channel, rules_option
from cli._progress import Bar
from cli._store import find_vault, opened, pick_shop, shop_option, store_option
from mappings.reference import write_reference
from pipeline.binding import BindingStateError, find_binding
from pipeline.clients import HUIJU, huiju_client
from pipeline.reference import Reference, load_reference, pull_reference
from pipeline.store import Store


@click.command("reference")
@shop_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("惠聚数据.xlsx"),
    show_default=True,
    help="写到哪个工作簿",
)
@click.option("--cached", is_flag=True, help="不下载，用上次下载的")
@click.option("--progress/--no-progress", default=None, help="进度条；不写时只在终端上显示")
@store_option
@channel_option
@rules_option
def COMMAND(  # noqa: N802 - the name under which the command is found
    shop_id: str | None,
    output: Path,
    cached: bool,
    progress: bool | None,
    address: str,
    channel: str | None,
    rules: Path | None,
) -> None:
    """下载惠聚数据：类目、品牌、运费模板、规格模板和已上架商品，每种一张表。"""
    picked = pick_channel(load_rules(rules), channel)
    with opened(address) as store, Bar(shown=progress) as bar:
        shop = pick_shop(store, picked.name, shop_id)["id"]
        reference = load_reference(store, shop, picked.name) if cached else download(store, shop, bar)
    tell(reference)
    try:
        write_reference(reference.tables, output)
    except OSError as error:
        raise click.BadParameter(f"写不了 {output}：{error.strerror}", param_hint="--output") from error
    click.echo(f"已写到 {output}：{reference.counts()}、已上架商品 {len(reference.listings)}")


def download(store: Store, shop_id: str, bar: Bar) -> Reference:
    """Pull a shop's reference data with the credentials of its binding."""
    if find_binding(store, shop_id, HUIJU) is None:
        raise BindingStateError(f"店铺 {shop_id} 尚未绑定惠聚；请先运行 shelfgate bind", shop_id, HUIJU)
    with closing(huiju_client(store, find_vault(), shop_id)) as client:
        return pull_reference(store, client, shop_id, HUIJU, bar.show)


def tell(reference: Reference) -> None:
    """Say how old the data is, and what is still empty."""
    click.echo(reference.note(now()), err=True)
    for advice in reference.advice():
        click.echo(f"注意：{advice}", err=True)
