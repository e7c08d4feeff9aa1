"""CEL through `common-expression-language`: one expression for all rules, so that each fact is converted only once.

Lengths of text count bytes there.
"""

from __future__ import annotations

from cel import compile as compile_expression

from bench.data import World
from bench.expression import Writer
from bench.formula import Formula, UnsupportedError, translated, untranslated
from bench.peers import Failing
from engine.plan import Plan, Ref

NAME = "CEL"
FOREIGN = True

_CALLS = {"starts_with": "startsWith", "ends_with": "endsWith"}


class _Cel(Writer):
    def known(self, ref: Ref) -> str:
        steps = ref.steps if ref.through is None else ref.steps[: ref.through]
        if not steps:
            return "true"
        paths = [".".join((self.start(ref.scope), *steps[:count])) for count in range(1, len(steps) + 1)]
        return f"({' && '.join(f'has({path})' for path in paths)})"

    def value(self, ref: Ref) -> str:
        if ref.measure == "length":
            raise UnsupportedError("characters of text")
        if ref.measure:
            return f"size({self.value(Ref(ref.scope, ref.steps, ref.through))})"
        if ref.through is not None:
            head = ".".join((self.start(ref.scope), *ref.steps[: ref.through]))
            return f"{head}.map(x, {'.'.join(('x', *ref.steps[ref.through :]))})"
        return ".".join((self.start(ref.scope), *ref.steps))

    def start(self, scope: int) -> str:
        return f"e{scope}" if scope else "fact"

    def call(self, operator: str, value: str, others: list[str], subject: Ref) -> str:
        if operator == "matches":
            return f'{value}.matches("^(?:{others[0][1:-1]})$")'
        if operator == "unique":
            return f"{value}.all(x, {value}.filter(y, y == x).size() == 1)"
        if operator == "contains":
            return f"{value}.contains({others[0]})" if subject.kind == "text" else f"{others[0]} in {value}"
        return f"{value}.{_CALLS[operator]}({others[0]})"

    def each(self, subject: Ref, scope: int, body: Formula, every: bool) -> str:
        return f"{self.value(subject)}.{'all' if every else 'exists'}(e{scope}, {self.write(body)})"


class _Guarded(_Cel):
    """Guard every value: an absent one is an error in CEL, not null."""

    def write(self, formula: Formula) -> str:
        from bench.formula import Among, Is

        text = super().write(formula)
        if (
            isinstance(formula, Is | Among)
            and formula.holds
            and not (isinstance(formula, Is) and formula.operator == "absent")
        ):
            guard = self.known(formula.subject)
            return text if guard == "true" else f"({guard} && {text})"
        return text


def _write(formula: Formula) -> str:
    return _Guarded().write(formula)


def unsupported(plan: Plan, world: World) -> frozenset[str]:
    """Name the rules that CEL has no words for."""
    return untranslated(plan, world, _write)


def prepare(plan: Plan, world: World) -> Failing:
    """Compile one expression that gives a list with the answer of each rule."""
    found = translated(plan, world, _write)
    ids = tuple(found)
    execute = compile_expression(f"[{', '.join(found.values())}]").execute
    return lambda fact: frozenset(
        id_ for id_, held in zip(ids, execute({"fact": fact}), strict=True) if not held
    )
