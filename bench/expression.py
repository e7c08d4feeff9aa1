"""Write formulas in an expression language; a peer overrides what its language says differently."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from bench.formula import All, Among, Each, Either, Formula, Is, Known, UnsupportedError
from engine.plan import Const, Operand, Ref


class Writer:
    """Write formulas.

    Attributes:
        both: The word for and.
        either: The word for or.
        without: Operators that the language has no words for.
        signs: Operators written between two values.
    """

    both = "&&"
    either = "||"
    without: frozenset[str] = frozenset()
    signs: ClassVar = {
        "equals": "==",
        "at_least": ">=",
        "at_most": "<=",
        "more_than": ">",
        "less_than": "<",
        "in": "in",
    }

    def write(self, formula: Formula) -> str:
        """Write one formula."""
        match formula:
            case All(items):
                return f"({f' {self.both} '.join(self.write(item) for item in items)})" if items else "true"
            case Either(items):
                return (
                    f"({f' {self.either} '.join(self.write(item) for item in items)})" if items else "false"
                )
            case Known(ref):
                return self.known(ref)
            case Among(subject, values, holds):
                asked = (
                    f"{self.value(subject)} in [{', '.join(map(self.constant, values))}]"
                    if values
                    else "false"
                )
                return asked if holds else self.negated(asked)
            case Each(subject, scope, body, every):
                return self.each(subject, scope, body, every)
            case Is("absent", subject):
                return self.negated(self.known(subject))
            case Is(operator, subject, operands, holds):
                if operator in self.without:
                    raise UnsupportedError(operator)
                asked = self.test(operator, subject, operands)
                return asked if holds else self.negated(asked)

    def negated(self, text: str) -> str:
        """Write a negation."""
        return f"!({text})"

    def test(self, operator: str, subject: Ref, operands: tuple[Operand, ...]) -> str:
        """Write an operator's test."""
        value = self.value(subject)
        others = [self.operand(operand) for operand in operands]
        if operator in self.signs:
            return f"{value} {self.signs[operator]} {others[0]}"
        if operator == "between":
            return f"({value} >= {others[0]} {self.both} {value} <= {others[1]})"
        return self.call(operator, value, others, subject)

    def operand(self, operand: Operand) -> str:
        """Write an operand."""
        return self.constant(operand.value) if isinstance(operand, Const) else self.value(operand)

    def constant(self, value: Any) -> str:
        """Write a constant."""
        if isinstance(value, tuple):
            return f"[{', '.join(map(self.constant, value))}]"
        if not isinstance(value, str | int | float):
            raise UnsupportedError("times")
        return json.dumps(value, ensure_ascii=False)

    def call(self, operator: str, value: str, others: list[str], subject: Ref) -> str:
        """Write a test that is a function of the language."""
        raise UnsupportedError(operator)

    def known(self, ref: Ref) -> str:
        """Write whether a value is there."""
        raise NotImplementedError

    def value(self, ref: Ref) -> str:
        """Write a value."""
        raise NotImplementedError

    def each(self, subject: Ref, scope: int, body: Formula, every: bool) -> str:
        """Write a quantifier."""
        raise NotImplementedError
