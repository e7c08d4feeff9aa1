"""A Huiju that runs on this machine: signed requests in, state machines behind them."""

from __future__ import annotations
