"""Evaluate a ruleset of kind actions: every action of a fact, always, with its state and reason; and what may be seen of the fact.

The page draws the verdict and the API enforces it, from the same answer. What can't be decided is closed: the action is disabled, the field
masked, and the fact that is missing is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from engine.decision import Evidence, canonical, plain
from engine.evaluators import record
from engine.plan import Ref
from engine.rules import ActionRule, Message, Ruleset
from engine.session import undetermined
from engine.tables import Tables
from engine.truth import Judge, Reason, value_of
from engine.wording import SHANGHAI, render_message

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
        until: Until when, in words; may be empty.
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
    _applying: record.Decide = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Bind the evaluator once."""
        self._applying = self.evaluator.bind(self.tables, None, self.as_of.astimezone(SHANGHAI).date())

    def judge(self, fact: Fact) -> Verdict:
        """Judge every action of a fact.

        Args:
            fact: The fact.

        Returns:
            The verdict; the strongest effect decides (hide before disable), then the order of the file.
        """
        rules = [rule for n in self._applying(fact) if isinstance(rule := self.ruleset.rules[n], ActionRule)]
        states = [
            self.state(name, title, english, rules, fact)
            for name, title, english in self.ruleset.fact.actions
        ]
        return Verdict(
            self.ruleset.name,
            self.ruleset.version,
            self.as_of,
            tuple(states),
            tuple(mask for rule in rules for mask in rule.mask),
            tuple(ref for rule in rules for ref in rule.hide),
        )

    def state(self, name: str, title: str, english: str, rules: list[ActionRule], fact: Fact) -> ActionState:
        """Judge one action by the rules that apply, or may apply."""
        applying = sorted(
            (rule for rule in rules if name in rule.restrict), key=lambda rule: rule.effect != "hide"
        )
        if not applying:
            return ActionState(name, title, english)
        rule, *others = applying
        reason = self.reason(rule, fact)
        message = self.said(rule.because, fact)
        if reason.missing:
            lacking = undetermined(self.ruleset, rule.common, reason)
            message = (lacking, lacking)
        return ActionState(
            name,
            title,
            english,
            "hidden" if rule.effect == "hide" else "disabled",
            f"{self.ruleset.name}/{rule.common.id}",
            *message,
            reason.evidence,
            reason.missing,
            tuple(Alternative(item.action, *self.said(item.effect, fact)) for item in rule.instead),
            self.said(rule.until, fact)[0],
            tuple(f"{self.ruleset.name}/{other.common.id}" for other in others),
            rule.common.source,
        )

    def reason(self, rule: ActionRule, fact: Fact) -> Reason:
        """Say which fields make a rule apply, or which are missing to tell."""
        judge = Judge(self.tables)
        when = rule.common.when
        if when is None:
            return Reason()
        if judge.truth(when, (fact,)) is None:
            return Reason((), judge.reason(when, (fact,), want=False).missing)
        return Reason(judge.reason(when, (fact,), want=False).evidence)

    def said(self, message: Message, fact: Fact) -> tuple[str, str]:
        """Fill a message in Chinese and in English."""

        def value(ref: Ref) -> Any:
            return value_of(ref, (fact,))

        return render_message(message, value), render_message(message, value, "en")
