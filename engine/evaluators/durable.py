"""A second opinion by durable-rules: conditions about one fact, equality joins with its tables, and flows. An optional extra.

durable-rules is spoken to only here and only in the part in which it was found to be right: stateless, facts in and matches out.

* A rule is split into alternatives without `or`; each becomes one rule of theirs, which fires where ours surely passes.
* They see flat records: `=` and `!=` on booleans, integers and text, order on integers, equality joins before all else. Any other
  test of a fact (patterns, lists, dates, absence) is decided before and handed over as a boolean. What is absent is not handed over.
* A row that must not be there is of a kind of its own, handed over before any other.
* Each evaluation has a state of its own, begun by a probe and deleted in the end; one lock per set of rules; no threads, no timers.
* Whatever they complain about is a `DurableError`; a row that two texts of one hash would join is one, too.

What does not fit is said by `unsupported`, never answered.
"""

from __future__ import annotations

import copy
import itertools
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

from engine.errors import ShelfgateError
from engine.evaluators._alternatives import (
    MOST_RECORDS,
    MOST_TEXT,
    Join,
    Known,
    Literal,
    Way,
    is_integer,
    read_plan,
    size,
    split,
)
from engine.plan import Condition, Decide, InTable, Plan, Ref
from engine.tables import Batch, Row, Tables
from engine.truth import Judge, value_of

NAME = "durable"

MOST_ROWS = 32
"""Rows of a table up to which all are handed over; of a longer one, those that can join."""

_Record = dict[str, Any]


class DurableError(ShelfgateError):
    """Say that durable-rules is not there, cannot be asked this, or did not answer as it should; nothing was decided."""


