"""Mapping: what is proposed, what is held against what was filled in, and that no fact gets the answer of another."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import mapping
from engine.diagnostics import Diagnostics
from engine.mapping import MappingSession, map_fact
from engine.read import read
from engine.rulebook import load
from engine.rulefile import read_rule_file
from engine.rules import Ruleset
from engine.source import Source
from engine.tables import Tables
from engine.vocabulary import Vocabulary

ROOT = Path(__file__).resolve().parents[3]
AS_OF = datetime(2022, 3, 8, 4, tzinfo=UTC)
HEAD = "kind: mapping\nfact: listing\nrules:\n"
EACH = """  - id: spec
    title: 规格
    source: R9
    when: {product.id: {present: true}}
    map: row.specs.template_id
    each: product.specs
    key: name
    distinct: true
    cases:
      - when: {name: {in: [颜色, 主色]}}
        to: {lookup: {name: spec_templates, where: {name: 颜色}}}
      - when: {name: 尺码, id: "1"}
        to: {lookup: {name: spec_templates, where: {name: 尺码}}}
      - when: {name: 尺码}
        to: "9"
        confidence: 0.5
      - when: {name: {in: [口味, 香型]}}
        to: {item: id}
    otherwise: 规格「{item.name}」没有模板（{product.title}）
    fix: 给「{product.title}」挑一个
"""
ONCE = """  - id: category
    title: 类目
    source: R13
    severity: notice
    map: row.category_id
    cases:
      - when: {product.category_names: {some: {equals: 围巾}}}
        to: {lookup: {name: categories, where: {level: 3, name: {in: {field: product.category_names}}}}}
        confidence: 0.6
    otherwise: 类目要自己挑
"""
TEMPLATES = [{"id": "1", "name": "颜色"}, {"id": "2", "name": "尺码"}]


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return load(ROOT / "rulesets.yaml").vocabulary


def ruleset(vocabulary: Vocabulary, text: str) -> Ruleset:
    diagnostics = Diagnostics()
    root = read(Source("m.yaml", HEAD + text), diagnostics)
    assert root is not None
    found = read_rule_file(root, vocabulary, diagnostics)
    assert [] == diagnostics.items
    assert found is not None
    return Ruleset("c/mapping", found.kind, found.fact, found.rules, version="sha256:0")


def listing(*specs: Any, filled: Any = (), **product: Any) -> dict[str, Any]:
    named = [{"name": spec} if isinstance(spec, str) else spec for spec in specs]
    rows = [{"name": name, "template_id": template} for name, template in filled]
    return {"product": {"id": "7", "title": "围巾", "specs": named, **product}, "row": {"specs": rows}}


def run(rules: Ruleset, fact: Any, **tables: Any) -> tuple[list[Any], list[tuple[str, str, str]]]:
    result = map_fact(rules, fact, Tables(tables), AS_OF)
    return [item.value for item in result.mapped], [
        (item.status, item.severity, item.message) for item in result.decision.findings
    ]


def test_a_look_up_takes_the_one_row_that_fits(vocabulary: Vocabulary) -> None:
    assert (["1"], []) == run(ruleset(vocabulary, EACH), listing("颜色"), spec_templates=TEMPLATES)


@pytest.mark.parametrize(
    "rows", [[], [*TEMPLATES, {"id": "3", "name": "颜色"}], [{"name": "颜色"}], [{"id": "3"}]]
)
def test_a_look_up_that_finds_no_row_several_or_one_without_the_column_proposes_nothing(
    vocabulary: Vocabulary, rows: Any
) -> None:
    wanted = [("violated", "error", "规格「颜色」没有模板（围巾）")]
    assert ([None], wanted) == run(ruleset(vocabulary, EACH), listing("颜色"), spec_templates=rows)


def test_a_table_that_is_not_there_leaves_it_open_and_is_named(vocabulary: Vocabulary) -> None:
    result = map_fact(ruleset(vocabulary, EACH), listing("颜色"), Tables(), AS_OF)
    (finding,) = result.decision.findings
    assert ("undetermined", ("table:spec_templates",), "undetermined") == (
        finding.status,
        finding.missing,
        result.decision.outcome,
    )


def test_a_case_that_cannot_be_decided_ends_the_search_and_names_the_element(vocabulary: Vocabulary) -> None:
    """The second case needs the spec's id: the third, which would do, may not be the right one."""
    result = map_fact(
        ruleset(vocabulary, EACH), listing("颜色", "尺码"), Tables({"spec_templates": TEMPLATES}), AS_OF
    )
    (finding,) = result.decision.findings
    assert ("product.specs[1].id",) == finding.missing
    assert "缺少「商品 › 规格 2 › 规格名 ID」，无法判断「规格」" == finding.message
    assert ["1", None] == [item.value for item in result.mapped]


