"""Loaded by every Python process that a test starts: a service that runs there is watched there (`tests/privacy/watch.py`)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

SERVERS = ("serve", "gunicorn")

if "SHELFGATE_TESTS_LEAKS" in os.environ and any(Path(word).name in SERVERS for word in sys.orig_argv):
    sys.path.append(str(Path(__file__).resolve().parents[3]))
    from tests.privacy.watch import LEAKS_FILE, Watch, watch_service

    _watch = Watch()
    watch_service(_watch, lambda: _watch.write_notes(Path(os.environ[LEAKS_FILE])))
