"""`make demo` shows the whole job, and ends as it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_demo_ends_with_every_row_of_the_corrected_upload_listed() -> None:
    done = subprocess.run(
        [sys.executable, "tools/demo.py"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "全部完成：共 7 行，已上架 7" in done.stdout
    assert "更正" in done.stdout
