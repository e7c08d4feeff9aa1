"""What the rules say an actor may do in a shop (R5, R6): the one answer for page, API and command."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.actions import ActionSession, Verdict
from engine.errors import ShelfgateError
from engine.rulebook import Rulebook
from engine.rules import Ruleset
from pipeline.actors import Actor
from pipeline.binding import Action
from pipeline.shops import shop_fact
from pipeline.store import Store

FACT = "actor"


class NoAccessRules(ShelfgateError):
    """Report that a channel has no rules about actors, so that nothing may be done.

    Attributes:
        channel: The channel.
    """

    def __init__(self, message: str, channel: str) -> None:
        super().__init__(message)
        self.channel = channel


@dataclass(frozen=True, slots=True)
class Answer:
    """Say whether an action may be done, and if not, why and what to do instead."""

    allowed: bool
    reason: str = ""


class RulesMay:
    """Ask the rules; fits `pipeline.binding.May`."""

    def __init__(self, rulebook: Rulebook, channel: str, store: Store, as_of: datetime) -> None:
        """Prepare to ask.

        Args:
            rulebook: The rules.
            channel: The channel.
            store: Where shops and bindings are kept.
            as_of: The moment asked for; aware.

        Raises:
            NoAccessRules: The channel has no ruleset of kind actions about actors.
        """
        self._channel = channel
        self._store = store
        self._session = ActionSession(
            found := _access_rules(rulebook, channel), rulebook.evaluator(found), as_of
        )

    def __call__(self, actor: Actor, action: Action) -> Answer:
        """Answer for one action; what can't be decided is a no, and says which fact is missing."""
        state = self.verdict(actor).action(action)
        if state.state == "enabled":
            return Answer(allowed=True)
        instead = "；".join(item.effect for item in state.instead)
        return Answer(allowed=False, reason=state.reason + (f"（{instead}）" if instead else ""))

    def verdict(self, actor: Actor) -> Verdict:
        """Give the state of every action of an actor."""
        return self._session.judge(self.fact(actor))

    def fact(self, actor: Actor) -> dict[str, Any]:
        """Give an actor as the rules see them, with the shop as it is now."""
        return {
            "id": actor.id,
            "name": actor.name,
            "role": actor.role,
            "shop": shop_fact(self._store, self._channel, actor.shop_id),
        }


def _access_rules(rulebook: Rulebook, channel: str) -> Ruleset:
    found = rulebook.channels[channel].about("actions", FACT)
    if found is None:
        raise NoAccessRules(f"渠道 {channel} 没有关于操作人的规则，任何人都不能绑定；请在清单里补上", channel)
    return found
