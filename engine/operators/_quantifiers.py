"""What the three quantifiers share: the body is a condition on one element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.operators._operator import Argument, Operator, Subject
from engine.plan import Condition, Some, negate
from engine.read import Node
from engine.vocabulary import FieldType

if TYPE_CHECKING:
    from engine.conditions import Builder


def quantifier(word: str) -> Argument:
    """Make the argument of a quantifier: every is not-some-not, none is not-some."""

    def lower(builder: Builder, operator: Operator, subject: Subject, node: Node) -> Condition | None:
        body = builder.element(node, subject)
        if body is None:
            return None
        some = Some(subject.ref, len(builder.scopes), negate(body) if word == "every" else body, word)
        return some if word == "some" else negate(some)

    return Argument(lower, _schema)


def _schema(type_: FieldType) -> dict[str, Any]:
    element = type_.element
    if element is None or element.kind == "record":
        return {"type": "object", "minProperties": 1}
    return {"$ref": f"#/$defs/tests-{element.kind}"}
