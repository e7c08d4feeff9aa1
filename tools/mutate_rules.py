"""Change Huiju's rules a little in every way, and see that the examples or the tests notice every change.

Run from the checkout: `python tools/mutate_rules.py` writes the list of mutants tried and killed to `docs/reference/mutants.md`; with
`--check` it writes nothing and fails where the list would change. A mutant that nobody notices, and that is not listed here as
meaning the same, is a failure either way.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mutations import Mutant, mutants

from engine.diagnostics import Diagnostics
from engine.examples import run_examples
from engine.read import read, read_file
from engine.rulebook import Channel, Rulebook, load
from engine.rulefile import read_rule_file
from engine.rules import Ruleset
from engine.schemas import plain_data
from engine.source import Source

ROOT = Path(__file__).resolve().parent.parent
PAGE = "docs/reference/mutants.md"
TESTS = ROOT / "tests" / "unit" / "rules"
# The tests of each ruleset; those whose only argument is `ruleset` are put to its mutants.
SUITES = {
    "eligibility": ("test_eligibility.py",),
    "spec-mapping": ("test_spec_mapping.py",),
    "order-actions": ("test_order_actions.py",),
    "after-sale": ("test_after_sale.py", "test_flows.py"),
    "access": ("test_access.py",),
    "listed-product": ("test_listed_product.py",),
}
BY_LOADING, BY_EXAMPLES, SURVIVED = "加载", "例子", ""
# Mutants that mean the same as the rule, by ruleset, name, place and change, each with the reason.
EQUIVALENT: Mapping[tuple[str, str, str, str], str] = {}

Suite = Mapping[str, Callable[[Ruleset], None]]


@dataclass(frozen=True, slots=True)
class Trial:
    """Say what became of a mutant.

    Attributes:
        family: The ruleset's family.
        mutant: The mutant.
        killed_by: What noticed it: loading, the examples, or a test by name; empty where nothing did.
    """

    family: str
    mutant: Mutant
    killed_by: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Name the mutant across runs."""
        return self.family, self.mutant.name, self.mutant.place, self.mutant.change


@cache
def suite(family: str) -> Suite:
    """Load the tests of a ruleset that need nothing but the ruleset, by name, in order."""
    found: dict[str, Callable[[Ruleset], None]] = {}
    for name in SUITES[family]:
        spec = importlib.util.spec_from_file_location(f"mutated_{name[:-3]}", TESTS / name)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for test, function in vars(module).items():
            if test.startswith("test_") and list(inspect.signature(function).parameters) == ["ruleset"]:
                found[f"{name[:-3]}::{test}"] = function
    return found


def trials(rulebook: Rulebook) -> Iterator[Trial]:
    """Try every mutant of every ruleset.

    Args:
        rulebook: The rules as they are.

    Yields:
        What became of each, in the order of the files.
    """
    for channel in rulebook.channels.values():
        for family, ruleset in channel.rulesets.items():
            for mutant in mutants(content(ruleset)):
                yield Trial(family, mutant, kill(mutant, rulebook, channel, family))


def content(ruleset: Ruleset) -> Any:
    """Read the file of a ruleset as plain data, as the engine reads it."""
    _, node = read_file(ROOT / ruleset.file, ruleset.file, Diagnostics())
    assert node is not None
    return plain_data(node)


