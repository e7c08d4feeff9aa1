"""The audit trail: who tried what, and what came of it, refused attempts too."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipeline.actors import Actor
from pipeline.store import AuditEntry, AuditOutcome


def audit_entry(
    actor: Actor | None,
    channel: str,
    action: str,
    subject: str,
    outcome: AuditOutcome,
    at: datetime,
    *,
    shop_id: str = "",
    reason: str = "",
    detail: dict[str, Any] | None = None,
) -> AuditEntry:
    """Make an entry.

    Args:
        actor: Who asked; None for whoever sits at the machine, before there is anyone to sign in.
        channel: The channel; empty where it is about none.
        action: What was tried.
        subject: What it was tried on, such as the channel's id of an order.
        outcome: What came of it.
        at: When; aware.
        shop_id: The shop that it was tried in; the actor's own where empty.
        reason: Why it was refused or failed.
        detail: More of it; nothing private, never a secret.
    """
    return AuditEntry(
        at=at,
        shop_id=shop_id or (actor.shop_id if actor else ""),
        channel=channel,
        actor_id=actor.id if actor else "",
        actor_name=actor.name if actor else "",
        actor_role=actor.role if actor else "",
        action=action,
        subject=subject,
        outcome=outcome,
        reason=reason,
        detail=detail or {},
    )
