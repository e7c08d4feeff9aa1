"""The pages about the HTTP interface, made from what the service itself goes by: its routes, its kinds of problems, its OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from api.openapi import document
from api.problems import KINDS
from api.resources import resources
from api.routes import Route
from engine.rulebook import find_manifest, load
from pipeline.callers import SCOPES
from pipeline.people import ROLE_TITLES

_PROBLEMS = """\
# 问题

出错时的答复都是 `application/problem+json`（RFC 9457）：

```json
{
  "type": "/v1/problems/invalid",
  "title": "内容有误",
  "status": 422,
  "detail": "请求内容有 1 处不对",
  "instance": "/v1/tokens",
  "request_id": "5f0c2f6b1d9e4a73",
  "diagnostics": [
    {"code": "", "severity": "error", "pointer": "/days", "message": "应是整数，这里是 '很久'", "hint": ""}
  ]
}
```

- `title` 随 `Accept-Language` 为中文（缺省）或英文；`detail` 与 `diagnostics` 里的话只有中文。
- `diagnostics` 逐处说明，不只是第一处。请求里的地方用 `pointer`（JSON Pointer；查询参数写作 `query:名字`），规则文件用 `span`（文件、行、列），表格用 `cell`。最多写出 1000 处，其余计在 `left_out` 里。
- `request_id` 与答复头 `X-Request-Id` 相同，日志里的每一行也带着它。
- 503 和 `in-progress` 带 `Retry-After`（秒）。
- 属于服务内部的原因（主机、约束、密钥、堆栈）只写入日志。
- 连 HTTP 都不是的请求（残缺的请求行、过大的头）由服务器直接用纯文本拒绝，到不了这里。

| 种类 | 状态 | 标题 | English |
|---|---|---|---|
"""

_ROUTES = """\
# HTTP 接口

完整的描述是 [openapi.json](openapi.json)（OpenAPI 3.1），运行中的服务在 `/v1/openapi.json` 给出同一份。出错时的答复见[问题](problems.md)。

## 谁能用

- 服务用令牌：`Authorization: Bearer sg_…`。令牌属于一个店铺、一个角色，只能做它的权限列出的事，有期限，可作废；作废后最多 5 秒内失效。
- 人用浏览器登录：`POST /v1/session` 得到 Cookie；最长 12 小时，2 小时不用即失效。改动的请求要带 `X-CSRF-Token`（`GET /v1/session` 给出），并且来自本站的页面。
- 别的店铺的任何东西都与不存在一样：404。
- 登录过于频繁时为 429，`Retry-After` 说明要等几秒。

## 请求

- 正文是 UTF-8 的 JSON（`Content-Type: application/json`）。不认识的字段、查询参数，只应写一次却写了几次的参数，都是 422，并逐处指出。
- 不能原样收下的一律拒绝，从不悄悄改掉：同一个对象里重复的名字、NaN、Infinity、过大的数（400），U+0000 与不完整的代理对（422）。整数不写小数点。
- 可以没有的字段写成 null，与不写一样。
- 会做事的 POST 可带 `Idempotency-Key`（1～200 个可见 ASCII 字符）：同一个键的重复请求只做一次，得到逐字节相同的答复，并带 `Idempotent-Replayed: true`；答复保留两天。键用于另一个请求是 422；第一个还在处理是 409，带 `Retry-After`；处理它的进程死了时，10 秒后由重复的请求接手。状态 429 与 5xx 的答复不保留，可以用同一个键再试。
- 规则类的 GET 带 `ETag`；把它放在 `If-None-Match` 里，没有变化时得到 304。
- 列表用 `limit`（1～500，缺省 50）与 `cursor` 翻页；答复里的 `next` 是下一页的 `cursor`，没有更多时为 null。
- `Accept-Language: en` 时，标题是英文；`detail` 与逐处的说明只有中文。

## 地址

"""


def problems_page() -> str:
    """List the kinds of problems."""
    rows = [
        f"| `{kind.name}` | {kind.status} | {kind.title} | {kind.title_en} |\n" for kind in KINDS.values()
    ]
    return _PROBLEMS + "".join(rows)


def openapi_page(root: Path) -> str:
    """Write the OpenAPI document of the rules in the checkout."""
    described = document(load(find_manifest(root)), resources())
    return json.dumps(described, ensure_ascii=False, indent=1) + "\n"


def routes_page() -> str:
    """List the routes by resource, and who may ask for each."""
    return _ROUTES + "\n".join(_routes())


def _routes() -> Iterator[str]:
    for resource in resources():
        yield f"### {resource.title}\n"
        yield "| 方法 | 地址 | 做什么 | 权限 | 谁 |"
        yield "|---|---|---|---|---|"
        for route in resource.routes:
            yield f"| {route.method} | `{route.path}` | {route.summary} | {_scope(route)} | {_who(route)} |"
        yield ""


def _scope(route: Route) -> str:
    return f"`{route.scope}`" if route.scope is not None else ""


def _who(route: Route) -> str:
    if route.scope is None:
        return "登录的人" if route.signed_in else "任何人"
    roles = SCOPES[route.scope]
    named = "所有角色" if len(roles) == len(ROLE_TITLES) else "、".join(ROLE_TITLES[role] for role in roles)
    return f"{named}（只限登录的人）" if route.signed_in else named
