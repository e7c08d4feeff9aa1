"""Reference data: pulled over a socket, kept as snapshots, stale when it is old, and advice for what is empty (R7)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from channels.huiju import HuijuClient
from channels.sandbox import Sandbox
from channels.sandbox.faults import Fault, FaultPlan
from channels.wire import Retry
from mappings.channels.huiju_reference import rows_from_list
from mappings.reference import KINDS
from mappings.values import PayloadError
from pipeline.clients import HUIJU, ChannelFailed
from pipeline.reference import NoReference, age, load_reference, pull_reference
from pipeline.store import Listing, ReferenceSnapshot, Store

SHOP = "38405005"
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[HuijuClient]:
    quick = Retry(attempts=3, first=0.01)
    credentials = sandbox.huiju.credentials
    with closing(HuijuClient(credentials, base_url=sandbox.huiju.base_url, retry=quick)) as opened:
        yield opened


def kept(store: Store) -> int:
    with store.read() as session:
        return session.scalar(select(func.count()).select_from(ReferenceSnapshot)) or 0


def test_what_is_pulled_is_what_the_channel_has(store: Store, client: HuijuClient) -> None:
    pulled = pull_reference(store, client, SHOP)
    assert {
        "id": "6091",
        "name": "围巾",
        "parent_id": "6057",
        "level": 3,
        "leaf": True,
        "path": "服饰鞋包/服饰配件/围巾",
    } in pulled.tables["categories"]
    assert {"id": "30001", "name": "颜色"} in pulled.tables["spec_templates"]
    assert {"id": "47428464001", "name": "全国包邮"} in pulled.tables["freight_templates"]
    assert 4 == len(pulled.snapshots)
    assert pulled == load_reference(store, SHOP)
    assert "类目 39、品牌 6、运费模板 4、规格模板 9" == pulled.counts()


def test_an_unchanged_answer_only_moves_the_time_of_the_last_check(store: Store, client: HuijuClient) -> None:
    first = pull_reference(store, client, SHOP)
    second = pull_reference(store, client, SHOP)
    assert 4 == kept(store)
    for before, after in zip(first.snapshots, second.snapshots, strict=True):
        assert (before.hash, before.taken_at) == (after.hash, after.taken_at)
        assert before.checked_at < after.checked_at


def test_a_changed_kind_is_a_new_snapshot_and_the_old_one_stays(
    store: Store, client: HuijuClient, sandbox: Sandbox
) -> None:
    pull_reference(store, client, SHOP)
    with sandbox.huiju.state.lock:
        sandbox.huiju.state.reference["brands"].append({"brandId": "7999", "name": "新品牌"})
    pulled = pull_reference(store, client, SHOP)
    assert {"id": "7999", "name": "新品牌"} in pulled.tables["brands"]
    assert 5 == kept(store)
    assert pulled == load_reference(store, SHOP)


def test_each_empty_kind_gets_its_own_advice(store: Store, client: HuijuClient, sandbox: Sandbox) -> None:
    with sandbox.huiju.state.lock:
        sandbox.huiju.state.reference.update(brands=[], freight_templates=[])
    advice = {kind.table: kind.advice for kind in KINDS}
    assert [advice["brands"], advice["freight_templates"]] == pull_reference(store, client, SHOP).advice()


def test_a_pull_that_breaks_off_keeps_nothing_and_what_was_there_stays(
    store: Store, client: HuijuClient, sandbox: Sandbox
) -> None:
    before = pull_reference(store, client, SHOP)
    sandbox.set_faults(FaultPlan({Fault.SERVER_ERROR: 1.0}, paths=("/spec/template/list",)))
    with pytest.raises(ChannelFailed, match="下载规格模板没有成功") as caught:
        pull_reference(store, client, SHOP)
    assert caught.value.__cause__ is None
    assert before == load_reference(store, SHOP)


def test_refused_credentials_are_told_with_what_to_do(store: Store, sandbox: Sandbox) -> None:
    from channels.huiju import HuijuCredentials

    wrong = HuijuCredentials(sandbox.huiju.credentials.app_id, "not-the-secret-at-all", "x" * 16)
    with (
        closing(HuijuClient(wrong, base_url=sandbox.huiju.base_url)) as client,
        pytest.raises(ChannelFailed, match="惠聚的重新绑定") as caught,
    ):
        pull_reference(store, client, SHOP)
    assert "not-the-secret-at-all" not in str(caught.value)


def test_a_shop_without_reference_data_is_told_how_to_get_it(store: Store) -> None:
    with pytest.raises(NoReference, match="店铺 38405005 还没有下载过惠聚数据；请先下载"):
        load_reference(store, SHOP)


def test_what_is_listed_or_on_its_way_comes_from_our_own_books(store: Store, client: HuijuClient) -> None:
    """R15: neither may be listed again, and the channel has no list to ask."""
    with store.write() as session:
        for product_id, state in (("1", "listed"), ("2", "reserved")):
            listed = state == "listed"
            session.add(
                Listing(
                    channel=HUIJU,
                    shop_id=SHOP,
                    product_id=product_id,
                    state=state,
                    channel_product_id="88" if listed else None,
                    listed_at=NOW if listed else None,
                    created_at=NOW,
                )
            )
    assert [
        {"product_id": "1", "channel_product_id": "88", "listed_at": NOW, "shop_id": SHOP},
        {"product_id": "2", "shop_id": SHOP},
    ] == pull_reference(store, client, SHOP).tables["listings"]


def test_old_data_is_said_to_be_old(store: Store, client: HuijuClient) -> None:
    pulled = pull_reference(store, client, SHOP)
    now = pulled.checked_at
    assert pulled.note(now).endswith("（刚刚）")
    assert not pulled.is_stale(now + timedelta(hours=23))
    stale = pulled.note(now + timedelta(days=3))
    assert "3 天前" in stale
    assert "可能已经过时：请重新下载惠聚数据" in stale


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=59), "刚刚"),
        (timedelta(minutes=59), "59 分钟前"),
        (timedelta(hours=47), "47 小时前"),
        (timedelta(days=2), "2 天前"),
        (timedelta(seconds=-5), "刚刚"),
    ],
)
def test_ages_in_words(span: timedelta, words: str) -> None:
    assert words == age(span)


@pytest.mark.parametrize("none", [None, "", "0", 0])
def test_a_first_level_may_have_no_parent_in_any_spelling(none: object) -> None:
    payload = {"categoryId": 6033, "name": "服饰鞋包", "parentId": none, "level": 1, "leaf": False}
    assert [
        {"id": "6033", "name": "服饰鞋包", "level": 1, "leaf": False, "path": "服饰鞋包"}
    ] == rows_from_list("categories", [payload])


def test_parents_in_a_circle_do_not_hang() -> None:
    rows = rows_from_list(
        "categories",
        [
            {"categoryId": "1", "name": "甲", "parentId": "2", "level": 2},
            {"categoryId": "2", "name": "乙", "parentId": "1", "level": 2},
        ],
    )
    assert all(row["path"].count("/") < 10 for row in rows)


def test_an_entry_without_an_id_is_refused_by_name() -> None:
    with pytest.raises(PayloadError, match="brandId"):
        rows_from_list("brands", [{"name": "无"}])
