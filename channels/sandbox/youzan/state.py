"""Everything the Youzan sandbox knows, in Youzan's own shapes."""

from __future__ import annotations

import copy
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

Record = dict[str, Any]
CHINA = timezone(timedelta(hours=8))

CARRIERS = {1: "申通快递", 2: "圆通速递", 3: "中通快递", 4: "韵达快递", 7: "顺丰速运", 11: "EMS", 41: "其他"}

# code -> message, as in Youzan's error tables
MESSAGES = {
    4101: "请求太频繁",
    4201: "非法的请求凭证",
    4203: "Token 不存在",
    4005: "非法的API",
    40010: "参数 token 无效",
    1103: "Client 不存在",
    123005001: "商品不存在",
    105000016: "订单不存在",
    105000003: "快递单号只能包含字母、数字和横杠",
    102570003: "只有待发货的订单才能发货",
    102570019: "商品已发货",
    102570002: "商品不合法",
    103010039: "退款版本号错误",
    103011024: "退款记录不存在",
    102010002: "操作过期，请刷新后确认最新退款状态",
    120000102: "缺少参数",
    120000103: "参数错误",
    53002: "page_size type error",
}


class Refused(Exception):
    """Say that the sandbox declines, with one of Youzan's codes.

    Attributes:
        code: The code.
        detail: What in particular, "" where the code's message says it all.
    """

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    @property
    def message(self) -> str:
        """Return the code's message with the detail."""
        return f"{MESSAGES[self.code]}：{self.detail}" if self.detail else MESSAGES[self.code]


@dataclass
class YouzanState:
    """Hold one shop; whoever reads or writes holds ``lock``.

    Attributes:
        clock: Seconds since the epoch.
        token_life: Seconds that a token is good for.
        items: Item id to product payload.
        trades: Order number to the payload of ``youzan.trade.get``.
        refunds: Refund id to the payload of ``youzan.trade.refund.get``.
        freight_templates: Rows of ``youzan.logistics.template.search``.
        tokens: Access token to the second it expires.
        effects: Every write that took effect, in order: (interface, id of what it touched).
    """

    clock: Callable[[], float]
    token_life: float = 7 * 86400.0
    items: dict[str, Record] = field(default_factory=dict)
    trades: dict[str, Record] = field(default_factory=dict)
    refunds: dict[str, Record] = field(default_factory=dict)
    freight_templates: list[Record] = field(default_factory=list)
    tokens: dict[str, float] = field(default_factory=dict)
    effects: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def grant(self) -> Record:
        """Make a token."""
        token, until = secrets.token_hex(16), self.clock() + self.token_life
        self.tokens[token] = until
        return {
            "access_token": token,
            "expires": int(until * 1000),
            "scope": "multi_store shop item trade logistics",
            "authority_id": "",
            "refresh_token": "",
        }

    def expire_tokens(self) -> None:
        """Let every token that was granted so far be refused from now on."""
        with self.lock:
            self.tokens.clear()

    def now_text(self) -> str:
        """Return the time as Youzan writes it."""
        return text_of(self.clock())

    def edit_item(self, item_id: str, changes: Record) -> None:
        """Change top-level fields of a product, as a merchant does in the back office.

        Raises:
            Refused: There is no such product.
        """
        with self.lock:
            if item_id not in self.items:
                raise Refused(123005001, item_id)
            self.items[item_id].update(changes)
            self.effects.append(("edit_item", item_id))

    def snapshot(self) -> Record:
        """Return a copy of everything but the tokens, as plain data."""
        with self.lock:
            return copy.deepcopy(
                {
                    "items": self.items,
                    "trades": self.trades,
                    "refunds": self.refunds,
                    "freight_templates": self.freight_templates,
                    "effects": self.effects,
                }
            )


def text_of(moment: float | None) -> str:
    """Return a time as Youzan writes it, "" where there is none.

    Args:
        moment: Seconds since the epoch.
    """
    return datetime.fromtimestamp(moment, CHINA).strftime("%Y-%m-%d %H:%M:%S") if moment is not None else ""
