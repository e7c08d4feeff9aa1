"""Judging facts by the rules: the same answers as the upload and `shelfgate check` give."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import current_app

from api.bodies import read_json
from api.problems import Mistake, Problem, pointer_of
from api.routes import MOST_JSON, Answer, Ask, Resource, Variant
from api.schemas import Checker, Schema, array, boolean, component, moment, record, text
from engine.constants import read_datetime
from engine.facts import admit
from engine.rulebook import Rulebook
from engine.rules import Ruleset
from pipeline.measures import count_decisions
from pipeline.validating import explained, validate

MOST_FACTS = 1000
MOST_EXPLAINED = 100
SHOP_TABLES = "shelfgate.tables"

TEXT = {"type": "string"}
FINDING = record(
    "一处发现",
    {
        "rule": text("规则"),
        "title": text("规则的标题"),
        "severity": {"enum": ["error", "warning", "notice"]},
        "status": {"enum": ["violated", "undetermined", "waived"]},
        "message": text("原因"),
        "fix": text("怎么改"),
        "evidence": array(record("依据", {"path": text("字段"), "found": {}, "wanted": text("应为")})),
        "missing": array(TEXT, "缺少的数据"),
        "source": text("依据哪条要求"),
        "preempts": array(TEXT, "替商家挡下渠道的哪些错误码"),
        "waiver": text("豁免"),
    },
)
ACTION = record(
    "一个操作",
    {
        "action": text("操作"),
        "title": text("名称"),
        "title_en": text("英文名称"),
        "state": {"enum": ["enabled", "disabled", "hidden"]},
        "rule": text("由哪条规则决定"),
        "reason": text("原因"),
        "reason_en": text("英文原因"),
        "blocking": array(record("依据", {"path": text("字段"), "found": {}, "wanted": text("应为")})),
        "missing": array(TEXT, "缺少的数据"),
        "instead": array(
            record("改做什么", {"action": text("操作"), "effect": text("会怎样"), "effect_en": text("英文")})
        ),
        "until": text("到什么时候"),
        "until_en": text("到什么时候，英文"),
        "also": array(TEXT, "还有哪些规则限制它"),
        "source": text("依据哪条要求"),
    },
)
MAPPED = record(
    "一处对应",
    {
        "rule": text("规则"),
        "source": text("来自"),
        "key": {},
        "target": text("对应到"),
        "value": {},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "filled": {},
    },
)
EXPLANATION = array(
    record(
        "一条规则怎样得出结论",
        {
            "rule": text("规则"),
            "verdict": {"enum": ["accept", "reject", "undetermined"]},
            "lines": array(TEXT, "逐步"),
        },
    )
)
OUTCOME = {"enum": ["accepted", "rejected", "undetermined"]}
DECIDED = {"outcome": OUTCOME, "findings": array(component("finding"))}
RESULTS: dict[str, Schema] = {
    "eligibility": record("结果", {**DECIDED, "explanation": EXPLANATION}, ("explanation",)),
    "mapping": record(
        "结果",
        {**DECIDED, "mapped": array(component("mapped")), "explanation": EXPLANATION},
        ("explanation",),
    ),
    "actions": record(
        "结果",
        {
            "actions": array(component("action")),
            "masks": array(record("遮盖", {"path": text("字段"), "shown": text("显示为")})),
            "hidden": array(TEXT, "去掉的字段"),
            "explanation": EXPLANATION,
        },
        ("explanation",),
    ),
}
AROUND = {
    "as_of": moment("以哪一刻的规则为准；不写时为现在"),
    "explain": boolean(f"说明每条规则怎样得出结论；最多 {MOST_EXPLAINED} 个数据"),
}
ONE_OR_MANY = Checker(
    {
        **record(
            "请求", {"fact": {}, "facts": {"type": "array", "minItems": 1, "maxItems": MOST_FACTS}, **AROUND}
        ),
        "required": [],
    },
    {},
)

RESOURCE = Resource("validate", "按规则判断", {"finding": FINDING, "action": ACTION, "mapped": MAPPED})
route = RESOURCE.route


def variants(rulebook: Rulebook) -> Iterator[Variant]:
    """Document one address for each ruleset, with its fact."""
    for ruleset in rulebook.rulesets():
        channel, _, family = ruleset.name.partition("/")
        fact = component(ruleset.fact.name)
        one = record("一个", {"fact": fact, **AROUND}, ("as_of", "explain"))
        many = array(fact, "多个，互为同一批", minItems=1, maxItems=MOST_FACTS)
        body = {"oneOf": [one, record("多个", {"facts": many, **AROUND}, ("as_of", "explain"))]}
        answer = record(
            "答复",
            {
                "ruleset": text("规则集"),
                "version": text("规则的版本"),
                "as_of": moment("以哪一刻的规则为准"),
                "results": array(RESULTS[ruleset.kind], "与请求的数据一一对应"),
            },
        )
        title = f"按 {ruleset.name} 判断{ruleset.fact.type.title}"
        yield Variant({"channel": channel, "family": family}, title, body, answer)


@route(
    "POST",
    "/v1/validate/{channel}/{family}",
    "按一个规则集判断一个或多个数据",
    scope="validate",
    body={"type": "object"},
    reads=True,
    variants=variants,
    answers={200: Answer("逐个的结果；不通过也是 200", {"type": "object"})},
)
def judge(ask: Ask, channel: str, family: str) -> Any:
    """Judge facts; every fact is answered, and every mistake in a fact is named."""
    ruleset = find_ruleset(ask.rulebook, channel, family)
    body = read_json(MOST_JSON)
    given, place = facts_of(body)
    as_of = moment_of(body) or ask.services.now()
    if body.get("explain") and len(given) > MOST_EXPLAINED:
        raise Problem(
            "invalid", f"explain 最多用于 {MOST_EXPLAINED} 个数据，这里有 {len(given)} 个；请分几次"
        )
    facts = admitted(ruleset, given, place)
    tables = current_app.extensions[SHOP_TABLES].of(ask.shop_id, channel)
    results = validate(ask.rulebook, ruleset, tables, as_of, facts)
    count_decisions(ruleset.name, results)
    if body.get("explain"):
        told = explained(ruleset, tables, as_of, facts)
        results = [result | {"explanation": lines} for result, lines in zip(results, told, strict=True)]
    return {"ruleset": ruleset.name, "version": ruleset.version, "as_of": as_of, "results": results}


def find_ruleset(rulebook: Rulebook, channel: str, family: str) -> Ruleset:
    """Give a ruleset.

    Raises:
        Problem: There is no such ruleset; those that are there are named.
    """
    found = rulebook.channels[channel].rulesets.get(family) if channel in rulebook.channels else None
    if found is None:
        known = "、".join(ruleset.name for ruleset in rulebook.rulesets())
        raise Problem("not-found", f"没有规则集 {channel}/{family}；可用的有 {known}")
    return found


def facts_of(body: Any) -> tuple[list[Any], str]:
    """Give the facts of a body, and the pointer that theirs begin with.

    Raises:
        Problem: The body is not one of a fact or a list of facts.
    """
    mistakes = ONE_OR_MANY.mistakes(body)
    if not mistakes and ("fact" in body) == ("facts" in body):
        mistakes = [Mistake("", "要有 fact（一个）或 facts（多个），只写其中一个", '例如 {"fact": {…}}')]
    if mistakes:
        raise Problem("invalid", f"请求内容有 {len(mistakes)} 处不对", mistakes)
    return ([body["fact"]], "/fact") if "fact" in body else (body["facts"], "/facts")


def moment_of(body: dict[str, Any]) -> datetime | None:
    """Read the moment asked for; None where none is.

    Raises:
        Problem: It lies outside of the calendar.
    """
    if body.get("as_of") is None:
        return None
    found = read_datetime(body["as_of"])
    if found is None:
        raise Problem(
            "invalid", "as_of 有误", [Mistake("/as_of", "不是时间", "例如 2022-03-08T09:00:00+08:00")]
        )
    return found


def admitted(ruleset: Ruleset, given: list[Any], place: str) -> list[Any]:
    """Let facts in.

    Raises:
        Problem: Any of them does not fit its type; each mistake of each is named.
    """
    facts, mistakes = [], []
    for number, data in enumerate(given):
        fact, problems = admit(ruleset.fact.type, data)
        facts.append(fact)
        if data is None:
            mistakes.append(
                Mistake(_pointer(place, number, ""), f"应是{ruleset.fact.type.title}，这里是空的")
            )
        mistakes += [
            Mistake(_pointer(place, number, item.path), item.message, item.hint) for item in problems
        ]
    if mistakes:
        raise Problem("invalid", f"数据有 {len(mistakes)} 处不合 {ruleset.fact.name} 的字段", mistakes)
    return facts


def _pointer(place: str, number: int, path: str) -> str:
    """Write a path of a fact as a JSON pointer into the body."""
    return (place if place == "/fact" else f"{place}/{number}") + pointer_of(path)
