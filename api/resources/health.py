"""Whether the service is alive, whether it is ready, and what it counts."""

from __future__ import annotations

import logging
from typing import Any

from flask import Response, current_app

from api.measures import exposition
from api.routes import Answer, Ask, Reply, Resource
from api.schemas import array, boolean, moment, or_null, record, text
from pipeline.store import StoreError

log = logging.getLogger("api")

READY = record(
    "是否就绪",
    {
        "ready": boolean("可以接受请求"),
        "store": text("数据库：ok，或哪里不对"),
        "rules": record(
            "规则",
            {
                "loaded_at": moment("现用规则载入的时间"),
                "bad_edit": or_null(
                    record(
                        "磁盘上的规则有误，仍用原来的",
                        {
                            "seen_at": moment("发现的时间"),
                            "places": array({"type": "string"}, "哪里有误：文件:行:列 代码 说明"),
                        },
                    )
                ),
            },
        ),
    },
)

RESOURCE = Resource("health", "运行状况")
route = RESOURCE.route


@route(
    "GET",
    "/healthz",
    "进程是否活着",
    scope=None,
    answers={200: Answer("活着", record("活着", {"alive": boolean("活着")}))},
)
def alive(ask: Ask) -> Any:
    """Say that the process answers."""
    return {"alive": True}


@route(
    "GET",
    "/readyz",
    "是否可以接受请求；规则改坏了时说明哪里有误",
    scope=None,
    answers={200: Answer("就绪", READY), 503: Answer("还没有就绪", READY)},
)
def ready(ask: Ask) -> Reply:
    """Say whether store and rules can be worked with; a bad edit of the rules is told, and does not stop the service.

    The route is open to all, for who starts and stops processes: it names places and mistakes, and shows no line of a rule file.
    """
    services = ask.services
    services.rules.current()
    try:
        services.store.ping()
        store = "ok"
    except StoreError as error:
        log.warning("数据库无法使用：%s", error.message)
        store = "无法使用，原因已记入日志"
    bad = services.rules.bad_edit
    told = None
    if bad is not None:
        told = {"seen_at": bad.seen_at, "places": list(bad.places)}
    data = {
        "ready": store == "ok",
        "store": store,
        "rules": {"loaded_at": services.rules.loaded_at, "bad_edit": told},
    }
    return Reply(data, status=200 if store == "ok" else 503)


@route(
    "GET",
    "/metrics",
    "Prometheus 指标",
    scope="metrics:read",
    answers={200: Answer("指标", media="text/plain")},
)
def metrics(ask: Ask) -> Response:
    """Give what is counted, in Prometheus's text form."""
    body, media = exposition(current_app)
    return Response(body, content_type=media)
