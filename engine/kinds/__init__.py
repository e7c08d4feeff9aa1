"""The kinds of ruleset, one file each: which keys a rule has and how it is read."""

from __future__ import annotations

from collections.abc import Mapping

from engine.kinds import actions, eligibility, mapping
from engine.kinds.flows import read_flows
from engine.rule_reader import RuleReader
from engine.rules import RulesetKind

KINDS: Mapping[RulesetKind, tuple[tuple[str, ...], RuleReader]] = {
    "eligibility": (eligibility.KEYS, eligibility.read_rule),
    "mapping": (mapping.KEYS, mapping.read_rule),
    "actions": (actions.KEYS, actions.read_rule),
}

__all__ = ["KINDS", "read_flows"]
