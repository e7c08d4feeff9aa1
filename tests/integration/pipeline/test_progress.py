"""How far an upload has come is kept with it: looking on costs no count of its rows (R16, R19)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from pipeline.store import Upload
from pipeline.uploads import check as uploads_check
from pipeline.uploads.check import check_upload
from pipeline.uploads.state import count_rows

Sheet = Callable[[Sequence[Sequence[str]]], bytes]
Rows = list[list[str]]


@contextmanager
def asked(desk: Any) -> Iterator[list[str]]:
    """Note the statements that are sent to the database."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        found.append(statement)

    event.listen(desk.store.engine, "before_cursor_execute", note)
    yield found
    event.remove(desk.store.engine, "before_cursor_execute", note)


def counted(desk: Any, upload_id: str) -> dict[str, int]:
    with desk.store.read() as session:
        return dict(count_rows(session, upload_id))


def test_progress_is_told_without_counting_rows_while_they_are_checked_and_once_all_is_done(
    desk: Any, sheet: Sheet, good_rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R16, R19: whoever looks on must not slow the check down; what is told is what would be counted."""
    monkeypatch.setattr(uploads_check, "CHUNK", 4)
    wrong = [[*row[:6], "1", row[7]] for row in good_rows[:3]]
    upload_id = desk.receive(sheet([*wrong, *good_rows[3:9]])).upload_id
    told: list[int] = []

    def look(done: int, _total: int) -> None:
        with asked(desk) as statements:
            found = desk.progress(upload_id)
        assert not any("upload_rows" in statement for statement in statements)
        assert ("checking", counted(desk, upload_id)) == (found.state, found.rows)
        told.append(found.checked)
        if done == 8:  # what an older version has begun is counted once, and added to from then on
            with desk.store.write() as session:
                session.get(Upload, upload_id).counts = None

    check_upload(desk.checking(on_progress=look), upload_id)
    assert [4, 8, 9] == told
    assert ("pushing", counted(desk, upload_id)) == (
        desk.progress(upload_id).state, desk.progress(upload_id).rows,
    )  # fmt: skip
    desk.list_all(upload_id, refused=[6])
    with asked(desk) as statements:
        found = desk.progress(upload_id)
    assert not any("upload_rows" in statement for statement in statements)
    assert ("done_with_failures", counted(desk, upload_id)) == (found.state, found.rows)
    assert (5, 1, 3) == (found.rows["listed"], found.rows["refused_by_channel"], found.rows["rejected"])
