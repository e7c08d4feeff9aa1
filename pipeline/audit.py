"""The audit trail of what is done with orders and after-sales: who tried what, and what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipeline.binding import Actor
from pipeline.store import AuditEntry, AuditOutcome


def audit_entry(
    actor: Actor,
    channel: str,
    action: str,
    subject: str,
    outcome: AuditOutcome,
    at: datetime,
    *,
    reason: str = "",
    detail: dict[str, Any] | None = None,
) -> AuditEntry:
    """Make an entry about an action on an order or an after-sale.

    Args:
        actor: Who asked.
        channel: The channel.
        action: The action.
        subject: The channel's id of the order or after-sale.
        outcome: What came of it.
        at: When; aware.
        reason: Why it was refused or failed.
        detail: More of it; nothing private.
    """
    return AuditEntry(
        at=at,
        shop_id=actor.shop_id,
        channel=channel,
        actor_id=actor.id,
        actor_name=actor.name,
        actor_role=actor.role,
        action=action,
        subject=subject,
        outcome=outcome,
        reason=reason,
        detail=detail or {},
    )
