"""`make demo` shows the whole job, and ends as it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_demo_lists_every_row_of_the_corrected_upload_and_ships_the_order_that_comes_back() -> None:
    done = subprocess.run(
        [sys.executable, "tools/demo.py"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "全部完成：共 7 行，已上架 7" in done.stdout
    assert "更正" in done.stdout
    assert "不能商家主动退款" in done.stdout
    assert "改为：发货后这个退款申请自动关闭" in done.stdout
    assert "仅退款  已关闭（订单发货）" in done.stdout
