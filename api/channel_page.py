"""The channel's page (惠聚渠道): reference data, template and uploads are there for bound shops alone (R6)."""

from __future__ import annotations

from api.problems import MEDIA_TYPE
from api.routes import Answer, Ask
from api.schemas import component
from api.services import default_channel
from engine.actions import ActionState
from engine.rulebook import Channel
from pipeline.access import RulesMay
from pipeline.orders.actions import ActionRefused

OPEN = "open_channel_page"
CLOSED = {409: Answer("店铺没有绑定，或还没有惠聚数据", component("problem"), media=MEDIA_TYPE)}
"""What the routes of the page answer too that only look; those that change something may answer so in any case."""


def access_of(ask: Ask, channel: Channel) -> RulesMay:
    """Ask the rules what the caller may do in the shop."""
    return RulesMay(ask.rulebook, channel.name, ask.services.store, ask.services.now())


def page_state(ask: Ask) -> ActionState:
    """Say whether the page shows for who asks."""
    return access_of(ask, default_channel(ask.rulebook)).verdict(ask.who.actor).action(OPEN)


def open_channel_page(ask: Ask) -> Channel:
    """Let the caller onto the channel's page.

    Returns:
        The channel.

    Raises:
        ActionRefused: The rules don't let the caller, as where the shop is not bound.
    """
    state = page_state(ask)
    if state.state != "enabled":
        raise ActionRefused(state)
    return default_channel(ask.rulebook)
