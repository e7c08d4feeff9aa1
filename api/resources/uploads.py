"""Uploads (导入): a sheet sent in, followed on its way, its rows, its report, and the history of all of them (R15–R19)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, get_args

from flask import Response

from api.channel_page import open_channel_page
from api.files import file_reply, read_file
from api.lists import ID, LIMIT, SPAN, cursor, moment_in, page
from api.problems import Problem
from api.resources.validate import OUTCOME
from api.routes import MULTIPART, Answer, Ask, Reply, Resource
from api.schemas import array, boolean, component, integer, moment, or_null, page_of, record, text
from api.streams import MEDIA, streams
from mappings.sheet_file import MOST_BYTES
from pipeline.reference import load_reference
from pipeline.sending.releasing import release_sending
from pipeline.sending.sendings import sending_of_row
from pipeline.store import RowState, UploadState
from pipeline.uploads.history import Filter, RowStory, row_data, rows, story, upload_line, uploads
from pipeline.uploads.receiving import Received, receive, received_file, upload_of
from pipeline.uploads.report import WORKBOOK, report_formats, report_media, report_name, write_report

AROUND_FILE = 1_000_000
"""Bytes that a request may be larger than its file."""

STATE = {"enum": list(get_args(UploadState)), "title": "导入的状态"}
ROW_STATE = {"enum": list(get_args(RowState)), "title": "行的状态"}
COUNTS = {
    "state": STATE,
    "total": integer("表里有几行；读取之前为 0", minimum=0),
    "rows_by_state": record("各状态的行数", {name: integer(name) for name in get_args(RowState)}),
    "checked": integer("判断过的行", minimum=0),
    "to_push": integer("通过的行：已推送或将推送", minimum=0),
    "pushed": integer("推送有了结果的行", minimum=0),
    "failing": integer("需要更正的行", minimum=0),
    "settled": integer("有了结果的行", minimum=0),
    "failure": or_null(text("整个导入无法处理的原因")),
}
UPLOAD = {
    "id": text("编号"),
    "shop_id": text("店铺"),
    "channel": text("渠道"),
    "filename": text("文件名"),
    "size": integer("字节"),
    "actor_id": text("操作人"),
    "actor_name": text("操作人的名字"),
    "received_at": moment("收到的时间"),
    "finished_at": or_null(moment("有结果的时间")),
    "corrects": or_null(text("更正的是哪次导入")),
    **COUNTS,
}
RECEIVED = {
    **UPLOAD,
    "is_new": boolean("新的导入；同一个文件还在处理时为 false，接着进行那一次"),
    "remark": text("以前见过这个文件时说明；否则为空"),
}
ROW = {
    "number": integer("表里第几行", minimum=1),
    "product_id": or_null(text("有赞商品 ID")),
    "state": ROW_STATE,
    "reason": or_null(text("原因")),
    "channel_product_id": or_null(text("渠道商品 ID")),
    "cells": {"type": "object", "additionalProperties": {"type": "string"}, "title": "各列的内容"},
    "answer": or_null({"type": "object", "title": "渠道的答复"}),
    "updated_at": moment("更新时间"),
}
DECISION = record(
    "一个规则集的结论",
    {
        "ruleset": text("规则集"),
        "version": text("规则的版本"),
        "as_of": moment("以哪一刻的规则为准"),
        "outcome": OUTCOME,
        "findings": array(component("finding")),
    },
)
STEP = record("一步", {"at": moment("时间"), "what": text("发生了什么"), "detail": {"type": "object"}})
STORY = {
    **{
        name: ROW[name] for name in ("number", "product_id", "state", "reason", "channel_product_id", "cells")
    },
    "upload_id": text("导入的编号"),
    "decisions": array(DECISION, "规则的结论"),
    "attempts": integer("推送了几次", minimum=0),
    "steps": array(STEP, "经过，从早到晚"),
}
FILE = record("上架表", {"file": {"type": "string", "format": "binary", "title": "xlsx 或 csv，最多 50 MB"}})

RESOURCE = Resource(
    "uploads",
    "导入",
    {
        "upload": record("导入", UPLOAD),
        "received": record("收下的导入", RECEIVED),
        "row": record("一行", ROW),
        "row_story": record("一行的经过", STORY),
    },
)
route = RESOURCE.route
UPLOAD_ID = {"upload_id": text("导入的编号", pattern=ID)}
ROW_ID = {**UPLOAD_ID, "number": text("表里第几行", pattern="^[1-9][0-9]{0,6}$")}


@route(
    "POST",
    "/v1/uploads",
    "上传上架表；检查和推送随后自动进行",
    scope="uploads:write",
    body=FILE,
    media=MULTIPART,
    most=MOST_BYTES + AROUND_FILE,
    acts=True,
    answers={202: Answer("收下了", component("received"), headers={"Location": "导入的地址"})},
)
def send_upload(ask: Ask) -> Reply:
    """Keep a file; whoever checks uploads takes it from there."""
    received = receive_file(ask)
    line = upload_line(ask.services.store, received.upload_id).as_data()
    data = line | {"is_new": received.is_new, "remark": received.remark}
    return Reply(data, status=202, headers={"Location": f"/v1/uploads/{received.upload_id}"})


@route(
    "GET",
    "/v1/uploads",
    "导入历史，最近的在前",
    scope="uploads:read",
    query={
        **SPAN,
        "state": array(STATE, "导入的状态，可写多个"),
        "product": text("含有这个有赞商品 ID", minLength=1),
        "operator": text("操作人的编号，或名字的一部分", minLength=1),
        "channel": text("渠道", minLength=1),
        "cursor": cursor(),
        "limit": LIMIT,
    },
    answers={200: Answer("一页导入", page_of(component("upload"), "导入"))},
)
def list_uploads(ask: Ask) -> Any:
    """Give the history of the caller's shop, page by page."""
    query = ask.query
    wanted = Filter(
        shop_id=ask.shop_id,
        channel=query.get("channel"),
        since=moment_in(query, "since"),
        until=moment_in(query, "until"),
        states=query.get("state", ()),
        product_id=query.get("product"),
        operator=query.get("operator"),
        before=query.get("cursor"),
    )
    found = uploads(ask.services.store, wanted, query["limit"])
    return page(found, query["limit"], lambda line: line.id, lambda line: line.as_data())


