"""The rule model: what a rule file says, checked and frozen. Nothing after this knows YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from engine.diagnostics import Severity
from engine.plan import Condition, Operand, Plan, PlannedRule, Ref
from engine.source import Span
from engine.vocabulary import Fact

RulesetKind = Literal["eligibility", "mapping", "actions"]
Effect = Literal["disable", "hide"]


@dataclass(frozen=True, slots=True)
class Slot:
    """Stand for a value in a message.

    Attributes:
        ref: The value.
        filter: "" for the value, `count` for a list's length, `title` for an enum value's title.
    """

    ref: Ref
    filter: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """Hold a message's text and slots, in Chinese and, where given, in English."""

    zh: tuple[str | Slot, ...] = ()
    en: tuple[str | Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """Hold one example of a rule.

    Attributes:
        expect: accept, reject or undetermined; maps for a mapping.
        overlay: Values laid over the fact's base example, by path; None takes a value away.
        tables: Tables that replace the base tables, by name.
        also: Overlays that make the other rows of the batch.
        as_of: The day asked for, or None for the first day on which the rule is in force.
        to: For a mapping, what the target should be.
        span: Where the example stands.
    """

    expect: str
    overlay: Mapping[str, Any]
    span: Span
    tables: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[Mapping[str, Any], ...] = ()
    as_of: date | None = None
    to: Any = None


@dataclass(frozen=True, slots=True)
class Common:
    """Hold what every kind of rule has.

    Attributes:
        id: Unique within the ruleset.
        title: Chinese title.
        source: Where it comes from, such as R10.
        span: Where the rule's id stands.
        severity: Only error decides.
        when: Applies only if this holds; None for always.
        fix: What to do about it.
        first_day: First day in force, or None.
        last_day: Last day in force, or None.
        examples: The rule's examples.
    """

    id: str
    title: str
    source: str
    span: Span
    severity: Severity = "error"
    when: Condition | None = None
    fix: Message = Message()
    first_day: date | None = None
    last_day: date | None = None
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class EligibilityRule:
    """Require something of a fact.

    Attributes:
        common: What every rule has.
        require: What must hold; a `forbid` is here turned round.
        otherwise: The reason given where it does not hold.
        preempts: Error codes of the channel that the rule spares the merchant.
    """

    common: Common
    require: Condition
    otherwise: Message
    preempts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lookup:
    """Take a value from a table: the column of the only row that meets the condition."""

    table: str
    column: str
    scope: int
    where: Condition
    title: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Case:
    """Map to a value where a condition holds.

    Attributes:
        when: The condition; None for always.
        to: A constant, a reference or a look-up.
        confidence: How sure the mapping is, 0 to 1; only a proposal below 1.
    """

    when: Condition | None
    to: Operand | Lookup
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class MappingRule:
    """Map to a target field, once or for each element of a list.

    Attributes:
        common: What every rule has.
        target: The field that is mapped to; under a list where `each` is given.
        each: The list whose elements are mapped; None maps once.
        key: With `each`: the field by which elements of the source and of the target's list belong together.
        cases: Tried in order; the first that holds and yields a value is taken.
        otherwise: The reason given where no case does.
        distinct: Whether two elements that map to the same value are a finding.
    """

    common: Common
    target: Ref
    each: Ref | None
    key: str
    cases: tuple[Case, ...]
    otherwise: Message
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class Instead:
    """Name the action to take instead, and what it does."""

    action: str
    effect: Message


@dataclass(frozen=True, slots=True)
class ActionRule:
    """Restrict actions of a fact, or mask and hide its fields.

    Attributes:
        common: What every rule has.
        restrict: The actions that are restricted.
        effect: disable or hide.
        because: The reason shown.
        instead: What to do instead.
        until: Until when, in words; may be empty.
        mask: Fields and what is shown in their place.
        hide: Fields that are taken out.
    """

    common: Common
    restrict: tuple[str, ...]
    effect: Effect
    because: Message
    instead: tuple[Instead, ...] = ()
    until: Message = Message()
    mask: tuple[tuple[Ref, str], ...] = ()
    hide: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """Set a field of the state to a constant."""

    field: str
    value: Any


@dataclass(frozen=True, slots=True)
class Flow:
    """Say what an event does.

    Attributes:
        common: What every rule has.
        on: The event.
        changes: What is set.
        call: What the channel is told, or "".
    """

    common: Common
    on: str
    changes: tuple[Change, ...]
    call: str = ""

    @property
    def about_order(self) -> bool:
        """Whether it changes the order rather than an after-sale."""
        return any(change.field.startswith("order.") for change in self.changes)


@dataclass(frozen=True, slots=True)
class Waiver:
    """Let a fact pass a rule for a while.

    Attributes:
        rule: Ruleset and rule, such as `eligibility/spec-levels`.
        when: The facts it covers.
        owner: Who answers for it.
        reason: Why.
        last_day: Last day on which it holds.
        span: Where it stands.
    """

    rule: str
    when: Condition
    owner: str
    reason: str
    last_day: date
    span: Span


Rule = EligibilityRule | MappingRule | ActionRule


@dataclass(frozen=True, slots=True)
class Ruleset:
    """Hold one family of one channel.

    Attributes:
        name: Channel and family, such as `huiju/eligibility`.
        kind: eligibility, mapping or actions.
        fact: The fact that its rules are about.
        rules: The rules in the order of the file.
        flows: The flows in the order of the file; only for kind actions.
        waivers: The waivers that name rules of this ruleset.
        version: Hash of the normalised content, `sha256:` and 64 hex digits.
        file: The file it was read from.
        tables: Names and Chinese titles of the tables there are, for wording.
    """

    name: str
    kind: RulesetKind
    fact: Fact
    rules: tuple[Rule, ...]
    flows: tuple[Flow, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    version: str = ""
    file: str = ""
    tables: tuple[tuple[str, str], ...] = ()

    def plan(self) -> Plan:
        """Give the part of the rules that evaluators need."""
        return Plan(self.name, tuple(_planned(rule) for rule in self.rules))

    def rule(self, id_: str) -> Rule | None:
        """Give a rule by id."""
        return next((rule for rule in self.rules if rule.common.id == id_), None)


def _planned(rule: Rule) -> PlannedRule:
    common = rule.common
    require = rule.require if isinstance(rule, EligibilityRule) else None
    return PlannedRule(common.id, common.when, require, common.first_day, common.last_day)
