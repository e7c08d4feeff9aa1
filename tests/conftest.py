"""What all tests share.

`--hypothesis-profile=full` looks for counterexamples longer and elsewhere; `--update-goldens` writes the golden files anew,
`--screenshots` the pictures of the pages.
"""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.privacy.plugin import Privacy

# The same examples every time, so that a red run is red again; the two cores of a small machine may be slow.
settings.register_profile(
    "fast",
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("full", max_examples=5000, deadline=None, print_blob=True)
settings.load_profile("fast")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that write files of the project anew."""
    parser.addoption("--update-goldens", action="store_true", help="write the golden files anew")
    parser.addoption("--screenshots", action="store_true", help="write the pictures in docs/images anew")


def pytest_configure(config: pytest.Config) -> None:
    """Watch for what is personal. Hear Ctrl-C: a shell that runs the tests in the background has them ignore it, and the commands they start inherit that."""
    config.pluginmanager.register(Privacy(), "privacy")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
