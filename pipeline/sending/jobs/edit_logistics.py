"""Correct carrier and waybill of a parcel that has left (R27)."""

from __future__ import annotations

from typing import ClassVar

from channels.errors import BusinessRefusal
from channels.huiju import HuijuClient
from pipeline.sending.jobs._order_job import OrderJob
from pipeline.sending.outbox import Hold
from pipeline.sending.retrying import Ending


class EditLogistics(OrderJob):
    """Tell the channel what a parcel is to say; to say it twice does no harm."""

    KIND: ClassVar[str] = "order.edit_logistics"

    def perform(self, client: HuijuClient, hold: Hold) -> Ending:
        """Correct the parcel, then see what the order has become."""
        payload = hold.item.payload
        order_id, parcel_id = payload["orderId"], payload["logisticsId"]
        wanted = (payload["deliverCompany"], payload["deliverNumber"])
        try:
            client.orders.update_parcel(order_id, parcel_id, *wanted)
        except BusinessRefusal as error:
            order = self.look_at_order(client, order_id)
            parcels = [item for item in order.shipments if item["id"] == parcel_id]
            if not any((item.get("carrier_name"), item.get("waybill")) == wanted for item in parcels):
                return self.refused(hold, error, self.order_state(order, "edit_logistics"), order)
        else:
            order = self.look_at_order(client, order_id)
        return Ending("done", answer={"logisticsId": parcel_id}, seen=(order,))
