"""`shelfgate bind`: bind a shop to Huiju with its API identity, replace it, or unbind (R4, R5)."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import click

from cli._options import channel_option, load_rules, now, pick_channel, rules_option
from cli._store import find_vault, opened, pick_shop, shop_option, sign_in_as, store_option, user_option
from engine.wording import SHANGHAI
from pipeline.access import RulesMay
from pipeline.binding import bind, find_binding, replace_credentials, unbind
from pipeline.clients import HUIJU, HuijuProbe, huiju_address
from pipeline.credentials import Credentials
from pipeline.secrets import Vault, new_key
from pipeline.store import Store

VARIABLES = {
    "app_id": "SHELFGATE_HUIJU_APP_ID",
    "app_secret": "SHELFGATE_HUIJU_APP_SECRET",
    "data_key": "SHELFGATE_HUIJU_DATA_KEY",
}
TITLES = {"app_id": "appId", "app_secret": "appSecret", "data_key": "dataKey"}
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_LINE = re.compile(r"""\s*["']?([A-Za-z_]+)["']?\s*[:=]\s*["']?(.*?)["']?\s*,?\s*""")


@click.command("bind")
@shop_option
@user_option
@click.option("--replace", "action", flag_value="replace", help="更换已绑定店铺的身份信息")
@click.option("--unbind", "action", flag_value="unbind", help="解除绑定；已上架的商品和订单不受影响")
@click.option("--status", "action", flag_value="status", help="只看现在是否已绑定")
@click.option(
    "--credentials",
    type=_FILE,
    default=None,
    help="放身份信息的文件，每行一项：appId、appSecret、dataKey；不写时用环境变量，再没有时在终端上问",
)
@store_option
@channel_option
@rules_option
def COMMAND(  # noqa: N802 - the name under which the command is found
    shop_id: str | None,
    login: str | None,
    password_file: Path | None,
    action: str | None,
    credentials: Path | None,
    address: str,
    channel: str | None,
    rules: Path | None,
) -> None:
    """绑定惠聚店铺：先向惠聚验证身份信息，通过后加密保存，以后不再显示。

    身份信息不写在命令行上，因为别人能从进程列表里看到。环境变量：SHELFGATE_HUIJU_APP_ID、SHELFGATE_HUIJU_APP_SECRET、
    SHELFGATE_HUIJU_DATA_KEY。惠聚的地址可用 SHELFGATE_HUIJU_URL 改。
    """
    rulebook = load_rules(rules)
    picked = pick_channel(rulebook, channel)
    if picked.name != HUIJU:
        raise click.UsageError(f"渠道 {picked.title} 还不能绑定")
    with opened(address) as store:
        shop = pick_shop(store, HUIJU, shop_id)["id"]
        if action == "status":
            click.echo(_status(store, shop))
            return
        actor = sign_in_as(store, login, password_file)
        may = RulesMay(rulebook, HUIJU, store, now())
        if action == "unbind":
            unbind(store, may, actor, shop, HUIJU)
            click.echo(f"已解除店铺 {shop} 与{picked.title}的绑定")
            return
        probe = HuijuProbe(huiju_address())
        allowed = may(actor, "replace_credentials" if action == "replace" else "bind").allowed
        # Nobody is asked for secrets who may not use them; the refusal itself, and its trace, come from the binding.
        given = _credentials(credentials) if allowed else Credentials({})
        vault = find_vault(make=True) if allowed else Vault([new_key()])
        enter = replace_credentials if action == "replace" else bind
        enter(store, vault, may, probe, actor, shop, HUIJU, given)
        click.echo(f"已{'更换' if action == 'replace' else '绑定'}：{_status(store, shop)}")


def _status(store: Store, shop_id: str) -> str:
    """Say whether a shop is bound, and since when; nothing of the identity itself."""
    found = find_binding(store, shop_id, HUIJU)
    if found is None:
        return f"店铺 {shop_id} 未绑定惠聚"
    at = found.bound_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    return f"店铺 {shop_id} 已绑定惠聚（{at}，惠聚已验证身份信息）"


def _credentials(file: Path | None) -> Credentials:
    """Take the identity from a file, the environment, or the terminal."""
    found = _read(file) if file is not None else {}
    for field, title in TITLES.items():
        if field not in found and file is None and (value := os.environ.get(VARIABLES[field])):
            found[field] = value
        if field not in found and file is None and sys.stdin.isatty():
            found[field] = click.prompt(f"惠聚 {title}", hide_input=field != "app_id", err=True)
    if not found:
        names = "、".join(VARIABLES.values())
        raise click.UsageError(
            f"没有得到惠聚的身份信息：请用 --credentials 指向文件，或设置环境变量 {names}，或在终端上运行"
        )
    return Credentials(found)


def _read(file: Path) -> dict[str, str]:
    """Read `name: value` lines, or one JSON object; messages never quote the file."""
    text = file.read_text(encoding="utf-8-sig")
    names = {field.replace("_", ""): field for field in TITLES}
    pairs: list[tuple[str, str]]
    if text.lstrip().startswith("{"):
        try:
            data = json.loads(text)
        except ValueError:
            raise click.BadParameter(f"{file} 不是完整的 JSON", param_hint="--credentials") from None
        pairs = [(str(key), str(value)) for key, value in data.items()]
    else:
        lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        matches = [_LINE.fullmatch(line) for line in lines]
        if None in matches:
            number = matches.index(None) + 1
            raise click.BadParameter(
                f"{file} 的第 {number} 项写法不对，应为 appId: 值", param_hint="--credentials"
            )
        pairs = [(match[1], match[2]) for match in matches if match]
    return {names.get(key.replace("_", "").casefold(), key): value for key, value in pairs}
