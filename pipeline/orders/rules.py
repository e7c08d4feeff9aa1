"""What the rules say of orders and after-sales: the one judge of what is shown and of what is done (R20–R32)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from engine.actions import ActionSession, Verdict
from engine.errors import ShelfgateError
from engine.flows import CaseState, CommandResult, FlowMatcher, Observation, command, fold
from engine.rulebook import Rulebook
from engine.rules import Ruleset

Fact = dict[str, Any]
About = Literal["order", "after_sale"]


class NoOrderRules(ShelfgateError):
    """Report that a channel has no rules about orders or after-sales, so that nothing may be shown or done.

    Attributes:
        channel: The channel.
    """

    def __init__(self, channel: str, about: About) -> None:
        title = "订单" if about == "order" else "售后单"
        super().__init__(f"渠道 {channel} 没有关于{title}的规则，不能显示或处理；请在清单里补上")
        self.channel = channel


class OrderRules:
    """Judge the orders and after-sales of one channel as of one moment.

    Args:
        rulebook: The rules.
        channel: The channel.
        as_of: The moment asked for; aware.

    Raises:
        NoOrderRules: The channel has none about orders, or none about after-sales.
    """

    def __init__(self, rulebook: Rulebook, channel: str, as_of: datetime) -> None:
        self.channel = channel
        self.as_of = as_of
        self._rulebook = rulebook
        self._rulesets = {about: _ruleset(rulebook, channel, about) for about in ABOUT}
        self._sessions = {
            about: ActionSession(ruleset, rulebook.evaluator(ruleset), as_of)
            for about, ruleset in self._rulesets.items()
        }

    def judge(self, about: About, fact: Fact) -> Verdict:
        """Say what may be done with an order or an after-sale, and what may be seen of it."""
        return self._sessions[about].judge(fact)

    def command(self, about: About, fact: Fact, action: str) -> CommandResult:
        """Judge what staff ask for, on the state now.

        Raises:
            KeyError: There is no such action.
        """
        return command(self._rulesets[about], self._flows[about], self.judge(about, fact), action, fact)

    def fold(self, order: Fact, observations: Iterable[Observation]) -> CaseState:
        """Fold what has happened to an order and its after-sales into their state."""
        return fold(self._rulesets["after_sale"], self._flows["after_sale"], order, observations)

    def event_title(self, event: str) -> str:
        """Give the Chinese title of an event; its name where there is none."""
        return dict(self._rulesets["after_sale"].fact.events).get(event, event)

    @cached_property
    def _flows(self) -> dict[About, FlowMatcher]:
        return {
            about: self._rulebook.flow_matcher(ruleset, self.as_of)
            for about, ruleset in self._rulesets.items()
        }


ABOUT: tuple[About, ...] = ("order", "after_sale")


def _ruleset(rulebook: Rulebook, channel: str, about: About) -> Ruleset:
    found = rulebook.channels[channel].about("actions", about)
    if found is None:
        raise NoOrderRules(channel, about)
    return found