@route(
    "GET",
    "/v1/uploads/{upload_id}",
    "一次导入：状态和各状态的行数",
    scope="uploads:read",
    path_schemas=UPLOAD_ID,
    answers={200: Answer("导入", component("upload"))},
)
def show_upload(ask: Ask, upload_id: str) -> Any:
    """Give one upload."""
    upload_of(ask.services.store, ask.shop_id, upload_id)
    return upload_line(ask.services.store, upload_id).as_data()


@route(
    "GET",
    "/v1/uploads/{upload_id}/rows",
    "一次导入的各行，按表里的次序",
    scope="uploads:read",
    path_schemas=UPLOAD_ID,
    query={
        "state": array(ROW_STATE, "行的状态，可写多个"),
        "product": text("这个有赞商品 ID 的行", minLength=1),
        "cursor": cursor("^[0-9]{1,7}$"),
        "limit": LIMIT,
    },
    answers={200: Answer("一页", page_of(component("row"), "行"))},
)
def list_rows(ask: Ask, upload_id: str) -> Any:
    """Give the rows that are decided, page by page."""
    query = ask.query
    upload_of(ask.services.store, ask.shop_id, upload_id)
    found = rows(
        ask.services.store,
        upload_id,
        states=query.get("state", ()),
        product_id=query.get("product"),
        after=int(query.get("cursor", 0)),
        limit=query["limit"],
    )
    return page(found, query["limit"], lambda row: str(row.number), row_data)


@route(
    "GET",
    "/v1/uploads/{upload_id}/rows/{number}",
    "一行的经过：检查、推送、渠道的答复",
    scope="uploads:read",
    path_schemas=ROW_ID,
    answers={200: Answer("经过", component("row_story"))},
)
def show_row(ask: Ask, upload_id: str, number: str) -> Any:
    """Tell the story of a row."""
    return story_of(ask, upload_id, number).as_data()


