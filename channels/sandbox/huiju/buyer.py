"""What buyers and time do on the marketplace, so that a merchant has something to react to."""

from __future__ import annotations

from typing import Any

from channels.sandbox.huiju.people import person
from channels.sandbox.huiju.state import HuijuState, Record, Refused

AUTO_HANDLE_SECONDS = 3 * 86400


class Buyer:
    """Act as a buyer; every act returns the id of the order or after-sale that it made or changed.

    Args:
        state: What there is.
    """

    def __init__(self, state: HuijuState) -> None:
        self._state = state

    def place_order(self, out_product_id: str, *, count: int = 1, paid: bool = True, sku: int = 0) -> str:
        """Order a listed product; Huiju's own stock goes down (R34).

        Args:
            out_product_id: Youzan id of the product.
            count: Pieces, ≥ 1.
            paid: Whether it is paid at once.
            sku: Which of its SKUs, from 0.
        """
        state = self._state
        with state.lock:
            if out_product_id not in state.listed:
                raise Refused("product_missing", out_product_id)
            product = state.products[state.listed[out_product_id]]
            chosen = product["skuList"][sku]
            if not 1 <= count <= chosen["stock"]:
                raise Refused("stock_invalid", f"库存 {chosen['stock']}")
            chosen["stock"] -= count
            order_id, now = f"HJ{state.number()}", state.now()
            state.orders[order_id] = {
                "orderId": order_id,
                "orderStatus": "to_ship" if paid else "wait_pay",
                "createTime": now,
                "updateTime": now,
                "payTime": now if paid else None,
                "totalAmount": chosen["price"] * count,
                "freightAmount": 0,
                "buyerMessage": "",
                "merchantRemark": "",
                **person(state.next_person()),
                "deliverCompany": "",
                "deliverNumber": "",
                "itemList": [_line(state, product, chosen, count)],
                "logisticsList": [],
            }
            return order_id

    def pay(self, order_id: str) -> str:
        """Pay an order."""
        return self._move(order_id, ("wait_pay",), "to_ship", payTime=self._state.now())

    def receive(self, order_id: str) -> str:
        """Confirm that the goods have arrived."""
        return self._move(order_id, ("shipped",), "done")

    def cancel(self, order_id: str) -> str:
        """Cancel an order that is not paid."""
        return self._move(order_id, ("wait_pay",), "closed")

    def request(
        self, order_id: str, *, kind: str = "refund_only", amount: int | None = None, reason: str = ""
    ) -> str:
        """Ask for money back, a return or an exchange.

        Args:
            order_id: The order.
            kind: refund_only, return_refund or exchange.
            amount: In fen; the whole order where None.
            reason: The buyer's words.
        """
        state = self._state
        with state.lock:
            order = state.order(order_id)
            if (
                order["orderStatus"] in ("wait_pay", "closed")
                or kind not in state.profile.enums["after_sale_kind"]
            ):
                raise Refused("after_sale_state", order["orderStatus"])
            after_sale_id, now = f"AS{state.number()}", state.now()
            state.after_sales[after_sale_id] = {
                "afterSaleOrderId": after_sale_id,
                "orderId": order_id,
                "afterSaleType": kind,
                "afterSaleStatus": "requested",
                "closedBy": None,
                "refundAmount": order["totalAmount"] if amount is None else amount,
                "reason": reason,
                "contactName": order["userName"],
                "contactTel": order["telNumber"],
                "buyerId": order["buyerId"],
                "buyerName": order["buyerName"],
                "autoHandleTime": now + AUTO_HANDLE_SECONDS,
                "createTime": now,
                "updateTime": now,
            }
            state.touch(order)
            return after_sale_id

    def withdraw(self, after_sale_id: str) -> str:
        """Take a request back."""
        open_states = ("requested", "rejected", "waiting_return", "return_rejected")
        return self._move_after_sale(after_sale_id, open_states, "closed", closedBy="buyer")

    def ask_again(self, after_sale_id: str) -> str:
        """Change a request that was rejected, so that it waits for an answer again."""
        return self._move_after_sale(after_sale_id, ("rejected", "return_rejected"), "requested")

    def return_goods(self, after_sale_id: str) -> str:
        """Send the goods back."""
        return self._move_after_sale(after_sale_id, ("waiting_return",), "waiting_receipt")

    def time_out(self, after_sale_id: str) -> str:
        """Let the time run out in which the buyer should have sent the goods back."""
        return self._move_after_sale(after_sale_id, ("waiting_return",), "closed", closedBy="timeout")

    def _move(self, order_id: str, allowed: tuple[str, ...], to: str, **more: Any) -> str:
        with self._state.lock:
            return self._change(self._state.order(order_id), "orderStatus", allowed, to, more, order_id)

    def _move_after_sale(self, after_sale_id: str, allowed: tuple[str, ...], to: str, **more: Any) -> str:
        with self._state.lock:
            record = self._state.after_sale(after_sale_id)
            return self._change(record, "afterSaleStatus", allowed, to, more, after_sale_id)

    def _change(
        self, record: Record, key: str, allowed: tuple[str, ...], to: str, more: Record, record_id: str
    ) -> str:
        if record[key] not in allowed:
            raise Refused("after_sale_state", f"{record[key]} → {to}")
        record.update({key: to, **more})
        self._state.touch(record)
        return record_id


ACTS = (
    "place_order", "pay", "receive", "cancel", "request", "withdraw", "ask_again", "return_goods", "time_out",
)  # fmt: skip


def _line(state: HuijuState, product: Record, sku: Record, count: int) -> Record:
    return {
        "lineId": f"L{state.number()}",
        "productId": product["productId"],
        "outProductId": product["outProductId"],
        "skuId": sku["skuId"],
        "outSkuId": sku.get("outSkuId"),
        "title": product["title"],
        "count": count,
        "price": sku["price"],
        "specs": " ".join(spec["value"] for spec in sku["specs"]),
        "shipped": False,
    }
