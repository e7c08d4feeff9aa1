"""What each interface of the Youzan sandbox does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from channels.sandbox.faults import FaultInjector, page_of
from channels.sandbox.youzan.state import CARRIERS, Record, Refused, YouzanState

Params = Mapping[str, Any]
Handler = Callable[[YouzanState, Params, FaultInjector], Record]
_WAYBILL = re.compile(r"[A-Za-z0-9-]+")


def item_detail(state: YouzanState, params: Params, faults: FaultInjector) -> Record:
    """Return a product by item_id or alias, as it was seeded; one in the shape of the older interface stays so."""
    item_id, alias = str(params.get("item_id") or ""), params.get("alias")
    for key, item in state.items.items():
        if key == item_id or (alias and item.get("alias") == alias):
            return item
    raise Refused(123005001, item_id or str(alias))


def items_on_sale(state: YouzanState, params: Params, faults: FaultInjector) -> Record:
    """Return a page of the products on sale, in brief."""
    rows = [_brief(item) for item in state.items.values() if _on_sale(item)]
    number, size = _page(params, default=40, most=300)
    return {"count": len(rows), "items": page_of(rows, number, size, "youzan.items.onsale.get", faults)}


def trade_get(state: YouzanState, params: Params, faults: FaultInjector) -> Record:
    """Return an order."""
    return _trade(state, params)


def trades_sold(state: YouzanState, params: Params, faults: FaultInjector) -> Record:
    """Return a page of orders, oldest update first; begin and end of a range count only as a pair."""
    number, size = _page(params, default=20, most=100)
    if number > 100:
        raise Refused(120000103, "page_no 最大 100")
    rows = [_without_details(trade) for trade in state.trades.values()]
    for name, key in (("update", "update_time"), ("created", "created"), ("success", "success_time")):
        start, end = params.get(f"start_{name}"), params.get(f"end_{name}")
        if start and end:
            rows = [row for row in rows if start <= _info(row)[key] <= end]
    if params.get("status"):
        rows = [row for row in rows if _info(row)["status"] == params["status"]]
    rows.sort(key=lambda row: (_info(row)["update_time"], _info(row)["tid"]))
    page = page_of(rows, number, size, "youzan.trades.sold.get", faults)
    return {"full_order_info_list": page, "total_results": len(rows)}


def ship(state: YouzanState, params: Params, faults: FaultInjector) -> Record:
    """Ship an order or some of its lines."""
    trade = _trade(state, params)
    info = trade["full_order_info"]["order_info"]
    if str(params.get("is_no_express", 0)) != "1":
        if not _WAYBILL.fullmatch(str(params.get("out_sid") or "")):
            raise Refused(105000003)
        if int(params.get("out_stype") or 0) not in CARRIERS:
            raise Refused(120000103, "out_stype")
    if info["status"] in ("WAIT_BUYER_CONFIRM_GOODS", "TRADE_SUCCESS"):
        raise Refused(102570019)
    if info["status"] != "WAIT_SELLER_SEND_GOODS":
        raise Refused(102570003)
    lines = {str(line["oid"]): line for line in trade["full_order_info"]["orders"]}
    shipped = {str(row["oid"]) for parcel in trade["delivery_order"] for row in parcel["oids"]}
    wanted = [oid for oid in str(params.get("oids") or "").split(",") if oid] or [
        o for o in lines if o not in shipped
    ]
    if any(oid not in lines for oid in wanted):
        raise Refused(102570002)
    if any(oid in shipped for oid in wanted):
        raise Refused(102570019)
    trade["delivery_order"].append(
        {
            "pk_id": 2600000 + len(state.effects),
            "express_state": 1,
            "express_type": 0,
            "oids": [{"oid": oid} for oid in wanted],
            "dists": [
                {"express_info": {"express_id": params.get("out_stype"), "express_no": params.get("out_sid")}}
            ],
        }
    )
    info["update_time"] = state.now_text()
    if shipped | set(wanted) == set(lines):
        info.update(status="WAIT_BUYER_CONFIRM_GOODS", status_str="已发货", consign_time=state.now_text())
    state.effects.append(("youzan.logistics.online.confirm", info["tid"]))
    return {"is_success": True}


def carriers(state: YouzanState, params: Params, faults: FaultInjector) -> Record:
    """Return every carrier."""
    return {"allExpress": [{"id": number, "name": name, "display": 1} for number, name in CARRIERS.items()]}


def freight_templates(state: YouzanState, params: Params, faults: FaultInjector) -> Record:
    """Return a page of the freight templates."""
    number, size = _page(params, default=20, most=100)
    rows = state.freight_templates
    return {
        "paginator": {"total_count": len(rows), "page": number, "page_size": size},
        "items": page_of(rows, number, size, "youzan.logistics.template.search", faults),
    }


def refund_search(state: YouzanState, params: Params, faults: FaultInjector) -> Record:
    """Return a page of refunds, oldest update first, without their versions."""
    number, size = _page(params, default=20, most=3000)
    if number > 100 or number * size > 3000:
        raise Refused(120000103, "查询页数超过100" if number > 100 else "超过ES搜索最大深度")
    rows = list(state.refunds.values())
    since, until = params.get("update_time_start"), params.get("update_time_end")
    if since is not None and until is not None:
        rows = [row for row in rows if int(since) * 1000 <= row["version"] < (int(until) + 1) * 1000]
    for key in ("tid", "refund_id", "status"):
        if params.get(key):
            rows = [row for row in rows if row[key] == params[key]]
    rows.sort(key=lambda row: (row["version"], row["refund_id"]))
    brief = [
        {key: value for key, value in row.items() if key not in ("version", "oid", "desc")} for row in rows
    ]
    return {
        "total": len(brief),
        "refunds": page_of(brief, number, size, "youzan.trade.refund.search", faults),
    }


def refund_get(state: YouzanState, params: Params, faults: FaultInjector) -> Record:
    """Return a refund with its version."""
    return _refund(state, params)


def refund_agree(state: YouzanState, params: Params, faults: FaultInjector) -> Record:
    """Agree to a refund, or confirm returned goods."""
    status = _decidable(state, params)["status"]
    if status == "WAIT_SELLER_AGREE" and _refund(state, params)["return_goods"]:
        raise Refused(102010002, "退货退款应先同意退货")
    return _decide(state, params, ("WAIT_SELLER_AGREE", "WAIT_SELLER_CONFIRM_GOODS"), "SUCCESS")


def refund_refuse(state: YouzanState, params: Params, faults: FaultInjector) -> Record:
    """Refuse a refund."""
    if not params.get("remark"):
        raise Refused(120000102, "remark")
    return _decide(state, params, ("WAIT_SELLER_AGREE",), "SELLER_REFUSE_BUYER")


def return_agree(state: YouzanState, params: Params, faults: FaultInjector) -> Record:
    """Agree to a return."""
    missing = [key for key in ("name", "mobile", "address") if not params.get(key)]
    if missing:
        raise Refused(120000102, "、".join(missing))
    return _decide(state, params, ("WAIT_SELLER_AGREE",), "WAIT_BUYER_RETURN_GOODS")


def return_refuse(state: YouzanState, params: Params, faults: FaultInjector) -> Record:
    """Refuse returned goods."""
    if not params.get("remark"):
        raise Refused(120000102, "remark")
    return _decide(state, params, ("WAIT_SELLER_CONFIRM_GOODS",), "SELLER_REFUSE_BUYER_RETURN_GOODS")


# interface -> (versions, what it does)
APIS: dict[str, tuple[tuple[str, ...], Handler]] = {
    "youzan.item.detail.get": (("1.0.0", "1.0.1", "1.0.2"), item_detail),
    "youzan.items.onsale.get": (("3.0.0",), items_on_sale),
    "youzan.trade.get": (("4.0.0", "4.0.1", "4.0.2"), trade_get),
    "youzan.trades.sold.get": (("4.0.0", "4.0.1", "4.0.2", "4.0.3", "4.0.4"), trades_sold),
    "youzan.logistics.online.confirm": (("3.0.0",), ship),
    "youzan.logistics.express.get": (("3.0.0",), carriers),
    "youzan.logistics.template.search": (("3.0.0",), freight_templates),
    "youzan.trade.refund.search": (("3.0.0", "3.0.1"), refund_search),
    "youzan.trade.refund.get": (("3.0.0", "3.0.1"), refund_get),
    "youzan.trade.refund.agree": (("3.0.0", "3.0.1"), refund_agree),
    "youzan.trade.refund.refuse": (("3.0.0",), refund_refuse),
    "youzan.trade.returngoods.agree": (("3.0.0",), return_agree),
    "youzan.trade.returngoods.refuse": (("3.0.0",), return_refuse),
}


def _decidable(state: YouzanState, params: Params) -> Record:
    refund = _refund(state, params)
    if str(params.get("version")) != str(refund["version"]):
        raise Refused(103010039)
    return refund


def _decide(state: YouzanState, params: Params, allowed: tuple[str, ...], to: str) -> Record:
    refund = _decidable(state, params)
    if refund["status"] not in allowed:
        raise Refused(102010002)
    set_status(state, refund, to)
    state.effects.append(("refund " + to, refund["refund_id"]))
    return {"is_success": True}


def set_status(state: YouzanState, refund: Record, status: str) -> None:
    """Move a refund on; its version, a time in milliseconds, always grows."""
    refund["status"] = status
    refund["version"] = max(int(state.clock() * 1000), refund["version"] + 1)
    refund["modified"] = state.now_text()


def _refund(state: YouzanState, params: Params) -> Record:
    try:
        return state.refunds[str(params.get("refund_id"))]
    except KeyError:
        raise Refused(103011024, str(params.get("refund_id"))) from None


def _trade(state: YouzanState, params: Params) -> Record:
    try:
        return state.trades[str(params.get("tid"))]
    except KeyError:
        raise Refused(105000016, str(params.get("tid"))) from None


def _info(row: Record) -> Record:
    info: Record = row["full_order_info"]["order_info"]
    return info


def _without_details(trade: Record) -> Record:
    return {"full_order_info": trade["full_order_info"]}


def _page(params: Params, *, default: int, most: int) -> tuple[int, int]:
    number, size = params.get("page_no", 1), params.get("page_size", default)
    if (
        not str(number).isdecimal()
        or not str(size).isdecimal()
        or not 1 <= int(size) <= most
        or int(number) < 1
    ):
        raise Refused(53002, f"page_no {number} page_size {size}")
    return int(number), int(size)


def _on_sale(item: Record) -> bool:
    return item["is_display"] == 1 if "is_display" in item else item.get("is_listing") is not False


def _brief(item: Record) -> Record:
    prices = [sku["price"] for sku in item.get("sku_list") or item.get("skus") or ()]
    single = (item.get("item_price_param") or item).get("price", 0)
    return {
        "item_id": item["item_id"],
        "alias": item.get("alias", ""),
        "title": item.get("title", ""),
        "price": min(prices, default=single),
        "item_type": item.get("item_type", 0),
        "item_no": item.get("item_no", ""),
        "quantity": item.get("quantity", 0),
        "detail_url": item.get("detail_url", ""),
    }
