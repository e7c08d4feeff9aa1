"""The history of uploads (导入历史): which there were, what became of each, and the story of every row (R18)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from engine.decision import Decision
from pipeline.store import (
    DecisionRow,
    Listing,
    OutboxItem,
    RowState,
    Store,
    Upload,
    UploadRow,
    UploadState,
    oldest_first,
)
from pipeline.uploads.receiving import find_upload
from pipeline.uploads.rows import decisions_from
from pipeline.uploads.state import FAILING, ROW_TITLES, Progress, progress_of

MOST = 500
"""Most uploads, or rows, of one page."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Say which uploads are wanted; a field left None wants all.

    Attributes:
        shop_id: Of this shop.
        channel: To this channel.
        since: Received at this moment or later; aware.
        until: Received before this moment; aware.
        states: In one of these states.
        product_id: With a row about this product.
        operator: Sent by a person of this id, or whose name holds this text.
        before: Id of the last upload seen: only those before it, for the next page.
    """

    shop_id: str | None = None
    channel: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    states: Sequence[UploadState] = ()
    product_id: str | None = None
    operator: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class UploadLine:
    """Hold one line of the history.

    Attributes:
        progress: State and counts.
        corrects: Id of the upload whose failing rows it corrects; None for none.
        size: Bytes of the file.
    """

    id: str
    shop_id: str
    channel: str
    filename: str
    size: int
    actor_id: str
    actor_name: str
    received_at: datetime
    finished_at: datetime | None
    corrects: str | None
    progress: Progress

    def as_data(self) -> dict[str, Any]:
        """Give the line as data, the counts among its own members."""
        data = asdict(self)
        data.pop("progress")
        return data | self.progress.as_data()


@dataclass(frozen=True, slots=True)
class Step:
    """Tell one step of a row's story.

    Attributes:
        at: When; aware.
        what: What happened, in words.
        detail: More of it, for those who look closer.
    """

    at: datetime
    what: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowStory:
    """Hold one row with everything that is known of it.

    Attributes:
        cells: What the sheet held, by column title.
        decisions: What the rules said, with version and moment.
        attempts: Times that it was sent to the channel.
        steps: What happened to it, the oldest first.
    """

    upload_id: str
    number: int
    product_id: str | None
    state: RowState
    reason: str | None
    channel_product_id: str | None
    cells: dict[str, str]
    decisions: tuple[Decision, ...]
    attempts: int
    steps: tuple[Step, ...]

    def as_data(self) -> dict[str, Any]:
        """Give the story as data."""
        return asdict(self) | {"decisions": [decision.as_data() for decision in self.decisions]}


def uploads(store: Store, wanted: Filter, limit: int = 50) -> list[UploadLine]:
    """Give uploads, the latest first.

    Args:
        store: Where they are kept.
        wanted: Which.
        limit: Most to give, 1 to 500; for more, ask again with `before` set to the last id.
    """
    with store.read() as session:
        query = _filtered(select(Upload), wanted).order_by(Upload.id.desc())
        found = session.scalars(query.limit(max(1, min(limit, MOST))))
        return [_line(session, upload) for upload in found]


def count_uploads(store: Store, wanted: Filter) -> int:
    """Count the uploads that a filter lets through."""
    with store.read() as session:
        return session.scalar(_filtered(select(func.count()).select_from(Upload), wanted)) or 0


def upload_line(store: Store, upload_id: str) -> UploadLine:
    """Give one upload.

    Raises:
        UploadUnknown: There is no such upload.
    """
    with store.read() as session:
        return _line(session, find_upload(session, upload_id))


def rows(
    store: Store,
    upload_id: str,
    *,
    states: Sequence[RowState] = (),
    product_id: str | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[UploadRow]:
    """Give rows of an upload in the order of the sheet.

    Args:
        store: Where they are kept.
        upload_id: The upload.
        states: Only rows in one of these states; all where empty.
        product_id: Only rows about this product.
        after: Only rows behind this one, for the next page.
        limit: Most to give, 1 to 500.

    Raises:
        UploadUnknown: There is no such upload.
    """
    query = select(UploadRow).where(UploadRow.upload_id == upload_id, UploadRow.number > after)
    if states:
        query = query.where(UploadRow.state.in_(states))
    if product_id is not None:
        query = query.where(UploadRow.product_id == product_id)
    with store.read() as session:
        find_upload(session, upload_id)
        return list(session.scalars(query.order_by(UploadRow.number).limit(max(1, min(limit, MOST)))))


def row_data(row: UploadRow) -> dict[str, Any]:
    """Give a row as data."""
    return {
        "number": row.number,
        "product_id": row.product_id,
        "state": row.state,
        "reason": row.reason,
        "channel_product_id": row.channel_product_id,
        "cells": dict(row.cells),
        "answer": dict(row.answer) if row.answer is not None else None,
        "updated_at": row.updated_at,
    }


def failing_rows(store: Store, upload_id: str, limit: int = MOST) -> list[UploadRow]:
    """Give the rows of an upload that are to be corrected."""
    return rows(store, upload_id, states=FAILING, limit=limit)


def story(store: Store, upload_id: str, number: int) -> RowStory | None:
    """Tell the story of one row; None where there is no such row, or it is not decided yet.

    Raises:
        UploadUnknown: There is no such upload.
    """
    with store.read() as session:
        upload = find_upload(session, upload_id)
        row = session.get(UploadRow, (upload_id, number))
        if row is None:
            return None
        kept = session.get(DecisionRow, row.decision_id) if row.decision_id else None
        decisions = decisions_from(kept.content) if kept is not None else ()
        items = list(session.scalars(_items(upload_id, number)))
        listing = _listing(session, upload, row)
        steps = [*_checked(upload, row, decisions), *_pushed(items), *_ended(row, items, listing)]
        return RowStory(
            upload_id,
            number,
            row.product_id,
            row.state,
            row.reason,
            row.channel_product_id,
            dict(row.cells),
            decisions,
            sum(item.fencing for item in items),
            tuple(sorted(steps, key=lambda step: step.at)),
        )


def _filtered(query: Select[Any], wanted: Filter) -> Select[Any]:
    if wanted.shop_id is not None:
        query = query.where(Upload.shop_id == wanted.shop_id)
    if wanted.channel is not None:
        query = query.where(Upload.channel == wanted.channel)
    if wanted.since is not None:
        query = query.where(Upload.received_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(Upload.received_at < wanted.until)
    if wanted.states:
        query = query.where(Upload.state.in_(wanted.states))
    if wanted.operator is not None:
        name = Upload.actor_name.icontains(wanted.operator, autoescape=True)
        query = query.where(or_(Upload.actor_id == wanted.operator, name))
    if wanted.product_id is not None:
        about = select(UploadRow.upload_id).where(UploadRow.product_id == wanted.product_id)
        query = query.where(Upload.id.in_(about))
    return query if wanted.before is None else query.where(Upload.id < wanted.before)


def _line(session: Session, upload: Upload) -> UploadLine:
    sender = (upload.actor_id, upload.actor_name)
    file = (upload.filename, upload.size)
    times = (upload.received_at, upload.finished_at)
    return UploadLine(
        upload.id,
        upload.shop_id,
        upload.channel,
        *file,
        *sender,
        *times,
        upload.corrects,
        progress_of(session, upload),
    )


def _items(upload_id: str, number: int) -> Select[OutboxItem]:
    wanted = select(OutboxItem).where(OutboxItem.upload_id == upload_id, OutboxItem.row_number == number)
    return wanted.order_by(oldest_first(OutboxItem.created_at), OutboxItem.id)


def _listing(session: Session, upload: Upload, row: UploadRow) -> Listing | None:
    if row.product_id is None:
        return None
    wanted = select(Listing).where(
        Listing.channel == upload.channel,
        Listing.shop_id == upload.shop_id,
        Listing.product_id == row.product_id,
    )
    return session.scalars(wanted).one_or_none()


def _checked(upload: Upload, row: UploadRow, decisions: Sequence[Decision]) -> Iterator[Step]:
    yield Step(upload.received_at, f"随文件 {upload.filename} 上传，由 {upload.actor_name} 提交")
    if not decisions:
        return
    outcome = "通过"
    if row.state in ("rejected", "undetermined"):
        outcome = ROW_TITLES[row.state] + (f"（{row.reason}）" if row.reason else "")
    detail = {"versions": {decision.ruleset: decision.version for decision in decisions}}
    yield Step(decisions[0].as_of, f"按规则检查：{outcome}", detail)


def _pushed(items: Sequence[OutboxItem]) -> Iterator[Step]:
    for item in items:
        yield Step(item.created_at, "排队等待推送", {"idempotency_key": item.idempotency_key})
        if item.fencing:
            detail: dict[str, Any] = {"attempts": item.fencing, "state": item.state}
            if item.last_error:
                detail["error"] = dict(item.last_error)
            if item.answer:
                detail["answer"] = dict(item.answer)
            error = (item.last_error or {}).get("message") or ""
            said = f"，渠道答复：{error}" if error else ""
            yield Step(item.updated_at, f"推送 {item.fencing} 次{said}", detail)


def _ended(row: UploadRow, items: Sequence[OutboxItem], listing: Listing | None) -> Iterator[Step]:
    if row.state == "listed" and items:
        at = listing.listed_at if listing is not None and listing.listed_at is not None else row.updated_at
        yield Step(at, f"已上架，渠道商品 {row.channel_product_id}")
    elif row.state == "listed":
        yield Step(row.updated_at, row.reason or ROW_TITLES["listed"])
    elif row.state in ("refused_by_channel", "failed"):
        yield Step(row.updated_at, f"{ROW_TITLES[row.state]}：{row.reason or ''}", dict(row.answer or {}))
    elif row.state in ("rejected", "undetermined"):
        yield Step(row.updated_at, f"{ROW_TITLES[row.state]}：{row.reason or ''}")
