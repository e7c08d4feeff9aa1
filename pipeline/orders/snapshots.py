"""Records as a channel gave them, read and sealed, ready to be kept: what is private never lies open in the store (R25, R26, R29, R31)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.flows import Observation
from mappings.channels.huiju_orders import (
    after_sale_from_huiju,
    after_sale_observations,
    order_from_huiju,
    order_observations,
    parted,
    shipments_from_huiju,
)
from pipeline.secrets import Vault

Fact = dict[str, Any]
Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Hold one order or after-sale as the channel gave it.

    Attributes:
        record_id: The channel's id of it.
        order_id: The channel's id of the order that it is, or belongs to.
        payload: What may be kept in the open.
        private: The rest, as plain data; shown to nobody.
        fact: What it says, as rules see it.
        shipments: The parcels of an order.
        observations: What it says has happened.
        read_at: When the reading of it began, by the database's clock.
    """

    record_id: str
    order_id: str
    payload: Fact
    private: Fact
    fact: Fact
    shipments: tuple[Fact, ...]
    observations: tuple[Observation, ...]
    read_at: datetime

    def __repr__(self) -> str:
        return f"Snapshot(record_id={self.record_id!r}, read_at={self.read_at.isoformat()})"

    @property
    def is_order(self) -> bool:
        """Whether it is of an order."""
        return self.record_id == self.order_id

    @property
    def updated_at(self) -> datetime:
        """When the channel last changed the record, by the channel's clock."""
        moment: datetime = self.fact["updated_at"]
        return moment

    @property
    def age(self) -> tuple[datetime, datetime]:
        """What makes one snapshot of a record newer than another: the channel's last change, then the reading."""
        return self.updated_at, self.read_at


def order_snapshot(payload: Payload, read_at: datetime) -> Snapshot:
    """Read an order.

    Raises:
        PayloadError: A value can't be read exactly.
    """
    fact = order_from_huiju(payload)
    id_ = fact["channel_order_id"]
    shipments, observations = shipments_from_huiju(payload), order_observations(payload)
    return Snapshot(id_, id_, *parted(payload), fact, tuple(shipments), tuple(observations), read_at)


def after_sale_snapshot(payload: Payload, read_at: datetime) -> Snapshot:
    """Read an after-sale.

    Raises:
        PayloadError: A value can't be read exactly.
    """
    fact = after_sale_from_huiju(payload)
    observations = after_sale_observations(payload)
    order_id = str(payload.get("orderId") or "")
    return Snapshot(
        fact["channel_after_sale_id"], order_id, *parted(payload), fact, (), tuple(observations), read_at
    )


def seal_private(vault: Vault, shop_id: str, record_id: str, private: Fact) -> str:
    """Seal what is private of a record, for this record alone."""
    text = json.dumps(private, ensure_ascii=False, sort_keys=True)
    return vault.seal(text, shop_id=shop_id, field=_field(record_id))


def open_private(vault: Vault, shop_id: str, record_id: str, sealed: str | None) -> Fact:
    """Open what is private of a record.

    Raises:
        ShelfgateError: As `Vault.open` says.
    """
    if sealed is None:
        return {}
    found: Fact = json.loads(vault.open(sealed, shop_id=shop_id, field=_field(record_id)))
    return found


def _field(record_id: str) -> str:
    return f"private.{record_id}"
