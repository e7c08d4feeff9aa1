"""Waivers: who may pass which rule, until when; what is wrong with them is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from engine.diagnostics import Diagnostic, Diagnostics
from engine.read import read
from engine.rulebook import Rulebook, load
from engine.rules import Waiver
from engine.session import Session
from engine.source import Source
from engine.tables import Tables
from engine.waivers import read_waivers

ROOT = Path(__file__).resolve().parents[3]
GOOD = 'rule: eligibility/spec-levels, when: {product.id: "1"}, owner: 张三, reason: 特批, until: 2022-04-30'


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load(ROOT / "rulesets.yaml")


def waivers(rulebook: Rulebook, text: str) -> tuple[dict[str, tuple[Waiver, ...]], list[Diagnostic]]:
    diagnostics = Diagnostics()
    root = read(Source("w.yaml", text), diagnostics)
    assert root is not None
    found = read_waivers(root, rulebook.channels["huiju"].rulesets, rulebook.vocabulary, diagnostics)
    return {family: items for family, (items, _) in found.items()}, diagnostics.in_order()


def test_a_waiver_is_read_with_its_owner_reason_and_last_day(rulebook: Rulebook) -> None:
    found, items = waivers(rulebook, f"waivers: [{{{GOOD}}}]")
    assert [] == items
    (waiver,) = found["eligibility"]
    assert ("eligibility/spec-levels", "张三", "特批", date(2022, 4, 30)) == (
        waiver.rule,
        waiver.owner,
        waiver.reason,
        waiver.last_day,
    )


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("[]", "SG0230", "豁免文件应写成 waivers: [ … ]"),
        ("x", "SG0230", "豁免文件应写成 waivers: [ … ]"),
        ("waivers: {}", "SG0230", "豁免文件应写成 waivers: [ … ]"),
        ("waivers: [5]", "SG0231", "没有可以豁免的规则 ''（kind: eligibility）"),
        ("waivers: [{}]", "SG0231", "没有可以豁免的规则 ''（kind: eligibility）"),
        ("waivers: [{rule: [a]}]", "SG0231", "没有可以豁免的规则 ['a']（kind: eligibility）"),
        (
            f"waivers: [{{{GOOD.replace('spec-levels', 'spec-level')}}}]",
            "SG0231",
            "没有可以豁免的规则 'eligibility/spec-level'（kind: eligibility）",
        ),
        (
            f"waivers: [{{{GOOD.replace('eligibility/', '')}}}]",
            "SG0231",
            "没有可以豁免的规则 'spec-levels'（kind: eligibility）",
        ),
        (f"waivers: [{{{GOOD}, until-when: x}}]", "SG0202", "豁免里不认识 'until-when'"),
        (f"waivers: [{{{GOOD.replace('owner: 张三, ', '')}}}]", "SG0203", "豁免缺少 owner"),
        (f"waivers: [{{{GOOD.replace('张三', '5')}}}]", "SG0204", "owner应是文字，这里是 5"),
        (f"waivers: [{{{GOOD.replace('until: 2022-04-30', 'until: null')}}}]", "SG0203", "豁免缺少 until"),
        (f"waivers: [{{{GOOD.replace('2022-04-30', '2022-04-31')}}}]", "SG0210", "日期应写成 年-月-日"),
        (f"waivers: [{{{GOOD.replace('product.id', 'product.idd')}}}]", "SG0405", "product 没有字段 'idd'"),
        (
            f"waivers: [{{{GOOD.replace('{product.id: ' + chr(34) + '1' + chr(34) + '}', '{}')}}}]",
            "SG0401",
            "条件是空的",
        ),
    ],
)
def test_a_mistake_in_a_waiver_is_named_and_the_waiver_left_out(
    rulebook: Rulebook, text: str, code: str, message: str
) -> None:
    found, items = waivers(rulebook, text)
    assert (code, message) in [(item.code, item.message) for item in items]
    assert {} == found or code == "SG0202"


@pytest.mark.parametrize("rule", ["spec-mapping/spec-template", "order-actions/unpaid"])
def test_only_rules_that_accept_and_reject_can_be_waived(rulebook: Rulebook, rule: str) -> None:
    """A waiver of another kind would be read and never be looked at."""
    _, items = waivers(rulebook, f"waivers: [{{{GOOD.replace('eligibility/spec-levels', rule)}}}]")
    assert ["SG0231"] == [item.code for item in items]


@pytest.mark.parametrize(
    ("product", "day", "status", "words"),
    [
        ("1", datetime(2022, 4, 30, 15, 59, 59, tzinfo=UTC), "waived", "张三：特批（至 2022-04-30）"),
        ("1", datetime(2022, 4, 30, 16, tzinfo=UTC), "violated", ""),
        ("2", datetime(2022, 4, 30, 1, tzinfo=UTC), "violated", ""),
        ("?", datetime(2022, 4, 30, 1, tzinfo=UTC), "violated", ""),
    ],
)
def test_a_waiver_covers_its_facts_to_the_end_of_its_last_day_in_shanghai(
    rulebook: Rulebook, product: str, day: datetime, status: str, words: str
) -> None:
    """A waiver that can't be decided covers nothing."""
    ruleset = rulebook.ruleset("huiju/eligibility")
    position, rule = next(
        (n, rule) for n, rule in enumerate(ruleset.rules) if rule.common.id == "spec-levels"
    )
    assert rule is ruleset.rules[position]
    unknown = GOOD.replace("product.id", "product.alias")
    found, _ = waivers(rulebook, f"waivers: [{{{unknown if product == '?' else GOOD}}}]")
    session = Session(
        replace(ruleset, waivers=found["eligibility"]), rulebook.evaluator(ruleset), Tables(), day
    )
    fact = {"product": {"id": product, "title": "x", "specs": []}, "row": {}}
    finding = next(
        item for item in session.decide(fact).findings if item.rule == "huiju/eligibility/spec-levels"
    )
    assert (status, words) == (finding.status, finding.waiver)