_WORDS = {"!=": "$neq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}


def unsupported(plan: Plan) -> tuple[str, ...]:
    """Name what of a plan cannot be put to durable-rules.

    Args:
        plan: The plan.

    Returns:
        A Chinese sentence for each rule that does not fit, or for the plan as a whole; empty where all fits.
    """
    return read_plan(plan)[1]


def compile_plan(plan: Plan) -> Evaluator:
    """Turn a plan into a set of rules of durable-rules.

    Args:
        plan: The plan.

    Returns:
        The evaluator.

    Raises:
        DurableError: The plan does not fit, or durable-rules is not installed.
    """
    ways, problems = read_plan(plan)
    if problems:
        raise DurableError(f"durable 求值器不支持 {plan.ruleset}：{'；'.join(problems)}")
    writer = _Writer()
    definition: dict[str, Any] = {"probe": {"all": [{"p": {"kind": "probe"}}]}}
    owners: dict[str, int] = {}
    for position, alternatives in enumerate(ways):
        for way in alternatives:
            name = f"r{len(owners)}"
            definition[name] = {"all": writer.patterns(way)}
            owners[name] = position
    check_names([*writer.fields.values(), "c", *(f"e{n}" for n in range(MOST_RECORDS)), "kind", "id", "sid"])
    return Evaluator(plan, writer, owners, _RuleSet(definition))


@dataclass(slots=True)
class _Writer:
    """Name the fields and kinds of one set of rules, and write its patterns.

    Attributes:
        fields: The fact's fields as they are handed over, by what they are taken from.
        joins: The kinds of rows, by what they are for.
    """

    fields: dict[Ref | Condition | str, str] = field(default_factory=dict)
    joins: dict[Join, str] = field(default_factory=dict)

    def field(self, source: Ref | Condition | str) -> str:
        return self.fields.setdefault(source, f"f{len(self.fields)}")

    def patterns(self, way: Way) -> list[Any]:
        """Write one alternative: the fact, then rows that must be there, then rows that must not."""
        fact: list[Any] = [{"kind": "fact"}]
        rows: list[Any] = []
        for atom in sorted(way, key=lambda atom: isinstance(atom, Join) and atom.form != "there"):
            match atom:
                case Literal(source, operator, constant):
                    test = {self.field(source): constant}
                    fact.append(test if operator == "=" else {_WORDS[operator]: test})
                case Known(table):
                    fact.append({self.field(table): True})
                case Join(item, form):
                    kind = self.joins.setdefault(atom, f"{form}{len(self.joins)}")
                    equal = [] if form == "none" else split(item)[1]
                    pattern = self.row(kind, item, equal)
                    rows.append({kind if form == "there" else f"{kind}$not": pattern})
                    if form == "unlike":
                        rows.append({f"{kind}x$not": self.row(f"{kind}x", item, [])})
        return [{"fact": {"$and": fact} if len(fact) > 1 else fact[0]}, *rows]

    def row(self, kind: str, item: InTable, equal: list[tuple[Ref, Ref]]) -> Any:
        joins = [{"c": {"fact": self.field(item.subject)}}]
        joins += [{f"e{n}": {"fact": self.field(other)}} for n, (_, other) in enumerate(equal)]
        return {"$and": [*joins, {"kind": kind}]}

    def fact(self, fact: Mapping[str, Any], tables: Tables) -> _Record:
        """Write a fact as one flat record; what is absent or unknown is left out."""
        judge = Judge(tables)
        record: _Record = {"kind": "fact"}
        for source, name in self.fields.items():
            if isinstance(source, str):
                record[name] = tables.rows(source) is not None
            elif isinstance(source, Ref):
                record[name] = _handed_over(value_of(source, (fact,)), source.path)
            else:
                record[name] = judge.truth(source, (fact,))
        return {name: value for name, value in record.items() if value is not None}

    def rows(self, fact: Mapping[str, Any], tables: Tables) -> list[_Record]:
        """Write the tables' rows as flat records, those that must not be there first."""
        records: list[_Record] = []
        for join in sorted(self.joins, key=lambda join: join.form == "there"):
            records += self.rows_of(join, self.joins[join], fact, tables)
        return records

    def rows_of(self, join: Join, kind: str, fact: Mapping[str, Any], tables: Tables) -> Iterable[_Record]:
        item, judge = join.item, Judge(tables)
        static, equal = split(item)
        rows: list[Row] = tables.rows(item.table) or []
        if len(rows) > MOST_ROWS:
            value = value_of(item.subject, (fact,))
            rows = (tables.by(item.table, item.column) or {}).get(value, [])
        for row in rows:
            truth = judge.truth(static, (None,) * item.scope + (row,))
            if truth is False or (truth is None and join.form == "there"):
                continue
            record = {"kind": kind, "c": _handed_over(row.get(item.column), f"{item.table}.{item.column}")}
            for n, (column, _) in enumerate([] if join.form == "none" else equal):
                record[f"e{n}"] = _handed_over(value_of(column, (None,) * item.scope + (row,)), column.path)
            if join.form == "unlike" and record["e0"] is None:
                record["kind"] = f"{kind}x"
            yield {name: value for name, value in record.items() if value is not None}


def _handed_over(value: Any, path: str) -> Any:
    """Let through what durable-rules compares rightly."""
    if value is None or isinstance(value, bool) or is_integer(value):
        return value
    if isinstance(value, str) and size(value) < MOST_TEXT:
        return value
    raise DurableError(f"{path} 的值不能交给 durable-rules：{str(value)[:40]!r}；改用 flows: record")


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Hold a plan as a set of rules of durable-rules.

    Attributes:
        plan: The plan.
        writer: Writes facts and rows as the rules name them.
        owners: For each rule of theirs: the position of ours.
        rules: The set of rules.
    """

    plan: Plan
    writer: _Writer
    owners: Mapping[str, int]
    rules: _RuleSet

    def bind(self, tables: Tables, batch: Batch | None, day: date) -> Decide:
        """Bind to what an evaluation knows beside the fact.

        Args:
            tables: The tables there are.
            batch: Not looked at: plans that need one are unsupported.
            day: The day asked for, Asia/Shanghai.

        Returns:
            A function from a fact to the positions of the rules in force that it does not surely pass, ascending. It raises
            `DurableError` where durable-rules cannot be asked or trusted.
        """
        in_force = [position for position, rule in enumerate(self.plan.rules) if rule.in_force(day)]

        def decide(fact: Mapping[str, Any]) -> list[int]:
            fired = self.rules.fired(self.writer.rows(fact, tables), self.writer.fact(fact, tables))
            passed = {self.owners[name] for name in fired}
            return [position for position in in_force if position not in passed]

        return decide


class _RuleSet:
    """Hold one set of rules inside durable-rules, ask it, and free it when it is no longer used."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self._lock = threading.Lock()
        self._fired: list[tuple[str, Any]] = []
        self._states = itertools.count()
        self._definition = definition
        self._name = f"plan{next(_numbers)}"
        rules = copy.deepcopy(dict(definition))
        for name, rule in rules.items():
            rule["run"] = self._noting(name)
        host = _host()
        try:
            host.register_rulesets({self._name: rules})
        except Exception as error:
            raise DurableError(f"durable-rules 不接受规则集：{type(error).__name__} {error}") from None
        weakref.finalize(self, _free, host, self._name)

    def _noting(self, name: str) -> Callable[[Any], None]:
        fired = self._fired

        def note(closure: Any) -> None:
            fired.append((name, closure._m))  # noqa: SLF001 - the joined records, whole

        return note

    def fired(self, rows: list[_Record], fact: _Record) -> set[str]:
        """Give the names of the rules that fire for a fact among rows."""
        host = _host()
        with self._lock:
            sid = str(next(self._states))
            self._fired.clear()
            try:
                _tell(host.post, self._name, {"sid": sid, "id": "probe", "kind": "probe"})
                for n, record in enumerate([*rows, fact]):
                    _tell(host.assert_fact, self._name, {"sid": sid, "id": f"m{n}", **record})
            finally:
                _tell(lambda name, _: host.delete_state(name, sid), self._name, {})
            fired = [(name, copy.deepcopy(records)) for name, records in self._fired]
        names = {name for name, _ in fired}
        if "probe" not in names:
            raise DurableError("durable-rules 没有应答试探事件")
        for name, records in fired:
            self._check(name, records)
        return names - {"probe"}

    def _check(self, name: str, records: Mapping[str, _Record]) -> None:
        """Hold joins against the values themselves: durable-rules compares their hashes."""
        for pattern in self._definition[name]["all"]:
            ((alias, test),) = pattern.items()
            for column, other in (entry for part in test.get("$and", ()) for entry in part.items()):
                joined = isinstance(other, dict) and "fact" in other and not alias.endswith("$not")
                if joined and records[alias].get(column) != records["fact"].get(other["fact"]):
                    raise DurableError("durable-rules 关联了不相等的值")


def _tell(call: Callable[[str, Any], Any], name: str, message: _Record) -> None:
    """Hand one record over; that no rule looks at it is no mistake, everything else is."""
    try:
        state = call(name, message)
    except Exception as error:
        if type(error).__name__ == "MessageNotHandledException":
            return
        raise DurableError(f"durable-rules 出错：{type(error).__name__} {error}") from None
    if isinstance(state, dict) and "exception" in state:
        raise DurableError(f"durable-rules 出错：{state['exception']}")


_numbers = itertools.count()


@cache
def _host() -> Any:
    """Start durable-rules without its threads, once in a process."""
    try:
        from durable import engine as library
    except ImportError as error:
        raise DurableError(
            f'durable-rules 不可用（{error}）；安装 pip install "shelfgate[durable]"，或改用 flows: record'
        ) from None
    # Its clock is deprecated from Python 3.12 on, and serves leases only.
    library._unix_now = time.monotonic  # noqa: SLF001

    class Host(library.Host):  # type: ignore[misc]
        def _run(self) -> None:
            """Start no threads: there are no timers to serve."""

    return Host()


def _free(host: Any, name: str) -> None:
    """Give back the memory of a set of rules, whose states are all deleted."""
    from durable import engine as library

    rules = host._ruleset_directory.pop(name)  # noqa: SLF001
    host._ruleset_list.remove(rules)  # noqa: SLF001
    library.durable_rules_engine.delete_ruleset(rules._handle)  # noqa: SLF001


def check_names(names: Iterable[str]) -> None:
    """Check that no two names have the same 32-bit hash, by which durable-rules tells them apart.

    Raises:
        DurableError: Two names have.
    """
    known: dict[int, str] = {}
    for name in names:
        hashed = 0x811C9DC5
        for byte in name.encode():
            hashed = (hashed ^ byte) * 16777619 & 0xFFFFFFFF
        if known.setdefault(hashed, name) != name:
            raise DurableError(f"durable-rules 分不清字段 {known[hashed]} 与 {name}")