@route(
    "GET",
    "/v1/uploads/{upload_id}/report",
    "报告；workbook 是收到的那张表，加上状态、原因、修改建议",
    scope="uploads:read",
    path_schemas=UPLOAD_ID,
    query={"format": {"enum": report_formats(), "title": "格式", "default": WORKBOOK}},
    answers={200: Answer("文件", media="*/*", headers={"Content-Disposition": "文件名"})},
)
def show_report(ask: Ask, upload_id: str) -> Reply:
    """Give the report of an upload, as far as it has come."""
    store, format_ = ask.services.store, ask.query["format"]
    upload = upload_of(store, ask.shop_id, upload_id)
    channel = ask.rulebook.channels.get(upload.channel)
    if channel is None:
        raise Problem(
            "unavailable", f"规则清单里没有渠道 {upload.channel}，不能写报告；请在 rulesets.yaml 里补上"
        )
    out = io.BytesIO()
    write_report(store, upload_id, channel, format_, out)
    return file_reply(out, report_name(upload.filename, format_), report_media(format_))


@route(
    "GET",
    "/v1/uploads/{upload_id}/file",
    "收到的文件，一字不改",
    scope="uploads:read",
    path_schemas=UPLOAD_ID,
    answers={
        200: Answer("文件", media="application/octet-stream", headers={"Content-Disposition": "文件名"})
    },
)
def show_file(ask: Ask, upload_id: str) -> Reply:
    """Give the file as it was received; as bytes without a meaning, so that no browser opens it in place."""
    upload_of(ask.services.store, ask.shop_id, upload_id)
    name, content = received_file(ask.services.store, upload_id)
    return file_reply(content, name, "application/octet-stream")


@route(
    "GET",
    "/v1/uploads/{upload_id}/events",
    "进度流（Server-Sent Events）；data 是导入的各项计数，加上每秒行数 rate 和剩余秒数 remaining_seconds，最后一个事件名为 done",
    scope="uploads:read",
    path_schemas=UPLOAD_ID,
    answers={200: Answer("进度流", media=MEDIA), 204: Answer("已经说完", media="")},
)
def follow_upload(ask: Ask, upload_id: str) -> Response:
    """Tell the progress of an upload as it happens."""
    upload_of(ask.services.store, ask.shop_id, upload_id)
    return streams().respond(upload_id)


@route(
    "POST",
    "/v1/uploads/{upload_id}/rows/{number}/release",
    "放行一行等人处理的推送；先到渠道查它是否已经生效，没有才再推送",
    scope="uploads:write",
    path_schemas=ROW_ID,
    acts=True,
    answers={202: Answer("已放行", component("row_story"))},
)
def release_row(ask: Ask, upload_id: str, number: str) -> Reply:
    """Let a row go on whose push waits for a person."""
    let_go_on(ask, upload_id, number)
    return Reply(story_of(ask, upload_id, number).as_data(), status=202)


def let_go_on(ask: Ask, upload_id: str, number: str) -> None:
    """Release a row's push, for the API and the pages alike.

    Raises:
        ActorRefused: The caller may not.
        NotHeld: The push does not wait for a person.
        Problem: There is no such row, or it was never pushed.
    """
    told = story_of(ask, upload_id, number)
    sending = sending_of_row(ask.services.store, upload_id, told.number)
    if sending is None:
        raise Problem("conflict", f"第 {number} 行没有推送过，不用放行")
    release_sending(ask.services.store, ask.who.actor, sending.item_id)


def receive_file(ask: Ask, besides: Sequence[str] = ()) -> Received:
    """Keep the file of a request, for the API and the pages alike.

    Args:
        ask: The request, multipart.
        besides: Names of parts that may stand beside the file.

    Raises:
        ActionRefused: The channel's page is not shown for the caller.
        NoReference: The shop has no reference data to check by.
        Problem: There is no file, or it is too large.
    """
    channel, store = open_channel_page(ask), ask.services.store
    load_reference(store, ask.shop_id, channel.name)
    name, content = read_file("file", MOST_BYTES, besides)
    return receive(store, ask.who.actor, ask.shop_id, channel.name, name, content, ask.hold)


def story_of(ask: Ask, upload_id: str, number: str) -> RowStory:
    """Give the story of a row of the caller's shop."""
    upload_of(ask.services.store, ask.shop_id, upload_id)
    told = story(ask.services.store, upload_id, int(number))
    if told is None:
        raise Problem("not-found", f"导入 {upload_id} 没有第 {number} 行，或还没有检查到这一行")
    return told
