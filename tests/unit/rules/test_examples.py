"""The rules as they stand: no complaint at load, every example holds, every rule says where it comes from."""

from __future__ import annotations

import re
from pathlib import Path

from engine.diagnostics import Diagnostics
from engine.examples import run_examples
from engine.read import read_file
from engine.rulebook import Rulebook, load
from engine.schemas import plain_data

ROOT = Path(__file__).resolve().parents[3]
KNOWN_SOURCES = {"有赞商品状态", "有赞订单状态", "运营经验"}


def test_the_rules_load_without_a_warning(rulebook: Rulebook) -> None:
    assert rulebook.warnings == ()


def test_every_example_of_every_rule_holds(rulebook: Rulebook) -> None:
    results = run_examples(rulebook)
    assert len(results) >= 320
    assert [(item.rule, item.span.start_line, item.message) for item in results if not item.passed] == []


def test_every_rule_and_flow_says_where_it_comes_from(rulebook: Rulebook) -> None:
    for ruleset in rulebook.rulesets():
        for part in (*ruleset.rules, *ruleset.flows):
            source = part.common.source
            assert source in KNOWN_SOURCES or re.fullmatch(r"R[1-9][0-9]?(、R[1-9][0-9]?)*", source), part


def test_the_waiver_that_is_shown_as_an_example_works(tmp_path: Path) -> None:
    """Whoever takes the comment marks away has a waiver that loads and covers what it says."""
    (tmp_path / "rules").symlink_to(ROOT / "rules")
    written = (ROOT / "rules" / "huiju" / "waivers.yaml").read_text(encoding="utf-8")
    shown = "\n".join(line.removeprefix("# ") for line in written.splitlines() if line.startswith("# "))
    (tmp_path / "waivers.yaml").write_text(shown[shown.index("waivers:") :], encoding="utf-8")
    manifest = (ROOT / "rulesets.yaml").read_text(encoding="utf-8")
    (tmp_path / "rulesets.yaml").write_text(
        manifest.replace("rules/huiju/waivers.yaml", "waivers.yaml"), encoding="utf-8"
    )
    (waiver,) = load(tmp_path / "rulesets.yaml").ruleset("huiju/eligibility").waivers
    assert waiver.rule == "eligibility/presale-goods"


def test_nobody_is_let_off_a_rule(rulebook: Rulebook) -> None:
    assert [waiver for ruleset in rulebook.rulesets() for waiver in ruleset.waivers] == []


def test_every_definition_is_used(rulebook: Rulebook) -> None:
    for ruleset in rulebook.rulesets():
        _, root = read_file(ROOT / ruleset.file, ruleset.file, Diagnostics())
        assert root is not None
        data = plain_data(root)
        used = re.findall(r"'use': '([a-z-]+)'", str(data))
        assert set(data.get("definitions", {})) == set(used)
