"""Both outside systems on loopback, to develop and test against."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from channels.huiju.envelope import HuijuCredentials
from channels.huiju.profile import Profile, load_profile
from channels.sandbox.admin import Act, add_admin
from channels.sandbox.faults import FaultInjector, FaultPlan
from channels.sandbox.huiju import seed as huiju_seed
from channels.sandbox.huiju.app import HuijuApp
from channels.sandbox.huiju.buyer import ACTS, Buyer
from channels.sandbox.huiju.gate import Gate
from channels.sandbox.huiju.people import FIRST
from channels.sandbox.huiju.state import HuijuState
from channels.sandbox.huiju.state import Refused as HuijuRefused
from channels.sandbox.seed import Seed
from channels.sandbox.server import FaultyApp, LoopbackServer
from channels.sandbox.youzan import seed as youzan_seed
from channels.sandbox.youzan.app import YouzanApp
from channels.sandbox.youzan.state import Refused as YouzanRefused
from channels.sandbox.youzan.state import YouzanState
from channels.youzan.token import YouzanCredentials


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """Say how a sandbox is set up.

    Attributes:
        host: Address to listen on; a sandbox checks no visitor, so keep it on loopback.
        huiju_port, youzan_port: Ports, 0 for any free one.
        huiju: The shop's API identity at Huiju; made up where None.
        youzan: Application and shop at Youzan; made up where None.
        huiju_per_second: Huiju's rate limit; the profile's where None.
        youzan_per_second: Youzan's rate limit per shop (published for item writes: 20; for reads it is unknown).
        people: Number of the first person who buys at Huiju; each order is another person's.
        token_life: Seconds that a Youzan token is good for.
    """

    host: str = "127.0.0.1"
    huiju_port: int = 0
    youzan_port: int = 0
    huiju: HuijuCredentials | None = None
    youzan: YouzanCredentials | None = None
    huiju_per_second: float | None = None
    youzan_per_second: float = 100.0
    people: int = FIRST
    token_life: float = 7 * 86400.0


class HuijuSide:
    """The Huiju half of a sandbox.

    Attributes:
        credentials: The shop's API identity.
        base_url: Address to give to a client.
        state, faults, buyer: What a test looks at or steers.
    """

    def __init__(
        self, config: SandboxConfig, seed: Seed, profile: Profile, clock: Callable[[], float]
    ) -> None:
        self.credentials = config.huiju or HuijuCredentials(
            f"hj{secrets.randbelow(10**8):08d}", secrets.token_hex(16), secrets.token_hex(16)
        )
        self.faults = FaultInjector()
        self.state = HuijuState(profile, clock, people=config.people)
        huiju_seed.plant(self.state, seed)
        self.buyer = Buyer(self.state)
        gate = Gate(self.credentials, profile, clock, config.huiju_per_second)
        app = HuijuApp(self.state, self.credentials, gate, self.faults)
        acts = {name: getattr(self.buyer, name) for name in ACTS}
        add_admin(app.flask, self.faults, self.state.snapshot, acts, HuijuRefused)
        faulty = FaultyApp(app.flask.wsgi_app, self.faults, app.too_many)
        self.server = LoopbackServer(faulty, config.host, config.huiju_port)
        self.base_url = self.server.address + app.prefix


class YouzanSide:
    """The Youzan half of a sandbox.

    Attributes:
        credentials: Application and shop.
        base_url: Address to give to a client.
        state, faults: What a test looks at or steers.
    """

    def __init__(self, config: SandboxConfig, seed: Seed, clock: Callable[[], float]) -> None:
        self.credentials = config.youzan or YouzanCredentials(
            secrets.token_hex(9), secrets.token_hex(16), f"{38000000 + secrets.randbelow(10**6)}"
        )
        self.faults = FaultInjector()
        self.state = YouzanState(clock, config.token_life)
        youzan_seed.plant(self.state, seed, self.credentials.kdt_id)
        app = YouzanApp(self.state, self.credentials, self.faults, config.youzan_per_second)
        acts: dict[str, Act] = {"edit_item": self.state.edit_item, "expire_tokens": self.state.expire_tokens}
        add_admin(app.flask, self.faults, self.state.snapshot, acts, YouzanRefused)
        faulty = FaultyApp(app.flask.wsgi_app, self.faults, app.too_many)
        self.server = LoopbackServer(faulty, config.host, config.youzan_port)
        self.base_url = self.server.address


class Sandbox:
    """Run both systems.

    >>> with Sandbox() as sandbox:
    ...     sandbox.huiju.base_url.startswith("http://127.0.0.1:")
    True

    Args:
        seed: What the systems hold at first.
        config: Ports, credentials, limits.
        profile: What Huiju's wire looks like; the one that comes with the project where None.
        clock: Seconds since the epoch, for both systems.

    Attributes:
        huiju, youzan: The two systems.
    """

    def __init__(
        self,
        seed: Seed | None = None,
        *,
        config: SandboxConfig | None = None,
        profile: Profile | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        config = config or SandboxConfig()
        seed = seed or Seed()
        self.huiju = HuijuSide(config, seed, profile or load_profile(), clock)
        self.youzan = YouzanSide(config, seed, clock)

    def start(self) -> Sandbox:
        """Begin to answer and return the sandbox."""
        self.huiju.server.start()
        self.youzan.server.start()
        return self

    def stop(self) -> None:
        """Stop answering and free the ports."""
        self.huiju.server.stop()
        self.youzan.server.stop()

    def addresses(self) -> dict[str, str]:
        """Return the address of each system, to be given to its client."""
        return {"huiju": self.huiju.base_url, "youzan": self.youzan.base_url}

    def set_faults(self, plan: FaultPlan) -> None:
        """Let both systems follow one plan."""
        self.huiju.faults.set(plan)
        self.youzan.faults.set(plan)

    def snapshot(self) -> dict[str, Any]:
        """Return a copy of everything that both systems hold, as plain data."""
        return {"huiju": self.huiju.state.snapshot(), "youzan": self.youzan.state.snapshot()}

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.stop()
