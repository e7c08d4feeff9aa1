"""What a job is: what it takes to carry items of one kind to the channel, and to write down what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from sqlalchemy.orm import Session

from channels.huiju import HuijuClient
from engine.rulebook import Rulebook
from pipeline.secrets import Vault
from pipeline.sending.outbox import Hold
from pipeline.sending.retrying import Ending
from pipeline.store import OutboxItem, Store


@dataclass(frozen=True, slots=True)
class Tools:
    """Hold what jobs work with.

    Attributes:
        store: Where everything is kept.
        rulebook: The rules.
        vault: What seals and opens what is private.
    """

    store: Store
    rulebook: Rulebook
    vault: Vault


class Job(Protocol):
    """Do what items of one kind ask for.

    Attributes:
        KIND: The kind, such as `product.add`; for an action, the call that its flow names.
    """

    KIND: ClassVar[str]

    def __init__(self, tools: Tools) -> None:
        """Take what it works with."""

    def perform(self, client: HuijuClient, hold: Hold) -> Ending:
        """Call the channel.

        Raises:
            ChannelError: The call failed.
        """

    def record(self, session: Session, item: OutboxItem, ending: Ending, now: datetime) -> None:
        """Write the outcome where it belongs, in the transaction that settles the item."""
