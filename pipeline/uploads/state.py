"""Where an upload is on its way, and how far: kept in the store, so that any process can tell (R16)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.store import RowState, Store, Upload, UploadRow, UploadState, database_now
from pipeline.uploads.receiving import FINISHED, find_upload

STATE_TITLES: Mapping[UploadState, str] = {
    "received": "已接收",
    "checking": "检查中",
    "checked": "检查完成",
    "pushing": "推送中",
    "done": "全部完成",
    "done_with_failures": "完成，有未通过的行",
    "failed": "无法处理",
}
ROW_TITLES: Mapping[RowState, str] = {
    "rejected": "不通过",
    "undetermined": "无法判断",
    "queued": "等待推送",
    "sending": "推送中",
    "listed": "已上架",
    "refused_by_channel": "渠道拒绝",
    "failed": "推送失败",
}
OPEN: tuple[RowState, ...] = ("queued", "sending")
"""Rows whose outcome is still to come."""

FAILING: tuple[RowState, ...] = ("rejected", "undetermined", "refused_by_channel", "failed")
"""Rows to be corrected and sent again."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Count the rows of an upload.

    Attributes:
        state: Where the upload is.
        total: Rows that the sheet holds; 0 until it is read.
        rows: Rows decided so far, by state; every state is there. While the upload is checked, a row that is on its way to the
            channel already counts as queued.
        failure: Why the upload as a whole failed; empty otherwise.
    """

    state: UploadState
    total: int
    rows: Mapping[RowState, int]
    failure: str = ""

    @property
    def checked(self) -> int:
        """Rows that are decided."""
        return sum(self.rows.values())

    @property
    def to_push(self) -> int:
        """Rows that passed, here or there: pushed, or to be pushed."""
        return self.checked - self.rows["rejected"] - self.rows["undetermined"]

    @property
    def pushed(self) -> int:
        """Rows whose push has come to an end."""
        return self.to_push - self.rows["queued"] - self.rows["sending"]

    @property
    def failing(self) -> int:
        """Rows to be corrected."""
        return sum(self.rows[state] for state in FAILING)

    @property
    def settled(self) -> int:
        """Rows that have their outcome."""
        return self.checked - sum(self.rows[state] for state in OPEN)

    @property
    def is_finished(self) -> bool:
        """Whether every row has its outcome."""
        return self.state in FINISHED

    def as_data(self) -> dict[str, Any]:
        """Give the counts as plain JSON data."""
        return {
            "state": self.state,
            "total": self.total,
            "rows_by_state": dict(self.rows),
            "checked": self.checked,
            "to_push": self.to_push,
            "pushed": self.pushed,
            "failing": self.failing,
            "settled": self.settled,
            "failure": self.failure or None,
        }

    def __str__(self) -> str:
        """Say the counts in one line."""
        if self.failure:
            return f"{STATE_TITLES[self.state]}：{self.failure}"
        parts = [f"{ROW_TITLES[state]} {count}" for state, count in self.rows.items() if count]
        return f"{STATE_TITLES[self.state]}：共 {self.total} 行" + (f"，{'，'.join(parts)}" if parts else "")


def progress(store: Store, upload_id: str) -> Progress:
    """Count how far an upload has come.

    Raises:
        UploadUnknown: There is no such upload.
    """
    with store.read() as session:
        return progress_of(session, find_upload(session, upload_id))


def progress_of(session: Session, upload: Upload) -> Progress:
    """Give how far an upload has come; while it is checked, and once it is finished, without counting its rows."""
    if upload.state in ("checking", *FINISHED) and upload.counts is not None:
        rows = _of_every_state(upload.counts)
    else:
        rows = count_rows(session, upload.id)
    return Progress(upload.state, upload.row_total or 0, rows, upload.failure or "")


def count_rows(session: Session, upload_id: str) -> dict[RowState, int]:
    """Count the rows of an upload by state; every state is there."""
    counted = select(UploadRow.state, func.count().label("found")).where(UploadRow.upload_id == upload_id)
    return _of_every_state(
        {row.state: row.found for row in session.execute(counted.group_by(UploadRow.state))}
    )


def add_counts(session: Session, upload: Upload, states: Iterable[RowState]) -> None:
    """Note the states of rows that have just been kept, within the transaction that keeps them and that holds the upload's row."""
    if upload.counts is None:
        upload.counts = _kept(count_rows(session, upload.id))
    else:
        upload.counts = dict(Counter(upload.counts) + Counter(states))


def advance(session: Session, upload_id: str) -> UploadState:
    """Let an upload whose rows are all checked go on to where its rows are: pushing, or done.

    Call it within the transaction in which a row's outcome is written. The upload's row is held meanwhile, so that of two workers with
    the last two rows the second sees what the first has written.

    Args:
        session: A session of `Store.write()`.
        upload_id: The upload.

    Returns:
        Its state now.
    """
    session.flush()
    upload = find_upload(session, upload_id, lock=True)
    if upload.state not in ("checked", "pushing"):
        return upload.state
    if _any_open(session, upload_id):
        upload.state = "pushing"
    else:
        now, counts = database_now(session), count_rows(session, upload_id)
        failing = any(counts[state] for state in FAILING)
        upload.state = "done_with_failures" if failing else "done"
        upload.counts, upload.finished_at = _kept(counts), now
    session.flush()
    return upload.state


def fail(store: Store, upload_id: str, why: str) -> None:
    """Give an upload up that can't be read; one that has come to its end already stays as it is."""
    with store.write() as session:
        upload = find_upload(session, upload_id, lock=True)
        now = database_now(session)
        if upload.state in ("received", "checking"):
            upload.state, upload.failure, upload.finished_at = "failed", why, now


def _any_open(session: Session, upload_id: str) -> bool:
    wanted = select(UploadRow.number).where(UploadRow.upload_id == upload_id, UploadRow.state.in_(OPEN))
    return session.scalar(wanted.limit(1)) is not None


def _kept(counts: Mapping[RowState, int]) -> dict[str, int]:
    """Leave out the states that no row has."""
    return {state: count for state, count in counts.items() if count}


def _of_every_state(found: Mapping[str, int]) -> dict[RowState, int]:
    return {state: found.get(state, 0) for state in get_args(RowState)}
