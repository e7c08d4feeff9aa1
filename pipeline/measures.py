"""What is counted on the way, for Prometheus: decisions by rule, and what the channels answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import Counter

DECISIONS = Counter("shelfgate_decisions", "Decisions by ruleset and outcome", ("ruleset", "outcome"))
FINDINGS = Counter("shelfgate_findings", "Findings by rule and status", ("rule", "status"))
CHANNEL_ERRORS = Counter("shelfgate_channel_errors", "Calls to channels that failed", ("channel", "kind"))


def count_decisions(ruleset: str, results: Iterable[Mapping[str, Any]]) -> None:
    """Count decisions and their findings; answers about actions count by the state of each action's rule.

    Args:
        ruleset: Channel and family.
        results: Answers as JSON data, with `outcome` and `findings`, or with `actions`.
    """
    for result in results:
        if "actions" in result:
            DECISIONS.labels(ruleset, "judged").inc()
            for action in result["actions"]:
                if action["rule"]:
                    FINDINGS.labels(action["rule"], action["state"]).inc()
            continue
        DECISIONS.labels(ruleset, result["outcome"]).inc()
        for finding in result["findings"]:
            FINDINGS.labels(finding["rule"], finding["status"]).inc()
