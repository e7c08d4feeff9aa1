"""What staff ask for about an order or an after-sale, checked against what is known before anything is sent (R27, R32).

A request has the form that its action needs: parcels to ship, another waybill, a remark. What is wrong with it is named field by field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import ShelfgateError
from engine.suggest import did_you_mean

Fact = Mapping[str, Any]
Payload = dict[str, Any]

WAYBILL = re.compile(r"[A-Za-z0-9-]+")
"""What a waybill may hold: letters, digits, hyphens (Youzan's code 105000003)."""

MOST_CHARACTERS = 64
"""Longest carrier and waybill, characters; longer ones are something else that was pasted."""

LONGEST_REMARK = 200
"""Longest remark, characters."""

MOST_PARCELS = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """Say what is wrong with one field of a request.

    Attributes:
        field: Such as `parcels[1].waybill`, 0-based.
        message: What was found, what was wanted.
    """

    field: str
    message: str


class RequestInvalid(ShelfgateError):
    """Refuse a request for how it is filled in; nothing was sent.

    Attributes:
        problems: Everything that is wrong with it.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("；".join(item.message for item in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Parcel:
    """Describe a parcel to be shipped.

    Attributes:
        carrier: Name of the carrier, as the channel knows it.
        waybill: The carrier's number.
        line_ids: The order lines in it; empty for all that have not left, where it is the only parcel.
    """

    carrier: str
    waybill: str
    line_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ship:
    """Ask for an order to be shipped: whole, or some of its lines, in one parcel or several."""

    parcels: tuple[Parcel, ...]

    def payload(self, fact: Fact, shipments: Sequence[Fact]) -> Payload:
        """Make what is sent.

        Args:
            fact: The order.
            shipments: Its parcels so far.

        Raises:
            RequestInvalid: Of what is asked for, something can't be.
        """
        problems = list(self._problems(fact, shipments))
        if problems:
            raise RequestInvalid(problems)
        parcels = [
            {
                "deliverCompany": parcel.carrier.strip(),
                "deliverNumber": parcel.waybill.strip(),
                "lineIds": list(parcel.line_ids) or None,
            }
            for parcel in self.parcels
        ]
        return {"parcels": parcels}

    def _problems(self, fact: Fact, shipments: Sequence[Fact]) -> Iterator[Problem]:
        if not 1 <= len(self.parcels) <= MOST_PARCELS:
            yield Problem("parcels", f"一次发 1～{MOST_PARCELS} 个包裹，这里有 {len(self.parcels)} 个")
        lines = {line["id"]: line for line in fact.get("lines") or ()}
        taken: dict[str, int] = {}
        numbers = {item.get("waybill"): "这个订单已有的包裹" for item in shipments}
        for place, parcel in enumerate(self.parcels):
            field, called = f"parcels[{place}]", f"第 {place + 1} 个包裹" if len(self.parcels) > 1 else "包裹"
            yield from _parcel_problems(parcel.carrier, parcel.waybill, field, called)
            waybill = parcel.waybill.strip()
            if waybill and waybill in numbers:
                yield Problem(f"{field}.waybill", f"{called}的运单号 {waybill} 与{numbers[waybill]}相同")
            numbers[waybill] = called
            if not parcel.line_ids and len(self.parcels) > 1:
                yield Problem(f"{field}.line_ids", f"{called}没有写装哪些商品行；分几个包裹发时每个都要写")
            for id_ in parcel.line_ids:
                if id_ not in lines:
                    hint = did_you_mean(id_, lines, listed="订单的商品行")
                    yield Problem(f"{field}.line_ids", f"{called}的商品行 {id_} 不在订单里；{hint}")
                elif lines[id_].get("shipped"):
                    yield Problem(f"{field}.line_ids", f"{called}的商品行 {id_} 已经发出")
                elif id_ in taken:
                    yield Problem(
                        f"{field}.line_ids", f"商品行 {id_} 写了两次，第 {taken[id_] + 1} 个包裹里已有"
                    )
                taken.setdefault(id_, place)


@dataclass(frozen=True, slots=True)
class EditLogistics:
    """Ask for carrier and waybill of a parcel to be corrected.

    Attributes:
        carrier: Name of the carrier.
        waybill: The right number.
        parcel: Id of the parcel, or its number so far; empty where there is only one.
    """

    carrier: str
    waybill: str
    parcel: str = ""

    def payload(self, fact: Fact, shipments: Sequence[Fact]) -> Payload:
        """Make what is sent; arguments and errors as for `Ship`."""
        problems = list(_parcel_problems(self.carrier, self.waybill, "", "包裹"))
        known = [
            item for item in shipments if not self.parcel or self.parcel in (item["id"], item.get("waybill"))
        ]
        if len(known) != 1:
            names = (
                "、".join(f"{item['id']}（{item.get('waybill', '无运单号')}）" for item in shipments)
                or "没有"
            )
            found = f"没有包裹 {self.parcel}" if self.parcel else "没有写明是哪个包裹"
            problems.append(Problem("parcel", f"{found}；订单的包裹有：{names}"))
        others = {item.get("waybill") for item in shipments if item not in known}
        if self.waybill.strip() in others:
            problems.append(
                Problem("waybill", f"运单号 {self.waybill.strip()} 与这个订单的另一个包裹相同")
            )  # fmt: skip
        if problems:
            raise RequestInvalid(problems)
        return {
            "logisticsId": known[0]["id"],
            "deliverCompany": self.carrier.strip(),
            "deliverNumber": self.waybill.strip(),
        }


@dataclass(frozen=True, slots=True)
class Decide:
    """Ask for a decision on an after-sale.

    Attributes:
        remark: Words to the buyer; may be empty.
        reason_code: The channel's code of the reason for a rejection; may be empty.
    """

    remark: str = ""
    reason_code: str = ""

    def payload(self, fact: Fact) -> Payload:
        """Make what is sent, with the state that it is meant for.

        Args:
            fact: The after-sale.

        Raises:
            RequestInvalid: The remark is too long, or the code is no code.
        """
        problems = []
        if len(self.remark) > LONGEST_REMARK:
            found = f"{len(self.remark)} 字"
            problems.append(Problem("remark", f"说明有 {found}，最多 {LONGEST_REMARK} 字"))
        if self.reason_code and not WAYBILL.fullmatch(self.reason_code):
            problems.append(Problem("reason_code", f"原因码 {self.reason_code} 只能是字母、数字和连字符"))
        if problems:
            raise RequestInvalid(problems)
        return {
            "remark": self.remark.strip(),
            "rejectReasonCode": self.reason_code,
            "status": fact.get("status"),
            "version": fact.get("version"),
        }


def _parcel_problems(carrier: str, waybill: str, field: str, called: str) -> Iterator[Problem]:
    at = f"{field}." if field else ""
    if not carrier.strip() or len(carrier) > MOST_CHARACTERS:
        yield Problem(f"{at}carrier", f"{called}的物流公司要填写，最多 {MOST_CHARACTERS} 字")
    number = waybill.strip()
    if not number or len(number) > MOST_CHARACTERS:
        yield Problem(f"{at}waybill", f"{called}的运单号要填写，最多 {MOST_CHARACTERS} 个字符")
    elif not WAYBILL.fullmatch(number):
        wrong = "、".join(dict.fromkeys(_named(char) for char in number if not WAYBILL.fullmatch(char)))
        yield Problem(f"{at}waybill", f"{called}的运单号 {number} 中有 {wrong}；只能是字母、数字和连字符")


def _named(char: str) -> str:
    """Name a character that may not be seen on a screen."""
    return "空格" if char.isspace() else char if char.isprintable() else f"U+{ord(char):04X}"
