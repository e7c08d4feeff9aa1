"""Tencent Huiju (腾讯惠聚): the client and the profile of its wire."""

from __future__ import annotations

from channels.huiju.client import HuijuClient
from channels.huiju.envelope import HuijuCredentials
from channels.huiju.profile import Profile, load_profile

__all__ = ["HuijuClient", "HuijuCredentials", "Profile", "load_profile"]
