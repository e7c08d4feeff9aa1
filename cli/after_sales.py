"""`shelfgate after-sales`: the shop's after-sales with what may be done and why not, and doing it (R28–R32)."""

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
from pipeline.orders.actions import act_on_after_sale
from pipeline.orders.after_sales import Wanted, count_after_sales, list_after_sales, show_after_sale
from pipeline.orders.requests import Decide
from pipeline.store import AfterSaleKind, AfterSaleStatus
from pipeline.uploads.receiving import moment

DECISIONS = {
    "agree": "同意退款；退款由渠道完成",
    "reject": "拒绝申请",
    "agree_return": "同意退货，等买家寄回商品",
    "confirm_return": "确认收到退货；退款由渠道完成",
    "reject_return": "拒绝收货",
}

CODES = "退出码：0 渠道已收到；1 规则或渠道不允许，或等人处理；2 填写有误。"


@click.group("after-sales")
def COMMAND() -> None:  # noqa: N802 - the name under which the command is found
    """查看和处理售后单；每个操作能不能做、为什么、改做什么，都由规则说明。"""


@COMMAND.command("list")
@shop_option
@click.option("--source", default=None, help="只看这个来源的售后单，例如 huiju（腾讯惠聚）")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice(get_args(AfterSaleStatus)),
    help="售后状态，可写多个",
)
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(get_args(AfterSaleKind)), help="售后类型，可写多个"
)
@click.option("--order", "order_id", default=None, help="只看这个订单的")
@span_options
@store_option
@rules_option
def list_(
    shop_id: str | None,
    source: str | None,
    statuses: tuple[AfterSaleStatus, ...],
    kinds: tuple[AfterSaleKind, ...],
    order_id: str | None,
    since: datetime | None,
    until: datetime | None,
    product_id: str | None,
    limit: int,
    as_json: bool,
    address: str,
    rules: Path | None,
) -> None:
    """列出售后单，最近的在前。"""
    rulebook = load_rules(rules)
    channel = pick_channel(rulebook, source)
    type_ = rulebook.vocabulary.facts["after_sale"].type
    with opened(address) as store:
        shop = pick_shop(store, channel.name, shop_id)["id"]
        wanted = Wanted(shop, source, statuses, since, until, product_id, kinds=kinds, order_id=order_id)
        found = list_after_sales(store, rulebook, find_vault(), wanted, limit)
        total = count_after_sales(store, wanted)
    if as_json:
        show_json([record_data(item) for item in found])
        return
    for item in found:
        fact = item.fact
        kind = title_of_value(type_, "kind", fact.get("kind"))
        status = title_of_value(type_, "status", fact.get("status"))
        closed = f"（{title_of_value(type_, 'closed_by', fact['closed_by'])}）" if "closed_by" in fact else ""
        order_status = title_of_value(type_, "order.status", fact["order"].get("status"))
        at = moment(fact["created_at"]) if "created_at" in fact else "时间未知"
        click.echo(
            f"{fact['channel_after_sale_id']}  {at}  {kind}  {status}{closed}"
            f"\n    订单 {fact['order']['channel_order_id']} {order_status}{open_line(item)}"
        )
    click.echo(f"共 {total} 张售后单" + (f"，列出最近 {len(found)} 张" if total > len(found) else ""))


@COMMAND.command("show")
@click.argument("after_sale_id")
@shop_option
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
@store_option
@channel_option
@rules_option
def show(
    after_sale_id: str,
    shop_id: str | None,
    as_json: bool,
    address: str,
    channel: str | None,
    rules: Path | None,
) -> None:
    """显示一张售后单：内容、经过，以及每个操作能不能做。"""
    rulebook = load_rules(rules)
    with opened(address) as store:
        shop = pick_shop(store, pick_channel(rulebook, channel).name, shop_id)["id"]
        found = show_after_sale(store, rulebook, find_vault(), shop, after_sale_id)
    show_record(found, rulebook.vocabulary.facts["after_sale"].type, as_json=as_json)


def _decision(action: str, help_: str) -> click.Command:
    """Make the command of one decision."""

    @click.command(action.replace("_", "-"), help=f"{help_}。\n\n{CODES}")
    @click.argument("after_sale_id")
    @click.option("--remark", default="", help="给渠道的说明")
    @click.option("--reason-code", default="", help="渠道的拒绝原因码")
    @acting_options
    def decide(after_sale_id: str, remark: str, reason_code: str, asked: Asked) -> None:
        carry_out(act_on_after_sale, after_sale_id, action, Decide(remark, reason_code), asked)

    command: click.Command = decide
    return command


for _action, _help in DECISIONS.items():
    COMMAND.add_command(_decision(_action, _help))
