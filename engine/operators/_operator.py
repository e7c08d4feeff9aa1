"""What an operator is: one record that holds everything about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.vocabulary import FieldType

if TYPE_CHECKING:
    from engine.conditions import Builder
    from engine.plan import Condition, Ref
    from engine.read import Node


@dataclass(frozen=True, slots=True)
class Subject:
    """Name the value that is tested, with its type.

    Attributes:
        ref: Where the value is.
        type: Its type; for a measure, an integer that is at least 0.
    """

    ref: Ref
    type: FieldType


@dataclass(frozen=True, slots=True)
class Argument:
    """Say how an operator's argument is written, checked and described.

    Attributes:
        lower: Turns the argument's node into a condition on the subject; None where it reported a mistake.
        schema: Gives the JSON Schema of the argument for a subject of a type; `fields` names definitions to refer to.
    """

    lower: Callable[[Builder, Operator, Subject, Node], Condition | None]
    schema: Callable[[FieldType], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Operator:
    """Hold everything about one operator.

    Attributes:
        id: The word written in rules; equals the name of its file.
        title: Chinese name, for documentation.
        summary: What it tests, in one Chinese sentence.
        subjects: Kinds of values it applies to.
        argument: How its argument is written.
        example: A valid use, as written in YAML; shown in hints.
        passes: A value and operands for which the test is true.
        fails: A value and operands for which it is false.
        wanted: Wording of what would pass, with {0}, {1} for the operands.
        unwanted: Wording of what would pass where the test is negated.
        test: Applies the test to a value and operands that are all present; None is unknown. Absent for operators that lower to
            other conditions.
        known: Whether the test is also put to an absent value.
        safe: Whether `true` is false, and never fails, for an absent value and a constant operand.
        true: Python expression that is true where the test is, over {v}, {a}, {b}; empty to call `test`.
        false: Python expression that is true where the test is false; empty for the negation of `true`.
        prepare: Turns a constant operand into what `test` and the expressions take.
        feasible: Whether a constant can pass at all between a field's least and greatest value.
    """

    id: str
    title: str
    summary: str
    subjects: frozenset[str]
    argument: Argument
    example: str
    passes: tuple[Any, ...]
    fails: tuple[Any, ...]
    wanted: str = ""
    unwanted: str = ""
    test: Callable[..., bool | None] | None = None
    known: bool = False
    safe: bool = False
    true: str = ""
    false: str = ""
    prepare: Callable[[Any], Any] = lambda constant: constant
    feasible: Callable[[Any, float, float], bool] = lambda value, low, high: low <= value <= high
