"""Flows: fold what has happened to one order into its state, and judge what staff ask for on the state now.

An observation says what the channel reports as having happened, with an id and its own time. The state is a function of the set of
observations: they are folded in order of happening, each id once, so that neither the order nor the number of arrivals matters (R30).
A command is judged on the state now, and done or refused now; it is never kept for later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Protocol

from engine.actions import ActionState, Verdict
from engine.evaluators import FLOW_EVALUATORS, Evaluator, record
from engine.plan import ALWAYS, Plan, PlannedRule
from engine.rules import Flow, Ruleset
from engine.tables import Tables
from engine.wording import day_of

Fact = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Observation:
    """Say one thing that has happened.

    Attributes:
        id: Unique; the same id is the same observation.
        event: One of the events that the fact declares.
        at: When it happened, by the channel's clock; aware.
        after_sale: Id of the after-sale it is about; empty where it is about the order as a whole.
        data: Fields that the observation tells, laid over the after-sale (or, without one, over the order).
        reported: It tells the state that the channel reports, which holds whether or not a flow takes it up.
    """

    id: str
    event: str
    at: datetime
    after_sale: str = ""
    data: Mapping[str, Any] | None = None
    reported: bool = False


@dataclass(frozen=True, slots=True)
class FlowEffect:
    """Say what a flow did, once for each observation and after-sale.

    Attributes:
        flow: The flow's id.
        observation: The observation's id.
        after_sale: The after-sale's id; empty for the order.
        changes: Fields and the values they were set to.
        call: What the channel is to be told, or "".
    """

    flow: str
    observation: str
    after_sale: str
    changes: tuple[tuple[str, Any], ...]
    call: str


@dataclass(frozen=True, slots=True)
class CaseState:
    """Hold the state of one order and its after-sales.

    Attributes:
        order: The order's fields.
        after_sales: The after-sales' fields by id, in order of first happening.
        effects: What the flows did, in order of happening.
        ignored: Ids of the observations that no flow took up.
    """

    order: Fact
    after_sales: Mapping[str, Fact]
    effects: tuple[FlowEffect, ...] = ()
    ignored: tuple[str, ...] = ()


class FlowMatcher(Protocol):
    """Say which flows an event sets off for a fact."""

    def matches(self, event: str, fact: Fact) -> tuple[str, ...]:
        """Give the ids of the flows that surely apply, in the order of the file."""
        ...


class PlannedFlows:
    """Match flows with an evaluator, `record` unless another is asked for."""

    def __init__(
        self, flows: Iterable[Flow], day: date, name: str = "flows", evaluator: Evaluator = record
    ) -> None:
        """Compile the flows of each event.

        Args:
            flows: The flows.
            day: The day asked for, Asia/Shanghai.
            name: A name for the plan, for tracebacks.
            evaluator: Compiles the flows' conditions; it may refuse what it can't do.
        """
        events: dict[str, list[Flow]] = {}
        for flow in flows:
            if PlannedRule(flow.common.id, None, None, flow.common.first_day, flow.common.last_day).in_force(
                day
            ):
                events.setdefault(flow.on, []).append(flow)
        self._flows = events
        self._decide = {
            event: evaluator.compile_plan(plan_of(f"{name}/{event}", known)).bind(Tables(), None, day)
            for event, known in events.items()
        }

    def matches(self, event: str, fact: Fact) -> tuple[str, ...]:
        """Give the ids of the flows that surely apply, in the order of the file."""
        if event not in self._flows:
            return ()
        failing = set(self._decide[event](fact))
        return tuple(flow.common.id for n, flow in enumerate(self._flows[event]) if n not in failing)


def plan_of(name: str, flows: Iterable[Flow]) -> Plan:
    """Plan flows of one event as rules that require the flows' conditions; one without a condition always holds."""
    return Plan(name, tuple(PlannedRule(flow.common.id, None, flow.common.when or ALWAYS) for flow in flows))


def matcher(ruleset: Ruleset, as_of: datetime, evaluator: str = record.NAME) -> FlowMatcher:
    """Compile the flows of a ruleset as of a moment.

    Args:
        ruleset: The ruleset, of kind actions.
        as_of: The moment asked for; aware. Flows are in force by its day in Asia/Shanghai.
        evaluator: Name of the evaluator, as the channel chose it under `flows` in the manifest.

    Returns:
        The matcher.
    """
    day = day_of(as_of)
    return PlannedFlows(ruleset.flows, day, ruleset.name, FLOW_EVALUATORS[evaluator])


