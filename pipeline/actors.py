"""Who asks for something, and in which shop (R5)."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.store import Role


@dataclass(frozen=True, slots=True)
class Actor:
    """Name who asks.

    Attributes:
        shop_id: The shop that the actor belongs to; no other may be touched by them.
        role: What the actor is there (R5).
    """

    id: str
    name: str
    role: Role
    shop_id: str
