"""Rules, facts, tables and batches that fit a vocabulary, as operations people and shops might send them, and as they would not.

Values come from small pools, so that equal ones meet: ids and integers around 2**53, text beyond the basic plane, moments around
midnight in Shanghai. Everything may be absent: a field missing or null, an element of a list, a column of a row, a whole table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from hypothesis import strategies as st

from engine.plan import And, Condition, Not, Or, Plan, PlannedRule, batch_refs
from engine.rules import EligibilityRule, Ruleset
from engine.tables import Batch, Tables
from engine.vocabulary import FieldType
from tests.reference.interpreter import Interpreter
from tests.reference.loading import ruleset
from tests.reference.vocabularies import SHIPPED, SYNTHETIC, vocabulary

FACTS = [
    (SYNTHETIC, "goods"),
    (SYNTHETIC, "goods"),
    (SYNTHETIC, "claim"),
    (SHIPPED, "listing"),
    (SHIPPED, "after_sale"),
]
TEXTS = [
    "红",
    "蓝",
    "𠮷祥",
    "a",
    "A",
    "红色",
    "9007199254740993",
    "9007199254740992",
    "😀红",
    "e\u0301",
    "é",
    'a"b\\',
    "on",
    "010",
    "1",
    "2",
]
FACT_TEXTS = [*TEXTS, "", "红\n", "\x00", "a\u2028", "null", "𠮷"]
INTEGERS = [-1, 0, 1, 2, 3, 2**53, 2**53 + 1, 999_999_999_999_999_999]
NUMBERS = [-1.5, 0.0, 0.5, 1.0, 2.0, float(2**53)]
EDGE = datetime(2022, 2, 10, 16, tzinfo=UTC)
MOMENTS = [
    EDGE,
    EDGE - timedelta(microseconds=1),
    EDGE + timedelta(days=1),
    EDGE.astimezone(timezone(timedelta(hours=8))),
]
DAYS = [date(2022, 2, 10), date(2022, 2, 11), date(2022, 2, 12)]
PATTERNS = [
    "[0-9]+",
    "红.*",
    "[一-龥]{1,3}",
    "(红|蓝)+色?",
    "a|A",
    ".*",
    "[^0-9]*",
    "𠮷.",
    "[0-9]{1,19}",
    "[^红]+",
]
ORDERED = ("integer", "number", "date", "datetime")
POOLS: Mapping[str, list[Any]] = {
    "text": TEXTS,
    "integer": INTEGERS,
    "number": NUMBERS,
    "boolean": [True, False],
    "date": DAYS,
    "datetime": MOMENTS,
}


T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """Hold what one example is about.

    Attributes:
        folder: The vocabulary's folder.
        fact: Name of the fact.
    """

    folder: Path
    fact: str

    @property
    def type(self) -> FieldType:
        return vocabulary(self.folder).facts[self.fact].type


@cache
def _numbers(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


def number(draw: st.DrawFn, low: int, high: int) -> int:
    """Draw a number, both ends included."""
    return draw(_numbers(low, high))


def pick(draw: st.DrawFn, items: Sequence[T]) -> T:
    """Draw one of several."""
    return items[number(draw, 0, len(items) - 1)]


def some_of(draw: st.DrawFn, items: Sequence[T], least: int, most: int) -> list[T]:
    """Draw some of several, each at most once."""
    left = list(items)
    return [
        left.pop(number(draw, 0, len(left) - 1)) for _ in range(min(number(draw, least, most), len(left)))
    ]


@cache
def constants(type_: FieldType, *, above: bool = False, below: bool = False) -> list[Any]:
    """List constants that a field may be compared with; strictly above its least or below its greatest value, if asked."""
    if type_.choices:
        return [value for value, _ in type_.choices]
    pool = POOLS[type_.kind]
    if type_.kind not in {"integer", "number"}:
        return pool
    low, high = type_.minimum, type_.maximum
    pool = [*pool, *(type(pool[0])(edge) for edge in (low, high) if edge is not None)]
    return [
        value
        for value in dict.fromkeys(pool)
        if (low is None or value > low or (value == low and not above))
        and (high is None or value < high or (value == high and not below))
    ]


def written(value: Any) -> Any:
    """Give a constant as it stands in YAML."""
    return value.isoformat() if isinstance(value, date) else value


# Facts


def values(draw: st.DrawFn, type_: FieldType, size: int = 3) -> Any:
    """Draw a value of a type, None where it is absent."""
    if number(draw, 0, 7) == 0:
        return None
    if type_.kind == "record":
        names = list(type_.names())
        if len(names) > 8:
            names = some_of(draw, names, 4, 10)
        record = {}
        for name in names:
            inner = type_.field(name)
            assert inner is not None
            if number(draw, 0, 9):
                record[name] = values(draw, inner, size)
        return record
    if type_.kind == "list":
        assert type_.element is not None
        return [values(draw, type_.element, max(size - 1, 1)) for _ in range(number(draw, 0, size))]
    if type_.choices:
        return pick(draw, [value for value, _ in type_.choices])
    return pick(draw, FACT_TEXTS if type_.kind == "text" else POOLS[type_.kind])


def facts(world: World) -> st.SearchStrategy[Any]:
    """Draw a fact; its root is always there."""
    return st.composite(lambda draw: values(draw, world.type) or {})()


@st.composite
def tables(draw: st.DrawFn, world: World) -> dict[str, list[dict[str, Any]]]:
    """Draw tables: some missing, some empty, rows with columns missing or null and keys that repeat."""
    found = {}
    for name, table in vocabulary(world.folder).tables.items():
        if number(draw, 0, 4):
            found[name] = [values(draw, table.row) or {} for _ in range(number(draw, 0, 4))]
    return found


# Conditions, as they stand in YAML


@cache
def paths(type_: FieldType, prefix: str = "", listed: bool = False) -> list[tuple[str, FieldType]]:
    """List the paths of a type, through one list at most, each with the type of what is there."""
    found = []
    for name, inner in type_.fields:
        path = f"{prefix}{name}"
        if inner.kind == "list":
            if listed:
                continue
            found.append((path, inner))
            if inner.element is not None and inner.element.kind == "record":
                found += paths(inner.element, f"{path}.", listed=True)
            continue
        found.append((path, FieldType("list", element=inner) if listed else inner))
        if inner.kind == "record":
            found += paths(inner, f"{path}.", listed)
    return found


def alike(one: FieldType, other: FieldType) -> bool:
    """Say whether two types may be compared."""
    if one.kind != other.kind or one.element is None or other.element is None:
        return one.kind == other.kind
    return alike(one.element, other.element)


@dataclass(frozen=True)
class Place:
    """Say where a condition stands: the types from the fact down to the element it is about."""

    world: World
    scopes: tuple[FieldType, ...]
    named: tuple[str, ...] = ()

    def inside(self, element: FieldType) -> Place:
        return Place(self.world, (*self.scopes, element), self.named)


def written_conditions(draw: st.DrawFn, place: Place, depth: int = 2) -> dict[str, Any]:
    """Draw a condition as it stands in YAML."""
    condition: dict[str, Any] = {}
    for _ in range(number(draw, 1, 2)):
        word = pick(draw, ["path", "path", "path", "all", "any", "none", "not", "use"]) if depth else "path"
        if word == "path" or (word == "use" and not place.named):
            path, type_ = pick(draw, paths(place.scopes[-1]))
            plain = len(place.scopes) == 1 and type_.kind != "list"
            condition[path] = written_tests(draw, place, type_, depth, plain=plain)
        elif word == "use":
            condition["use"] = pick(draw, place.named)
        elif word == "not":
            condition["not"] = written_conditions(draw, place, depth - 1)
        else:
            condition[word] = [written_conditions(draw, place, depth - 1) for _ in range(number(draw, 1, 3))]
    return condition


def written_tests(draw: st.DrawFn, place: Place, type_: FieldType, depth: int, *, plain: bool = False) -> Any:
    """Draw a test, or several, for a value of a type."""
    words = applicable(place, type_, depth, plain=plain)
    if type_.kind not in {"record", "list"} and pick(draw, (False, True)):
        return written(pick(draw, constants(type_)))
    chosen = some_of(draw, words, 1, 2)
    return {word: argument(draw, place, type_, word, depth) for word in chosen}


def applicable(place: Place, type_: FieldType, depth: int, *, plain: bool) -> list[str]:
    """List the tests that fit a type."""
    words = ["present", "not"] if depth else ["present"]
    if type_.kind == "list":
        assert type_.element is not None
        words += ["count"]
        words += ["contains"] if type_.element.kind not in {"record", "list"} else []
        words += ["some", "every", "none"] if depth else []
        scalars = [name for name, inner in type_.element.fields if inner.kind not in {"record", "list"}]
        words += ["unique"] if scalars or type_.element.kind not in {"record", "list"} else []
    elif type_.kind != "record":
        words += ["equals", "in"]
        words += ["at_least", "at_most", "more_than", "less_than", "between"] if type_.kind in ORDERED else []
        words += ["matches", "starts_with", "ends_with", "contains", "length"] if type_.kind == "text" else []
        words += ["in_table", "in_table"] if columns(place, type_) else []
        words += ["unique_in"] if plain else []
    return words


def columns(place: Place, type_: FieldType) -> list[tuple[str, str]]:
    """List the tables and columns in which a value may be looked for."""
    found = vocabulary(place.world.folder).tables.items()
    return [
        (name, column)
        for name, table in found
        for column, inner in table.row.fields
        if inner.kind == type_.kind
    ]


def argument(draw: st.DrawFn, place: Place, type_: FieldType, word: str, depth: int) -> Any:
    """Draw the argument of a test."""
    match word:
        case "present":
            return pick(draw, (False, True))
        case "not":
            return written_tests(draw, place, type_, depth - 1)
        case "count" | "length":
            return written_tests(draw, place, FieldType("integer", "个数", minimum=0, maximum=4), 0)
        case "some" | "every" | "none":
            assert type_.element is not None
            inner = place.inside(type_.element)
            if type_.element.kind == "record":
                return written_conditions(draw, inner, depth - 1)
            return written_tests(draw, inner, type_.element, 0)
        case "unique":
            assert type_.element is not None
            names = [name for name, inner in type_.element.fields if inner.kind not in {"record", "list"}]
            return pick(draw, names) if names else True
        case "unique_in":
            return "upload"
        case "in_table":
            return looked_up(draw, place, type_, depth)
        case "matches":
            return pick(draw, PATTERNS)
        case "in":
            return choices(draw, place, type_)
        case "between":
            low, high = sorted(pick(draw, constants(type_)) for _ in "ab")
            other = operands(draw, place, type_, [high])
            return [written(low), other]
        case "contains" | "starts_with" | "ends_with":
            element = type_.element if type_.kind == "list" else FieldType("text")
            assert element is not None
            return operands(draw, place, element, constants(element))
        case _:
            pool = constants(type_, above=word == "less_than", below=word == "more_than")
            return operands(draw, place, type_, pool)


def operands(draw: st.DrawFn, place: Place, type_: FieldType, pool: list[Any]) -> Any:
    """Draw a constant, a field of the fact or a field of the element."""
    word = pick(draw, ["", "", "field", "item"])
    if word == "item" and len(place.scopes) > 1 and place.scopes[-1].kind == "record":
        there = place.scopes[-1]
    elif word == "field":
        there = place.scopes[0]
    else:
        return written(pick(draw, pool))
    fitting = [path for path, other in paths(there) if alike(type_, other)]
    if not fitting:
        return written(pick(draw, pool))
    return {word: pick(draw, fitting)}


def choices(draw: st.DrawFn, place: Place, type_: FieldType) -> Any:
    """Draw the choices of `in`: constants, or a field that holds a list."""
    lists = [path for path, other in paths(place.scopes[0]) if alike(FieldType("list", element=type_), other)]
    if lists and pick(draw, (False, True)):
        return {"field": pick(draw, lists)}
    pool = list(dict.fromkeys(constants(type_)))
    return [written(value) for value in some_of(draw, pool, 1, 4)]


def looked_up(draw: st.DrawFn, place: Place, type_: FieldType, depth: int) -> Any:
    """Draw the argument of `in_table`, with a condition on the row now and then."""
    name, column = pick(draw, columns(place, type_))
    options: dict[str, Any] = {"name": name, "column": column}
    if depth and pick(draw, (False, True)):
        row = vocabulary(place.world.folder).tables[name].row
        options["where"] = written_conditions(draw, place.inside(row), depth - 1)
    return options


# Rule files


class _Plain(yaml.SafeDumper):
    """Write YAML without anchors, which rule files refuse."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def dumped(data: Any, *, flow: bool = False) -> str:
    """Write data as YAML."""
    return yaml.dump(
        data, Dumper=_Plain, allow_unicode=True, sort_keys=False, width=10**6, default_flow_style=flow
    )


