"""What the database itself refuses, whoever writes and however many at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, func, insert, select, update

from pipeline.store import (
    AfterSale,
    AuditEntry,
    Base,
    BindingRow,
    DecisionRow,
    Event,
    KeyedRequest,
    Listing,
    Order,
    OutboxItem,
    Product,
    ReferenceSnapshot,
    Shipment,
    Shop,
    Store,
    StoreConflict,
    Token,
    Upload,
    UploadFile,
    UploadRow,
    User,
    UserSession,
    claim,
)

NOW = datetime(2022, 3, 8, 1, 2, 3, 456789, tzinfo=UTC)

REFUSED = [
    (Shop, {"edition": "gold"}, "ck_shops_edition"),
    (User, {"role": "owner"}, "ck_users_role"),
    (User, {"login": "Amy"}, "ck_users_login"),
    (Token, {"role": "owner"}, "ck_tokens_role"),
    (ReferenceSnapshot, {"row_count": -1}, "ck_reference_snapshots_row_count"),
    (ReferenceSnapshot, {"checked_at": NOW - timedelta(1)}, "ck_reference_snapshots_checked_at"),
    (Upload, {"state": "lost", "finished_at": None}, "ck_uploads_state"),
    (Upload, {"size": -1}, "ck_uploads_size"),
    (Upload, {"row_total": -1}, "ck_uploads_row_total"),
    (Upload, {"state": "failed", "finished_at": NOW}, "ck_uploads_failure"),
    (Upload, {"finished_at": NOW, "state": "pushing"}, "ck_uploads_finished_at"),
    (Upload, {"corrects": Upload.id}, "ck_uploads_corrects"),
    (Upload, {"check_tries": -1}, "ck_uploads_check_tries"),
    (UploadRow, {"state": "lost"}, "ck_upload_rows_state"),
    (UploadRow, {"number": 0}, "ck_upload_rows_number"),
    (UploadRow, {"channel_product_id": None}, "ck_upload_rows_listed"),
    (Listing, {"state": "gone"}, "ck_listings_state"),
    (Listing, {"channel_product_id": None}, "ck_listings_listed"),
    (OutboxItem, {"state": "lost"}, "ck_outbox_state"),
    (OutboxItem, {"fencing": -1}, "ck_outbox_fencing"),
    (OutboxItem, {"attempts": -1}, "ck_outbox_attempts"),
    (OutboxItem, {"lease_holder": "w1"}, "ck_outbox_lease_holder"),
    (OutboxItem, {"row_number": None}, "ck_outbox_row"),
    (Order, {"status": "lost"}, "ck_orders_status"),
    (Order, {"payment_kind": "cash"}, "ck_orders_payment_kind"),
    (Order, {"total": -1}, "ck_orders_total"),
    (Order, {"freight": -1}, "ck_orders_freight"),
    (AfterSale, {"kind": "gift"}, "ck_after_sales_kind"),
    (AfterSale, {"status": "lost", "closed_by": None}, "ck_after_sales_status"),
    (AfterSale, {"closed_by": "moon"}, "ck_after_sales_closed_by"),
    (AfterSale, {"amount": -1}, "ck_after_sales_amount"),
    (AfterSale, {"status": "requested"}, "ck_after_sales_closed"),
    (DecisionRow, {"outcome": "perhaps"}, "ck_decisions_outcome"),
    (KeyedRequest, {"body": None}, "ck_keyed_requests_answer"),
    (KeyedRequest, {"media_type": None}, "ck_keyed_requests_media_type"),
    (AuditEntry, {"outcome": "perhaps"}, "ck_audit_outcome"),
]


def test_every_check_refuses_what_it_is_there_for(filled: Store) -> None:
    found = []
    for model, values, _ in REFUSED:
        with pytest.raises(StoreConflict) as caught, filled.write() as session:
            session.execute(update(model).values(values))
        found.append(caught.value.constraint)
    assert [name for _, _, name in REFUSED] == found


def test_no_check_is_left_out_above() -> None:
    names = {
        str(constraint.name)
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if constraint.__visit_name__ in {"check_constraint", "table_or_column_check_constraint"}
    }
    assert names == {name for _, _, name in REFUSED}


SECOND = [
    (Listing, {"product_id": "403680077", "channel_product_id": None, "state": "reserved"}, "uq_listings_channel_shop_id_product_id"),
    (Listing, {"product_id": "2"}, "uq_listings_channel_product"),
    (OutboxItem, {}, "uq_outbox_idempotency_key"),
    (Order, {}, "uq_orders_channel_shop_id_channel_order_id"),
    (AfterSale, {}, "uq_after_sales_channel_shop_id_channel_after_sale_id"),
    (Shipment, {}, "uq_shipments_order_id_carrier_id_waybill"),
    (Event, {}, "uq_events_channel_shop_id_event_id"),
    (User, {}, "uq_users_login"),
    (Token, {}, "uq_tokens_token_hash"),
    (Product, {}, "pk_products"),
    (UploadRow, {}, "pk_upload_rows"),
]  # fmt: skip


def test_a_second_row_where_only_one_may_be_is_refused_by_name(filled: Store) -> None:
    """R15 first: one product, one listing; and a call, an order, an event that comes twice is the same one."""
    found = []
    for model, changes, _ in SECOND:
        table = model.__table__
        with pytest.raises(StoreConflict) as caught, filled.write() as session:
            row = dict(session.execute(select(table).limit(1)).mappings().one())
            if "id" in row and model is not Product:
                row["id"] = "another"
            session.execute(insert(table).values({**row, **changes}))
        found.append(caught.value.constraint)
    assert [name for _, _, name in SECOND] == found


def test_of_many_uploads_that_reserve_a_product_at_once_one_gets_it(
    filled: Store, in_threads: Callable[[int, Callable[[int], None]], None]
) -> None:
    won, lost = list[int](), list[int]()

    def reserve(number: int) -> None:
        try:
            with filled.write() as session:
                session.add(
                    Listing(
                        channel="huiju", shop_id="38405005", product_id="9", state="reserved", created_at=NOW
                    )
                )
            won.append(number)
        except StoreConflict as error:
            assert "uq_listings_channel_shop_id_product_id" == error.constraint
            lost.append(number)

    in_threads(8, reserve)
    assert (1, 7) == (len(won), len(lost))


def test_the_same_product_may_be_listed_on_another_channel_or_by_another_shop(filled: Store) -> None:
    with filled.write() as session:
        for channel, shop_id, product_id in (("wechat", "38405005", "403680077"), ("huiju", "38405006", "9")):
            session.add(
                Listing(
                    channel=channel, shop_id=shop_id, product_id=product_id, state="reserved", created_at=NOW
                )
            )


def test_a_row_without_its_parent_is_refused(filled: Store) -> None:
    with pytest.raises(StoreConflict), filled.write() as session:
        session.add(UploadFile(upload_id="nobody", content=b""))


def test_a_shop_takes_all_that_is_its_own_along_but_the_audit_trail(filled: Store) -> None:
    with filled.write() as session:
        session.execute(delete(Shop).where(Shop.id == "38405005"))
    with filled.read() as session:
        left = {
            table.name: session.scalar(select(func.count()).select_from(table))
            for table in Base.metadata.sorted_tables
        }
    twice = {"audit": 2, "rates": 2, "uploads": 2}
    assert {name: twice.get(name, 1) for name in left} == left


def test_a_cookie_or_a_binding_of_one_user_does_not_outlive_them(filled: Store) -> None:
    with filled.write() as session:
        session.execute(delete(User))
    with filled.read() as session:
        assert 0 == session.scalar(select(func.count()).select_from(UserSession))
        assert 2 == session.scalar(select(func.count()).select_from(BindingRow))


def test_a_claimed_item_is_one_the_checks_allow(filled: Store) -> None:
    with filled.write() as session:
        items = claim(session, "w1", now=NOW, lease=timedelta(minutes=1), limit=5)
    assert [("sending", "w1", 1)] * 2 == [(item.state, item.lease_holder, item.fencing) for item in items]
