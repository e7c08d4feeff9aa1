"""Uploads: send a sheet, watch it being checked and pushed, read every row's outcome, fetch the report (R16–R18)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

from flask import Response, request

from api.console import Link, Pages, address, go, render
from api.labels import options
from api.pages._lists import BEFORE, SHOWN, SPAN, TEXT, one_of, pager, span
from api.pages._uploads import line_view, progress_view, row_view
from api.resources.uploads import AROUND_FILE, ROW_ID, UPLOAD_ID, let_go_on, receive_file, story_of
from api.routes import Ask
from mappings.sheet_file import MOST_BYTES
from pipeline.sending.sendings import sending_of_row
from pipeline.store import RowState
from pipeline.uploads.history import Filter, count_uploads, rows, upload_line, uploads
from pipeline.uploads.reasons import reasons
from pipeline.uploads.receiving import moment, upload_of
from pipeline.uploads.state import FAILING, ROW_TITLES, STATE_TITLES

PAGES = Pages("uploads", "导入")
page = PAGES.page

ROWS_SHOWN = 50
TO_CORRECT = "failing"
"""The filter for the rows that are to be corrected, whichever state they are in."""


@page("POST", "/uploads", "上传", scope="uploads:write", most=MOST_BYTES + AROUND_FILE)
def send(ask: Ask) -> Response:
    """Take a sheet in and lead to its progress."""
    if not any(file.filename for file in request.files.values()):
        return go("/channel", "请先选择要上传的表格", "bad")
    received = receive_file(ask, besides=("csrf_token",))
    return go(f"/uploads/{received.upload_id}", received.remark, "calm")


@page(
    "GET",
    "/uploads/{upload_id}",
    "导入结果",
    scope="uploads:read",
    path_schemas=UPLOAD_ID,
    query={
        "state": {"enum": [TO_CORRECT, *get_args(RowState)]},
        "after": {"type": "integer", "minimum": 0, "default": 0},
    },
)
def show_upload(ask: Ask, upload_id: str) -> Response:
    """Show how far an upload is and every row's outcome."""
    store = ask.services.store
    upload_of(store, ask.shop_id, upload_id)
    line = upload_line(store, upload_id)
    counts, chosen = line.progress, ask.query.get("state", "")
    states = FAILING if chosen == TO_CORRECT else (chosen,) if chosen else ()
    found = rows(store, upload_id, states=states, after=ask.query["after"], limit=ROWS_SHOWN + 1)
    shown = found[:ROWS_SHOWN]
    why = reasons(store, shown)
    home = f"/uploads/{upload_id}"
    return render(
        "upload.html",
        ask,
        line=line_view(line),
        progress=progress_view(counts),
        tabs=_tabs(home, chosen, counts.checked, counts.failing, counts.rows),
        rows=[row_view(row, why[row.number]) for row in shown],
        first=address(home, state=chosen) if ask.query["after"] else "",
        following=address(home, state=chosen, after=shown[-1].number) if len(found) > ROWS_SHOWN else "",
        data=f"/v1/uploads/{upload_id}",
        may_upload="uploads:write" in ask.who.scopes,
    )


@page(
    "GET",
    "/uploads/{upload_id}/rows/{number}",
    "一行的经过",
    scope="uploads:read",
    path_schemas=ROW_ID,
)
def show_row(ask: Ask, upload_id: str, number: str) -> Response:
    """Tell the story of one row."""
    store, told = ask.services.store, story_of(ask, upload_id, number)
    (row,) = rows(store, upload_id, after=told.number - 1, limit=1)
    sending = sending_of_row(store, upload_id, told.number)
    waits = sending is not None and sending.state == "held" and "uploads:write" in ask.who.scopes
    return render(
        "row.html",
        ask,
        release=f"/uploads/{upload_id}/rows/{number}/release" if waits else "",
        line=line_view(upload_line(store, upload_id)),
        row=row_view(row, reasons(store, [row])[row.number]),
        cells=list(told.cells.items()),
        steps=[(moment(step.at), step.what) for step in told.steps],
        versions=[(decision.ruleset, decision.version) for decision in told.decisions],
    )


@page(
    "POST",
    "/uploads/{upload_id}/rows/{number}/release",
    "放行一行",
    scope="uploads:write",
    path_schemas=ROW_ID,
)
def release(ask: Ask, upload_id: str, number: str) -> Response:
    """Let a row go on whose push waits for a person, and lead back to it."""
    let_go_on(ask, upload_id, number)
    return go(f"/uploads/{upload_id}/rows/{number}", "已放行，随后重新推送；结果会显示在这一页")


@page(
    "GET",
    "/history",
    "导入历史",
    scope="uploads:read",
    query={**SPAN, "state": {"enum": list(STATE_TITLES)}, "product": TEXT, "operator": TEXT, **BEFORE},
)
def show_history(ask: Ask) -> Response:
    """List uploads by time, state, product and operator (R18)."""
    query = ask.query
    wanted = Filter(
        ask.shop_id,
        **span(query),
        states=one_of(query, "state"),
        product_id=query.get("product"),
        operator=query.get("operator"),
        before=query.get("before"),
    )
    found = uploads(ask.services.store, wanted, SHOWN + 1)
    return render(
        "history.html",
        ask,
        query=query,
        states=options(STATE_TITLES.items(), query.get("state")),
        total=count_uploads(ask.services.store, replace(wanted, before=None)),
        lines=[line_view(line) for line in found[:SHOWN]],
        **pager("/history", query, [line.id for line in found]),
    )


def _tabs(home: str, chosen: str, all_: int, failing: int, counts: Any) -> list[tuple[Link, int]]:
    """Lead to the rows of each state that there are."""
    found = [(Link("全部", home, not chosen), all_)]
    found.append((Link("需更正", address(home, state=TO_CORRECT), chosen == TO_CORRECT), failing))
    return found + [
        (Link(ROW_TITLES[state], address(home, state=state), chosen == state), count)
        for state, count in counts.items()
        if count or chosen == state
    ]
