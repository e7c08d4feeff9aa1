"""Products of a Youzan shop."""

from __future__ import annotations

from typing import Any

from channels.paging import Page, read_all
from channels.youzan.envelope import CHANNEL
from channels.youzan.limits import ITEMS_PAGE_SIZE, Call, at_most, rows_of

Payload = dict[str, Any]


class Items:
    """Read products.

    Args:
        call: Calls an interface.
    """

    def __init__(self, call: Call) -> None:
        self._call = call

    def detail(self, item_id: str | None = None, *, alias: str | None = None) -> Payload:
        """Return one product as ``youzan.item.detail.get`` 1.0.1 gives it.

        Raises:
            Missing: There is no such product.
        """
        return self._call("youzan.item.detail.get", "1.0.1", {"item_id": _number(item_id), "alias": alias})

    def on_sale_page(self, page_no: int = 1, page_size: int = ITEMS_PAGE_SIZE) -> Page:
        """Return one page of the products on sale, in brief, as ``youzan.items.onsale.get`` 3.0.0 gives them.

        Raises:
            LimitExceeded: The page size lies outside 1..300 (Youzan docs).
        """
        at_most("page_size", page_size, ITEMS_PAGE_SIZE)
        api = "youzan.items.onsale.get"
        payload = self._call(api, "3.0.0", {"page_no": page_no, "page_size": page_size})
        return Page(*rows_of(payload, api, "count", "items"))

    def on_sale(self, page_size: int = ITEMS_PAGE_SIZE) -> list[Payload]:
        """Return every product on sale, in brief."""
        return read_all(
            lambda number: self.on_sale_page(number, page_size),
            channel=CHANNEL,
            page_size=page_size,
            key=lambda row: row.get("item_id"),
        )


def _number(item_id: str | None) -> int | str | None:
    """Return an id as the number that the interface documents, or as it is where it isn't one."""
    return int(item_id) if item_id is not None and item_id.isdecimal() else item_id
