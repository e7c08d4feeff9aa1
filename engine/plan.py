"""The plan: conditions as a small typed tree of plain, picklable data. Evaluators see nothing else of a rule.

The tree is in normal form: `none` is Not(Or), `every` is Not(Some(Not)), `count` and `length` are measures of a reference, nested
lists of the same connective are flat. Equal conditions are equal values, so that evaluators can share them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

Measure = Literal["", "count", "length"]

Decide = Callable[[Mapping[str, Any]], list[int]]
"""Go from a fact to the positions of the rules in force that it does not surely pass, ascending."""


@dataclass(frozen=True, slots=True)
class Ref:
    """Point at a value of the fact, or of an element inside a quantifier.

    Attributes:
        scope: 0 for the root of the fact; n for the element of the n-th enclosing quantifier, outermost first.
        steps: Names to follow; empty for the element itself.
        through: How many steps lead to the list that the path goes through; None where it goes through none.
        measure: "" for the value; count for a list's length; length for a text's, in code points.
        kind: Kind of the value, for wording.
        title: Chinese title of the field, for wording.
        unit: Unit of the value, for wording.
        choices: Enum values and titles, for wording.
    """

    scope: int
    steps: tuple[str, ...]
    through: int | None = None
    measure: Measure = ""
    kind: str = field(default="", compare=False)
    title: str = field(default="", compare=False)
    unit: str = field(default="", compare=False)
    choices: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def path(self) -> str:
        """The path as written in a rule."""
        return ".".join(self.steps)


@dataclass(frozen=True, slots=True)
class Const:
    """Hold a constant: a scalar, or a tuple of scalars."""

    value: Any
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Hash once, and by type too, as True equals 1."""
        object.__setattr__(self, "_hash", hash((type(self.value), self.value)))

    def __hash__(self) -> int:
        """Give the hash."""
        return self._hash

    def __reduce__(self) -> tuple[type[Const], tuple[Any]]:
        """Pickle the value alone: another process hashes texts differently."""
        return Const, (self.value,)

    def __eq__(self, other: object) -> bool:
        """Compare by type too: True is not 1, 1 is not 1.0."""
        return self is other or (isinstance(other, Const) and _typed(self.value) == _typed(other.value))


def _typed(value: Any) -> Any:
    return tuple((type(item), item) for item in value) if isinstance(value, tuple) else (type(value), value)


Operand = Ref | Const


@dataclass(frozen=True, slots=True)
class And:
    """Hold where all hold."""

    items: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Hold where any holds."""

    items: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Hold where the inner condition is false."""

    item: Condition


@dataclass(frozen=True, slots=True)
class Test:
    """Apply an operator's test to a value.

    Attributes:
        operator: Id of the operator.
        subject: The value tested.
        operands: Constants and references it is tested against.
    """

    operator: str
    subject: Ref
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Hold where at least one element of a list meets the body.

    Attributes:
        subject: The list.
        scope: The scope number under which the body refers to the element.
        body: The condition on the element.
        word: The quantifier that was written: some, every or none; for wording only.
    """

    subject: Ref
    scope: int
    body: Condition
    word: str = field(default="some", compare=False)


@dataclass(frozen=True, slots=True)
class InTable:
    """Hold where a table has a row whose column equals the value and which meets the body.

    A row without a value in the column matches nothing (R12: reference data rows are keyed).

    Attributes:
        subject: The value looked for.
        table: Name of the table.
        column: Name of the column.
        scope: The scope number under which the body refers to the row.
        where: The condition on the row; None for any row.
        title: Chinese title of the table, for wording.
    """

    subject: Ref
    table: str
    column: str
    scope: int
    where: Condition | None = None
    title: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Once:
    """Hold where no other row of the batch has the value.

    Attributes:
        subject: The value, at the root of the fact.
        batch: Name of the batch: upload.
    """

    subject: Ref
    batch: str


Condition = And | Or | Not | Test | Some | InTable | Once


ALWAYS = And(())


def all_of(items: list[Condition]) -> Condition:
    """Join conditions that must all hold; one alone stays itself, nested ones become flat."""
    flat = [inner for item in items for inner in (item.items if isinstance(item, And) else (item,))]
    return flat[0] if len(flat) == 1 else And(tuple(dict.fromkeys(flat)))


def any_of(items: list[Condition]) -> Condition:
    """Join conditions of which one must hold; one alone stays itself, nested ones become flat."""
    flat = [inner for item in items for inner in (item.items if isinstance(item, Or) else (item,))]
    return flat[0] if len(flat) == 1 else Or(tuple(dict.fromkeys(flat)))


def negate(item: Condition) -> Condition:
    """Turn a condition round; two negations cancel."""
    return item.item if isinstance(item, Not) else Not(item)


@dataclass(frozen=True, slots=True)
class PlannedRule:
    """Hold what an evaluator needs of one rule.

    Attributes:
        id: The rule's id.
        when: Applies only if this holds; None for always.
        require: What must hold; None where the rule fires as soon as it applies (actions).
        first_day: First day on which the rule is in force; None for ever before.
        last_day: Last day on which it is in force; None for ever after.
    """

    id: str
    when: Condition | None
    require: Condition | None
    first_day: date | None = None
    last_day: date | None = None

    def in_force(self, day: date) -> bool:
        """Whether the rule is in force on a day (Asia/Shanghai)."""
        return (self.first_day is None or self.first_day <= day) and (
            self.last_day is None or day <= self.last_day
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """Hold the rules of one ruleset as data.

    Attributes:
        ruleset: Channel and ruleset, such as `huiju/eligibility`.
        rules: The rules in the order of the file.
    """

    ruleset: str
    rules: tuple[PlannedRule, ...]


def parts(condition: Condition) -> Iterator[Condition]:
    """List a condition and everything inside it, outermost first."""
    yield condition
    if isinstance(condition, And | Or):
        for item in condition.items:
            yield from parts(item)
    elif isinstance(condition, Not):
        yield from parts(condition.item)
    elif isinstance(condition, Some):
        yield from parts(condition.body)
    elif isinstance(condition, InTable) and condition.where is not None:
        yield from parts(condition.where)


def refs_of(condition: Condition) -> list[Ref]:
    """List the references of one condition, without those of the conditions inside it."""
    if not isinstance(condition, Test | Some | InTable | Once):
        return []
    operands = condition.operands if isinstance(condition, Test) else ()
    return [condition.subject, *(operand for operand in operands if isinstance(operand, Ref))]


def conditions(plan: Plan) -> Iterator[Condition]:
    """List every condition of a plan and everything inside."""
    for rule in plan.rules:
        for top in (rule.when, rule.require):
            if top is not None:
                yield from parts(top)


def batch_refs(plan: Plan) -> tuple[Ref, ...]:
    """Give the fields whose values a batch must know."""
    return tuple(dict.fromkeys(item.subject for item in conditions(plan) if isinstance(item, Once)))
