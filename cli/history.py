"""`shelfgate history`: which uploads there were, what became of each, and the story of every row (R18)."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import click

from cli._options import Moment, channel_option, load_rules, pick_channel, rules_option
from cli._store import opened, store_option
from cli.upload import save_report
from engine.decision import plain
from pipeline.store import RowState, Store, UploadState
from pipeline.uploads.history import (
    Filter,
    RowStory,
    UploadLine,
    count_uploads,
    row_data,
    rows,
    story,
    upload_line,
    uploads,
)
from pipeline.uploads.receiving import moment
from pipeline.uploads.report import WORKBOOK, report_formats
from pipeline.uploads.state import ROW_TITLES


@click.command("history")
@click.argument("upload_id", required=False)
@click.option("--row", "number", type=int, default=None, help="一行的经过：检查、推送、渠道的答复")
@click.option("--shop", "shop_id", default=None, help="只看这家店铺")
@click.option("--since", type=Moment(), default=None, help="从哪一天（或哪一刻）起")
@click.option("--until", type=Moment(), default=None, help="到哪一天（或哪一刻）为止，不含")
@click.option(
    "--state", "states", multiple=True, type=click.Choice(get_args(UploadState)), help="导入的状态，可写多个"
)
@click.option(
    "--row-state",
    "row_states",
    multiple=True,
    type=click.Choice(get_args(RowState)),
    help="行的状态，可写多个",
)
@click.option("--product", "product_id", default=None, help="含有这个有赞商品 ID")
@click.option("--operator", default=None, help="操作人的编号，或名字的一部分")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="最多列出多少")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="把这次导入的报告写到文件"
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(report_formats()),
    default=WORKBOOK,
    show_default=True,
    help="报告的格式",
)
@store_option
@channel_option
@rules_option
def COMMAND(  # noqa: N802 - the name under which the command is found
    upload_id: str | None,
    number: int | None,
    shop_id: str | None,
    since: datetime | None,
    until: datetime | None,
    states: tuple[UploadState, ...],
    row_states: tuple[RowState, ...],
    product_id: str | None,
    operator: str | None,
    limit: int,
    as_json: bool,
    output: Path | None,
    format_: str,
    address: str,
    channel: str | None,
    rules: Path | None,
) -> None:
    """列出导入历史；写上编号时列出那次导入的各行，再加 --row 时讲一行的经过。"""
    with opened(address) as store:
        if upload_id is None:
            wanted = Filter(shop_id, channel, since, until, states, product_id, operator)
            show_uploads(store, wanted, limit, as_json=as_json)
        elif output is not None:
            picked = pick_channel(load_rules(rules), upload_line(store, upload_id).channel)
            save_report(store, upload_id, picked, format_, output)
            click.echo(f"报告已写到 {output}")
        elif number is None:
            show_rows(store, upload_id, row_states, product_id, limit, as_json=as_json)
        else:
            show_story(story(store, upload_id, number), upload_id, number, as_json=as_json)


def show_uploads(store: Store, wanted: Filter, limit: int, *, as_json: bool) -> None:
    """List uploads, the latest first."""
    found = uploads(store, wanted, limit)
    if as_json:
        _show_json([line.as_data() for line in found])
        return
    for line in found:
        click.echo(_line_text(line))
    total = count_uploads(store, wanted)
    click.echo(f"共 {total} 次导入" + (f"，列出最近 {len(found)} 次" if total > len(found) else ""))


def show_rows(
    store: Store,
    upload_id: str,
    states: tuple[RowState, ...],
    product_id: str | None,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """List the rows of one upload."""
    line = upload_line(store, upload_id)
    found = rows(store, upload_id, states=states, product_id=product_id, limit=limit)
    if as_json:
        _show_json(line.as_data() | {"rows": [row_data(row) for row in found]})
        return
    click.echo(_line_text(line))
    for row in found:
        told = row.reason or (f"渠道商品 {row.channel_product_id}" if row.channel_product_id else "")
        click.echo(
            f"  第 {row.number} 行  {row.product_id or '（无 ID）'}  {ROW_TITLES[row.state]}"
            + (f"：{told}" if told else "")
        )


def show_story(told: RowStory | None, upload_id: str, number: int, *, as_json: bool) -> None:
    """Tell the story of one row."""
    if told is None:
        raise click.UsageError(f"导入 {upload_id} 没有第 {number} 行，或还没有检查到这一行")
    if as_json:
        _show_json(told.as_data())
        return
    click.echo(f"第 {number} 行  商品 {told.product_id or '（无 ID）'}  {ROW_TITLES[told.state]}")
    for title, value in told.cells.items():
        click.echo(f"  {title}：{value}")
    for step in told.steps:
        click.echo(f"{moment(step.at)}  {step.what}")
    for decision in told.decisions:
        click.echo(f"规则 {decision.ruleset} {decision.version}：")
        for finding in decision.findings:
            click.echo(
                f"  {finding.title}：{finding.message}" + (f"（{finding.fix}）" if finding.fix else "")
            )
        if not decision.findings:
            click.echo("  没有发现")


def _line_text(line: UploadLine) -> str:
    corrects = f"，更正 {line.corrects}" if line.corrects else ""
    return f"{line.id}  {moment(line.received_at)}  {line.actor_name}  {line.filename}{corrects}\n  {line.progress}"


def _show_json(data: Any) -> None:
    click.echo(json.dumps(plain(data), ensure_ascii=False, indent=2))
