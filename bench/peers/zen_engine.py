"""zen-engine: one expression for all rules, so that each fact is converted only once.

Lengths of text count bytes there, a closure sees its own element only, and a pattern is compiled at each call.
"""

from __future__ import annotations

from typing import Any

import zen

from bench.data import World
from bench.expression import Writer
from bench.formula import Formula, UnsupportedError, translated, untranslated
from bench.peers import Failing
from engine.plan import Plan, Ref

NAME = "zen-engine"
FOREIGN = True

_CALLS = {"contains": "contains", "starts_with": "startsWith", "ends_with": "endsWith"}


class _Zen(Writer):
    both = "and"
    either = "or"
    without = frozenset({"unique"})

    def __init__(self) -> None:
        self.scope = 0

    def negated(self, text: str) -> str:
        return f"not ({text})"

    def known(self, ref: Ref) -> str:
        base = Ref(ref.scope, ref.steps if ref.through is None else ref.steps[: ref.through])
        return f"{self.value(base)} != null"

    def value(self, ref: Ref) -> str:
        if ref.scope not in {0, self.scope}:
            raise UnsupportedError("the element of an outer list")
        if ref.measure == "length":
            raise UnsupportedError("characters of text")
        if ref.measure:
            return f"len({self.value(Ref(ref.scope, ref.steps, ref.through))})"
        if ref.through is not None:
            head = ".".join((*self.start(ref.scope), *ref.steps[: ref.through]))
            return f"map({head}, {'.'.join(('#', *ref.steps[ref.through :]))})"
        return ".".join((*self.start(ref.scope), *ref.steps))

    def start(self, scope: int) -> tuple[str, ...]:
        return ("#",) if scope else ()

    def constant(self, value: Any) -> str:
        if isinstance(value, str) and ("'" in value or "\\" in value):
            raise UnsupportedError("quotes inside text")
        return f"'{value}'" if isinstance(value, str) else super().constant(value)

    def call(self, operator: str, value: str, others: list[str], subject: Ref) -> str:
        if operator == "matches":
            return f"matches({value}, '^(?:{others[0][1:-1]})$')"
        return f"{_CALLS[operator]}({value}, {others[0]})"

    def each(self, subject: Ref, scope: int, body: Formula, every: bool) -> str:
        outer, subject_text = self.scope, self.value(subject)
        self.scope = scope
        try:
            return f"{'all' if every else 'some'}({subject_text}, {self.write(body)})"
        finally:
            self.scope = outer


def _write(formula: Formula) -> str:
    return _Zen().write(formula)


def unsupported(plan: Plan, world: World) -> frozenset[str]:
    """Name the rules that zen's expressions have no words for."""
    return untranslated(plan, world, _write)


def prepare(plan: Plan, world: World) -> Failing:
    """Compile one expression that gives a list with the answer of each rule."""
    found = translated(plan, world, _write)
    ids = tuple(found)
    evaluate = zen.compile_expression(f"[{', '.join(found.values())}]").evaluate
    return lambda fact: frozenset(
        id_ for id_, held in zip(ids, evaluate(dict(fact)), strict=True) if not held
    )
