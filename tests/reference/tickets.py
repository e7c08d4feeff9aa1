"""A small rulebook of one channel whose matrix can be counted by hand; tests write the rules."""

from __future__ import annotations

from pathlib import Path

from engine.rulebook import Rulebook, load

TICKET = """title: 工单
type: object
additionalProperties: false
x-actions:
  answer: {title: 回复, title_en: Answer}
  close: {title: 关闭, title_en: Close}
  hand_over: {title: 转交, title_en: Hand over}
x-events:
  opened: {title: 提交工单}
  paid: {title: 已付款}
properties:
  id: {type: string, title: 工单号}
  channel: {type: string, title: 来源, enum: [own, shop], x-enum-titles: {own: 自营, shop: 商城}}
  status: {type: string, title: 工单状态, enum: [new, open, done], x-enum-titles: {new: 新建, open: 处理中, done: 已完成}}
  urgent: {type: boolean, title: 加急}
  visits: {type: integer, title: 来访次数}
  weight: {type: integer, title: 重量}
  pending: {type: array, title: 进行中, items: {type: string, title: 动作}}
  order:
    type: object
    title: 订单
    additionalProperties: false
    properties:
      channel: {type: string, title: 订单来源, enum: [own, shop], x-enum-titles: {own: 自营, shop: 商城}}
      status: {type: string, title: 订单状态, enum: [unpaid, paid], x-enum-titles: {unpaid: 未付款, paid: 已付款}}
examples: [{id: t1, channel: own, status: new, urgent: false, visits: 1, pending: [], order: {channel: own, status: unpaid}}]
"""
MANIFEST = "facts: facts\nchannels: {shop: {title: 商城, rulesets: {tickets: tickets.yaml}}}\n"
RULES = """kind: actions
fact: ticket
rules:
  - id: done
    title: 已完成
    when: {status: done}
    restrict: [answer, close]
    because: {zh: "工单{status|title}", en: The ticket is done}
    until: {zh: 重新提交, en: it is opened again}
    source: R1
  - id: shop-ticket
    title: 商城工单
    when: {channel: shop, urgent: false}
    restrict: [hand_over]
    effect: hide
    because: 不加急的商城工单不转交
    source: R2
  - id: urgent-close
    title: 加急先回复
    when: {urgent: true, status: {in: [new, open]}, pending: {count: 0}}
    restrict: [close]
    because: 加急工单先回复再关闭
    instead: [{action: answer, effect: 回复后客户自己关闭}]
    source: R3
flows:
  - {id: opened, title: 提交, on: opened, when: {any: [{status: {present: false}}, {status: done}]}, then: {set: {status: new}}, source: R4}
  - {id: paid, title: 付款, on: paid, when: {order.status: unpaid}, then: {set: {order.status: paid}, call: order.paid}, source: R4}
  - {id: answer, title: 回复, on: answer, then: {set: {status: open}, call: ticket.answer}, source: R4}
  - {id: close, title: 关闭, on: close, then: {set: {status: done}, call: ticket.close}, source: R4}
  - {id: hand-over, title: 转交, on: hand_over, then: {call: ticket.hand_over}, source: R4}
"""


def tickets(folder: Path, rules: str = RULES, manifest: str = MANIFEST) -> Rulebook:
    """Write the rulebook to a folder and load it."""
    (folder / "facts").mkdir(exist_ok=True)
    (folder / "facts" / "ticket.yaml").write_text(TICKET, "utf-8")
    (folder / "tickets.yaml").write_text(rules, "utf-8")
    (folder / "rulesets.yaml").write_text(manifest, "utf-8")
    return load(folder / "rulesets.yaml")
