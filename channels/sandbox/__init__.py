"""Real HTTP servers that stand in for Huiju and Youzan on loopback. Clients know nothing of them but an address."""

from __future__ import annotations

from channels.sandbox.faults import Fault, FaultInjector, FaultPlan
from channels.sandbox.sandbox import Sandbox, SandboxConfig
from channels.sandbox.seed import Seed, read_seed
from channels.sandbox.serve import serve

__all__ = ["Fault", "FaultInjector", "FaultPlan", "Sandbox", "SandboxConfig", "Seed", "read_seed", "serve"]