def test_a_field_that_is_mapped_to_and_absent_is_named_by_its_element(vocabulary: Vocabulary) -> None:
    result = map_fact(
        ruleset(vocabulary, EACH), listing({"name": "口味", "id": "5"}, "香型"), Tables(), AS_OF
    )
    assert ["5", None] == [item.value for item in result.mapped]
    assert [("product.specs[1].id",)] == [finding.missing for finding in result.decision.findings]


def test_the_confidence_is_that_of_the_case_taken(vocabulary: Vocabulary) -> None:
    result = map_fact(
        ruleset(vocabulary, EACH),
        listing({"name": "尺码", "id": "2"}),
        Tables({"spec_templates": TEMPLATES}),
        AS_OF,
    )
    assert [("9", 0.5)] == [(item.value, item.confidence) for item in result.mapped]


def test_what_was_filled_in_counts_and_another_value_is_a_notice(vocabulary: Vocabulary) -> None:
    rules = ruleset(vocabulary, EACH)
    result = map_fact(
        rules, listing("颜色", filled=[("颜色", "8")]), Tables({"spec_templates": TEMPLATES}), AS_OF
    )
    (item,), (finding,) = result.mapped, result.decision.findings
    assert ("1", "8", "8", "row.specs[0].template_id") == (item.value, item.filled, item.settled, item.target)
    assert ("notice", "「颜色」填的是 8，按对应规则应为 1", "accepted") == (
        finding.severity,
        finding.message,
        result.decision.outcome,
    )
    assert (["1"], []) == run(rules, listing("颜色", filled=[("颜色", "1")]), spec_templates=TEMPLATES)
    assert ([None], []) == run(rules, listing("刻字", filled=[("刻字", "8")]), spec_templates=TEMPLATES)
    assert ([None], []) == run(rules, listing("颜色", filled=[("颜色", "8")])), (
        "filled in, so no table is needed"
    )


@pytest.mark.parametrize(
    ("filled", "names", "paths"),
    [
        ([], "「颜色」、「主色」", ["product.specs[0]", "product.specs[1]"]),
        ([("主色", "1")], "「颜色」、「主色」", ["product.specs[0]", "row.specs[0].template_id"]),
        (
            [("主色", "2"), ("颜色", "2")],
            "「颜色」、「主色」",
            ["row.specs[1].template_id", "row.specs[0].template_id"],
        ),
    ],
)
def test_two_specs_that_come_to_one_template_are_a_finding(
    vocabulary: Vocabulary, filled: Any, names: str, paths: list[str]
) -> None:
    result = map_fact(
        ruleset(vocabulary, EACH),
        listing("颜色", "主色", filled=filled),
        Tables({"spec_templates": TEMPLATES}),
        AS_OF,
    )
    finding = next(item for item in result.decision.findings if "都对应到" in item.message)
    value = filled[0][1] if filled else "1"
    assert f"{names}都对应到 {value}，应各不相同" == finding.message
    assert paths == [item.path for item in finding.evidence]
    assert "rejected" == result.decision.outcome


def test_one_filled_otherwise_is_no_collision(vocabulary: Vocabulary) -> None:
    _, findings = run(
        ruleset(vocabulary, EACH), listing("颜色", "主色", filled=[("主色", "2")]), spec_templates=TEMPLATES
    )
    assert [("violated", "notice", "「主色」填的是 2，按对应规则应为 1")] == findings


