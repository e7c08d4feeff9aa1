"""A session decides in two passes, and says what it lacks by the names that people know."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.decision import Finding, worst
from engine.rulebook import Rulebook, load
from engine.session import Session, named, outcome
from engine.suggest import did_you_mean, nearest
from engine.tables import Tables

ROOT = Path(__file__).resolve().parents[3]
NOON = datetime(2022, 3, 8, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load(ROOT / "rulesets.yaml")


def session(rulebook: Rulebook, as_of: datetime = NOON) -> Session:
    ruleset = rulebook.ruleset("huiju/eligibility")
    tables = {name: table.example for name, table in rulebook.vocabulary.tables.items()}
    return Session(ruleset, rulebook.evaluator(ruleset), Tables({**tables, "listings": []}), as_of)


def listing(rulebook: Rulebook, **product: Any) -> dict[str, Any]:
    example = rulebook.vocabulary.facts["listing"].example
    return {**example, "product": {**example["product"], **product}}


def test_the_example_of_the_vocabulary_is_accepted_but_for_what_needs_the_batch(rulebook: Rulebook) -> None:
    decision = session(rulebook).decide(listing(rulebook))
    assert ["huiju/eligibility/twice-in-upload"] == [finding.rule for finding in decision.findings]
    assert ("undetermined", "缺少同一批次的其他行（upload），无法判断「同一商品在表里出现多次」") == (
        decision.outcome,
        decision.findings[0].message.replace(decision.findings[0].title, "同一商品在表里出现多次"),
    )


def test_a_violation_carries_all_that_the_rule_says(rulebook: Rulebook) -> None:
    decision = session(rulebook).decide(listing(rulebook, specs=[]))
    finding = next(item for item in decision.findings if item.rule.endswith("/spec-levels"))
    rule = rulebook.ruleset("huiju/eligibility").rule("spec-levels")
    assert rule is not None
    assert ("violated", "error", "R10", rule.common.span) == (
        finding.status,
        finding.severity,
        finding.source,
        finding.span,
    )
    assert finding.evidence
    assert () == finding.missing
    assert "rejected" == decision.outcome
    assert NOON == decision.as_of


def test_what_is_missing_is_named_by_its_titles(rulebook: Rulebook) -> None:
    ruleset = rulebook.ruleset("huiju/eligibility")
    names = {
        path: named(ruleset, path)
        for path in ("product.specs[1].name", "table:brands", "batch:upload", "nowhere")
    }
    assert {
        "product.specs[1].name": "「商品 › 规格 2 › 规格名」",
        "table:brands": "基础数据「品牌」",
        "batch:upload": "同一批次的其他行（upload）",
        "nowhere": "「nowhere」",
    } == names


def test_the_moment_decides_by_its_day_in_shanghai(rulebook: Rulebook) -> None:
    """R3: the opening day begins at 16:00 UTC of the day before."""
    before = session(rulebook, datetime(2022, 2, 10, 15, 59, 59, tzinfo=UTC)).decide(listing(rulebook))
    after = session(rulebook, datetime(2022, 2, 10, 16, 0, tzinfo=UTC)).decide(listing(rulebook))
    opened = "huiju/eligibility/not-open-yet"
    assert [True, False] == [
        opened in [finding.rule for finding in decision.findings] for decision in (before, after)
    ]


def test_only_errors_decide_and_a_violation_before_what_is_not_known() -> None:
    base = Finding("r", "甲", "error", "violated", "", "", (), (), "", (), None)
    notice, warning = (
        replace(base, severity="notice"),
        replace(base, severity="warning", status="undetermined"),
    )
    unknown, waived = replace(base, status="undetermined"), replace(base, status="waived")
    assert ["accepted", "accepted", "undetermined", "rejected"] == [
        outcome(findings) for findings in ([], [notice, warning, waived], [unknown, waived], [unknown, base])
    ]
    assert ["accepted", "undetermined", "rejected"] == [
        worst([]),
        worst(["accepted", "undetermined"]),
        worst(["undetermined", "rejected", "accepted"]),
    ]


@pytest.mark.parametrize(
    ("word", "names", "hint"),
    [
        ("Tilte", ["title", "fix"], "是不是 title？"),
        ("at-least", ["at_least"], "是不是 at_least？"),
        ("zzz", ["title", "fix"], "可用：title、fix"),
        ("zzz", [], ""),
        ("", ["a"], "可用：a"),
        ("zzz", [str(n) for n in range(13)], "可用：0、1、2、3、4、5、6、7、8、9、10、11 …"),
    ],
)
def test_a_hint_names_the_nearest_or_what_there_is(word: str, names: list[str], hint: str) -> None:
    assert hint == did_you_mean(word, iter(names))
    assert bool(nearest(word, names)) == hint.startswith("是不是")
