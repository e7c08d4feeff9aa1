"""`shelfgate rules`, run as operations people and their editors run it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from engine.rulebook import load

ROOT = Path(__file__).parents[2]


def rules(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("shelfgate")), "rules", *arguments]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, check=False, timeout=120, text=True, encoding="utf-8"
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the rules to spoil."""
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    shutil.copy(ROOT / "rulesets.yaml", tmp_path)
    return tmp_path


def test_the_shipped_rules_have_no_mistakes() -> None:
    outcome = rules("lint")
    assert (0, "") == (outcome.returncode, outcome.stderr)
    assert "没有错误" in outcome.stdout


def test_a_mistake_ends_lint_with_exit_code_2_at_file_line_and_column(copy: Path) -> None:
    file = copy / "rules" / "huiju" / "order-actions.yaml"
    file.write_text(file.read_text("utf-8").replace("restrict: [refund]", "restrict: [refnd]", 1), "utf-8")
    outcome = rules("lint", cwd=copy)
    assert 2 == outcome.returncode
    assert "是不是 refund？" in outcome.stdout


def test_a_waiver_past_its_day_is_said_by_lint(copy: Path) -> None:
    waiver = "waivers:\n  - {rule: eligibility/spec-levels, when: {product.id: '1'}, owner: 张三, reason: 特批, until: 2024-01-31}\n"
    (copy / "rules" / "huiju" / "waivers.yaml").write_text(waiver, "utf-8")
    before, after = (rules("lint", "--as-of", day, cwd=copy) for day in ("2024-01-31", "2024-02-01"))
    assert "到期" not in before.stdout
    assert "豁免已于 2024-01-31 到期（张三：特批）" in after.stdout
    assert 0 == after.returncode


def test_every_example_of_the_shipped_rules_comes_out_as_it_says() -> None:
    outcome = rules("test")
    assert 0 == outcome.returncode, outcome.stdout
    assert "0 个不符" in outcome.stdout


def test_an_example_that_comes_out_otherwise_fails_at_its_place(copy: Path) -> None:
    file = copy / "rules" / "huiju" / "eligibility.yaml"
    text = file.read_text("utf-8")
    file.write_text(text.replace("count: {between: [1, 2]}", "count: {between: [1, 3]}", 1), "utf-8")
    outcome = rules("test", "spec-levels", cwd=copy)
    assert 1 == outcome.returncode
    assert "rules/huiju/eligibility.yaml:" in outcome.stdout
    assert "得到的是 accept" in outcome.stdout


def test_a_name_that_no_rule_has_fails_instead_of_passing_nothing() -> None:
    outcome = rules("test", "no-such-rule")
    assert 1 == outcome.returncode
    assert "没有规则的名称含有" in outcome.stderr


def test_a_rule_without_examples_fails(copy: Path) -> None:
    file = copy / "rules" / "huiju" / "eligibility.yaml"
    text = file.read_text("utf-8").rstrip("\n")
    rule = (
        "\n  - {id: untested, title: 标题, source: R1, require: {product.on_sale: true}, otherwise: 原因}\n"
    )
    file.write_text(text + rule, "utf-8")
    outcome = rules("test", "untested", cwd=copy)
    assert 1 == outcome.returncode
    assert "缺少 accept 的例子" in outcome.stdout
    assert "缺少 reject 的例子" in outcome.stdout


def test_explain_shows_each_test_with_the_value_found(tmp_path: Path) -> None:
    fact = tmp_path / "fact.json"
    base = load(ROOT / "rulesets.yaml").vocabulary.facts["listing"].example
    fact.write_text(json.dumps(base | {"product": base["product"] | {"specs": []}}), "utf-8")
    outcome = rules("explain", "spec-levels", str(fact), "--as-of", "2026-11-23")
    assert 0 == outcome.returncode, outcome.stderr
    assert "✗" in outcome.stdout
    assert "现值 0" in outcome.stdout
    assert "结论（2026-11-23）：不通过" in outcome.stdout


def test_explain_names_what_a_fact_has_too_much_of(tmp_path: Path) -> None:
    fact = tmp_path / "fact.yaml"
    fact.write_text("row: {product_id: '1'}\nprodct: {id: '1'}\n", "utf-8")
    outcome = rules("explain", "spec-levels", str(fact))
    assert 2 == outcome.returncode
    assert "prodct" in outcome.stderr
    assert "是不是 product？" in outcome.stderr


def test_the_editors_schema_is_a_schema_and_accepts_every_shipped_rule_file(tmp_path: Path) -> None:
    assert 0 == rules("schema", "-o", str(tmp_path)).returncode
    for ruleset in load(ROOT / "rulesets.yaml").rulesets():
        schema = json.loads((tmp_path / f"{ruleset.name.replace('/', '-')}.schema.json").read_text("utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        file = yaml.load((ROOT / ruleset.file).read_text("utf-8"), Loader=yaml.BaseLoader)
        validator = jsonschema.Draft202012Validator(schema)
        # BaseLoader keeps every scalar text; what an editor offers is keys, so only their mistakes count here.
        wrong = [error for error in validator.iter_errors(file) if error.validator == "additionalProperties"]
        assert [] == [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in wrong]


def test_the_editors_schema_offers_fields_tests_and_enum_values() -> None:
    schema = json.loads(rules("schema", "huiju/eligibility").stdout)
    condition = schema["$defs"]["condition"]["properties"]
    kinds = condition["product.item_type"]["anyOf"]
    assert "ordinary" in kinds[0]["enum"]
    assert {"equals", "in", "present", "not"} <= kinds[1]["properties"].keys()
    assert "at_least" not in kinds[1]["properties"]
    assert {"count", "every", "some", "unique"} <= condition["product.specs"]["properties"].keys()


def test_doc_writes_a_page_for_each_rule(tmp_path: Path) -> None:
    assert 0 == rules("doc", "-o", str(tmp_path)).returncode
    for ruleset in load(ROOT / "rulesets.yaml").rulesets():
        for rule in (*ruleset.rules, *ruleset.flows):
            page = (tmp_path / ruleset.name / f"{rule.common.id}.md").read_text("utf-8")
            assert rule.common.title in page
            assert rule.common.source in page
