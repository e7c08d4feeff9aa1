"""rule-engine: one rule object for each rule, as its manual shows.

Whatever a symbol stands for is converted whole, at each use. So a path from the root is one symbol, which a resolver follows: only the
value at its end is converted.
"""

from __future__ import annotations

import json
from typing import Any

import rule_engine  # type: ignore[import-untyped]

from bench.data import World
from bench.expression import Writer
from bench.formula import Formula, translated, untranslated
from bench.peers import Failing
from engine.plan import Plan, Ref

NAME = "rule-engine"
FOREIGN = True

_CALLS = {"starts_with": "starts_with", "ends_with": "ends_with"}


class _RuleEngine(Writer):
    both = "and"
    either = "or"

    def negated(self, text: str) -> str:
        return f"not ({text})"

    def known(self, ref: Ref) -> str:
        base = Ref(ref.scope, ref.steps if ref.through is None else ref.steps[: ref.through])
        return f"{self.value(base)} != null"

    def value(self, ref: Ref) -> str:
        if ref.measure:
            return f"{self.value(Ref(ref.scope, ref.steps, ref.through))}.length"
        if ref.through is not None:
            head = self.path(ref.scope, ref.steps[: ref.through])
            return f"[{'&.'.join(('x', *ref.steps[ref.through :]))} for x in {head}]"
        return self.path(ref.scope, ref.steps)

    def path(self, scope: int, steps: tuple[str, ...]) -> str:
        return "&.".join((f"e{scope}", *steps)) if scope else "__".join(steps)

    def call(self, operator: str, value: str, others: list[str], subject: Ref) -> str:
        if operator == "matches":
            return f"{value} =~ {json.dumps('^(?:' + json.loads(others[0]) + ')$', ensure_ascii=False)}"
        if operator == "contains":
            return f"{others[0]} in {value}"
        if operator == "unique":
            return f"{value}.length == {value}.to_set.length"
        return f"{value}.{_CALLS[operator]}({others[0]})"

    def each(self, subject: Ref, scope: int, body: Formula, every: bool) -> str:
        return f"{'$all' if every else '$any'}([{self.write(body)} for e{scope} in {self.value(subject)}])"


def _resolve(fact: Any, symbol: str) -> Any:
    """Follow a symbol that stands for a path."""
    for step in symbol.split("__"):
        if fact is None:
            return None
        fact = fact.get(step)
    return fact


def _write(formula: Formula) -> str:
    return _RuleEngine().write(formula)


def unsupported(plan: Plan, world: World) -> frozenset[str]:
    """Name the rules that rule-engine has no words for."""
    return untranslated(plan, world, _write)


def prepare(plan: Plan, world: World) -> Failing:
    """Compile one rule object for each rule."""
    context = rule_engine.Context(resolver=_resolve)
    rules = [
        (id_, rule_engine.Rule(text, context=context).matches)
        for id_, text in translated(plan, world, _write).items()
    ]
    return lambda fact: frozenset(id_ for id_, matches in rules if not matches(fact))
