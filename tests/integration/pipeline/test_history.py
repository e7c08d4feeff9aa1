"""Every upload can be found again, and every row tells what became of it (R18)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from pipeline.actors import Actor
from pipeline.store import OutboxItem, database_now
from pipeline.uploads.check import check_upload
from pipeline.uploads.history import Filter, count_uploads, failing_rows, rows, story, upload_line, uploads
from pipeline.uploads.receiving import UploadUnknown

Sheet = Callable[[Sequence[Sequence[str]]], bytes]
Rows = list[list[str]]
BOB = Actor("u2", "李雷", "admin", "38405005")


@pytest.fixture
def two(desk: Any, sheet: Sheet, good_rows: Rows) -> tuple[str, str]:
    """Give a finished upload of 王小美 and one of 李雷 that is being pushed."""
    first = desk.check(sheet([good_rows[0], [*good_rows[1][:6], "1", good_rows[1][7]]]), "一.xlsx")
    desk.list_all(first)
    second = desk.receive(sheet([good_rows[2]]), "二.xlsx", BOB).upload_id
    check_upload(desk.checking(), second)
    return first, second


def ids(desk: Any, **wanted: Any) -> list[str]:
    found = uploads(desk.store, Filter(**wanted))
    assert len(found) == count_uploads(desk.store, Filter(**wanted))
    return [line.id for line in found]


def test_the_latest_stands_first_with_its_counts(desk: Any, two: tuple[str, str]) -> None:
    lines = uploads(desk.store, Filter(shop_id="38405005"))
    assert [*reversed(two)] == [line.id for line in lines]
    assert [("二.xlsx", "李雷", "pushing", 1, 0), ("一.xlsx", "王小美", "done_with_failures", 1, 1)] == [
        (line.filename, line.actor_name, line.progress.state, line.progress.to_push, line.progress.failing)
        for line in lines
    ]


def test_uploads_are_filtered_by_time_state_product_operator_and_channel(
    desk: Any, two: tuple[str, str], good_rows: Rows
) -> None:
    """R18: each filter on its own, with bounds on both sides."""
    first, second = two
    at = upload_line(desk.store, first).received_at
    for expected, wanted in (
        ([second], {"since": at + timedelta(microseconds=1)}),
        ([first], {"until": at + timedelta(microseconds=1)}),
        ([first], {"states": ("done", "done_with_failures")}),
        ([second], {"product_id": good_rows[2][0]}),
        ([], {"product_id": "1"}),
        ([second], {"operator": "u2"}),
        ([first], {"operator": "小美"}),
        ([], {"operator": "%"}),
        ([second, first], {"channel": "huiju"}),
        ([], {"channel": "elsewhere"}),
        ([], {"shop_id": "1"}),
    ):
        assert expected == ids(desk, **wanted), wanted


def test_a_page_goes_on_after_the_last_one(desk: Any, two: tuple[str, str]) -> None:
    page = uploads(desk.store, Filter(), limit=1)
    assert [two[1]] == [line.id for line in page]
    assert [two[0]] == [line.id for line in uploads(desk.store, Filter(before=page[-1].id), limit=1)]


def test_rows_are_filtered_by_state_and_product(desk: Any, two: tuple[str, str], good_rows: Rows) -> None:
    first, _ = two
    assert [2, 3] == [row.number for row in rows(desk.store, first)]
    assert [3] == [row.number for row in rows(desk.store, first, after=2)]
    assert [3] == [row.number for row in failing_rows(desk.store, first)]
    assert [2] == [row.number for row in rows(desk.store, first, product_id=good_rows[0][0])]


def test_a_rejected_row_tells_why_and_by_which_rules(desk: Any, two: tuple[str, str]) -> None:
    told = story(desk.store, two[0], 3)
    assert ("rejected", 0, "1") == (told.state, told.attempts, told.cells["品牌ID"])
    assert "品牌 ID 1 不在本店的惠聚数据中" in told.steps[1].what
    assert {"huiju/eligibility", "huiju/spec-mapping"} == set(told.steps[1].detail["versions"])
    assert any(
        finding.rule == "huiju/eligibility/brand-unknown"
        for item in told.decisions
        for finding in item.findings
    )


def test_a_pushed_row_tells_its_attempts_and_the_answers_of_the_channel(
    desk: Any, two: tuple[str, str], good_rows: Rows
) -> None:
    """R18: the outcome of a row, and how it came about."""
    _, second = two
    with desk.store.write() as session:
        now = database_now(session)
        session.add(
            OutboxItem(
                kind="list_product", channel="huiju", shop_id="38405005", idempotency_key="k", payload={},
                state="done", due=now, fencing=3, attempts=3, last_error={"message": "系统繁忙"},
                answer={"productId": "88"}, upload_id=second, row_number=2, created_at=now,
                updated_at=now + timedelta(seconds=1),
            )
        )  # fmt: skip
    desk.list_all(second)
    told = story(desk.store, second, 2)
    assert ("listed", 3, f"88{good_rows[2][0]}") == (told.state, told.attempts, told.channel_product_id)
    assert "推送 3 次，渠道答复：系统繁忙" in [step.what for step in told.steps]
    assert any(step.what.startswith("已上架") for step in told.steps)


def test_a_row_that_is_not_there_has_no_story(desk: Any, two: tuple[str, str]) -> None:
    assert story(desk.store, two[0], 99) is None
    with pytest.raises(UploadUnknown):
        story(desk.store, "nope", 2)
    with pytest.raises(UploadUnknown):
        rows(desk.store, "nope")
