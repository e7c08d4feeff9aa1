"""`shelfgate sandbox`: run Huiju and Youzan on loopback, with state, to try everything without a real shop."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import click

from channels.errors import ChannelError
from channels.huiju import HuijuCredentials
from channels.sandbox.sandbox import SandboxConfig
from channels.sandbox.seed import Seed, read_seed
from channels.sandbox.serve import serve
from channels.youzan import YouzanCredentials
from cli._options import load_rules, read_fact, rules_option
from cli.bind import VARIABLES
from mappings.reference import read_reference
from pipeline.catalogue import InputError
from pipeline.clients import YOUZAN_CLIENT_ID, YOUZAN_CLIENT_SECRET

HUIJU_PORT, YOUZAN_PORT = 18431, 18432
REFERENCE, SHOP = "惠聚数据.xlsx", "shop.yaml"


@click.command("sandbox")
@click.option(
    "--examples",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("examples"),
    show_default=True,
    help="初始数据的文件夹：shop.yaml、products.jsonl、惠聚数据.xlsx、orders.jsonl、after_sales.jsonl",
)
@click.option("--huiju-port", default=HUIJU_PORT, show_default=True, help="惠聚沙箱的端口；0 为任一空闲端口")
@click.option(
    "--youzan-port", default=YOUZAN_PORT, show_default=True, help="有赞沙箱的端口；0 为任一空闲端口"
)
@click.option(
    "--profile",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help="更正过的惠聚接口描述；不写时用随程序的",
)
@rules_option
def COMMAND(  # noqa: N802 - the name under which the command is found
    examples: Path, huiju_port: int, youzan_port: int, profile: Path | None, rules: Path | None
) -> None:
    """在本机运行惠聚与有赞的沙箱，打印地址和身份信息，按 Ctrl-C 停止。

    身份信息每次随机生成；要固定下来，就设置与 shelfgate bind、shelfgate products 相同的环境变量。
    """
    if not examples.is_dir():
        raise click.BadParameter(
            f"没有文件夹 {examples}；请在项目文件夹里运行，或用 --examples 指向初始数据",
            param_hint="--examples",
        )
    config = SandboxConfig(
        huiju_port=huiju_port,
        youzan_port=youzan_port,
        huiju=_huiju(),
        youzan=_youzan(_shop_id(examples, rules)),
    )
    try:
        serve(_seed(examples), config=config, profile_file=profile, show=click.echo)
    except OSError as error:
        raise click.UsageError(
            f"端口无法使用：{error.strerror}；用 --huiju-port 0 --youzan-port 0 选空闲端口"
        ) from error
    except ChannelError as error:
        raise click.BadParameter(error.message, param_hint="--profile") from None


def _seed(examples: Path) -> Seed:
    """Read what the systems hold at first."""
    book = examples / REFERENCE
    tables: dict[str, list[dict[str, Any]]] | None = read_reference(book) if book.is_file() else None
    try:
        return read_seed(examples, tables)
    except ValueError as error:
        raise InputError(str(examples), str(error), "每行写一个完整的 JSON 对象") from error


def _shop_id(examples: Path, rules: Path | None) -> str:
    """Give the shop whose products they are."""
    shop = read_fact(examples / SHOP, load_rules(rules).vocabulary.facts["shop"])
    return str(shop["id"])


def _huiju() -> HuijuCredentials | None:
    """Take the identity that is set in the environment, whole or not at all."""
    values = {field: os.environ.get(variable, "") for field, variable in VARIABLES.items()}
    return HuijuCredentials(**values) if all(values.values()) else None


def _youzan(shop_id: str) -> YouzanCredentials:
    return YouzanCredentials(
        os.environ.get(YOUZAN_CLIENT_ID) or secrets.token_hex(9),
        os.environ.get(YOUZAN_CLIENT_SECRET) or secrets.token_hex(16),
        shop_id,
    )
