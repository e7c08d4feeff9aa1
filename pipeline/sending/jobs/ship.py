"""Ship an order: one parcel or several, each once (R27); shipping closes a pending refund request (R30)."""

from __future__ import annotations

from typing import Any, ClassVar

from channels.errors import BusinessRefusal, StateChanged
from channels.huiju import HuijuClient
from pipeline.orders.snapshots import Snapshot
from pipeline.sending.jobs._order_job import OrderJob
from pipeline.sending.outbox import Hold
from pipeline.sending.retrying import Ending


class Ship(OrderJob):
    """Tell the channel of the parcels that it does not have yet, then see what it has made of the order and of its requests."""

    KIND: ClassVar[str] = "order.ship"

    def perform(self, client: HuijuClient, hold: Hold) -> Ending:
        """Ship what is not there."""
        payload = hold.item.payload
        order_id = payload["orderId"]
        order = self.look_at_order(client, order_id) if hold.doubtful else None
        for parcel in payload["parcels"]:
            if order is not None and _has(order, parcel):
                continue
            company, waybill, lines = (parcel[key] for key in ("deliverCompany", "deliverNumber", "lineIds"))
            try:
                client.orders.deliver(order_id, company, waybill, lines)
            except StateChanged as error:
                hold.doubtful = True
                order = self.look_at_order(client, order_id)
                if not _has(order, parcel):
                    return self.refused(hold, error, self.order_state(order, "ship"), order)
            except BusinessRefusal as error:
                if not hold.doubtful:
                    raise
                # A parcel before it has left, or may have: what the order is now has to be kept.
                return self.refused(hold, error, None, self.look_at_order(client, order_id))
            hold.doubtful = True
        order = self.look_at_order(client, order_id)
        requests = [self.look_at_after_sale(client, id_) for id_ in payload["requests"]]
        return Ending("done", answer={"orderStatus": order.fact.get("status")}, seen=(order, *requests))


def _has(order: Snapshot, parcel: dict[str, Any]) -> bool:
    """Say whether the channel has a parcel: this carrier and number, with these lines."""
    return any(
        item.get("waybill") == parcel["deliverNumber"]
        and item.get("carrier_name") == parcel["deliverCompany"]
        and set(parcel["lineIds"] or ()) <= set(item["line_ids"])
        for item in order.shipments
    )
