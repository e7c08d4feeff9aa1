"""The JSON Schema for editors: it takes what is shipped, and underlines what the reader would refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from engine.diagnostics import Diagnostics
from engine.explanation import explain
from engine.read import read_file
from engine.rule_docs import flow_page, index_page, rule_page
from engine.rule_schema import rule_file_schema
from engine.rulebook import Rulebook, load
from engine.schemas import plain_data
from engine.tables import Tables
from engine.truth import Judge

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load(ROOT / "rulesets.yaml")


def test_every_file_that_is_shipped_is_valid(rulebook: Rulebook) -> None:
    for ruleset in rulebook.rulesets():
        _, root = read_file(ROOT / ruleset.file, ruleset.file, Diagnostics())
        assert root is not None
        schema = rule_file_schema(rulebook.vocabulary, ruleset.fact, ruleset.kind)
        Draft202012Validator.check_schema(schema)
        errors = [
            f"{error.json_path}: {error.message}"
            for error in Draft202012Validator(schema).iter_errors(plain_data(root))
        ]
        assert [] == errors[:3], ruleset.name


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("require",), {"product.titel": {"present": True}}),
        (("require",), {"product.title": {"lenght": {"at_most": 3}}}),
        (("require",), {"product.item_type": "ordinery"}),
        (("require",), {"product.price": "5"}),
        (("require",), {}),
        (("severity",), "fatal"),
        (("id",), "Not An Id"),
        (("effective",), {"from": "8.3.2022"}),
        (("otherwise",), {"en": "only English"}),
        (("requires",), {}),
    ],
)
def test_a_mistake_is_underlined_while_typing(rulebook: Rulebook, path: tuple[str], value: Any) -> None:
    ruleset = rulebook.ruleset("huiju/eligibility")
    validator = Draft202012Validator(rule_file_schema(rulebook.vocabulary, ruleset.fact, ruleset.kind))
    rule = {"id": "a", "title": "甲", "source": "R0", "require": {"product.title": "x"}, "otherwise": "乙"}
    file = {"kind": "eligibility", "fact": "listing", "rules": [rule]}
    assert validator.is_valid(file)
    assert not validator.is_valid({**file, "rules": [{**rule, path[0]: value}]})


def test_every_rule_and_flow_has_a_page_and_the_index_leads_to_it(rulebook: Rulebook) -> None:
    index = index_page(rulebook.rulesets())
    for ruleset in rulebook.rulesets():
        pages = {rule.common.id: rule_page(ruleset, rule) for rule in ruleset.rules}
        pages |= {flow.common.id: flow_page(ruleset, flow) for flow in ruleset.flows}
        for item in (*ruleset.rules, *ruleset.flows):
            page = pages[item.common.id]
            assert page.startswith(f"# {item.common.title}\n")
            assert item.common.source in page
            assert "（空）" not in page
            assert f"({ruleset.name}/{item.common.id}.md)" in index


def test_the_page_of_a_rule_on_actions_says_until_when(rulebook: Rulebook) -> None:
    ruleset = rulebook.ruleset("huiju/access")
    pages = {rule.common.id: rule_page(ruleset, rule) for rule in ruleset.rules}
    assert "## 直到\n\n绑定惠聚店铺\n" in pages["not-bound"]
    assert "## 直到" not in pages["bound-already"]


def test_every_rule_can_be_explained_on_the_fact_s_own_example_and_on_nothing(rulebook: Rulebook) -> None:
    judge = Judge(Tables())
    for ruleset in rulebook.rulesets():
        for rule in ruleset.rules:
            for fact in (ruleset.fact.example, {}):
                lines = explain(rule, judge, (fact,))
                assert f"{rule.common.title}（{rule.common.source}）" == lines[0]
                assert all(line.strip() for line in lines)


def test_an_explanation_shows_which_element_does_not_hold(rulebook: Rulebook) -> None:
    rule = rulebook.ruleset("huiju/eligibility").rule("price-zero")
    assert rule is not None
    lines = explain(
        rule,
        Judge(Tables()),
        ({"product": {"id": "1", "title": "x", "skus": [{"price": 5}, {"price": 0}, {}]}},),
    )
    text = "\n".join(lines)
    assert "product.skus[0].price" in text
    assert "product.skus[1].price" in text
    assert "现值 0.00 元" in text
    assert "？" not in text
    assert any(line.lstrip().startswith("?") for line in lines)
