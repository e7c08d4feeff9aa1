"""The store: what Shelfgate keeps, on SQLite or on PostgreSQL."""

from __future__ import annotations

from pipeline.store.base import Base, new_id
from pipeline.store.catalogue import Listing, ListingState, Product
from pipeline.store.claims import claim, new_holder, renew, settle
from pipeline.store.connection import DEFAULT_STORE, STORE, Store, database_now, open_store
from pipeline.store.errors import (
    MigrationError,
    StoreAddressError,
    StoreBusy,
    StoreConflict,
    StoreError,
    StoreRefused,
)
from pipeline.store.migrating import draft_revision, migrate, pending_changes, revision_of
from pipeline.store.orders import (
    AfterSale,
    AfterSaleKind,
    AfterSaleStatus,
    ClosedBy,
    Cursor,
    Order,
    OrderStatus,
    PaymentKind,
    Shipment,
)
from pipeline.store.outbox import ItemState, OutboxItem, Rate
from pipeline.store.people import Role, Token, User, UserSession
from pipeline.store.rates import book, hold_back
from pipeline.store.records import AuditEntry, AuditOutcome, DecisionRow, Event, Outcome
from pipeline.store.reference import ReferenceSnapshot
from pipeline.store.requests import KeyedRequest
from pipeline.store.shops import BindingRow, Edition, Shop, Standing
from pipeline.store.statements import insert_for, insert_many, newest_first, oldest_first
from pipeline.store.uploads import RowState, Upload, UploadFile, UploadRow, UploadState

__all__ = [
    "DEFAULT_STORE",
    "STORE",
    "AfterSale",
    "AfterSaleKind",
    "AfterSaleStatus",
    "AuditEntry",
    "AuditOutcome",
    "Base",
    "BindingRow",
    "ClosedBy",
    "Cursor",
    "DecisionRow",
    "Edition",
    "Event",
    "ItemState",
    "KeyedRequest",
    "Listing",
    "ListingState",
    "MigrationError",
    "Order",
    "OrderStatus",
    "OutboxItem",
    "Outcome",
    "PaymentKind",
    "Product",
    "Rate",
    "ReferenceSnapshot",
    "Role",
    "RowState",
    "Shipment",
    "Shop",
    "Standing",
    "Store",
    "StoreAddressError",
    "StoreBusy",
    "StoreConflict",
    "StoreError",
    "StoreRefused",
    "Token",
    "Upload",
    "UploadFile",
    "UploadRow",
    "UploadState",
    "User",
    "UserSession",
    "book",
    "claim",
    "database_now",
    "draft_revision",
    "hold_back",
    "insert_for",
    "insert_many",
    "migrate",
    "new_holder",
    "new_id",
    "newest_first",
    "oldest_first",
    "open_store",
    "pending_changes",
    "renew",
    "revision_of",
    "settle",
]
