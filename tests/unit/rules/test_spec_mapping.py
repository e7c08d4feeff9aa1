"""Which Huiju spec template a Youzan spec goes with, and how sure that is (R9, R12)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.examples import overlaid
from engine.facts import admit
from engine.mapping import MappingResult, map_fact
from engine.rulebook import Rulebook
from engine.rules import Ruleset
from engine.tables import Tables

AS_OF = datetime(2022, 3, 11, 4, tzinfo=UTC)
NAMES = ("颜色", "尺码", "尺寸", "净含量", "容量", "规格", "口味", "香型", "款式", "型号", "套餐", "材质")
TEMPLATES = [{"id": name, "name": name} for name in NAMES]
# What ops people wrote down: spec, template, how sure; with every template at hand.
WRITTEN = """
颜色 颜色 1.0|颜色分类 颜色 1.0|主色 颜色 0.8|色彩 颜色 0.8|花色 颜色 0.8|配色 颜色 0.8|色号 颜色 0.8
尺码 尺码 1.0|鞋码 尺码 1.0|码数 尺码 1.0|号码 尺码 0.7|号型 尺码 0.7
尺寸 尺寸 1.0|大小 尺寸 0.7|长度 尺寸 0.7|直径 尺寸 0.7
净含量 净含量 1.0|净重 净含量 1.0|重量 净含量 0.6|克重 净含量 0.6|份量 净含量 0.6
容量 容量 1.0|规格 规格 1.0
口味 口味 1.0|味道 口味 0.9|风味 口味 0.9|香型 香型 1.0|香味 香型 1.0
款式 款式 1.0|样式 款式 0.8|版型 款式 0.8|款型 款式 0.8|型号 型号 1.0
套餐 套餐 1.0|套餐类型 套餐 1.0|组合 套餐 0.6|件数 套餐 0.6|包装 套餐 0.6
材质 材质 1.0|面料 材质 1.0|材料 材质 0.8|质地 材质 0.8
"""
# What is proposed where the shop lacks the template of that name.
INSTEAD = {"尺寸": ("尺码", 0.7), "容量": ("净含量", 0.6), "规格": ("净含量", 0.6)}


@pytest.fixture(scope="module")
def ruleset(rulebook: Rulebook) -> Ruleset:
    return rulebook.ruleset("huiju/spec-mapping")


def mapped(ruleset: Ruleset, changes: dict[str, Any], *, lacking: str = "") -> MappingResult:
    fact, problems = admit(ruleset.fact.type, overlaid(ruleset.fact.example, changes))
    assert problems == ()
    templates = [row for row in TEMPLATES if row["name"] != lacking]
    categories = [
        {"id": "1", "name": "围巾", "level": 2},
        {"id": "6091", "name": "围巾", "level": 3},
        {"id": "6092", "name": "帽子", "level": 3},
    ]
    tables = Tables({"spec_templates": templates, "categories": categories})
    return map_fact(ruleset, fact, tables, AS_OF)


def proposals(result: MappingResult, rule: str = "spec-template") -> list[tuple[Any, Any, float]]:
    return [(item.key, item.value, item.confidence) for item in result.mapped if item.rule == rule]


def test_every_name_that_is_written_down_is_found_and_loose_ones_are_less_sure(ruleset: Ruleset) -> None:
    """R9: a proposal that is only likely says so, for someone to look at."""
    expected = []
    for entry in WRITTEN.replace("\n", "|").split("|"):
        if entry:
            name, template, confidence = entry.split()
            expected.append((name, template, float(confidence)))
    specs = [{"name": name} for name, _, _ in expected]
    assert proposals(mapped(ruleset, {"product.specs": specs})) == expected


def test_where_the_shop_lacks_the_template_of_that_name_the_next_best_is_proposed(ruleset: Ruleset) -> None:
    """R12: only templates of the Huiju shop are proposed."""
    for name, (template, confidence) in INSTEAD.items():
        result = mapped(ruleset, {"product.specs": [{"name": name}]}, lacking=name)
        assert proposals(result) == [(name, template, confidence)]


def test_a_name_that_is_not_written_down_is_a_finding_that_names_it(ruleset: Ruleset) -> None:
    result = mapped(ruleset, {"product.specs": [{"name": "刻字"}], "row.specs": []})
    assert result.decision.outcome == "rejected"
    (finding,) = result.decision.findings
    assert finding.message == "规格「刻字」没有对应的惠聚规格模板，请在表里自己填规格模板 ID"


def test_two_levels_of_one_template_are_a_finding(ruleset: Ruleset) -> None:
    """R9: proposed so, or filled in so."""
    both = [{"name": "颜色"}, {"name": "花色"}]
    proposed = mapped(ruleset, {"product.specs": both, "row.specs": []})
    assert proposed.decision.outcome == "rejected"
    assert [item.message for item in proposed.decision.findings] == [
        "「颜色」、「花色」都对应到 颜色，应各不相同"
    ]
    rows = [{"name": "颜色", "template_id": "颜色"}, {"name": "尺码", "template_id": "颜色"}]
    filled = mapped(ruleset, {"row.specs": rows})
    assert filled.decision.outcome == "rejected"


def test_what_was_filled_in_otherwise_is_remarked_on_and_stands(ruleset: Ruleset) -> None:
    """R9: the operator may know better than the list."""
    rows = [{"name": "颜色", "template_id": "款式"}, {"name": "尺码", "template_id": "尺码"}]
    result = mapped(ruleset, {"row.specs": rows})
    assert result.decision.outcome == "accepted"
    assert [(item.severity, item.message) for item in result.decision.findings if "spec" in item.rule] == [
        ("notice", "「颜色」填的是 款式，按对应规则应为 颜色")
    ]


def test_the_category_of_the_same_name_is_proposed_where_there_is_but_one_leaf(ruleset: Ruleset) -> None:
    """R13: a parent of the same name is none."""
    assert proposals(mapped(ruleset, {}), "category") == [("", "6091", 0.6)]
    both = mapped(ruleset, {"product.category_names": ["围巾", "帽子"], "row.category_id": None})
    assert proposals(both, "category") == [("", None, 0.6)]
    assert both.decision.outcome == "accepted"
    about = [item for item in both.decision.findings if item.rule.endswith("/category")]
    assert [(item.severity, item.status) for item in about] == [("notice", "violated")]


def test_a_product_that_is_not_known_is_not_mapped(ruleset: Ruleset) -> None:
    result = mapped(ruleset, {"product": None})
    assert result.mapped == ()
    assert result.decision.findings == ()
