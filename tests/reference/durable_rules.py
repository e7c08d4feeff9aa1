"""Whether durable-rules can be imported here, and what its tests do where it can't: skip, but not in CI."""

from __future__ import annotations

import os

import pytest

try:
    from durable import engine  # noqa: F401

    THERE = True
except ImportError:
    THERE = False

needed = pytest.mark.skipif(
    not THERE and os.environ.get("CI") != "true",
    reason="durable-rules cannot be imported: nothing is compared with it; pip install 'shelfgate[durable]'",
)
