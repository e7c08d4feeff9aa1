"""Run the examples of the rules: each says of one rule what it makes of the base fact with some values changed."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from engine.facts import admit
from engine.mapping import map_fact
from engine.plan import Plan, batch_refs
from engine.rulebook import Rulebook
from engine.rules import EligibilityRule, Example, MappingRule, Rule, Ruleset
from engine.source import Span
from engine.tables import Batch, Tables
from engine.truth import Judge
from engine.vocabulary import FieldType, Vocabulary
from engine.wording import SHANGHAI

ANY_DAY = date(2022, 3, 8)
_WORDS = {True: "accept", False: "reject", None: "undetermined"}
_NEEDED = {"eligibility": ("accept", "reject"), "actions": ("accept", "reject"), "mapping": ("maps",)}


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """Say how one example came out.

    Attributes:
        rule: Ruleset and rule.
        span: Where the example stands; the rule's id where an example is lacking.
        passed: Whether it came out as it says.
        message: What was expected and what came, in Chinese; empty where it passed.
    """

    rule: str
    span: Span
    passed: bool
    message: str = ""


def run_examples(rulebook: Rulebook, only: str = "") -> list[ExampleResult]:
    """Run the examples of every rule.

    Args:
        rulebook: The rules.
        only: Part of the names, such as `huiju/eligibility` or `spec-levels`; empty for all.

    Returns:
        A result for each example, and a failed one for each rule that lacks an example on one side. Empty where no rule's name has
        `only` in it: the caller must treat that as a failure.
    """
    results: list[ExampleResult] = []
    for ruleset in rulebook.rulesets():
        base = Tables(
            {name: _rows(table.row, table.example) for name, table in rulebook.vocabulary.tables.items()}
        )
        for position, rule in enumerate(ruleset.rules):
            name = f"{ruleset.name}/{rule.common.id}"
            if only not in name:
                continue
            results += [
                run_example(ruleset, position, example, base, rulebook.vocabulary)
                for example in rule.common.examples
            ]
            there = {example.expect for example in rule.common.examples}
            lacking = [word for word in _NEEDED[ruleset.kind] if word not in there]
            results += [
                ExampleResult(name, rule.common.span, False, f"缺少 {word} 的例子") for word in lacking
            ]
    return results


def run_example(
    ruleset: Ruleset, position: int, example: Example, base: Tables, vocabulary: Vocabulary
) -> ExampleResult:
    """Run one example of the rule at a position.

    Args:
        ruleset: The ruleset.
        position: Which of its rules.
        example: The example.
        base: The base tables.
        vocabulary: The facts and tables there are.

    Returns:
        How it came out.
    """
    rule = ruleset.rules[position]
    name = f"{ruleset.name}/{rule.common.id}"
    facts = []
    for overlay in (example.overlay, *example.also):
        fact, problems = admit(ruleset.fact.type, overlaid(ruleset.fact.example, overlay))
        if problems:
            told = "；".join(f"{problem.path} {problem.message}" for problem in problems)
            return ExampleResult(name, example.span, False, f"例子的数据不合词汇表：{told}")
        facts.append(fact)
    changed = {name: _rows(vocabulary.tables[name].row, rows) for name, rows in example.tables.items()}
    tables = base.replaced(changed)
    day = example.as_of or rule.common.first_day or rule.common.last_day or ANY_DAY
    if isinstance(rule, MappingRule):
        return _mapping(ruleset, rule, example, facts[0], tables, day)
    got = verdict_of(ruleset, position, facts, tables, day)
    if got == example.expect:
        return ExampleResult(name, example.span, True)
    return ExampleResult(name, example.span, False, f"例子写的是 {example.expect}，得到的是 {got}")


def verdict_of(ruleset: Ruleset, position: int, facts: list[Any], tables: Tables, day: date) -> str:
    """Say what one rule makes of the first fact, the others being the rest of its batch: accept, reject or undetermined."""
    rule = ruleset.rules[position]
    planned = ruleset.plan().rules[position]
    if not planned.in_force(day):
        return "accept"
    batch = Batch(batch_refs(Plan(ruleset.name, (planned,))))
    for number, fact in enumerate(facts, start=1):
        batch.add(fact, str(number))
    judge = Judge(tables, batch)
    applies = True if planned.when is None else judge.truth(planned.when, (facts[0],))
    if not isinstance(rule, EligibilityRule):
        return {True: "reject", False: "accept", None: "undetermined"}[applies]
    if applies is not True:
        return "accept" if applies is False else "undetermined"
    return _WORDS[judge.truth(rule.require, (facts[0],))]


def _mapping(
    ruleset: Ruleset, rule: MappingRule, example: Example, fact: Any, tables: Tables, day: date
) -> ExampleResult:
    name = f"{ruleset.name}/{rule.common.id}"
    result = map_fact(ruleset, fact, tables, datetime.combine(day, time(12), SHANGHAI))
    values = [item.value for item in result.mapped if item.rule == rule.common.id]
    wanted = example.to if isinstance(example.to, list) else [example.to]
    if values == wanted:
        return ExampleResult(name, example.span, True)
    return ExampleResult(name, example.span, False, f"例子写的是 {wanted}，得到的是 {values}")


def overlaid(base: Any, overlay: Mapping[str, Any]) -> Any:
    """Lay values over a copy of plain data, by path; None takes a value away."""
    data = copy.deepcopy(base)
    for path, value in overlay.items():
        *parents, last = path.split(".")
        place = data
        for step in parents:
            if not isinstance(place.get(step), dict):
                place[step] = {}
            place = place[step]
        if value is None:
            place.pop(last, None)
        else:
            place[last] = copy.deepcopy(value)
    return data


def _rows(row: FieldType, rows: Any) -> list[Any]:
    return [admit(row, item)[0] for item in rows or ()]


def rule_names(rulebook: Rulebook) -> list[tuple[str, Rule]]:
    """List every rule with its full name."""
    return [
        (f"{ruleset.name}/{rule.common.id}", rule)
        for ruleset in rulebook.rulesets()
        for rule in ruleset.rules
    ]
