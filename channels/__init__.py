"""The outside world on the wire: one client and one sandbox per system. Speaks payloads, knows no facts and no rules."""

from __future__ import annotations
