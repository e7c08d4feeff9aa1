"""The `record` evaluator: Python source generated once per plan, for one fact at a time.

Each condition becomes two questions: is it surely true, is it surely false. A rule is passed where its `when` is surely false, or its `when`
and its `require` are surely true; whatever is not surely passed is listed, and only that is explained by the slow pass.

The source holds names that this module makes up and the operators' own expressions; names of fields and constants of rule files are bound
as values, never written into it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from engine.operators import operators
from engine.plan import (
    And,
    Condition,
    Decide,
    InTable,
    Not,
    Once,
    Operand,
    Or,
    Plan,
    PlannedRule,
    Ref,
    Some,
    Test,
    conditions,
    parts,
    refs_of,
)
from engine.tables import Batch, Tables
from engine.truth import Judge, prepared

NAME = "record"


class _Everything:
    """Contain everything: stands for the keys of a table that is not there, so that nothing is surely outside it."""

    def __contains__(self, _: object) -> bool:
        return True


_EVERYTHING = _Everything()
_NOTHING: Mapping[Any, Any] = {}


def unsupported(_: Plan) -> tuple[str, ...]:
    """Name what of a plan this evaluator can't do: nothing."""
    return ()


@dataclass(frozen=True, slots=True, eq=False)
class Evaluator:
    """Hold the generated source of a plan, ready to be bound to tables, a batch and a day. No two are equal, so that it can be a key.

    Attributes:
        plan: The plan.
        source: The generated Python source.
        namespace: The values that the source's names stand for.
        tables: The table tests, in the order of the binder's arguments.
        batches: The batch tests, likewise.
    """

    plan: Plan
    source: str
    namespace: dict[str, Any]
    tables: tuple[InTable, ...]
    batches: tuple[Once, ...]

    def bind(self, tables: Tables, batch: Batch | None, day: date) -> Decide:
        """Bind the source to what an evaluation knows beside the fact.

        Args:
            tables: The tables there are.
            batch: The values of the other rows, or None.
            day: The day asked for, Asia/Shanghai.

        Returns:
            A function from a fact to the positions of the rules in force that it does not surely pass, ascending.
        """
        views = tables.view(
            self, lambda: [view for item in self.tables for view in table_views(item, tables)]
        )
        counts = [None if batch is None else batch.counts.get(item.subject.path) for item in self.batches]
        days = [rule.in_force(day) for rule in self.plan.rules if _dated(rule)]
        decide: Decide = self.namespace["bind"](*views, *counts, *days)
        return decide


def compile_plan(plan: Plan) -> Evaluator:
    """Generate the source of a plan and compile it.

    Args:
        plan: The plan.

    Returns:
        The evaluator; compiling costs some 0.1 ms a rule, once.
    """
    writer = _Writer(plan)
    source = writer.write()
    namespace = dict(writer.names)
    exec(compile(source, f"<plan {plan.ruleset}>", "exec"), namespace)  # noqa: S102 - the source holds no text of a file
    return Evaluator(plan, source, namespace, tuple(writer.tables), tuple(writer.batches))


def table_views(item: InTable, tables: Tables) -> tuple[Any, Any]:
    """Give the two views of a table that a test looks into.

    Args:
        item: The test.
        tables: The tables there are.

    Returns:
        Where the rows' condition does not depend on the fact: the keys that surely match, and those that may. Otherwise: the rows by
        key, and the same again, or None where the table is not there.
    """

    def make() -> tuple[Any, Any]:
        index = tables.by(item.table, item.column)
        if not _static(item):
            return (_NOTHING, None) if index is None else (index, index)
        if index is None:
            return frozenset(), _EVERYTHING
        if item.where is None:
            keys = frozenset(index)
            return keys, keys
        judge = Judge(tables)
        found = {key: judge.any_of(rows, item.scope, item.where, ()) for key, rows in index.items()}
        return (
            frozenset(key for key, truth in found.items() if truth is True),
            frozenset(key for key, truth in found.items() if truth is not False),
        )

    key = (item.table, item.column, item.where)
    views: tuple[Any, Any] = tables.view(key, make) if _static(item) else make()
    return views


def _static(item: InTable) -> bool:
    """Whether the rows' condition speaks of nothing but the row."""
    if item.where is None:
        return True
    inner = {condition.scope for condition in parts(item.where) if isinstance(condition, Some | InTable)}
    return all(
        ref.scope == item.scope or ref.scope in inner for part in parts(item.where) for ref in refs_of(part)
    )


