"""The matrix: what a ruleset of kind actions makes of every situation, for people to sign off and for `engine.matrix_check` to go through.

The axes are found, not listed: the fields with a closed set of values (enums and booleans) that the conditions in force refer to. The fact's
channel is the one asked for; every other field has the value of the fact's example, so that a list such as the operations under way is as the
example has it. Situations that can't come about, such as an after-sale of an unpaid order, are in the matrix too: a verdict there is still one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import product
from math import prod
from typing import Any

from engine.actions import ActionSession, ActionState
from engine.errors import ShelfgateError
from engine.examples import ANY_DAY, overlaid
from engine.facts import admit
from engine.flows import FlowMatcher, changes_of, in_force
from engine.plan import Condition, Ref, Test, parts, refs_of
from engine.rulebook import Channel, Rulebook
from engine.rules import ActionRule, Flow, Ruleset
from engine.tables import Tables
from engine.truth import Judge, value_of
from engine.vocabulary import FieldType, resolve, walk
from engine.wording import ABSENT, SHANGHAI, day_of, said, title_of

Values = tuple[Any, ...]
MOST_SITUATIONS = 20_000


@dataclass(frozen=True, slots=True)
class Axis:
    """Hold a field that verdicts or flows depend on.

    Attributes:
        path: The field, from the root of the fact.
        title: Chinese titles along the path.
        values: Its values with their titles, in the order of the vocabulary; None stands for a field that is absent.
    """

    path: str
    title: str
    values: tuple[tuple[Any, str], ...]

    def word(self, value: Any) -> str:
        """Give the title of one of its values."""
        return next(title for known, title in self.values if known == value)


@dataclass(frozen=True, slots=True)
class Undecided:
    """Name a rule or flow that can't be decided although every axis is known, and the facts it lacks."""

    item: ActionRule | Flow
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Situation:
    """Hold what is made of one situation.

    Attributes:
        values: A value for each axis, in the order of the axes.
        actions: The state of every action, in the order of the fact; none where the situation is looked at for its events.
        restricting: The rules that surely restrict each action, in the order of the file.
        flows: The flows that each action or event surely sets off, in the order of the file.
        undecided: The rules and flows that can't be decided.
    """

    values: Values
    actions: tuple[ActionState, ...]
    restricting: Mapping[str, tuple[ActionRule, ...]]
    flows: Mapping[str, tuple[Flow, ...]]
    undecided: tuple[Undecided, ...]

    def changes(self, trigger: str) -> dict[str, Any]:
        """Give the fields that an action or event sets, and to what; empty where no flow takes it up or none sets anything."""
        return changes_of(self.flows.get(trigger, ()))


@dataclass(frozen=True, slots=True)
class Grid:
    """Hold every combination of the axes' values.

    Attributes:
        axes: The axes in the order of the vocabulary.
        situations: The situations, the last axis turning fastest.
    """

    axes: tuple[Axis, ...] = ()
    situations: tuple[Situation, ...] = ()


@dataclass(frozen=True, slots=True)
class Matrix:
    """Hold what one ruleset says as of one moment.

    Attributes:
        ruleset: The ruleset, of kind actions.
        as_of: The moment asked for; aware.
        held: Titles and values, in words, of the fields that conditions refer to and that are no axis.
        flows: The flows in force.
        actions: The actions in every situation.
        events: The events in every situation; without situations where the fact has no events.
    """

    ruleset: Ruleset
    as_of: datetime
    held: tuple[tuple[str, str], ...]
    flows: tuple[Flow, ...]
    actions: Grid
    events: Grid


class MatrixTooLarge(ShelfgateError):
    """Say that conditions refer to too many fields for every combination to be laid out.

    Attributes:
        axes: The fields.
    """

    def __init__(self, axes: tuple[Axis, ...]) -> None:
        count = prod(len(axis.values) for axis in axes)
        told = "、".join(f"{axis.title}（{len(axis.values)} 种）" for axis in axes)
        super().__init__(
            f"情形有 {count} 种，最多 {MOST_SITUATIONS} 种：{told}；把规则分到几个规则集里，或少用几个字段"
        )
        self.axes = axes


