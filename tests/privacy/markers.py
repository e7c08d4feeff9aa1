"""What the orders of the tests hold of people, each kind of a form that nothing else has, and where it may be shown all the same.

The seeds of `examples/`, of the sandbox (`channels/sandbox/huiju/people.py`) and of the tests keep to these forms; a value of another form
would not be looked for. Nothing here is about a person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FORMS = {
    "consignee.name": r"收货人(?:[甲乙丙丁戊己庚辛壬癸子丑寅卯辰]|[0-9]{4,})(?:-[0-9]+)?",
    "consignee.phone": r"\b(?:130000[0-9]{5}|13800138000|13987654321(?:-[0-9]+)?)\b",
    "consignee.address": r"(?:示例路[0-9]+号|梧桐巷九号(?:-[0-9]+)?)",
    "buyer.id": r"(?:huiju-buyer-[0-9]{4,}|hj-buyer-[0-9]+(?:-[0-9]+)?)",
    "buyer.name": r"买家(?:丁丁|[甲乙丙丁戊己庚辛壬癸子丑寅卯辰]|[0-9]{4,})(?:-[0-9]+)?",
}
"""Kind of field to the form of its values. An after-sale's contact has the consignee's."""

PERSONAL = re.compile("|".join(f"(?P<k{n}>{form})" for n, form in enumerate(FORMS.values())), re.ASCII)
NAMES = {f"k{n}": name for n, name in enumerate(FORMS)}
CONSIGNEE = frozenset({"consignee.name", "consignee.phone", "consignee.address"})


@dataclass(frozen=True)
class Place:
    """A place where something personal may stand.

    Attributes:
        output: The kind of output.
        where: Form of its name; the whole of it.
        fields: The kinds of fields that may stand there.
        why: Why they may.
    """

    output: str
    where: re.Pattern[str]
    fields: frozenset[str]
    why: str


def _place(output: str, where: str, fields: frozenset[str], why: str) -> Place:
    return Place(output, re.compile(where), fields, why)


SCHEMA_EXAMPLE = "the made-up person of the examples in rules/facts, which the schemas are published with"

ALLOWED = (
    _place(
        "http",
        r"GET (?:/v1)?/orders/[^/]+",
        CONSIGNEE,
        "staff must ship: an order's own view shows the consignee",
    ),
    _place(
        "http",
        r"POST /orders/[^/]+/actions/[a-z_]+",
        CONSIGNEE,
        "the same page, shown again where a request is refused",
    ),
    _place("command", r".*\borders show\b.*", CONSIGNEE, "the same on the command line"),
    _place("http", r"GET /v1/(?:openapi\.json|facts)", frozenset(FORMS), SCHEMA_EXAMPLE),
    _place(
        "file",
        r".*\b(?:orders|after_sales)\.jsonl",
        frozenset(FORMS),
        "what the sandbox begins with: an input",
    ),
    _place("file", r".*/facts/[a-z_]+\.yaml", frozenset(FORMS), SCHEMA_EXAMPLE),
)


def found(text: str) -> set[tuple[str, str]]:
    """Give what is personal in a text: kind of field and value."""
    return {(NAMES[match.lastgroup or ""], match.group()) for match in PERSONAL.finditer(text)}


def allowed(output: str, where: str, field: str) -> bool:
    """Say whether a kind of field may stand at a place."""
    return any(
        place.output == output and field in place.fields and place.where.fullmatch(where) for place in ALLOWED
    )
