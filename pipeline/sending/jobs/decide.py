"""Decide on an after-sale: agree, reject, agree to a return, confirm it, reject it (R32)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from channels.errors import StateChanged
from channels.huiju import HuijuClient
from pipeline.orders.snapshots import Snapshot
from pipeline.sending.jobs._order_job import OrderJob
from pipeline.sending.outbox import Hold
from pipeline.sending.retrying import Ending
from pipeline.sending.sendings import action_of


class Decide(OrderJob):
    """Tell the channel a decision on an after-sale, once, and only on the state that it was made for.

    The after-sale is looked at before: a decision that has arrived is not sent again, and one that was made for an earlier state hits
    no later one.

    Attributes:
        REACHED: States that tell that the decision has been taken.
    """

    KIND: ClassVar[str]
    REACHED: ClassVar[frozenset[str]]

    def tell(self, client: HuijuClient, after_sale_id: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make the call; give the after-sale as the channel shows it then, empty where it does not."""
        raise NotImplementedError

    def perform(self, client: HuijuClient, hold: Hold) -> Ending:
        """Tell it, unless it has been told or is out of date."""
        payload = hold.item.payload
        id_ = payload["afterSaleOrderId"]
        found = self.look_at_after_sale(client, id_)
        if found.fact.get("status") not in self.REACHED:
            if _state(found) != (payload["status"], payload["version"]):
                return self._out_of_date(client, hold, found)
            try:
                found = self.seen_after_sale(
                    lambda: self.tell(client, id_, payload) or client.after_sales.get(id_)
                )
            except StateChanged as error:
                found = self.look_at_after_sale(client, id_)
                if found.fact.get("status") not in self.REACHED:
                    return self._out_of_date(client, hold, found, error)
        seen = [found]
        if found.fact.get("status") == "succeeded":  # the money goes back: the order may be closed by it
            seen.append(self.look_at_order(client, payload["orderId"]))
        return Ending("done", answer={"afterSaleStatus": found.fact.get("status")}, seen=tuple(seen))

    def _out_of_date(
        self, client: HuijuClient, hold: Hold, found: Snapshot, error: StateChanged | None = None
    ) -> Ending:
        order = self.look_at_order(client, hold.item.payload["orderId"])
        state = self.after_sale_state(found, order, action_of(self.KIND))
        error = error or StateChanged("huiju", "售后单在提交之前已经变化，请看清现在的状态再处理")
        return self.refused(hold, error, state, found, order)


def _state(found: Snapshot) -> tuple[Any, Any]:
    return found.fact.get("status"), found.fact.get("version")


class Agree(Decide):
    """Agree to a refund."""

    KIND = "after_sale.agree"
    REACHED = frozenset({"succeeded"})

    def tell(self, client: HuijuClient, after_sale_id: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Agree."""
        return client.after_sales.agree(after_sale_id, remark=payload["remark"])


class AgreeReturn(Decide):
    """Agree to a return."""

    KIND = "after_sale.agree_return"
    REACHED = frozenset({"waiting_return", "waiting_receipt"})

    def tell(self, client: HuijuClient, after_sale_id: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Agree."""
        return client.after_sales.agree(after_sale_id, remark=payload["remark"])


class Reject(Decide):
    """Reject a request."""

    KIND = "after_sale.reject"
    REACHED = frozenset({"rejected"})

    def tell(self, client: HuijuClient, after_sale_id: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Reject."""
        return client.after_sales.reject(
            after_sale_id, reason_code=payload["rejectReasonCode"], remark=payload["remark"]
        )


class ConfirmReturn(Decide):
    """Confirm that the goods have come back."""

    KIND = "after_sale.confirm_return"
    REACHED = frozenset({"succeeded"})

    def tell(self, client: HuijuClient, after_sale_id: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Confirm."""
        return client.after_sales.confirm_return(after_sale_id, remark=payload["remark"])


class RejectReturn(Decide):
    """Refuse the goods that have come back."""

    KIND = "after_sale.reject_return"
    REACHED = frozenset({"return_rejected"})

    def tell(self, client: HuijuClient, after_sale_id: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Refuse."""
        return client.after_sales.reject_return(
            after_sale_id, reason_code=payload["rejectReasonCode"], remark=payload["remark"]
        )
