"""Shipping in the Huiju sandbox: what an order's state allows, and what shipping does to a pending refund."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from channels.sandbox.huiju.state import HuijuState, Record, Refused

_WAYBILL = re.compile(r"[A-Za-z0-9-]{4,40}")


def detail(state: HuijuState, params: Mapping[str, Any], request_id: str) -> Record:
    """Return one order."""
    return {"order": state.order(params["orderId"])}


def deliver(state: HuijuState, params: Mapping[str, Any], request_id: str) -> Record:
    """Ship an order or some of its lines; pending refund-only requests of the order close (R30)."""
    order = state.order(params["orderId"])
    _check_parcel(params)
    if order["orderStatus"] in ("shipped", "done"):
        raise Refused("already_shipped", params["orderId"])
    if order["orderStatus"] not in ("to_ship", "partly_shipped"):
        raise Refused("order_not_shippable", order["orderStatus"])
    lines = _lines(order, params.get("lineIds"))
    if any(line["shipped"] for line in lines):
        raise Refused("already_shipped", params["orderId"])
    parcel_id = _add_parcel(state, order, params, lines)
    for after_sale in state.after_sales.values():
        pending = (
            after_sale["afterSaleStatus"] == "requested" and after_sale["afterSaleType"] == "refund_only"
        )
        if pending and after_sale["orderId"] == order["orderId"]:
            after_sale["afterSaleStatus"] = "closed"
            after_sale["closedBy"] = "shipment"
            state.touch(after_sale)
    state.effects.append((request_id, "order_deliver", order["orderId"]))
    return {"logisticsId": parcel_id}


def add_parcel(state: HuijuState, params: Mapping[str, Any], request_id: str) -> Record:
    """Add one more parcel to an order that has been shipped, wholly or in part."""
    order = _editable(state, params)
    _check_parcel(params)
    parcel_id = _add_parcel(state, order, params, _lines(order, params.get("lineIds"), shipped_too=True))
    state.effects.append((request_id, "logistics_add", order["orderId"]))
    return {"logisticsId": parcel_id}


def update_parcel(state: HuijuState, params: Mapping[str, Any], request_id: str) -> Record:
    """Correct carrier and waybill of a parcel."""
    order = _editable(state, params)
    _check_parcel(params)
    parcel = _parcel(order, params["logisticsId"])
    parcel.update(deliverCompany=params["deliverCompany"], deliverNumber=params["deliverNumber"])
    _show_first_parcel(order)
    state.touch(order)
    state.effects.append((request_id, "logistics_update", order["orderId"]))
    return {"logisticsId": parcel["logisticsId"]}


def remove_parcel(state: HuijuState, params: Mapping[str, Any], request_id: str) -> Record:
    """Remove a parcel, but never the one that alone carries a line."""
    order = _editable(state, params)
    parcel = _parcel(order, params["logisticsId"])
    rest = [other for other in order["logisticsList"] if other is not parcel]
    carried = {line for other in rest for line in other["lineIds"]}
    if not set(parcel["lineIds"]) <= carried:
        raise Refused("logistics_not_editable", "该包裹是其中商品的唯一包裹")
    order["logisticsList"] = rest
    _show_first_parcel(order)
    state.touch(order)
    state.effects.append((request_id, "logistics_remove", order["orderId"]))
    return {"logisticsId": parcel["logisticsId"]}


def _editable(state: HuijuState, params: Mapping[str, Any]) -> Record:
    order = state.order(params["orderId"])
    if order["orderStatus"] not in ("partly_shipped", "shipped"):
        raise Refused("logistics_not_editable", order["orderStatus"])
    return order


def _check_parcel(params: Mapping[str, Any]) -> None:
    if not params["deliverCompany"].strip() or not _WAYBILL.fullmatch(params["deliverNumber"]):
        raise Refused("waybill_invalid", params["deliverNumber"])


def _lines(order: Record, wanted: list[str] | None, *, shipped_too: bool = False) -> list[Record]:
    """Return the lines meant: those named, or all that are not shipped (or all, where shipped ones may be meant)."""
    if wanted is None:
        return [line for line in order["itemList"] if shipped_too or not line["shipped"]]
    by_id = {line["lineId"]: line for line in order["itemList"]}
    unknown = [line_id for line_id in wanted if line_id not in by_id]
    if unknown or not wanted:
        raise Refused("line_missing", "、".join(unknown))
    return [by_id[line_id] for line_id in dict.fromkeys(wanted)]


def _add_parcel(state: HuijuState, order: Record, params: Mapping[str, Any], lines: list[Record]) -> str:
    parcel_id = state.number()
    order.setdefault("logisticsList", []).append(
        {
            "logisticsId": parcel_id,
            "deliverCompany": params["deliverCompany"],
            "deliverNumber": params["deliverNumber"],
            "lineIds": [line["lineId"] for line in lines],
            "shipTime": state.now(),
        }
    )
    for line in lines:
        line["shipped"] = True
    whole = all(line["shipped"] for line in order["itemList"])
    order["orderStatus"] = "shipped" if whole else "partly_shipped"
    order["shipTime"] = order.get("shipTime") or state.now()
    _show_first_parcel(order)
    state.touch(order)
    return parcel_id


def _parcel(order: Record, parcel_id: str) -> Record:
    for parcel in order.get("logisticsList") or []:
        if parcel["logisticsId"] == parcel_id:
            found: Record = parcel
            return found
    raise Refused("logistics_missing", parcel_id)


def _show_first_parcel(order: Record) -> None:
    first = order["logisticsList"][0]
    order["deliverCompany"], order["deliverNumber"] = first["deliverCompany"], first["deliverNumber"]
