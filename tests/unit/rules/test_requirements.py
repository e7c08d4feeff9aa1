"""What the rules say they come from is proved here, rule by rule and demand by demand."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from engine.rulebook import Rulebook

HERE = Path(__file__).resolve().parent
R_ID = re.compile(r"\bR[1-9][0-9]?\b")
# The demands that a rule can express, and the rulesets that must have one.
EXPRESSED = {
    "R1": {"eligibility", "access"},
    "R2": {"eligibility", "access"},
    "R3": {"eligibility", "access"},
    "R4": {"eligibility", "access"},
    "R5": {"access"},
    "R6": {"access"},
    "R9": {"eligibility", "spec-mapping"},
    "R10": {"eligibility"},
    "R11": {"eligibility"},
    "R12": {"eligibility", "spec-mapping"},
    "R13": {"eligibility", "spec-mapping"},
    "R14": {"eligibility"},
    "R15": {"eligibility"},
    "R21": {"order-actions"},
    "R22": {"order-actions"},
    "R23": {"order-actions"},
    "R24": {"order-actions"},
    "R25": {"order-actions"},
    "R26": {"order-actions"},
    "R27": {"order-actions"},
    "R28": {"after-sale"},
    "R29": {"after-sale"},
    "R30": {"after-sale"},
    "R31": {"after-sale"},
    "R32": {"after-sale"},
    "R33": {"listed-product"},
    "R34": {"eligibility", "listed-product"},
}
TESTS = {
    "eligibility": ("test_eligibility.py",),
    "spec-mapping": ("test_spec_mapping.py",),
    "order-actions": ("test_order_actions.py",),
    "after-sale": ("test_after_sale.py", "test_flows.py"),
    "access": ("test_access.py",),
    "listed-product": ("test_listed_product.py",),
}


def sources(rulebook: Rulebook) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for family, ruleset in rulebook.channels["huiju"].rulesets.items():
        for part in (*ruleset.rules, *ruleset.flows):
            for demand in R_ID.findall(part.common.source):
                found[demand].add(family)
    return dict(found)


def test_every_demand_that_a_rule_can_express_is_expressed_where_it_belongs(rulebook: Rulebook) -> None:
    assert sources(rulebook) == EXPRESSED


def test_every_demand_is_cited_by_a_test_of_each_ruleset_that_expresses_it(rulebook: Rulebook) -> None:
    """A docstring may cite a range, such as R21–R26, for all that lie within."""
    for family, files in TESTS.items():
        text = "\n".join((HERE / name).read_text(encoding="utf-8") for name in files)
        cited = set(R_ID.findall(text))
        for first, last in re.findall(r"\bR([0-9]+)–R([0-9]+)\b", text.partition('"""\n')[2]):
            cited |= {f"R{number}" for number in range(int(first), int(last) + 1)}
        expressed = {demand for demand, families in EXPRESSED.items() if family in families}
        assert expressed - cited == set(), family