@dataclass(frozen=True)
class Written:
    """Hold a rule file as data and as read."""

    world: World
    data: dict[str, Any]
    text: str
    ruleset: Ruleset


def worlds() -> st.SearchStrategy[World]:
    """Draw a vocabulary and a fact."""
    return st.sampled_from([World(*pair) for pair in FACTS])


@st.composite
def rule_files(draw: st.DrawFn, world: World, most: int = 4) -> Written:
    """Draw a rule file of kind eligibility, and read it."""
    definitions = {
        name: written_conditions(draw, Place(world, (world.type,)), 1)
        for name in pick(draw, [[], ["usual"], ["usual", "special"]])
    }
    place = Place(world, (world.type,), tuple(definitions))
    rules = []
    for position in range(number(draw, 1, most)):
        path, type_ = pick(draw, paths(world.type))
        slot = f"{path}|count" if type_.kind == "list" else path
        rule: dict[str, Any] = {"id": f"rule-{position}", "title": "标题𠮷", "source": "R1"}
        if pick(draw, (False, True)):
            rule["when"] = written_conditions(draw, place, 1)
        rule[pick(draw, ["require", "forbid"])] = written_conditions(draw, place, 3)
        rule["otherwise"] = f"现值 {{{slot}}}"
        rule["fix"] = f"改 {{{path}}}"
        rule["severity"] = pick(draw, ["error", "error", "warning"])
        if number(draw, 0, 3) == 0:
            first, last = sorted(pick(draw, DAYS) for _ in "ab")
            rule["effective"] = {"from": first.isoformat(), "until": pick(draw, [last.isoformat(), None])}
        rules.append(rule)
    data: dict[str, Any] = {
        "kind": "eligibility",
        "fact": world.fact,
        "definitions": definitions,
        "rules": rules,
    }
    text = dumped(data, flow=pick(draw, (False, True)))
    return Written(world, data, text, ruleset(text, world.folder))


