"""What `orders` and `after-sales` share: how a record and its actions are shown, and how an action is carried to its end."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import time
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from cli._options import Moment, load_rules, rules_option
from cli._store import find_vault, opened, sign_in_as, store_option, user_option
from engine.actions import ActionState
from engine.decision import plain
from engine.rulebook import Rulebook
from engine.vocabulary import FieldType, resolve
from pipeline.actors import Actor
from pipeline.orders.actions import Accepted, ActionRefused, Request, RequestInvalid
from pipeline.orders.shown import Shown
from pipeline.secrets import Vault
from pipeline.sending.lanes import Lanes
from pipeline.sending.sendings import Sending, find_sending
from pipeline.sending.worker import Worker
from pipeline.store import Store
from pipeline.uploads.receiving import moment

REFUSED, UNUSABLE = 1, 2
STATES = {"enabled": "可以", "disabled": "不可以", "hidden": "不显示"}
Command = TypeVar("Command", bound=Callable[..., Any])
Act = Callable[[Store, Rulebook, Vault, Actor, str, str, Request], Accepted]


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold how an action was asked for on the command line.

    Attributes:
        login, password_file: Who asks.
        no_wait: Whether the sending is left to a worker.
        as_json: The form of the output.
        address: Of the store.
        rules: Where the rules are; None for those found.
    """

    login: str | None
    password_file: Path | None
    no_wait: bool
    as_json: bool
    address: str
    rules: Path | None


def span_options(command: Command) -> Command:
    """Add since when, until when, how many, and the form of the output."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="输出 JSON"),
        click.option(
            "--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="最多列出多少"
        ),
        click.option("--product", "product_id", default=None, help="含有这个有赞商品 ID"),
        click.option("--until", type=Moment(time(0)), default=None, help="到哪一天（或哪一刻）为止，不含"),
        click.option("--since", type=Moment(time(0)), default=None, help="从哪一天（或哪一刻）起"),
    ):
        command = option(command)
    return command


def acting_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add who asks, whether to wait for the channel's answer, and the rest; the command is given all of it as `asked`."""

    @wraps(command)
    def gathered(
        login: str | None,
        password_file: Path | None,
        no_wait: bool,
        as_json: bool,
        address: str,
        rules: Path | None,
        **own: Any,
    ) -> None:
        command(**own, asked=Asked(login, password_file, no_wait, as_json, address, rules))

    wait = "提交后就结束，由 shelfgate worker 发往渠道；不写时等到渠道答复"
    found: Callable[..., None] = rules_option(gathered)
    found = store_option(found)
    found = click.option("--json", "as_json", is_flag=True, help="输出 JSON")(found)
    return user_option(click.option("--no-wait", is_flag=True, help=wait)(found))


def carry_out(act: Act, record_id: str, action: str, request: Request, asked: Asked) -> NoReturn:
    """Ask for an action, wait for the channel's answer, and end with the code that tells what came of it.

    0: the channel has it, or it is on its way with `--no-wait`; 1: refused, by the rules or the channel, or waiting for a person;
    2: the request is not filled in as it must be.

    Args:
        act: `act_on_order` or `act_on_after_sale`.
        record_id: The order or after-sale.
        action: The action.
        request: What is asked for.
        asked: Who asks, and how.
    """
    rulebook = load_rules(asked.rules)
    with opened(asked.address) as store:
        sys.exit(_carried_out(store, rulebook, act, record_id, action, request, asked))


def _carried_out(
    store: Store, rulebook: Rulebook, act: Act, record_id: str, action: str, request: Request, asked: Asked
) -> int:
    actor, vault = sign_in_as(store, asked.login, asked.password_file), find_vault()
    try:
        accepted = act(store, rulebook, vault, actor, record_id, action, request)
    except ActionRefused as refused:
        if asked.as_json:
            show_json({"done": False, "refused": refused.state.as_data()})
        else:
            click.echo(f"不能{refused.state.title}：{refused.state.reason}")
            for line in _why(refused.state):
                click.echo(f"  {line}")
        return REFUSED
    except RequestInvalid as invalid:
        for problem in invalid.problems:
            click.echo(problem.message, err=True)
        return UNUSABLE
    sent = find_sending(store, actor.shop_id, accepted.item_id)
    if not asked.no_wait:
        sent = _wait(store, rulebook, vault, actor.shop_id, accepted)
    if asked.as_json:
        show_json({"done": sent.state == "done", "sending": asdict(sent)})
    else:
        click.echo(f"{accepted.title} {sent.subject}：{sent}（发件 {sent.item_id}）")
    return REFUSED if sent.is_over and sent.state != "done" else 0