def _dated(rule: PlannedRule) -> bool:
    return rule.first_day is not None or rule.last_day is not None


@dataclass(slots=True)
class _Block:
    """Hold the lines of one indented block and what they have named so far."""

    depth: int
    parent: _Block | None = None
    lines: list[str] = field(default_factory=list)
    named: dict[Any, str] = field(default_factory=dict)

    def find(self, key: Any) -> str | None:
        block: _Block | None = self
        while block is not None:
            if key in block.named:
                return block.named[key]
            block = block.parent
        return None

    def add(self, line: str) -> None:
        self.lines.append("    " * self.depth + line)


class _Writer:
    """Write the source of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.names: dict[str, Any] = {"EMPTY": {}}
        self.tables: list[InTable] = []
        self.batches: list[Once] = []
        self.constants: dict[Any, str] = {}
        self.count = 0
        self.uses = Counter(conditions(plan))

    def write(self) -> str:
        top = _Block(2)
        top.named[0] = "fact"
        body = _Block(2, top)
        dated = 0
        for position, rule in enumerate(self.plan.rules):
            flag = ""
            if _dated(rule):
                flag, dated = f"d{dated}", dated + 1
            self.rule(rule, position, top, body, flag)
        arguments = [name for n in range(len(self.tables)) for name in (f"y{n}", f"n{n}")]
        arguments += [f"b{n}" for n in range(len(self.batches))] + [f"d{n}" for n in range(dated)]
        head = [f"def bind({', '.join(arguments)}):", "    def decide(fact):", "        bad = []"]
        return "\n".join([*head, *top.lines, *body.lines, "        return bad", "    return decide", ""])

    def rule(self, rule: PlannedRule, position: int, top: _Block, body: _Block, flag: str) -> None:
        block = body
        if flag:
            block = self.nested(block, f"if {flag}:")
        if rule.when is not None:
            block = self.nested(block, f"if not ({self.ask(rule.when, False, block, top)}):")
        if rule.require is None:
            block.add(f"bad.append({position})")
        else:
            asked = [self.ask(rule.when, True, block, top)] if rule.when is not None else []
            asked.append(self.ask(rule.require, True, block, top))
            block.add(f"if not ({' and '.join(asked)}): bad.append({position})")
        while block is not body:
            assert block.parent is not None
            block.parent.lines += block.lines
            block = block.parent

    def nested(self, block: _Block, opening: str) -> _Block:
        block.add(opening)
        return _Block(block.depth + 1, block)

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def bound(self, value: Any, key: Any) -> str:
        """Bind a value to a name; the same key gives the same name."""
        if key not in self.constants:
            self.constants[key] = self.name("c")
            self.names[self.constants[key]] = value
        return self.constants[key]

    def ask(self, condition: Condition, want: bool, block: _Block, top: _Block) -> str:
        """Write an expression that is true where a condition surely is what is wanted; shared ones are named once, at the top."""
        found = block.find((condition, want))
        if found is not None:
            return found
        shared = self.uses[condition] > 1 and all(ref.scope == 0 for ref in _outer_refs(condition))
        home = top if shared else block
        expression = self.expression(condition, want, home, top)
        if not shared:
            return expression
        if not expression.isidentifier():
            return self.named(home, (condition, want), "t", expression)
        home.named[condition, want] = expression
        return expression

    def expression(self, condition: Condition, want: bool, block: _Block, top: _Block) -> str:
        match condition:
            case And(items) | Or(items):
                every = isinstance(condition, And) is want
                asked = [self.ask(item, want, block, top) for item in items]
                return f"({(' and ' if every else ' or ').join(asked)})" if asked else str(every)
            case Not(item):
                return self.ask(item, not want, block, top)
            case Test():
                return self.test(condition, want, block)
            case Some(subject, scope, body):
                elements = self.load(subject, block)
                return self.loop(
                    f"{elements} or ()", f"{elements} is not None", scope, body, want, block, top
                )
            case InTable():
                return self.in_table(condition, want, block, top)
            case Once(subject):
                value = self.load(subject, block)
                if condition not in self.batches:
                    self.batches.append(condition)
                counts = f"b{self.batches.index(condition)}"
                sign = "<=" if want else ">"
                return f"({value} is not None and {counts} is not None and {counts}.get({value}, 0) {sign} 1)"

    def test(self, condition: Test, want: bool, block: _Block) -> str:
        operator = operators()[condition.operator]
        value = self.load(condition.subject, block)
        operands = [self.operand(operand, condition.operator, block) for operand in condition.operands]
        constant = not any(isinstance(operand, Ref) for operand in condition.operands)
        words = dict(zip("ab", operands, strict=False))
        guards = [
            value,
            *(operands[n] for n, operand in enumerate(condition.operands) if isinstance(operand, Ref)),
        ]
        if operator.true:
            text = operator.true if want else operator.false or f"not ({operator.true})"
            asked = text.format(v=value, **words)
        else:
            test = self.bound(operator.test, ("operator", operator.id))
            asked = f"{test}({', '.join([value, *operands])}) is {want}"
        if operator.known or (operator.safe and want and constant):
            return f"({asked})" if operator.known else asked
        return f"({' and '.join(f'{guard} is not None' for guard in guards)} and {asked})"

    def operand(self, operand: Operand, operator: str, block: _Block) -> str:
        if isinstance(operand, Ref):
            return self.load(operand, block)
        return self.bound(prepared(operator, operand), (operator, operand))

    def loop(
        self, elements: str, known: str, scope: int, body: Condition, want: bool, block: _Block, top: _Block
    ) -> str:
        """Write a loop over elements; its outcome is a name that is true where some (wanted) or none (not wanted) meets the body."""
        outcome, element = self.name("s"), self.name("e")
        inner = _Block(block.depth + 1, block)
        inner.named[scope] = element
        asked = self.ask(body, want, inner, top)
        inner.add(f"if {asked if want else f'not ({asked})'}:")
        inner.add(f"    {outcome} = {want}")
        inner.add("    break")
        block.add(f"{outcome} = {'False' if want else known}")
        block.add(f"for {element} in {elements}:")
        block.lines += inner.lines
        return outcome

    def in_table(self, condition: InTable, want: bool, block: _Block, top: _Block) -> str:
        value = self.load(condition.subject, block)
        if condition not in self.tables:
            self.tables.append(condition)
        number = self.tables.index(condition)
        if _static(condition):
            return f"{value} in y{number}" if want else f"({value} is not None and {value} not in n{number})"
        assert condition.where is not None
        known = f"{value} is not None and n{number} is not None"
        return self.loop(
            f"y{number}.get({value}, ())", known, condition.scope, condition.where, want, block, top
        )

    def load(self, ref: Ref, block: _Block) -> str:
        """Load a value into a name, in the block of its scope, once."""
        home = block
        while ref.scope not in home.named:
            assert home.parent is not None
            home = home.parent
        found = home.named.get(ref)
        if found is not None:
            return found
        if ref.measure:
            inner = self.load(Ref(ref.scope, ref.steps, ref.through), block)
            return self.named(home, ref, "m", f"len({inner}) if {inner} is not None else None")
        if ref.through is not None:
            elements = self.load(Ref(ref.scope, ref.steps[: ref.through]), block)
            reached = "x"
            for step in ref.steps[ref.through :]:
                reached = f"({reached} or EMPTY).get({self.bound(step, ('step', step))})"
            return self.named(
                home, ref, "p", f"[{reached} for x in {elements}] if {elements} is not None else None"
            )
        if not ref.steps:
            return home.named[ref.scope]
        record = self.record(ref.scope, ref.steps[:-1], home)
        step = self.bound(ref.steps[-1], ("step", ref.steps[-1]))
        return self.named(home, ref, "v", f"{record}.get({step})")

    def record(self, scope: int, steps: tuple[str, ...], home: _Block) -> str:
        """Load a record, an empty one where it is absent."""
        key = ("record", scope, steps)
        if key in home.named:
            return home.named[key]
        if not steps:
            if scope == 0:
                return home.named[scope]
            return self.named(home, key, "r", f"{home.named[scope]} or EMPTY")
        outer = self.record(scope, steps[:-1], home)
        step = self.bound(steps[-1], ("step", steps[-1]))
        return self.named(home, key, "r", f"{outer}.get({step}) or EMPTY")

    def named(self, home: _Block, key: Any, prefix: str, expression: str) -> str:
        name = self.name(prefix)
        home.add(f"{name} = {expression}")
        home.named[key] = name
        return name


def _outer_refs(condition: Condition) -> list[Ref]:
    """List the references that lead out of a condition's own quantifiers."""
    inner = {part.scope for part in parts(condition) if isinstance(part, Some | InTable)}
    return [ref for part in parts(condition) for ref in refs_of(part) if ref.scope not in inner]
