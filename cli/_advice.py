"""Which command helps on after an error: the errors themselves say what to do in words that fit the pages and the API, too."""

from __future__ import annotations

from collections.abc import Mapping

from engine.errors import ShelfgateError
from pipeline.callers import TokenUnknown
from pipeline.orders.after_sales import AfterSaleUnknown
from pipeline.orders.orders import OrderUnknown
from pipeline.reference import NoReference
from pipeline.sending.sendings import SendingUnknown
from pipeline.shops import ShopUnknown
from pipeline.uploads.receiving import UploadUnknown

COMMANDS: Mapping[type[ShelfgateError], str] = {
    OrderUnknown: "列出订单：shelfgate orders list；收取新的：shelfgate sync",
    AfterSaleUnknown: "列出售后单：shelfgate after-sales list；收取新的：shelfgate sync",
    SendingUnknown: "列出发件：shelfgate outbox list",
    UploadUnknown: "列出导入：shelfgate history",
    TokenUnknown: "列出令牌：shelfgate tokens list",
    NoReference: "下载惠聚数据：shelfgate reference",
    ShopUnknown: "登记店铺：shelfgate shops add",
}


def advice(error: ShelfgateError) -> str:
    """Name the command that helps on; empty where none does.

    Examples:
        >>> advice(UploadUnknown("nope"))
        '列出导入：shelfgate history'
    """
    return COMMANDS.get(type(error), "")