def show_record(shown: Shown, type_: FieldType, *, as_json: bool) -> None:
    """Show one record: fields, parcels, what has happened, what is on its way, and every action with its state and reason."""
    if as_json:
        show_json(record_data(shown))
        return
    _show_fields(shown.fact, type_, "")
    for parcel in shown.shipments:
        click.echo(
            f"包裹 {parcel['id']}：{parcel.get('carrier_name', '')} {parcel.get('waybill', '')}，商品行 {'、'.join(parcel['line_ids'])}"
        )
    for event in shown.events:
        about = f"（{event.after_sale_id}）" if event.after_sale_id else ""
        click.echo(f"{moment(event.at)}  {event.title}{about}")
    titles = {state.action: state.title for state in shown.verdict.actions}
    for sending in shown.sendings:
        click.echo(
            f"{moment(sending.since)}  {titles.get(sending.action, sending.action)} {sending}（发件 {sending.item_id}）"
        )
    click.echo("操作：")
    for state in shown.verdict.actions:
        click.echo(f"  {state.title}  {STATES[state.state]}" + (f"：{state.reason}" if state.reason else ""))
        for line in _why(state):
            click.echo(f"    {line}")


def record_data(shown: Shown) -> dict[str, Any]:
    """Give a record as plain data."""
    return {
        **shown.fact,
        "verdict": shown.verdict.as_data(),
        "sendings": [asdict(item) for item in shown.sendings],
        "shipments": list(shown.shipments),
        "events": [asdict(item) for item in shown.events],
    }


def title_of_value(type_: FieldType, path: str, value: Any) -> str:
    """Give the Chinese title of an enum's value; 未知 where it is not known."""
    if value is None:
        return "未知"
    found = resolve(type_, tuple(path.split("."))).type
    return dict(found.choices).get(value, str(value)) if found is not None else str(value)


def open_line(shown: Shown) -> str:
    """Say in a list what is on its way or has come to nothing; empty for neither."""
    return "".join(f"\n    {sending.action} {sending}" for sending in shown.sendings)


def show_json(data: Any) -> None:
    """Write plain data as JSON."""
    click.echo(json.dumps(plain(data), ensure_ascii=False, indent=2))


def _why(state: ActionState) -> list[str]:
    """Say what to do instead, until when, and by which rule."""
    lines = [f"改为：{item.effect}" for item in state.instead]
    lines += [f"直到：{state.until}"] if state.until else []
    return lines + ([f"规则：{state.rule}（{state.source}）"] if state.rule else [])


def _show_fields(fact: dict[str, Any], type_: FieldType, indent: str) -> None:
    for name, value in fact.items():
        field = type_.field(name)
        if field is None or value in ([], {}):
            continue
        if isinstance(value, dict):
            click.echo(f"{indent}{field.title}：")
            _show_fields(value, field, indent + "  ")
        elif isinstance(value, list) and field.element is not None and field.element.kind == "record":
            for item in value:
                told = "  ".join(
                    _told(inner, item[name]) for name, inner in field.element.fields if name in item
                )
                click.echo(f"{indent}{field.title}  {told}")
        else:
            click.echo(f"{indent}{field.title}：{_told(field, value)}")


def _told(field: FieldType, value: Any) -> str:
    """Write a value for a person."""
    if isinstance(value, list):
        return "、".join(_told(field.element or field, item) for item in value)
    if field.kind == "datetime":
        return moment(value)
    if field.unit == "fen":
        return f"{value // 100}.{value % 100:02d} 元"
    if isinstance(value, bool):
        return f"{field.title}{'是' if value else '否'}"
    return str(dict(field.choices).get(value, value))


def _wait(store: Store, rulebook: Rulebook, vault: Vault, shop_id: str, accepted: Accepted) -> Sending:
    """Work the outbox off until the channel has answered; other workers may help."""
    try:
        Worker(Lanes(store, vault), rulebook, threads=1).run(
            threading.Event(), lambda: find_sending(store, shop_id, accepted.item_id).is_over
        )
    except KeyboardInterrupt:
        click.echo(f"已中断（发件 {accepted.item_id}）；它仍在等待提交，由 shelfgate worker 继续", err=True)
        sys.exit(UNUSABLE)
    return find_sending(store, shop_id, accepted.item_id)