def fold(ruleset: Ruleset, flows: FlowMatcher, order: Fact, observations: Iterable[Observation]) -> CaseState:
    """Fold observations into the state of an order.

    Args:
        ruleset: The ruleset that the flows belong to; its fact ranks events that happened at the same moment.
        flows: Says which flows an event sets off.
        order: The order's fields before anything happened.
        observations: What has happened, in any order, any number of times.

    Returns:
        The state; the same for every order and number of arrivals of the same observations.
    """
    rank = {event: n for n, event in enumerate(ruleset.fact.event_names())}
    known = {flow.common.id: flow for flow in ruleset.flows}
    distinct = {
        item.id: item for item in sorted(observations, key=lambda item: (item.id, item.event, item.at))
    }
    ordered = sorted(distinct.values(), key=lambda item: (item.at, rank.get(item.event, len(rank)), item.id))
    state = CaseState(dict(order), {})
    for observation in ordered:
        state = _step(state, observation, flows, known)
    return state


def _step(
    state: CaseState, observation: Observation, flows: FlowMatcher, known: Mapping[str, Flow]
) -> CaseState:
    """Take one observation up: each after-sale it is about, then the order, all judged on the state before it."""
    told = dict(observation.data or {})
    after_sales = dict(state.after_sales)
    order = dict(state.order)
    if observation.after_sale:
        before = after_sales.get(observation.after_sale, {})
        subjects: dict[str, Fact] = {observation.after_sale: {**before, **told, "id": observation.after_sale}}
        if observation.reported:
            after_sales |= subjects
    else:
        subjects = dict(after_sales)
        order |= told
    effects: list[FlowEffect] = []
    for id_, fact in subjects.items():
        found = [known[name] for name in flows.matches(observation.event, {**fact, "order": state.order})]
        own = [flow for flow in found if not flow.about_order]
        effects += [_effect(flow, observation, id_) for flow in own]
        if own:
            after_sales[id_] = {**fact, **_changes(own)}
    subject = subjects.get(observation.after_sale, {})
    found = [known[name] for name in flows.matches(observation.event, {**subject, "order": state.order})]
    about_order = [flow for flow in found if flow.about_order]
    effects += [_effect(flow, observation, "") for flow in about_order]
    order |= {path.removeprefix("order."): value for path, value in _changes(about_order).items()}
    ignored = state.ignored if effects else (*state.ignored, observation.id)
    return CaseState(order, after_sales, (*state.effects, *effects), ignored)


def _effect(flow: Flow, observation: Observation, after_sale: str) -> FlowEffect:
    changes = tuple((change.field, change.value) for change in flow.changes)
    return FlowEffect(flow.common.id, observation.id, after_sale, changes, flow.call)


def _changes(flows: list[Flow]) -> dict[str, Any]:
    """Put the changes of several flows together; of two that set the same field, the first in the file counts."""
    return {change.field: change.value for flow in reversed(flows) for change in flow.changes}


@dataclass(frozen=True, slots=True)
class CommandResult:
    """Answer a command.

    Attributes:
        done: Whether the command may be carried out now; it is never kept for later.
        state: The state of the action that was asked for, with the reason where it is refused.
        changes: What is set once the channel has taken the command.
        calls: What the channel is to be told.
    """

    done: bool
    state: ActionState
    changes: tuple[tuple[str, Any], ...] = ()
    calls: tuple[str, ...] = ()


def command(ruleset: Ruleset, flows: FlowMatcher, verdict: Verdict, action: str, fact: Fact) -> CommandResult:
    """Judge what staff ask for, on the state now.

    Args:
        ruleset: The ruleset that the flows belong to.
        flows: Says which flows an action sets off.
        verdict: The verdict on the fact.
        action: The action asked for.
        fact: The fact, with its order.

    Returns:
        The answer. An action that has flows, none of which surely applies, is refused: what can't be decided is closed.

    Raises:
        KeyError: The fact has no such action.
    """
    state = verdict.action(action)
    if state.state != "enabled":
        return CommandResult(False, state)
    names = set(flows.matches(action, fact))
    found = [flow for flow in ruleset.flows if flow.common.id in names]
    known = [flow for flow in ruleset.flows if flow.on == action]
    if known and not found:
        titles = "、".join(f"「{flow.common.title}」" for flow in known)
        rule = f"{ruleset.name}/{known[0].common.id}"
        return CommandResult(
            False,
            replace(state, state="disabled", rule=rule, reason=f"现在不能{titles}，或缺少判断所需的数据"),
        )
    return CommandResult(
        True, state, tuple(_changes(found).items()), tuple(flow.call for flow in found if flow.call)
    )
