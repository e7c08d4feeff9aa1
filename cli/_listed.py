"""What `drift` and `stock` share: which listed products, and how what is to be said of them is shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

import click

from engine.decision import plain
from engine.rulebook import Rulebook
from pipeline.drift import ListedProduct, listed_products
from pipeline.store import Store

MARKS = {"error": "错误", "warning": "警告", "notice": "提示"}
Command = TypeVar("Command", bound=Callable[..., Any])


def listed_options(command: Command) -> Command:
    """Add which products, whether to read them anew, and the form of the output."""
    command = click.option("--json", "as_json", is_flag=True, help="输出 JSON")(command)
    command = click.option("--cached", is_flag=True, help="不向有赞和渠道读取，用已保存的")(command)
    return click.option("--product", "product_ids", multiple=True, help="只看这个有赞商品 ID，可写多个")(
        command
    )


def collect(
    store: Store,
    rulebook: Rulebook,
    channel: str,
    shop_id: str,
    as_of: datetime,
    product_ids: tuple[str, ...],
) -> list[ListedProduct]:
    """Give the listed products that are asked for."""
    return list(listed_products(store, rulebook, channel, shop_id, as_of, product_ids or None))


def as_lines(item: ListedProduct, source: str) -> None:
    """Show what is to be said of one product."""
    for finding in item.findings(source):
        fix = f"；{finding.fix}" if finding.fix else ""
        click.echo(f"  {MARKS[finding.severity]}  {finding.message}{fix}")


def show_json(items: Iterable[ListedProduct], source: str) -> None:
    """Show products with their findings as JSON."""
    data = [item.as_data(source) for item in items]
    click.echo(json.dumps(plain(data), ensure_ascii=False, indent=2))
