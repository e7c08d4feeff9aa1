"""A Youzan Cloud that runs on this machine: tokens, the envelopes of each version, one shop behind them."""

from __future__ import annotations
