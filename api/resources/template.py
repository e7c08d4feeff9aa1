"""The upload template (上架模板): blank, or filled in for chosen products as far as the rules can (R8)."""

from __future__ import annotations

import io
from typing import Any

from api.channel_page import CLOSED, open_channel_page
from api.files import XLSX, file_reply
from api.routes import Answer, Ask, Reply, Resource
from api.schemas import array, boolean, record, text
from engine.tables import Tables
from mappings.template import Template, write_template
from pipeline.checking import Checker
from pipeline.products import chosen_products, pull_chosen
from pipeline.reference import load_reference
from pipeline.shops import shop_fact
from pipeline.template import build_template

TEMPLATE_NAME = "上架模板.xlsx"
MOST_CHOSEN = 5000

CHOSEN = record(
    "哪些商品",
    {
        "product_ids": array(
            text("有赞商品 ID", pattern="^[0-9]{1,20}$"),
            "要上架的商品；不写时为全部在售的商品",
            minItems=1,
            maxItems=MOST_CHOSEN,
        ),
        "refresh": boolean("先从有赞重新读取这些商品；不写时只读取还没有的"),
    },
    ("product_ids", "refresh"),
)
FILLED = record(
    "哪些能上架",
    {
        "rows": array(record("可以上架的商品", {"product_id": text("有赞商品 ID"), "title": text("名称")})),
        "barred": array(
            record(
                "不能上架的商品",
                {
                    "product_id": text("有赞商品 ID"),
                    "title": text("名称"),
                    "outcome": text("不通过，或无法判断"),
                    "reasons": array(
                        record("原因", {"message": text("原因"), "fix": text("怎么改")}), "每条规则的原因"
                    ),
                },
            )
        ),
    },
)

RESOURCE = Resource("template", "上架模板")
route = RESOURCE.route


@route(
    "GET",
    "/v1/template",
    "空白的上架模板；下拉列表是本店的惠聚数据",
    scope="reference:read",
    answers={200: Answer("工作簿", media=XLSX, headers={"Content-Disposition": "文件名"}), **CLOSED},
)
def blank_template(ask: Ask) -> Reply:
    """Give a blank template."""
    return _written(_build(ask))


@route(
    "POST",
    "/v1/template",
    "为指定的或全部商品预填的上架模板；不能上架的列在另一张表里",
    scope="reference:write",
    body=CHOSEN,
    answers={
        200: Answer(
            "工作簿",
            media=XLSX,
            headers={
                "Content-Disposition": "文件名",
                "X-Template-Rows": "可以上架的商品数",
                "X-Template-Barred": "不能上架的商品数",
            },
        )
    },
)
def filled_template(ask: Ask) -> Reply:
    """Give a template that is filled in for products."""
    return _written(_build(ask))


@route(
    "POST",
    "/v1/template/products",
    "指定的或全部商品里，哪些能上架，哪些不能、为什么",
    scope="reference:write",
    body=CHOSEN,
    answers={200: Answer("逐个商品", FILLED)},
)
def sort_products(ask: Ask) -> Any:
    """Say which products a template would hold, and which are barred and why."""
    template = _build(ask)
    return {
        "rows": [{"product_id": row.product_id, "title": row.title} for row in template.rows],
        "barred": [
            {
                "product_id": item.product_id,
                "title": item.title,
                "outcome": item.outcome,
                "reasons": [{"message": message, "fix": fix} for message, fix in item.reasons],
            }
            for item in template.barred
        ],
    }


def _build(ask: Ask) -> Template:
    """Make the template that the body asks for; a blank one where there is no body."""
    channel = open_channel_page(ask)
    services, now = ask.services, ask.services.now()
    reference = load_reference(services.store, ask.shop_id, channel.name)
    shop = shop_fact(services.store, channel.name, ask.shop_id)
    checker = Checker(ask.rulebook, channel, now, Tables(reference.tables), shop)
    if ask.body is None:
        return build_template(checker, reference.note(now))
    ids = ask.body.get("product_ids")
    ids = None if ids is None else list(dict.fromkeys(ids))
    refresh = ask.body.get("refresh", False)
    pull_chosen(services.store, services.youzan, ask.shop_id, ids, refresh=refresh)
    return build_template(checker, reference.note(now), chosen_products(services.store, ask.shop_id, ids))


def _written(template: Template) -> Reply:
    out = io.BytesIO()
    write_template(template, out)
    counts = {"X_Template_Rows": str(len(template.rows)), "X_Template_Barred": str(len(template.barred))}
    return file_reply(out, TEMPLATE_NAME, XLSX, **counts)
