"""Reference data (惠聚数据): what the channel's shop may use, how old it is, and what to do about a kind that is empty (R7)."""

from __future__ import annotations

import io
from contextlib import closing
from typing import Any

from api.channel_page import CLOSED, open_channel_page
from api.files import XLSX, file_reply
from api.routes import Answer, Ask, Reply, Resource
from api.schemas import array, boolean, component, integer, moment, record, text
from mappings.reference import write_reference
from pipeline.clients import huiju_client
from pipeline.reference import ADVICE, SHEETS, Reference, load_reference, pull_reference

WORKBOOK_NAME = "惠聚数据.xlsx"

KIND = record(
    "一种数据",
    {
        "table": text("名称，规则里用的"),
        "title": text("标题，工作簿里的表名"),
        "rows": integer("有几条", minimum=0),
        "taken_at": moment("这些内容最早见到的时间"),
        "checked_at": moment("最近一次核对的时间"),
        "advice": text("还是空的时该做什么；不空时为空"),
    },
)
REFERENCE = record(
    "惠聚数据",
    {
        "kinds": array(KIND, "各种数据"),
        "listings": integer("已上架或正在上架的商品数", minimum=0),
        "checked_at": moment("最近一次下载的时间"),
        "stale": boolean("可能已经过时"),
        "note": text("取自什么时候，要不要重新下载"),
    },
)

RESOURCE = Resource("reference", "惠聚数据", {"reference": REFERENCE})
route = RESOURCE.route


@route(
    "GET",
    "/v1/reference",
    "惠聚数据：各有几条、多久以前的、还缺什么",
    scope="reference:read",
    answers={200: Answer("惠聚数据", component("reference")), **CLOSED},
)
def show_reference(ask: Ask) -> Any:
    """Tell of the reference data that was pulled last."""
    return _data(ask, _load(ask))


@route(
    "GET",
    "/v1/reference/workbook",
    "惠聚数据，每种一张表",
    scope="reference:read",
    answers={200: Answer("工作簿", media=XLSX, headers={"Content-Disposition": "文件名"}), **CLOSED},
)
def show_workbook(ask: Ask) -> Reply:
    """Give the reference data as a workbook."""
    out = io.BytesIO()
    write_reference(_load(ask).tables, out)
    return file_reply(out, WORKBOOK_NAME, XLSX)


@route(
    "POST",
    "/v1/reference/refresh",
    "从惠聚重新下载",
    scope="reference:write",
    acts=True,
    answers={200: Answer("惠聚数据", component("reference"))},
)
def refresh_reference(ask: Ask) -> Any:
    """Pull the reference data anew with the credentials of the shop's binding."""
    channel = open_channel_page(ask)
    services = ask.services
    with closing(huiju_client(services.store, services.vault, ask.shop_id)) as client:
        pulled = pull_reference(services.store, client, ask.shop_id, channel.name)
    return _data(ask, pulled)


def _load(ask: Ask) -> Reference:
    channel = open_channel_page(ask)
    return load_reference(ask.services.store, ask.shop_id, channel.name)


def _data(ask: Ask, reference: Reference) -> dict[str, Any]:
    now = ask.services.now()
    kinds = [
        {
            "table": item.table,
            "title": SHEETS[item.table],
            "rows": len(item.rows),
            "taken_at": item.taken_at,
            "checked_at": item.checked_at,
            "advice": "" if item.rows else ADVICE[item.table],
        }
        for item in reference.snapshots
    ]
    return {
        "kinds": kinds,
        "listings": len(reference.listings),
        "checked_at": reference.checked_at,
        "stale": reference.is_stale(now),
        "note": reference.note(now),
    }
