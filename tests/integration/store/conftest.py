"""A store with a row in every table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from pipeline.store import (
    AfterSale,
    AuditEntry,
    Base,
    BindingRow,
    Cursor,
    DecisionRow,
    Event,
    KeyedRequest,
    Listing,
    Order,
    OutboxItem,
    Product,
    Rate,
    ReferenceSnapshot,
    Shipment,
    Shop,
    Standing,
    Store,
    Token,
    Upload,
    UploadFile,
    UploadRow,
    User,
    UserSession,
)

NOW = datetime(2022, 3, 8, 1, 2, 3, 456789, tzinfo=UTC)
SHOP, OTHER = "38405005", "38405006"


def everything(shop_id: str) -> list[Base]:
    """Make at least one row of every table for one shop."""
    own = {"shop_id": shop_id, "channel": "huiju"}
    big = 2**53 + 1
    return [
        Shop(id=shop_id, name="羊毛小店", edition="wsc_ecommerce", created_at=NOW, updated_at=NOW),
        Standing(**own, admitted=True, beta_approved=False, updated_at=NOW),
        BindingRow(**own, credentials="sealed", bound_by="u1", bound_at=NOW, tried_at=NOW),
        User(
            id=f"u-{shop_id}", shop_id=shop_id, login=f"amy{shop_id}", name="王小美", password_hash="scrypt:…",
            role="senior_admin", created_at=NOW,
        ),
        UserSession(token_hash=f"s{shop_id}", user_id=f"u-{shop_id}", created_at=NOW, seen_at=NOW, expires_at=NOW),
        Token(
            shop_id=shop_id, name="夜间任务", token_hash=f"t{shop_id}", role="operator", scopes=["uploads:write"],
            created_by="u1", created_at=NOW, expires_at=NOW,
        ),
        ReferenceSnapshot(
            **own, kind="brands", hash="0", row_count=1, rows=[{"id": "1", "name": "恒源祥"}], taken_at=NOW,
            checked_at=NOW,
        ),
        Product(shop_id=shop_id, id="403680077", title="羊毛围巾", payload={"类目": 1, "id": big}, hash="0", fetched_at=NOW),
        DecisionRow(
            id=f"d-{shop_id}", shop_id=shop_id, ruleset="huiju/eligibility", version="sha256:0", as_of=NOW,
            outcome="accepted", content='{"结论":"通过"}'.encode(), created_at=NOW,
        ),
        Upload(
            id=f"up-{shop_id}", **own, actor_id="u1", actor_name="王小美", filename="上架.xlsx", sha256="0", size=4,
            state="done", row_total=1, as_of=NOW, received_at=NOW, finished_at=NOW + timedelta(hours=1),
        ),
        Upload(
            id=f"up2-{shop_id}", **own, actor_id="u1", actor_name="王小美", filename="上架 改.xlsx", sha256="1", size=4,
            state="checking", received_at=NOW, corrects=f"up-{shop_id}",
        ),
        UploadFile(upload_id=f"up-{shop_id}", content=b"PK\x03\x04"),
        UploadRow(
            upload_id=f"up-{shop_id}", number=2, product_id="403680077", cells={"品牌 ID": "１"}, row={"brand_id": "1"},
            state="listed", decision_id=f"d-{shop_id}", channel_product_id="HJ1", updated_at=NOW,
        ),
        Listing(
            **own, product_id="403680077", state="listed", channel_product_id="HJ1", upload_id=f"up-{shop_id}",
            row_number=2, snapshot={"title": "羊毛围巾"}, created_at=NOW, listed_at=NOW,
        ),
        Order(
            id=f"o-{shop_id}", **own, channel_order_id="HJ-O-1", status="to_ship", payment_kind="marked", total=29800,
            freight=0, private="sealed", lines=[{"id": "1", "count": 1}], payload={}, created_at=NOW, updated_at=NOW,
            fetched_at=NOW,
        ),
        Shipment(
            order_id=f"o-{shop_id}", carrier_id="7", carrier_name="顺丰", waybill="SF1", line_ids=["1"], shipped_at=NOW
        ),
        AfterSale(
            id=f"a-{shop_id}", **own, order_id=f"o-{shop_id}", channel_after_sale_id="HJ-A-1", kind="refund_only",
            status="closed", closed_by="shipment", amount=29800, payload={}, created_at=NOW, updated_at=NOW,
            fetched_at=NOW,
        ),
        Event(
            **own, event_id="e1", channel_order_id="HJ-O-1", kind="order_shipped", data={}, happened_at=NOW,
            received_at=NOW,
        ),
        Cursor(**own, kind="orders", until=NOW, moved_at=NOW),
        OutboxItem(
            **own, kind="list_product", idempotency_key=f"k-{shop_id}", payload={"标题": "羊毛围巾"}, due=NOW,
            upload_id=f"up-{shop_id}", row_number=2, created_at=NOW, updated_at=NOW,
        ),
        Rate(**own, tat=1_646_701_323_456_789),
        KeyedRequest(
            shop_id=shop_id, caller="user:u1", key="k1", fingerprint="0", status=202, body=b"{}",
            media_type="application/json", location="/v1/uploads/1", started_at=NOW, alive_at=NOW,
        ),
        AuditEntry(
            **own, at=NOW, actor_id="u1", actor_name="王小美", actor_role="senior_admin", action="bind", outcome="done"
        ),
    ]  # fmt: skip


@pytest.fixture
def fill() -> Callable[[Store], None]:
    """Give a function that puts rows of two shops into every table."""

    def add(session: Session, shop_id: str) -> None:
        for row in everything(shop_id):
            session.add(row)
            session.flush()

    def run(store: Store) -> None:
        with store.write() as session:
            add(session, SHOP)
            add(session, OTHER)

    return run


@pytest.fixture
def filled(store: Store, fill: Callable[[Store], None]) -> Store:
    """Give a store with rows of two shops in every table."""
    fill(store)
    return store