@st.composite
def plans(draw: st.DrawFn, world: World) -> Plan:
    """Draw a plan: conditions that the reader made, joined in shapes that it would not make, and shared between rules."""
    found: list[Condition] = [
        rule.require for rule in draw(rule_files(world, 4)).ruleset.rules if isinstance(rule, EligibilityRule)
    ]
    found += [And(()), Or(())]
    for _ in range(number(draw, 0, 4)):
        items = tuple(pick(draw, found) for _ in range(number(draw, 0, 3)))
        found.append(pick(draw, [And(items), Or(items), Not(pick(draw, found))]))
    rules = []
    for position in range(number(draw, 1, 4)):
        when = pick(draw, [None, *found])
        require = pick(draw, [None, *found]) if when is not None else pick(draw, found)
        days = sorted(pick(draw, DAYS) for _ in range(number(draw, 0, 2)))
        first, last = (*days, None, None)[:2]
        rules.append(PlannedRule(f"rule-{position}", when, require, first, last))
    return Plan("test/plan", tuple(rules))


@dataclass(frozen=True)
class Known:
    """Hold what an evaluation knows beside the fact, for the engine and for the reference."""

    tables: Tables
    batch: Batch | None
    reference: Interpreter
    day: date


@st.composite
def surroundings(draw: st.DrawFn, world: World, plan: Plan, fact: Any) -> Known:
    """Draw tables, a batch that holds the fact (or none), and a day."""
    rows = draw(tables(world))
    batch, others = None, None
    if pick(draw, (False, True)):
        others = [fact, *(draw(facts(world)) for _ in range(number(draw, 0, 2)))]
        batch = Batch(batch_refs(plan))
        for position, other in enumerate(others):
            batch.add(other, str(position))
    return Known(Tables(rows), batch, Interpreter(rows, others), pick(draw, DAYS))
