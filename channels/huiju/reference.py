"""The lists that a listing picks from (惠聚数据, R7)."""

from __future__ import annotations

from typing import Any

from channels.huiju.envelope import CHANNEL
from channels.huiju.increments import Call
from channels.huiju.profile import Profile
from channels.paging import Page, read_all

Payload = dict[str, Any]


class Reference:
    """Read the shop's reference data, each kind whole.

    Args:
        call: Calls an interface.
        profile: What the wire looks like.
    """

    def __init__(self, call: Call, profile: Profile) -> None:
        self._call = call
        self._size = profile.limit("page_size_max")

    def categories(self) -> list[Payload]:
        """Return ``categoryId, name, parentId, level, leaf`` of every category."""
        return self._all("category_list", "categoryId")

    def brands(self) -> list[Payload]:
        """Return ``brandId, name`` of every brand."""
        return self._all("brand_list", "brandId")

    def freight_templates(self) -> list[Payload]:
        """Return ``freightTemplateId, name`` of every freight template."""
        return self._all("freight_template_list", "freightTemplateId")

    def spec_templates(self) -> list[Payload]:
        """Return ``specTemplateId, name`` of every spec template."""
        return self._all("spec_template_list", "specTemplateId")

    def _all(self, endpoint: str, key: str) -> list[Payload]:
        def fetch(number: int) -> Page:
            data = self._call(endpoint, {"pageNum": number, "pageSize": self._size})
            return Page(int(data["totalCount"]), data["list"])

        return read_all(fetch, channel=CHANNEL, page_size=self._size, key=lambda row: row.get(key))