def matrices(rulebook: Rulebook, channel: Channel, as_of: datetime, fact: str = "") -> list[Matrix]:
    """Lay out the rulesets of kind actions of a channel.

    Args:
        rulebook: The rules.
        channel: One of its channels.
        as_of: The moment asked for; aware. Rules are in force by its day in Asia/Shanghai.
        fact: Name of the only fact to lay out; empty for all.

    Returns:
        A matrix for each ruleset, in the order of the manifest.
    """
    return [
        _Layout(rulebook, ruleset, as_of).matrix()
        for ruleset in channel.rulesets.values()
        if ruleset.kind == "actions" and fact in {"", ruleset.fact.name}
    ]


def periods(channel: Channel) -> list[datetime]:
    """Give a moment in each period in which the same rules of kind actions are in force, the last period last.

    Args:
        channel: The channel.

    Returns:
        Noon in Shanghai of the day before the first change, then of each day on which a rule comes into force or has gone out of it.
    """
    days: set[date] = set()
    for ruleset in channel.rulesets.values():
        for item in (*ruleset.rules, *ruleset.flows) if ruleset.kind == "actions" else ():
            days |= {item.common.first_day} if item.common.first_day else set()
            days |= {item.common.last_day + timedelta(days=1)} if item.common.last_day else set()
    ordered = sorted(days)
    before = ordered[0] - timedelta(days=1) if ordered else ANY_DAY
    return [datetime.combine(day, time(12), SHANGHAI) for day in (before, *ordered)]


