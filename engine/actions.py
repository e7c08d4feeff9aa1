"""Evaluate a ruleset of kind actions: every action of a fact, always, with its state and reason; and what may be seen of the fact.

The page draws the verdict and the API enforces it, from the same answer. What can't be decided is closed: the action is disabled, the field
masked, and the fact that is missing is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from engine.decision import Evidence, canonical, plain
from engine.evaluators import record
from engine.plan import Decide, Ref
from engine.rules import ActionRule, Message, Ruleset
from engine.session import undetermined
from engine.tables import Tables
from engine.truth import Judge, Reason, value_of
from engine.wording import day_of, render_message

Fact = Mapping[str, Any]
State = Literal["enabled", "disabled", "hidden"]


@dataclass(frozen=True, slots=True)
class Alternative:
    """Name the action to take instead and what it does, in Chinese and English."""

    action: str
    effect: str
    effect_en: str


@dataclass(frozen=True, slots=True)
class ActionState:
    """Say whether one action may be taken, and if not, why and what instead.

    Attributes:
        action: The action's name.
        title: Its Chinese title.
        title_en: Its English title.
        state: enabled, disabled or hidden.
        rule: The rule that decides; empty where enabled.
        reason: Why, in Chinese; empty where enabled.
        reason_en: Why, in English; the Chinese where the rule has no English.
        blocking: The fields that block it: found, and what would lift it.
        missing: Facts that are needed and absent.
        instead: What to do instead.
        until: Until when, in Chinese; may be empty.
        until_en: Until when, in English; the Chinese where the rule has no English.
        also: Further rules that restrict it, in the order of the file.
        source: Where the rule comes from, such as R23.
    """

    action: str
    title: str
    title_en: str
    state: State = "enabled"
    rule: str = ""
    reason: str = ""
    reason_en: str = ""
    blocking: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()
    instead: tuple[Alternative, ...] = ()
    until: str = ""
    until_en: str = ""
    also: tuple[str, ...] = ()
    source: str = ""

    def as_data(self) -> dict[str, Any]:
        """Give the state as plain JSON data."""
        blocking = [
            {"path": item.path, "found": plain(item.found), "wanted": item.wanted} for item in self.blocking
        ]
        instead = [
            {"action": item.action, "effect": item.effect, "effect_en": item.effect_en}
            for item in self.instead
        ]
        return {
            "action": self.action,
            "title": self.title,
            "title_en": self.title_en,
            "state": self.state,
            "rule": self.rule,
            "reason": self.reason,
            "reason_en": self.reason_en,
            "blocking": blocking,
            "missing": list(self.missing),
            "instead": instead,
            "until": self.until,
            "until_en": self.until_en,
            "also": list(self.also),
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hold the state of every action of a fact, and what may be seen of it.

    Attributes:
        ruleset: Channel and ruleset.
        version: Hash of the ruleset's normalised content.
        as_of: The moment asked for; aware.
        actions: Every action the fact declares, in its order.
        masks: Paths and what is shown in their place.
        hidden: Paths that are taken out.
    """

    ruleset: str
    version: str
    as_of: datetime
    actions: tuple[ActionState, ...]
    masks: tuple[tuple[Ref, str], ...]
    hidden: tuple[Ref, ...]

    def action(self, name: str) -> ActionState:
        """Give the state of one action.

        Raises:
            KeyError: The fact has no such action.
        """
        for state in self.actions:
            if state.action == name:
                return state
        raise KeyError(name)

    def as_data(self) -> dict[str, Any]:
        """Give the verdict as plain JSON data."""
        return {
            "ruleset": self.ruleset,
            "version": self.version,
            "as_of": plain(self.as_of),
            "actions": [state.as_data() for state in self.actions],
            "masks": [{"path": ref.path, "shown": shown} for ref, shown in self.masks],
            "hidden": [ref.path for ref in self.hidden],
        }

    def to_bytes(self) -> bytes:
        """Give the verdict's canonical bytes."""
        return canonical(self.as_data())

    def shown(self, fact: Fact) -> dict[str, Any]:
        """Give the fact as it may leave the server: masked and without the hidden fields; the original is not touched."""
        result: dict[str, Any] = dict(fact)
        for ref, text in self.masks:
            result = _replaced(result, ref.steps, text)
        for ref in self.hidden:
            result = _replaced(result, ref.steps, None)
        return result


def _replaced(value: Any, steps: tuple[str, ...], shown: str | None) -> Any:
    """Copy along a path and replace, or take out, what is at its end; lists are gone through."""
    if isinstance(value, list):
        return [_replaced(item, steps, shown) for item in value]
    if not isinstance(value, Mapping) or steps[0] not in value:
        return value
    copy = dict(value)
    if len(steps) > 1:
        copy[steps[0]] = _replaced(copy[steps[0]], steps[1:], shown)
    elif shown is None:
        del copy[steps[0]]
    elif copy[steps[0]] is not None:
        copy[steps[0]] = [shown] * len(copy[steps[0]]) if isinstance(copy[steps[0]], list) else shown
    return copy


