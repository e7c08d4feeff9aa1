"""Several processes that check one correction between them (R16, R17)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pipeline.uploads.check import check_upload

Sheet = Callable[[Sequence[Sequence[str]]], bytes]
Rows = list[list[str]]


def test_rows_left_alone_behind_rows_that_are_decided_are_kept_once(
    desk: Any, sheet: Sheet, good_rows: Rows, in_threads: Any
) -> None:
    """A report has the failing rows first, so that is the order in which it comes back."""
    wrong = [[*row[:6], "1", row[7]] for row in good_rows[5:10]]
    content = sheet([*wrong, *good_rows[:5]])
    first = desk.check(content)
    desk.list_all(first)
    again = desk.receive(content)
    assert first == again.corrects
    in_threads(4, lambda _number: check_upload(desk.checking(), again.upload_id))
    assert ["rejected"] * 5 + ["listed"] * 5 == list(desk.states(again.upload_id).values())
    assert ["rejected", "listed"] == [
        state for state, count in desk.progress(again.upload_id).rows.items() if count
    ]
