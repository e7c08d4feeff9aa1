"""`shelfgate template`: make the workbook that a shop fills in to list products (下载模板, R8)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from cli import products as products_command
from cli import reference as reference_command
from cli._options import as_of_option, channel_option, load_rules, now, pick_channel, rules_option
from cli._progress import Bar
from cli._store import checker_for, opened, pick_shop, shop_option, store_option
from mappings.ids import IdError, read_id
from mappings.template import write_template
from pipeline.clients import youzan_client
from pipeline.products import chosen_products, pull_chosen
from pipeline.reference import NoReference, Reference, load_reference
from pipeline.store import Store
from pipeline.template import build_template


@click.command("template")
@shop_option
@click.option(
    "--products", "wanted", default=None, help="要上架的有赞商品 ID，用逗号隔开；或一个文件，每行一个 ID"
)
@click.option("--all-eligible", is_flag=True, help="全部在售、并且规则没有拒绝的商品")
@click.option("--refresh", is_flag=True, help="先重新下载惠聚数据、读取有赞商品；不写时只读取还没有的")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("上架模板.xlsx"),
    show_default=True,
    help="写到哪个工作簿",
)
@click.option("--progress/--no-progress", default=None, help="进度条；不写时只在终端上显示")
@store_option
@as_of_option
@channel_option
@rules_option
def COMMAND(  # noqa: N802 - the name under which the command is found
    shop_id: str | None,
    wanted: str | None,
    all_eligible: bool,
    refresh: bool,
    output: Path,
    progress: bool | None,
    address: str,
    as_of: datetime | None,
    channel: str | None,
    rules: Path | None,
) -> None:
    """生成上架模板：不指定商品时为空白模板；指定时每个商品一行，规格模板和类目已按规则预填。

    各列的下拉列表是本店的惠聚数据，显示名称，读出 ID。规则已经拒绝的商品列在「不能上架」表里，并写明原因。
    """
    if wanted is not None and all_eligible:
        raise click.UsageError("--products 与 --all-eligible 只能选一个")
    ids = _ids(wanted) if wanted is not None else None
    rulebook = load_rules(rules)
    picked = pick_channel(rulebook, channel)
    with opened(address) as store, Bar(shown=progress) as bar:
        shop = pick_shop(store, picked.name, shop_id)
        reference = _reference(store, shop["id"], picked.name, refresh, bar)
        chosen: Iterable[tuple[str, dict[str, Any] | None]] = ()
        if all_eligible or ids is not None:
            pulled = pull_chosen(store, youzan_client, shop["id"], ids, refresh=refresh, on_progress=bar.show)
            if pulled is not None:
                products_command.tell(pulled)
            chosen = chosen_products(store, shop["id"], ids)
        moment = as_of or now()
        checker = checker_for(rulebook, picked.name, moment, reference.tables, shop)
        template = build_template(checker, reference.note(moment if as_of else now()), chosen)
    reference_command.tell(reference)
    try:
        write_template(template, output)
    except OSError as error:
        raise click.BadParameter(f"写不了 {output}：{error.strerror}", param_hint="--output") from error
    if template.rows or template.barred:
        click.echo(f"已写到 {output}：可以上架 {len(template.rows)} 个，不能上架 {len(template.barred)} 个")
    else:
        click.echo(f"已写到 {output}：空白模板")


def _reference(store: Store, shop_id: str, channel: str, refresh: bool, bar: Bar) -> Reference:
    """Give the reference data that was pulled last; pull it where there is none."""
    if not refresh:
        try:
            return load_reference(store, shop_id, channel)
        except NoReference:
            click.echo("还没有惠聚数据，先下载", err=True)
    return reference_command.download(store, shop_id, bar)


def _ids(wanted: str) -> list[str]:
    """Read the ids that were named, each once."""
    file = Path(wanted)
    text = file.read_text(encoding="utf-8-sig") if file.is_file() else wanted
    words = [word for word in text.replace("，", ",").replace("\n", ",").split(",") if word.strip()]
    try:
        ids = [read_id(word) for word in words]
    except IdError as error:
        raise click.BadParameter(error.message, param_hint="--products") from None
    if not ids:
        raise click.BadParameter(f"{wanted} 里没有商品 ID", param_hint="--products")
    return list(dict.fromkeys(ids))