class _Layout:
    """Go through the situations of one ruleset."""

    def __init__(self, rulebook: Rulebook, ruleset: Ruleset, as_of: datetime) -> None:
        self.ruleset = ruleset
        self.fact = ruleset.fact
        self.as_of = as_of
        day = day_of(as_of)
        planned = zip(ruleset.rules, ruleset.plan().rules, strict=True)
        self.rules = [rule for rule, plan in planned if isinstance(rule, ActionRule) and plan.in_force(day)]
        self.flows = in_force(ruleset.flows, day)
        self.session = ActionSession(ruleset, rulebook.evaluator(ruleset), as_of)
        self.matcher: FlowMatcher = rulebook.flow_matcher(ruleset, as_of)
        self.judge = Judge(Tables())
        self.fields = [
            (path, type_)
            for path, type_ in walk(self.fact.type)
            if resolve(self.fact.type, tuple(path.split("."))).through is None
        ]
        name = ruleset.name.partition("/")[0]
        self.of_channel = {
            path: name
            for path, type_ in self.fields
            if path.rpartition(".")[2] == "channel" and name in dict(type_.choices)
        }

    def matrix(self) -> Matrix:
        """Lay out actions and events."""
        names = set(self.fact.action_names())
        of_actions = [flow for flow in self.flows if flow.on in names]
        of_events = [flow for flow in self.flows if flow.on not in names]
        axes = self.axes(_conditions([*self.rules, *of_actions]), absent=False)
        event_axes = self.axes(_conditions(of_events), absent=True)
        actions = tuple(
            self.situation(axes, values, of_actions, judged=True) for values in _combinations(axes)
        )
        events = tuple(
            self.situation(event_axes, values, of_events, judged=False)
            for values in _combinations(event_axes)
            if self.fact.events
        )
        held = self.held({axis.path for axis in (*axes, *event_axes)})
        return Matrix(
            self.ruleset, self.as_of, held, self.flows, Grid(axes, actions), Grid(event_axes, events)
        )

    def axes(self, conditions: list[Condition], *, absent: bool) -> tuple[Axis, ...]:
        """Find the axes of conditions.

        Args:
            conditions: The conditions, with everything inside them.
            absent: Whether absence is a value of a field whose presence is tested, as an after-sale has no status before it is requested.
                Of a fact that is there to be acted upon, a field that a condition needs is known.

        Returns:
            The axes in the order of the vocabulary.
        """
        named = {ref.path for ref in _fields_of(conditions)}
        tested = {
            part.subject.path for part in conditions if isinstance(part, Test) and part.operator == "present"
        }
        return tuple(
            Axis(
                path,
                title_of(self.fact.type, path),
                values + (((None, ABSENT),) if absent and path in tested else ()),
            )
            for path, type_ in self.fields
            if path in named and path not in self.of_channel and (values := _values(type_))
        )

    def situation(
        self, axes: tuple[Axis, ...], values: Values, flows: list[Flow], *, judged: bool
    ) -> Situation:
        """See what is made of one situation.

        Args:
            axes: The axes.
            values: A value for each.
            flows: The flows to look at.
            judged: Whether the actions are judged as well.

        Returns:
            The situation.
        """
        given = {axis.path: value for axis, value in zip(axes, values, strict=True)}
        fact, _ = admit(self.fact.type, overlaid(self.fact.example, {**self.of_channel, **given}))
        rules = self.rules if judged else []
        sure = [rule for rule in rules if self.truth(rule, fact) is True]
        known = {flow.common.id: flow for flow in flows}
        return Situation(
            values,
            self.session.judge(fact).actions if judged else (),
            {
                name: tuple(rule for rule in sure if name in rule.restrict)
                for name in self.fact.action_names()
            },
            {
                trigger: tuple(known[id_] for id_ in self.matcher.matches(trigger, fact))
                for trigger in dict.fromkeys(flow.on for flow in flows)
            },
            tuple(self.undecided([*rules, *flows], fact, given)),
        )

    def undecided(
        self, items: Iterable[ActionRule | Flow], fact: Mapping[str, Any], given: Mapping[str, Any]
    ) -> Iterator[Undecided]:
        """Name what can't be decided for want of something else than a field whose absence is the situation."""
        for item in items:
            when = item.common.when
            if when is not None and self.truth(item, fact) is None:
                lacking = self.judge.reason(when, (fact,), want=True).missing
                missing = tuple(path for path in lacking if path not in given or given[path] is not None)
                if missing:
                    yield Undecided(item, missing)

    def truth(self, item: ActionRule | Flow, fact: Mapping[str, Any]) -> bool | None:
        """Whether a rule or flow applies; None where it can't be known."""
        when = item.common.when
        return True if when is None else self.judge.truth(when, (fact,))

    def held(self, axes: set[str]) -> tuple[tuple[str, str], ...]:
        """Say which values the fields have that conditions refer to and that are no axis."""
        fact, _ = admit(self.fact.type, overlaid(self.fact.example, self.of_channel))
        refs = {
            ref.path: replace(ref, measure="")
            for ref in _fields_of(_conditions([*self.rules, *self.flows]))
            if ref.path not in axes
        }
        return tuple(
            (title_of(self.fact.type, path), _word(ref, value_of(ref, (fact,)))) for path, ref in refs.items()
        )


def _conditions(items: Iterable[ActionRule | Flow]) -> list[Condition]:
    return [part for item in items if item.common.when is not None for part in parts(item.common.when)]


def _fields_of(conditions: Iterable[Condition]) -> Iterator[Ref]:
    """List the references to fields of the fact itself; inside a quantifier the element's are left out."""
    return (ref for condition in conditions for ref in refs_of(condition) if ref.scope == 0)


def _values(type_: FieldType) -> tuple[tuple[Any, str], ...]:
    """Give the values of a field that has a closed set of them; none for any other, lists included."""
    if type_.kind == "boolean":
        return tuple((value, said(value)) for value in (True, False))
    return type_.choices


def _combinations(axes: tuple[Axis, ...]) -> Iterator[Values]:
    """List every combination of values.

    Raises:
        MatrixTooLarge: There are more than anyone could sign off.
    """
    if prod(len(axis.values) for axis in axes) > MOST_SITUATIONS:
        raise MatrixTooLarge(axes)
    return product(*([value for value, _ in axis.values] for axis in axes))


def _word(ref: Ref, value: Any) -> str:
    """Put a held value into words: an enum's by its title alone."""
    titles = dict(ref.choices)
    return titles[value] if isinstance(value, str) and value in titles else said(value, ref.unit, ref.choices)
