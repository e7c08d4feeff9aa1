"""`shelfgate orders`: the shop's orders with what may be done and why not, and doing it (R20–R27)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import get_args

import click

from cli._options import channel_option, load_rules, pick_channel, rules_option
from cli._orders import (
    Asked,
    acting_options,
    carry_out,
    open_line,
    record_data,
    show_json,
    show_record,
    span_options,
    title_of_value,
)
from cli._store import find_vault, opened, pick_shop, shop_option, store_option
from pipeline.orders.actions import act_on_order
from pipeline.orders.orders import Wanted, count_orders, list_orders, show_order
from pipeline.orders.requests import Decide, EditLogistics, Parcel, Ship
from pipeline.store import OrderStatus
from pipeline.uploads.receiving import moment


@click.group("orders")
def COMMAND() -> None:  # noqa: N802 - the name under which the command is found
    """查看和处理订单；每个操作能不能做、为什么、改做什么，都由规则说明。"""


@COMMAND.command("list")
@shop_option
@click.option("--source", default=None, help="只看这个来源的订单，例如 huiju（腾讯惠聚）")
@click.option(
    "--status", "statuses", multiple=True, type=click.Choice(get_args(OrderStatus)), help="订单状态，可写多个"
)
@click.option("--text", default=None, help="渠道订单号的一部分，或运单号")
@span_options
@store_option
@rules_option
def list_(
    shop_id: str | None,
    source: str | None,
    statuses: tuple[OrderStatus, ...],
    text: str | None,
    since: datetime | None,
    until: datetime | None,
    product_id: str | None,
    limit: int,
    as_json: bool,
    address: str,
    rules: Path | None,
) -> None:
    """列出订单，最近的在前；收货信息只在 show 里显示。"""
    rulebook = load_rules(rules)
    channel = pick_channel(rulebook, source)
    type_ = rulebook.vocabulary.facts["order"].type
    with opened(address) as store:
        shop = pick_shop(store, channel.name, shop_id)["id"]
        wanted = Wanted(shop, source, statuses, since, until, product_id, text)
        found = list_orders(store, rulebook, find_vault(), wanted, limit)
        total = count_orders(store, wanted)
    if as_json:
        show_json([record_data(item) for item in found])
        return
    for item in found:
        fact = item.fact
        status = title_of_value(type_, "status", fact.get("status"))
        source_title = title_of_value(type_, "channel", fact["channel"])
        bought = "、".join(
            f"{line.get('title', line['id'])}×{line.get('count', '?')}" for line in fact.get("lines", ())
        )
        paid = "，标记支付" if fact["payment_kind"] == "marked" else ""
        asked = sum(each.get("status") not in ("closed", "succeeded") for each in fact["after_sales"])
        after = f"，{asked} 张售后单未了结" if asked else ""
        at = moment(fact["created_at"]) if "created_at" in fact else "时间未知"
        click.echo(
            f"{fact['channel_order_id']}  {at}  {source_title}  {status}{paid}{after}\n    {bought}{open_line(item)}"
        )
    click.echo(f"共 {total} 个订单" + (f"，列出最近 {len(found)} 个" if total > len(found) else ""))


@COMMAND.command("show")
@click.argument("order_id")
@shop_option
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
@store_option
@channel_option
@rules_option
def show(
    order_id: str, shop_id: str | None, as_json: bool, address: str, channel: str | None, rules: Path | None
) -> None:
    """显示一个订单：收货信息、包裹、经过，以及每个操作能不能做。"""
    rulebook = load_rules(rules)
    with opened(address) as store:
        shop = pick_shop(store, pick_channel(rulebook, channel).name, shop_id)["id"]
        found = show_order(store, rulebook, find_vault(), shop, order_id)
    show_record(found, rulebook.vocabulary.facts["order"].type, as_json=as_json)


@COMMAND.command("ship")
@click.argument("order_id")
@click.option("--carrier", default=None, help="物流公司的名称；只有一个包裹时用")
@click.option("--waybill", default=None, help="运单号")
@click.option("--line", "lines", multiple=True, help="只发这些商品行，可写多个；不写时发全部没有发的")
@click.option(
    "--parcel",
    "parcels",
    multiple=True,
    help="一个包裹，写成 物流公司:运单号:商品行,商品行；分几个包裹发时写多个",
)
@acting_options
def ship(
    order_id: str,
    carrier: str | None,
    waybill: str | None,
    lines: tuple[str, ...],
    parcels: tuple[str, ...],
    asked: Asked,
) -> None:
    """发货，并把物流推送到渠道；发货会关闭待处理的仅退款申请。

    退出码：0 渠道已收到；1 规则或渠道不允许，或等人处理；2 填写有误。
    """
    if bool(parcels) == bool(carrier or waybill or lines):
        raise click.UsageError("请写 --carrier 和 --waybill，或者写 --parcel，不要都写")
    made = [_parcel(text) for text in parcels] or [Parcel(carrier or "", waybill or "", lines)]
    request = Ship(tuple(made))
    carry_out(act_on_order, order_id, "ship", request, asked)


@COMMAND.command("edit-logistics")
@click.argument("order_id")
@click.option("--carrier", required=True, help="正确的物流公司")
@click.option("--waybill", required=True, help="正确的运单号")
@click.option("--parcel", default="", help="改哪个包裹：包裹号或原来的运单号；只有一个包裹时可以不写")
@acting_options
def edit_logistics(
    order_id: str,
    carrier: str,
    waybill: str,
    parcel: str,
    asked: Asked,
) -> None:
    """修改一个包裹的物流公司和运单号，并推送到渠道。"""
    request = EditLogistics(carrier, waybill, parcel)
    carry_out(act_on_order, order_id, "edit_logistics", request, asked)


@COMMAND.command("act")
@click.argument("order_id")
@click.argument("action")
@acting_options
def act(
    order_id: str,
    action: str,
    asked: Asked,
) -> None:
    """试做其他操作，例如 refund（商家主动退款）；不允许时说明原因和改做什么。"""
    if action in ("ship", "edit_logistics"):
        raise click.UsageError(f"请用 shelfgate orders {action.replace('_', '-')}")
    carry_out(act_on_order, order_id, action, Decide(), asked)


def _parcel(text: str) -> Parcel:
    """Read `carrier:waybill:line,line`."""
    carrier, first, rest = text.replace("：", ":").partition(":")
    waybill, second, lines = rest.partition(":")
    if not first:
        raise click.BadParameter(
            f"{text!r} 应写成 物流公司:运单号:商品行,商品行，例如 顺丰速运:SF1000:L1,L2",
            param_hint="--parcel",
        )
    ids = [line.strip() for line in lines.replace("，", ",").split(",")] if second else []
    return Parcel(carrier, waybill, tuple(line for line in ids if line))
