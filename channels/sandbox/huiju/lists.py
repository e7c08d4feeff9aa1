"""Listings of the Huiju sandbox: increments by update window, and reference data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channels.sandbox.faults import FaultInjector, page_of
from channels.sandbox.huiju.state import HuijuState, Record, Refused

REFERENCE = {
    "category_list": "categories",
    "brand_list": "brands",
    "freight_template_list": "freight_templates",
    "spec_template_list": "spec_templates",
}


class Lists:
    """Page through what the state holds.

    Args:
        faults: Spoils pages.
    """

    def __init__(self, faults: FaultInjector) -> None:
        self._faults = faults

    def orders(self, state: HuijuState, params: Mapping[str, Any], request_id: str) -> Record:
        """Return the orders updated in a window, oldest first."""
        rows = _in_window(state, list(state.orders.values()), params, "orderId")
        return self._page(state, rows, params, "/order/list/increment", "orderList")

    def after_sales(self, state: HuijuState, params: Mapping[str, Any], request_id: str) -> Record:
        """Return the after-sales updated in a window, oldest first."""
        rows = _in_window(state, list(state.after_sales.values()), params, "afterSaleOrderId")
        return self._page(state, rows, params, "/aftersale/list/increment", "list")

    def reference(self, endpoint: str) -> Any:
        """Return the handler of one reference list."""
        table = REFERENCE[endpoint]

        def handler(state: HuijuState, params: Mapping[str, Any], request_id: str) -> Record:
            return self._page(state, state.reference.get(table, []), params, f"/{endpoint}", "list")

        return handler

    def _page(
        self, state: HuijuState, rows: list[Record], params: Mapping[str, Any], path: str, key: str
    ) -> Record:
        number, size = params["pageNum"], params["pageSize"]
        if size > state.profile.limit("page_size_max"):
            raise Refused("page_size_too_large", f"最多 {state.profile.limit('page_size_max')}")
        if number < 1 or size < 1:
            raise Refused("bad_request", "pageNum 与 pageSize 应从 1 起")
        return {"totalCount": len(rows), key: page_of(rows, number, size, path, self._faults)}


def _in_window(state: HuijuState, rows: list[Record], params: Mapping[str, Any], key: str) -> list[Record]:
    since, until = params["startUpdateTime"], params["endUpdateTime"]
    if until < since:
        raise Refused("bad_request", "endUpdateTime 早于 startUpdateTime")
    if until - since > state.profile.limit("window_seconds_max"):
        raise Refused("window_too_long", f"最多 {state.profile.limit('window_seconds_max')} 秒")
    if state.now() - since > (state.profile.limit("lookback_days") + 1) * 86400:
        raise Refused("window_too_old", f"最多回看 {state.profile.limit('lookback_days')} 天")
    found = [row for row in rows if since <= row["updateTime"] <= until]
    return sorted(found, key=lambda row: (row["updateTime"], row[key]))