def kill(mutant: Mutant, rulebook: Rulebook, channel: Channel, family: str) -> str:
    """Say what notices a mutant; the cheapest is asked first: the mutated rule's own examples.

    Args:
        mutant: The mutant.
        rulebook: The rules as they are.
        channel: The channel that the mutated ruleset belongs to.
        family: The ruleset's family.

    Returns:
        `加载`, `例子` or the name of a test; empty where nothing notices it.
    """
    if mutant.part == "rules":
        own = [rule for rule in mutant.data["rules"] if rule["id"] == mutant.name]
        if own:
            alone = _build({**mutant.data, "rules": own}, rulebook, channel, family)
            if alone is None:
                return BY_LOADING
            if not all(result.passed for result in run_examples(alone)):
                return BY_EXAMPLES
    whole = _build(mutant.data, rulebook, channel, family)
    if whole is None:
        return BY_LOADING
    if mutant.part == "definitions" and not all(result.passed for result in run_examples(whole)):
        return BY_EXAMPLES
    (ruleset,) = whole.rulesets()
    # What is about flows is asked the tests of flows first.
    tests = sorted(
        suite(family).items(), key=lambda item: (mutant.part == "flows") != item[0].startswith("test_flows")
    )
    for name, test in tests:
        try:
            test(ruleset)
        except Exception:  # a test may fail in whatever way it likes
            return name
    return SURVIVED


def _build(data: Any, rulebook: Rulebook, channel: Channel, family: str) -> Rulebook | None:
    """Load a rule file that is given as data, as the only ruleset of its channel; None where it does not load."""
    before = channel.rulesets[family]
    diagnostics = Diagnostics()
    node = read(Source(before.file, json.dumps(data, ensure_ascii=False, indent=0)), diagnostics)
    found = None if node is None else read_rule_file(node, rulebook.vocabulary, diagnostics)
    if found is None or diagnostics.failed:
        return None
    changed = Ruleset(before.name, found.kind, found.fact, found.rules, found.flows, file=before.file)
    alone = Channel(channel.name, channel.title, channel.flows, {family: changed})
    return Rulebook(rulebook.vocabulary, {channel.name: alone}, {})


def survivors(found: list[Trial]) -> list[Trial]:
    """List the mutants that nobody noticed and nobody excused, and those excused that were noticed after all."""
    return [trial for trial in found if (trial.killed_by == SURVIVED) != (trial.key in EQUIVALENT)]


def page(found: list[Trial]) -> str:
    """Draw the list of mutants tried, by ruleset and rule."""
    counts = Counter(trial.family for trial in found)
    killed = Counter(trial.killed_by if "::" not in trial.killed_by else "测试" for trial in found)
    lines = [
        "<!-- 由 python tools/mutate_rules.py 生成，不要手改 -->",
        "# 变异",
        "",
        "把惠聚的规则一处一处改错：边界差一、日期差一天、测试取反、条件、选项、操作、遮盖、流程少一样。",
        "每一处都必须有例子（`shelfgate rules test`）或测试发现，否则这份清单写不出来。",
        "",
        f"共 {len(found)} 处：" + "，".join(f"{word}发现 {killed[word]}" for word in ("例子", "测试", "加载"))
        + f"，意思不变 {killed[SURVIVED]}。",
    ]  # fmt: skip
    for family, count in counts.items():
        lines += [
            "",
            f"## {family}（{count}）",
            "",
            "| 规则 | 位置 | 改动 | 由谁发现 |",
            "|---|---|---|---|",
        ]
        for trial in found:
            if trial.family == family:
                mutant = trial.mutant
                by = trial.killed_by.partition("::")[2].removeprefix("test_").replace("_", " ")
                noticed = by or trial.killed_by or f"意思不变：{EQUIVALENT.get(trial.key, '')}"
                lines.append(f"| {mutant.name} | `{mutant.place or '—'}` | {mutant.change} | {noticed} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Try all mutants; write or check the page."""
    found = list(trials(load(ROOT / "rulesets.yaml")))
    if left := survivors(found):
        for trial in left:
            print(*trial.key, "：", trial.killed_by or "没有人发现")
        sys.exit(f"{len(left)} of {len(found)} mutants are not as they should be")
    path, text = ROOT / PAGE, page(found)
    if "--check" not in sys.argv[1:]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    elif not path.exists() or path.read_text(encoding="utf-8") != text:
        sys.exit("The list of mutants is stale; run: python tools/mutate_rules.py")
    print(f"{len(found)} mutants tried, all noticed but {len(EQUIVALENT)} that mean the same")


if __name__ == "__main__":
    main()
