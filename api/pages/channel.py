"""The channel's page (惠聚渠道): what a listing needs, where a sheet is uploaded; and the way there."""

from __future__ import annotations

from typing import Any

from flask import Response

from api.channel_page import open_channel_page, page_state
from api.console import Pages, go, render
from api.pages._uploads import line_view
from api.resources import reference, template
from api.routes import Ask, Reply
from pipeline.clients import ChannelFailed
from pipeline.reference import NoReference, load_reference
from pipeline.uploads.history import Filter, uploads

PAGES = Pages("channel", "惠聚渠道")
page = PAGES.page

RECENT = 5
"""Uploads that the page shows; the history has them all."""


@page("GET", "/", "首页")
def home(ask: Ask) -> Response:
    """Lead to the channel's page; where it is not shown, say why, and what to do (R6)."""
    state = page_state(ask)
    if state.state == "enabled":
        return go("/channel")
    instead = [item.effect for item in state.instead]
    return render("unbound.html", ask, reason=state.reason, until=state.until, instead=instead)


@page("GET", "/channel", "惠聚渠道", scope="uploads:read")
def show_channel(ask: Ask) -> Response:
    """Show what a listing needs and where a sheet is uploaded."""
    channel = open_channel_page(ask)
    found = uploads(ask.services.store, Filter(ask.shop_id, channel.name), RECENT)
    return render(
        "channel.html",
        ask,
        reference=_reference(ask, channel.name),
        may_upload="uploads:write" in ask.who.scopes,
        may_refresh="reference:write" in ask.who.scopes,
        role_note="只读成员不能上传商品；请由管理员或运营上传",
        recent=[line_view(line) for line in found],
    )


@page("POST", "/channel/reference", "下载惠聚数据", scope="reference:write")
def refresh_reference(ask: Ask) -> Response:
    """Pull the reference data from the channel."""
    try:
        reference.refresh_reference(ask)
    except ChannelFailed as error:
        return go("/channel", error.message, "bad")
    return go("/channel", "已从惠聚重新下载")


@page("POST", "/channel/template", "预填的上架模板", scope="reference:write")
def fill_template(ask: Ask) -> Reply:
    """Give a template that is filled in for all products on sale."""
    ask.body = {}
    return template.filled_template(ask)


def _reference(ask: Ask, channel: str) -> dict[str, Any]:
    """Prepare what is said of the reference data: how much, how old, what is missing (R7)."""
    try:
        found = load_reference(ask.services.store, ask.shop_id, channel)
    except NoReference:
        return {
            "known": False,
            "note": "还没有下载过惠聚数据；下载后才能生成模板和上传",
            "stale": True,
            "advice": [],
        }
    now = ask.services.now()
    return {
        "known": True,
        "note": found.note(now),
        "counts": found.counts(),
        "stale": found.is_stale(now),
        "advice": found.advice(),
    }