@dataclass(slots=True)
class ActionSession:
    """Judge facts as of one moment.

    Attributes:
        ruleset: The ruleset, of kind actions.
        evaluator: The compiled plan.
        as_of: The moment asked for; aware.
        tables: The tables there are.
    """

    ruleset: Ruleset
    evaluator: record.Evaluator
    as_of: datetime
    tables: Tables = field(default_factory=Tables)
    _applying: Decide = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Bind the evaluator once."""
        self._applying = self.evaluator.bind(self.tables, None, day_of(self.as_of))

    def judge(self, fact: Fact) -> Verdict:
        """Judge every action of a fact.

        Args:
            fact: The fact.

        Returns:
            The verdict; the strongest effect decides (hide before disable), then the order of the file. A rule that can't be decided
            disables and says which fact is missing, where no other surely decides.
        """
        rules = [rule for n in self._applying(fact) if isinstance(rule := self.ruleset.rules[n], ActionRule)]
        verdict = Verdict(
            self.ruleset.name,
            self.ruleset.version,
            self.as_of,
            (),
            tuple(mask for rule in rules for mask in rule.mask),
            tuple(ref for rule in rules for ref in rule.hide),
        )
        shown = verdict.shown(fact)
        judged = [_Judged(rule, self.reason(rule, fact)) for rule in rules if rule.restrict]
        judged.sort(key=_rank)
        covered = tuple(ref.steps for ref in (*verdict.hidden, *(ref for ref, _ in verdict.masks)))
        states = [
            self.state(
                name, title, english, [item for item in judged if name in item.rule.restrict], shown, covered
            )
            for name, title, english in self.ruleset.fact.actions
        ]
        return replace(verdict, actions=tuple(states))

    def state(
        self,
        name: str,
        title: str,
        english: str,
        applying: list[_Judged],
        shown: Fact,
        covered: tuple[tuple[str, ...], ...],
    ) -> ActionState:
        """Judge one action by the rules that apply, or may apply, the one that decides first.

        Args:
            name: The action.
            title: Its Chinese title.
            english: Its English title.
            applying: The rules that restrict it.
            shown: The fact as it may be seen: a reason must not tell what a mask conceals.
            covered: The fields that are masked or hidden.

        Returns:
            The state.
        """
        if not applying:
            return ActionState(name, title, english)
        first, *others = applying
        rule, reason = first.rule, first.reason
        message = self.said(rule.because, shown)
        if reason.missing:
            lacking = undetermined(self.ruleset, rule.common, reason)
            message = (lacking, lacking)
        return ActionState(
            name,
            title,
            english,
            "hidden" if rule.effect == "hide" and not reason.missing else "disabled",
            f"{self.ruleset.name}/{rule.common.id}",
            *message,
            tuple(item for item in reason.evidence if not _covers(covered, item.path)),
            reason.missing,
            tuple(Alternative(item.action, *self.said(item.effect, shown)) for item in rule.instead),
            *self.said(rule.until, shown),
            tuple(f"{self.ruleset.name}/{item.rule.common.id}" for item in others),
            rule.common.source,
        )

    def reason(self, rule: ActionRule, fact: Fact) -> Reason:
        """Say which fields make a rule apply, or which are missing to tell."""
        judge = Judge(self.tables)
        when = rule.common.when
        if when is None:
            return Reason()
        reason = judge.reason(when, (fact,), want=False)
        return Reason((), reason.missing) if judge.truth(when, (fact,)) is None else Reason(reason.evidence)

    def said(self, message: Message, fact: Fact) -> tuple[str, str]:
        """Fill a message in Chinese and in English."""

        def value(ref: Ref) -> Any:
            return value_of(ref, (fact,))

        return render_message(message, value), render_message(message, value, "en")


@dataclass(frozen=True, slots=True)
class _Judged:
    """Hold a rule that applies, or may apply, and why."""

    rule: ActionRule
    reason: Reason


def _rank(item: _Judged) -> int:
    """Order rules: what surely hides, then what surely disables, then what can't be decided, each in the order of the file."""
    if item.reason.missing:
        return 2
    return 0 if item.rule.effect == "hide" else 1


def _covers(covered: tuple[tuple[str, ...], ...], path: str) -> bool:
    """Whether a field, named as findings name it, is one of the covered ones, lies in one, or holds one."""
    steps = tuple(step.partition("[")[0] for step in path.split("."))
    return any(steps[: len(other)] == other[: len(steps)] for other in covered)
