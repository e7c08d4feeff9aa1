"""What the documents show works as shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.diagnostics import Diagnostics, render
from engine.examples import run_examples
from engine.rulebook import inspect

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = sorted((ROOT / "docs" / "howto").glob("*.md"))
BLOCKS = [
    (page.name, n, text) for page in PAGES for n, text in enumerate(_BLOCK.findall(page.read_text("utf-8")))
]
RULES = [block for block in BLOCKS if block[2].startswith("kind:")]


@pytest.mark.parametrize(
    ("page", "number", "text"), RULES, ids=lambda value: str(value)[:30] if value else "0"
)
def test_every_rule_file_in_the_documents_loads_and_its_examples_hold(
    page: str, number: int, text: str, tmp_path: Path
) -> None:
    (tmp_path / "shown.yaml").write_text(text, "utf-8")
    manifest = tmp_path / "rulesets.yaml"
    manifest.write_text(
        "facts: facts\nchannels: {shown: {title: 例, rulesets: {shown: shown.yaml}}}\n", "utf-8"
    )
    (tmp_path / "facts").symlink_to(ROOT / "rules" / "facts")
    rulebook, diagnostics = inspect(manifest)
    assert "" == render(diagnostics.in_order(), rulebook.sources), (page, number)
    results = run_examples(rulebook)
    assert results
    assert [] == [result.message for result in results if not result.passed]


def test_the_waivers_in_the_documents_load(tmp_path: Path) -> None:
    (text,) = (text for page, _, text in BLOCKS if page == "write-rules.md" and text.startswith("waivers:"))
    (tmp_path / "waivers.yaml").write_text(text, "utf-8")
    manifest = tmp_path / "rulesets.yaml"
    shipped = (ROOT / "rulesets.yaml").read_text("utf-8")
    (tmp_path / "rules").symlink_to(ROOT / "rules")
    manifest.write_text(re.sub(r"waivers: .*", "waivers: waivers.yaml", shipped), "utf-8")
    rulebook, diagnostics = inspect(manifest)
    assert Diagnostics().items == [item for item in diagnostics.items if item.severity == "error"]
    (waiver,) = rulebook.ruleset("huiju/eligibility").waivers
    assert ("eligibility/spec-levels", "张三") == (waiver.rule, waiver.owner)


def test_every_link_between_documents_leads_somewhere() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert [] == broken
