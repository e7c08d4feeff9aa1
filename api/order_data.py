"""Orders and after-sales as the API gives them: what may be seen of one, every action with its state, and what is on its way (R20–R32)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, get_args

from api.lists import LIMIT, SPAN, cursor, moment_in
from api.problems import Problem
from api.routes import Ask, Reply, Variant
from api.schemas import Checker, Schema, array, component, integer, moment, record, text
from engine.rulebook import Rulebook
from pipeline.orders.actions import REQUESTS, Accepted, Request
from pipeline.orders.requests import (
    LONGEST_REMARK,
    MOST_CHARACTERS,
    MOST_PARCELS,
    Decide,
    EditLogistics,
    Parcel,
    Ship,
)
from pipeline.orders.rules import About
from pipeline.orders.shown import Shown
from pipeline.sending.sendings import find_sending
from pipeline.store import ItemState

ORDER_ID = text("订单号：自己的或渠道的", pattern="^[0-9A-Za-z_-]{1,64}$")
LISTED_BY = {
    **SPAN,
    "source": text("来源，例如 huiju（腾讯惠聚）", minLength=1),
    "product": text("含有这个有赞商品 ID", minLength=1),
    "text": text("渠道单号的一部分，或运单号", minLength=1),
    "cursor": cursor(),
    "limit": LIMIT,
}
"""What orders and after-sales are both looked for by."""

SENDING = record(
    "发往渠道的操作",
    {
        "item_id": text("编号"),
        "kind": text("发往渠道的是什么，例如 order.ship"),
        "action": text("操作"),
        "subject": text("关于哪个商品、订单或售后单"),
        "state": {"enum": list(get_args(ItemState)), "title": "状态"},
        "since": moment("提出的时间"),
        "updated_at": moment("更新时间"),
        "attempts": integer("试了几次", minimum=0),
        "error": text("最近的错误；没有时为空"),
        "due": moment("下一次在什么时候试"),
    },
)
AROUND = {
    "actions": array(component("action"), "每个操作能不能做；不能做的写明规则、原因、改做什么"),
    "masked": array(text("字段"), "遮盖了的字段"),
    "hidden": array(text("字段"), "去掉了的字段"),
    "version": text("规则的版本"),
    "as_of": moment("以哪一刻的规则为准"),
    "sendings": array(component("sending"), "正在发往渠道的，或没有成功的；单个时为全部"),
    "shipments": array(component("shipment"), "订单的包裹；列表里和售后单上为空"),
    "events": array(
        record(
            "发生了什么",
            {
                "event": text("名称"),
                "title": text("标题"),
                "at": moment("时间"),
                "after_sale_id": text("渠道售后单号；订单的事为空"),
            },
        ),
        "经过，从早到晚；列表里为空",
    ),
}
CODE = text("文字", maxLength=MOST_CHARACTERS)
CARRIER = CODE | {"title": "物流公司", "minLength": 1}
WAYBILL = CODE | {"title": "运单号", "minLength": 1}
PARCEL = record(
    "包裹",
    {
        "carrier": CARRIER,
        "waybill": WAYBILL,
        "line_ids": array(text("商品行 ID"), "装哪些商品行；只有一个包裹时可以不写，为全部没有发的"),
    },
    ("line_ids",),
)


@dataclass(frozen=True, slots=True)
class Form:
    """Say how an action is asked for.

    Attributes:
        schema: Schema of the body.
        make: Makes the request of a body that fits.
    """

    schema: Schema
    make: Callable[[Mapping[str, Any]], Request]

    def read(self, body: Any) -> Request:
        """Make the request of a body.

        Raises:
            Problem: The body does not fit; everything that is wrong is named.
        """
        if mistakes := Checker(self.schema, {}).mistakes(body):
            raise Problem("invalid", f"请求内容有 {len(mistakes)} 处不对", mistakes)
        return self.make(body)


SHIP = Form(
    record("发货", {"parcels": array(PARCEL, "包裹", minItems=1, maxItems=MOST_PARCELS)}),
    lambda body: Ship(
        tuple(
            Parcel(item["carrier"], item["waybill"], tuple(item.get("line_ids", ())))
            for item in body["parcels"]
        )
    ),
)
EDIT_LOGISTICS = Form(
    record(
        "修改物流",
        {
            "carrier": CARRIER,
            "waybill": WAYBILL,
            "parcel": CODE | {"title": "改哪个包裹：包裹号或原来的运单号；只有一个包裹时可以不写"},
        },
        ("parcel",),
    ),
    lambda body: EditLogistics(**body),
)
DECIDE = Form(
    record(
        "处理售后",
        {
            "remark": text("给渠道的说明", maxLength=LONGEST_REMARK),
            "reason_code": CODE | {"title": "渠道的拒绝原因码"},
        },
        ("remark", "reason_code"),
    ),
    lambda body: Decide(**body),
)
PLAIN = Form(record("不用填写", {}), lambda _body: Decide())
FORMS: Mapping[type[Request], Form] = {Ship: SHIP, EditLogistics: EDIT_LOGISTICS}


def form_of(about: About, action: str) -> Form:
    """Give the form of an action: that of its request, a remark on an after-sale, and nothing for the others."""
    if about == "after_sale":
        return DECIDE
    return FORMS.get(REQUESTS.get(action, Decide), PLAIN)


def action_variants(about: About) -> Callable[[Rulebook], Iterator[Variant]]:
    """Document one address for each action of a fact, with its form."""

    def variants(rulebook: Rulebook) -> Iterator[Variant]:
        for name, title, _ in rulebook.vocabulary.facts[about].actions:
            yield Variant({"action": name}, title, form_of(about, name).schema, component("sending"))

    return variants


def carry_out(ask: Ask, act: Callable[..., Accepted], about: About, id_: str, action: str) -> Reply:
    """Ask for an action, and say where its outcome will be found; one that the same request has put on its way before it died is found again.

    Args:
        ask: The request.
        act: `act_on_order` or `act_on_after_sale`.
        about: What that is about.
        id_: Its id.
        action: The action.
    """
    services = ask.services
    item_id = ask.hold.made if ask.hold is not None else None
    if item_id is None:
        form = form_of(about, action).read(ask.body)
        store, vault, actor = services.store, services.vault, ask.who.actor
        item_id = act(store, ask.rulebook, vault, actor, id_, action, form, ask.hold).item_id
    sending = find_sending(services.store, ask.shop_id, item_id)
    return Reply(asdict(sending), status=202, headers={"Location": f"/v1/outbox/{item_id}"})


def wanted_in(ask: Ask) -> dict[str, Any]:
    """Give what is looked for, as arguments of `Wanted`.

    Raises:
        Problem: A moment lies outside of the calendar.
    """
    query = ask.query
    return {
        "shop_id": ask.shop_id,
        "channel": query.get("source"),
        "statuses": query.get("status", ()),
        "since": moment_in(query, "since"),
        "until": moment_in(query, "until"),
        "product_id": query.get("product"),
        "text": query.get("text"),
        "before": query.get("cursor"),
    }


def shown_schema(about: About, title: str) -> dict[str, Any]:
    """Describe an order or an after-sale with all that belongs to it."""
    return record(title, {about: component(about), **AROUND})


def shown_data(about: About, shown: Shown) -> dict[str, Any]:
    """Give an order or an after-sale with all that belongs to it."""
    verdict = shown.verdict
    return {
        about: shown.fact,
        "actions": [state.as_data() for state in verdict.actions],
        "masked": [ref.path for ref, _ in verdict.masks],
        "hidden": [ref.path for ref in verdict.hidden],
        "version": verdict.version,
        "as_of": verdict.as_of,
        "sendings": [asdict(item) for item in shown.sendings],
        "shipments": list(shown.shipments),
        "events": [asdict(item) for item in shown.events],
    }