def test_the_fix_is_filled_in_like_the_reason(vocabulary: Vocabulary) -> None:
    result = map_fact(ruleset(vocabulary, EACH), listing("刻字"), Tables(), AS_OF)
    assert ["给「围巾」挑一个"] == [finding.fix for finding in result.decision.findings]


def test_a_rule_that_does_not_apply_says_nothing_and_one_that_may_is_open(vocabulary: Vocabulary) -> None:
    rules = ruleset(vocabulary, EACH)
    assert ([], []) == run(rules, {"row": {}})
    assert ([], [("undetermined", "error", "缺少「商品 › 规格」，无法判断「规格」")]) == run(
        rules, {"product": {"id": "7"}}
    )
    rules = ruleset(vocabulary, EACH.replace("product.id: {present: true}", 'product.alias: "x"'))
    assert ([], [("undetermined", "error", "缺少「商品 › 商品别名」，无法判断「规格」")]) == run(
        rules, listing("颜色")
    )


def test_a_rule_may_map_once_and_a_notice_decides_nothing(vocabulary: Vocabulary) -> None:
    rules = ruleset(vocabulary, ONCE)
    rows = [{"id": "11", "level": 3, "name": "围巾"}, {"id": "12", "level": 2, "name": "围巾"}]
    assert (["11"], []) == run(rules, {"product": {"category_names": ["服饰", "围巾"]}}, categories=rows)
    assert ([None], [("violated", "notice", "类目要自己挑")]) == run(
        rules, {"product": {"category_names": ["帽子"]}}, categories=rows
    )
    assert "accepted" == map_fact(rules, {"product": {}}, Tables(), AS_OF).decision.outcome


def test_a_rule_out_of_force_maps_nothing(vocabulary: Vocabulary) -> None:
    late = EACH.replace("    fix:", "    effective: {from: 2022-03-09}\n    fix:")
    assert ([], []) == run(ruleset(vocabulary, late), listing("颜色"), spec_templates=TEMPLATES)


SPECS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(["颜色", "主色", "尺码", "口味", "刻字"]),
            "id": st.sampled_from(["1", "2"]),
        },
    )
    | st.none(),
    max_size=3,
)
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "product": st.fixed_dictionaries(
            {},
            optional={
                "id": st.just("7"),
                "title": st.sampled_from(["围巾", "帽子"]),
                "alias": st.sampled_from(["x", "y"]),
                "specs": SPECS,
                "category_names": st.lists(st.sampled_from(["围巾", "帽子"]), max_size=2),
            },
        ),
        "row": st.fixed_dictionaries(
            {},
            optional={
                "category_id": st.sampled_from(["11", "12"]),
                "specs": st.lists(
                    st.fixed_dictionaries(
                        {},
                        optional={
                            "name": st.sampled_from(["颜色", "尺码"]),
                            "template_id": st.sampled_from(["1", "2"]),
                        },
                    ),
                    max_size=2,
                ),
            },
        ),
    },
)


@settings(max_examples=60)
@given(st.lists(FACTS, min_size=2, max_size=12))
def test_what_a_session_remembers_is_what_a_fresh_one_would_answer(
    vocabulary: Vocabulary, facts: list[Any]
) -> None:
    """Facts share an answer only where they agree in every field that the rule and its words read."""
    rules = ruleset(vocabulary, EACH + ONCE)
    tables = Tables({"spec_templates": TEMPLATES, "categories": [{"id": "11", "level": 3, "name": "围巾"}]})
    session = MappingSession(rules, tables, AS_OF)
    for fact in [*facts, *facts]:
        assert map_fact(rules, fact, tables, AS_OF) == session.map(fact)


def test_a_session_forgets_before_it_grows_too_large(
    vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapping, "MOST_KNOWN", 3)
    rules = ruleset(vocabulary, EACH)
    session = MappingSession(rules, Tables({"spec_templates": TEMPLATES}), AS_OF)
    for number in range(10):
        assert (
            f"规格「刻{number}」没有模板（围巾）"
            == session.map(listing(f"刻{number}")).decision.findings[0].message
        )
    assert all(len(answers._known) <= 3 for answers in session._answers)
