"""What can go wrong with the store, one class per thing a caller can do about it."""

from __future__ import annotations

from engine.errors import ShelfgateError


class StoreError(ShelfgateError):
    """Report a fault of the store that the caller can only pass on.

    Raised as itself where the database refuses a value or can't be reached; its subclasses are the cases in which
    a caller may do something.
    """


class StoreAddressError(StoreError):
    """Refuse a database address that can't be used.

    Attributes:
        address: The address as given, without its password.
    """

    def __init__(self, message: str, address: str) -> None:
        super().__init__(message)
        self.address = address


class StoreConflict(StoreError):
    """Report a constraint that held a write back; nothing of that transaction was kept.

    Attributes:
        constraint: Name of the constraint, such as `uq_listings_channel_shop_id_product_id`; table and column, such as
            `shops.name`, for a value that is missing; empty where the database doesn't say (foreign keys on SQLite).
    """

    def __init__(self, message: str, constraint: str) -> None:
        super().__init__(message)
        self.constraint = constraint


class StoreBusy(StoreError):
    """Report that another writer held the database for too long; the same call may be made again."""


class StoreRefused(StoreError):
    """Refuse a value that can't be kept exactly on every database, such as a time without a zone or a NaN."""


class MigrationError(StoreError):
    """Report a schema that can't be brought to the wanted revision; the database is as it was before.

    Attributes:
        orphans: Rows whose parent is missing, as (table, row id, parent table); empty for other causes.
    """

    def __init__(self, message: str, orphans: tuple[tuple[str, str, str], ...] = ()) -> None:
        super().__init__(message)
        self.orphans = orphans
