"""Actions as buttons: every action that the rules answer for, enabled with its form or greyed with its reason; and what a form asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, request
from werkzeug.datastructures import MultiDict

from api.console import go
from api.labels import Fact
from api.problems import problem_of
from api.routes import Ask
from engine.actions import ActionState
from engine.rulebook import Rulebook
from pipeline.actors import Actor
from pipeline.callers import SCOPES
from pipeline.orders.actions import REQUESTS, Accepted, ActionRefused, Request
from pipeline.orders.requests import Decide, EditLogistics, Parcel, RequestInvalid, Ship
from pipeline.orders.shown import Shown
from pipeline.people import ROLE_TITLES
from pipeline.secrets import Vault
from pipeline.sending.sendings import STATE_TITLES, Sending
from pipeline.store import ItemState, Store
from pipeline.uploads.receiving import moment

SCOPE = "orders:write"
Act = Callable[[Store, Rulebook, Vault, Actor, str, str, Request], Accepted]
Show = Callable[..., Response]

FORMS: Mapping[type[Request], str] = {Ship: "ship", EditLogistics: "edit_logistics", Decide: "decide"}
"""Which form an action's request is asked by."""

TONES: Mapping[ItemState, str] = {
    "queued": "calm",
    "sending": "calm",
    "done": "good",
    "refused": "bad",
    "failed": "bad",
    "held": "warn",
}


@dataclass(frozen=True, slots=True)
class Button:
    """Draw one action.

    Attributes:
        reason: Why it is greyed; empty where it is enabled.
        instead: What to do instead, each with where it is done; an empty address for elsewhere.
        until: Until when it is greyed, in words; may be empty.
        form: Which form asks for what it needs; empty where it is greyed.
        address: Where the form goes.
        open: Whether the form is shown at once, as after a try that was refused.
    """

    action: str
    title: str
    reason: str
    instead: Sequence[tuple[str, str]]
    until: str
    form: str
    address: str
    open: bool


def buttons(ask: Ask, shown: Shown, home: str, elsewhere: Mapping[str, str], tried: str = "") -> list[Button]:
    """Draw every action but those that the rules hide.

    Args:
        ask: The request; who may not act sees every button greyed.
        shown: The record with the verdict.
        home: Address of the record's page.
        elsewhere: Addresses of actions that are taken on other pages.
        tried: The action whose form was sent and refused.
    """
    barred = ""
    if SCOPE not in ask.who.scopes:
        able = "、".join(ROLE_TITLES[role] for role in SCOPES[SCOPE])
        barred = f"你的角色是{ROLE_TITLES[ask.who.actor.role]}，只能查看；可以操作的有 {able}"
    known = {state.action for state in shown.verdict.actions}
    places = {name: f"#{name}" for name in known} | dict(elsewhere)
    return [
        _button(state, home, places, barred, tried)
        for state in shown.verdict.actions
        if state.state != "hidden"
    ]


def _button(state: ActionState, home: str, places: Mapping[str, str], barred: str, tried: str) -> Button:
    enabled = state.state == "enabled" and not barred
    return Button(
        state.action,
        state.title,
        "" if enabled else state.reason or barred,
        [(item.effect, places.get(item.action, "")) for item in state.instead],
        state.until,
        FORMS[REQUESTS.get(state.action, Decide)] if enabled else "",
        f"{home}/actions/{state.action}",
        enabled and state.action == tried,
    )


def asked(action: str, form: MultiDict[str, str]) -> Request:
    """Read what a form asks for; what is wrong with it, `pipeline.orders.requests` says."""
    carrier, waybill = form.get("carrier", ""), form.get("waybill", "")
    match FORMS[REQUESTS.get(action, Decide)]:
        case "ship":
            return Ship((Parcel(carrier, waybill, tuple(form.getlist("line_ids"))),))
        case "edit_logistics":
            return EditLogistics(carrier, waybill, form.get("parcel", ""))
        case _:
            return Decide(form.get("remark", ""), form.get("reason_code", ""))


def attempt(ask: Ask, home: str, id_: str, action: str, act: Act, show: Show) -> Response:
    """Do what a button asks for; what is refused is said on the record's page, with what was typed.

    Args:
        ask: The request.
        home: Address below which the pages of such records are.
        id_: The record.
        action: The action.
        act: Asks for the action.
        show: Shows the record.
    """
    services, wanted = ask.services, asked(action, request.form)
    try:
        done = act(services.store, ask.rulebook, services.vault, ask.who.actor, id_, action, wanted)
    except (ActionRefused, RequestInvalid) as error:
        problem = problem_of(error)
        return show(ask, id_, problem.kind.status, refusal=problem.detail, tried=action)
    place = f"{home}/{done.after_sale_id or done.order_id}"
    return go(place, f"已提交「{done.title}」，正在等渠道答复；结果会显示在这一页")


def sendings(ask: Ask, shown: Shown) -> list[dict[str, Any]]:
    """Prepare what was asked of the channel, the latest first; who may act may let go of what waits for a person."""
    titles = {state.action: state.title for state in shown.verdict.actions}
    return [_sending(item, titles, may_act=SCOPE in ask.who.scopes) for item in reversed(shown.sendings)]


def is_waiting(shown: Shown) -> bool:
    """Tell whether an answer of the channel is still to come."""
    return any(not item.is_over for item in shown.sendings)


def _sending(item: Sending, titles: Mapping[str, str], *, may_act: bool) -> dict[str, Any]:
    return {
        "release": f"/outbox/{item.item_id}/release" if may_act and item.state == "held" else "",
        "title": titles.get(item.action, item.action),
        "state": STATE_TITLES[item.state],
        "tone": TONES[item.state],
        "since": moment(item.since),
        "attempts": item.attempts,
        "error": item.error,
    }


def lines_to_ship(fact: Fact) -> list[tuple[str, str]]:
    """Give the order lines that have not left: id, and what they are."""
    return [
        (
            line["id"],
            " · ".join(str(line[name]) for name in ("title", "specs") if line.get(name))
            + f" × {line.get('count', '？')}",
        )
        for line in fact.get("lines") or ()
        if not line.get("shipped")
    ]
