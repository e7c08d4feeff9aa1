"""Youzan Cloud (有赞云): the client."""

from __future__ import annotations

from channels.youzan.client import BASE_URL, YouzanClient
from channels.youzan.token import YouzanCredentials

__all__ = ["BASE_URL", "YouzanClient", "YouzanCredentials"]
